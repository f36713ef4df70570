//! Asking for a letter: to reset a password, or to confirm an address once more.
//!
//! To ask is one statement, the same for every address. Whether there is an account is looked up
//! when the letter is sent, so neither the answer nor its time tells.

use gateward_domain::link::SecretHash;
use gateward_domain::mail::{LetterKind, QueuedLetter};
use gateward_domain::ports::{Access, Pathway, StoreError};
use gateward_domain::{Email, Origin, Timestamp};

use crate::aftermath::Aftermath;
use crate::outbox::{CONFIRMING, RESETTING};
use crate::{App, ThrottleError};

impl App {
    /// Sends whoever owns this address a letter to choose a new password, if there is an account.
    ///
    /// A second request within the span of one letter writes none: the one before still holds.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn forgot_password(
        &self,
        email: &Email,
        origin: &Origin,
    ) -> Result<(), ThrottleError> {
        let now = self.now();
        self.count_letter(origin, now).await?;
        let letter = self.letter(LetterKind::ForgotPassword, email, origin.ip, now);
        Ok(self.ask_for(self.once(RESETTING, letter)).await?)
    }

    /// Sends the letter once more that confirms an address: of the sign-up whose secret is given, or
    /// else of whatever waits for the address.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn resend_confirmation(
        &self,
        email: &Email,
        signup_secret: Option<&str>,
        origin: &Origin,
    ) -> Result<(), ThrottleError> {
        let now = self.now();
        self.count_letter(origin, now).await?;
        let mut letter = self.letter(LetterKind::ResendConfirmation, email, origin.ip, now);
        if let Some(secret) = signup_secret {
            let mut tx = self.ports.store.begin(Access::Read).await?;
            let signup = tx.find_signup_by_secret(&SecretHash::of(secret), now).await?;
            tx.commit().await?;
            letter.signup_id = signup.filter(|one| one.email == *email).map(|one| one.id);
        }
        if letter.signup_id.is_none() {
            return Ok(self.ask_for(self.once(CONFIRMING, letter)).await?);
        }
        // Others may sign up with the same address all the time, and must not keep this one out.
        let mut tx = self.ports.store.begin(Access::Write).await?;
        self.post_spaced(&mut *tx, CONFIRMING, letter).await?;
        Ok(self.conclude(tx, Aftermath::default().letter(), now).await?)
    }

    /// Counts a letter that a stranger asks for, whether one comes of it or not.
    async fn count_letter(&self, origin: &Origin, now: Timestamp) -> Result<(), ThrottleError> {
        let mut tally = self.client_tally(Pathway::Letter, origin)?;
        self.weigh_alone(&mut tally, now).await?;
        self.strike(&tally, None, now).await
    }

    async fn ask_for(&self, letter: QueuedLetter) -> Result<(), StoreError> {
        let mut tx = self.ports.store.begin(Access::SingleWrite).await?;
        if !tx.insert_letter(&letter).await? {
            tracing::info!(kind = %letter.kind, "a letter was asked for again; the one before holds");
        }
        tx.commit().await?;
        self.ports.bell.ring();
        Ok(())
    }
}
