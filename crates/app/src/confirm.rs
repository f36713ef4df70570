//! Confirms an email address. The caller proves access to the mailbox *and* to the account.
//! Otherwise an attacker could sign up with another person's email address, choose the password,
//! and have the victim's click confirm the account.

use gateward_domain::email::EmailKind;
use gateward_domain::link::{Link, LinkPurpose, LinkSubject, SecretHash};
use gateward_domain::ports::{Access, HashError, RateLimitScope, StoreError, Taken, Tx};
use gateward_domain::signup::PendingSignup;
use gateward_domain::{
    Actor, Event, EventKind, Password, RequestInfo, Timestamp, User, UserId, Username,
};

use crate::after_commit::AfterCommit;
use crate::links::LinkProof;
use crate::rate_limited::rate_limited;
use crate::reset::end_links_issued;
use crate::{App, RateLimited};

/// Proof that the account belongs to the caller.
#[derive(Debug)]
pub enum AccountProof {
    /// No proof.
    Missing,
    /// The secret that the client received at sign-up.
    SignupSecret(String),
    /// The password.
    Password(Password),
    /// The caller is logged in as this user.
    LoggedIn(UserId),
}

/// A request to confirm an email address, with both proofs.
#[derive(Debug)]
pub struct ConfirmEmail {
    /// Proof of access to the mailbox: the link or the code.
    pub mailbox: LinkProof,
    /// Proof that the sign-up or the account belongs to the caller.
    pub account: AccountProof,
    /// Another username, if the requested one was taken meanwhile.
    pub username: Option<Username>,
    /// Client IP address and user agent of the request.
    pub request_info: RequestInfo,
}

/// A verified confirmation. Nothing is written yet.
#[derive(Debug)]
pub struct PreparedConfirmation {
    link: Link,
    /// Version of the credentials that proved the account. `None` for a sign-up.
    version: Option<i64>,
    username: Option<Username>,
    request_info: RequestInfo,
}

/// Why the email address was not confirmed.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmEmailError {
    /// The link or code is unknown, used, superseded or expired, or the second proof is missing.
    #[error("the link is invalid, expired or already used, or the proof of the account is wrong")]
    InvalidLink,
    /// A rate limit applies.
    #[error(transparent)]
    RateLimited(#[from] RateLimited),
    /// The username was taken meanwhile. The link remains valid.
    #[error("the username was taken in the meantime")]
    UsernameTaken,
    /// The password could not be checked.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
}

/// The subject of a link, as it is now.
enum Subject {
    Signup(PendingSignup),
    Account(User),
}

impl App {
    /// Confirms an email address. Runs both halves; see [`App::login`] for why there are two.
    pub async fn confirm_email(&self, confirm: ConfirmEmail) -> Result<(), ConfirmEmailError> {
        let prepared = self.prepare_confirmation(confirm).await?;
        self.complete_confirmation(prepared).await
    }

    /// The first half: checks both proofs. Consumes nothing but one attempt of a code.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn prepare_confirmation(
        &self,
        confirm: ConfirmEmail,
    ) -> Result<PreparedConfirmation, ConfirmEmailError> {
        let request_info = confirm.request_info.clone();
        let is_wrong = |error: &ConfirmEmailError| matches!(error, ConfirmEmailError::InvalidLink);
        let now = self.now();
        let prepared = self.prepare_by_proofs(confirm, now);
        self.with_rate_limit(RateLimitScope::Link, (&request_info, now), is_wrong, prepared).await
    }

    async fn prepare_by_proofs(
        &self,
        confirm: ConfirmEmail,
        now: Timestamp,
    ) -> Result<PreparedConfirmation, ConfirmEmailError> {
        let ConfirmEmail { mailbox, account, username, request_info } = confirm;
        let about = self.subject_of(&account, now).await?;
        if let Some(name) = &username {
            // Checked before a code is tried, so that choosing a username consumes nothing.
            self.refuse_taken_name(name).await?;
        }
        let link = self.presented_link(&mailbox, &LinkPurpose::CONFIRMING, about, now).await?;
        let subject = match &link {
            Some(link) => self.find_subject(link, now).await?,
            None => None,
        };
        let proved = self.is_account_proved(&account, subject.as_ref()).await?;
        let link = link.filter(|_| proved).ok_or(ConfirmEmailError::InvalidLink)?;
        let version = match subject {
            Some(Subject::Account(user)) => Some(user.credentials_version),
            _ => None,
        };
        Ok(PreparedConfirmation { link, version, username, request_info })
    }

    /// The second half: consumes the link and applies its purpose.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn complete_confirmation(
        &self,
        prepared: PreparedConfirmation,
    ) -> Result<(), ConfirmEmailError> {
        let now = self.now();
        let PreparedConfirmation { link, request_info, .. } = &prepared;
        let mut tx = self.ports.store.begin(Access::Write).await?;
        let user = match link.user_id() {
            Some(id) => tx.lock_user(id).await?,
            None => None,
        };
        if !tx.spend_link(link.id, now).await? {
            return Err(ConfirmEmailError::InvalidLink);
        }
        let (user_id, kinds) = match link.subject {
            LinkSubject::Signup(id) => {
                let signup = tx.find_signup(id, now).await?;
                let signup = signup.ok_or(ConfirmEmailError::InvalidLink)?;
                let user = self.account_of(signup, prepared.username.clone(), now);
                tx.insert_user(&user).await?;
                (user.id, vec![EventKind::AccountCreated, EventKind::EmailConfirmed])
            }
            LinkSubject::User(id) => {
                // The password may have been changed, or the account disabled, meanwhile.
                let is_as_proved = |user: &User| {
                    !user.disabled && Some(user.credentials_version) == prepared.version
                };
                let user = user.filter(is_as_proved);
                let user = user.ok_or(ConfirmEmailError::InvalidLink)?;
                (id, vec![self.confirm_for(&mut *tx, &user, &prepared, now).await?])
            }
            LinkSubject::Session(_) => return Err(ConfirmEmailError::InvalidLink),
        };
        // Other sign-ups with this email address can no longer be confirmed.
        tx.delete_signups_of_email(&link.email).await?;
        for kind in kinds {
            let event = self.event(kind, Actor::User(user_id), now);
            tx.insert_event(&Event { user_id: Some(user_id), ip: request_info.ip, ..event })
                .await?;
        }
        let after_commit = AfterCommit::default().user_changed(user_id).email_queued();
        self.commit_and_publish(tx, after_commit, now).await?;
        tracing::info!(%user_id, "email address verified");
        Ok(())
    }

    /// Returns the only subject that the proof can concern, so that a code is tried on no other
    /// person's link.
    async fn subject_of(
        &self,
        proof: &AccountProof,
        now: Timestamp,
    ) -> Result<Option<LinkSubject>, ConfirmEmailError> {
        match proof {
            AccountProof::Missing => Err(ConfirmEmailError::InvalidLink),
            AccountProof::Password(_) => Ok(None),
            AccountProof::LoggedIn(id) => Ok(Some(LinkSubject::User(*id))),
            AccountProof::SignupSecret(secret) => {
                let mut tx = self.ports.store.begin(Access::Read).await?;
                let signup = tx.find_signup_by_secret(&SecretHash::of(secret), now).await?;
                tx.commit().await?;
                let signup = signup.ok_or(ConfirmEmailError::InvalidLink)?;
                Ok(Some(LinkSubject::Signup(signup.id)))
            }
        }
    }

    async fn find_subject(
        &self,
        link: &Link,
        now: Timestamp,
    ) -> Result<Option<Subject>, StoreError> {
        let mut tx = self.ports.store.begin(Access::Read).await?;
        let subject = match link.subject {
            LinkSubject::Signup(id) => tx.find_signup(id, now).await?.map(Subject::Signup),
            LinkSubject::User(id) => tx.find_user(id).await?.map(Subject::Account),
            LinkSubject::Session(_) => None,
        };
        tx.commit().await?;
        Ok(subject)
    }

    /// Returns whether the account is proved. A password is always verified, against a dummy hash
    /// if there is no other, so that the response time does not reveal whether the email address
    /// has a pending sign-up or account.
    async fn is_account_proved(
        &self,
        proof: &AccountProof,
        subject: Option<&Subject>,
    ) -> Result<bool, HashError> {
        match (proof, subject) {
            (AccountProof::Password(password), subject) => {
                let hash = match subject {
                    Some(Subject::Signup(signup)) => &signup.password_hash,
                    Some(Subject::Account(user)) => &user.password_hash,
                    None => &self.dummy_hash,
                };
                Ok(self.ports.hasher.verify(password, hash).await? && subject.is_some())
            }
            (AccountProof::SignupSecret(secret), Some(Subject::Signup(signup))) => {
                Ok(SecretHash::of(secret) == signup.secret)
            }
            (AccountProof::LoggedIn(id), Some(Subject::Account(user))) => Ok(*id == user.id),
            _ => Ok(false),
        }
    }

    /// Returns the account that a confirmed sign-up becomes.
    fn account_of(
        &self,
        signup: PendingSignup,
        username: Option<Username>,
        now: Timestamp,
    ) -> User {
        let username = username.unwrap_or(signup.username);
        let user = self.new_user(username, signup.email, signup.password_hash, now);
        User { email_verified: true, ..user }
    }

    /// Confirms the account's email address, or sets the new one.
    async fn confirm_for(
        &self,
        tx: &mut dyn Tx,
        user: &User,
        PreparedConfirmation { link, request_info, .. }: &PreparedConfirmation,
        now: Timestamp,
    ) -> Result<EventKind, ConfirmEmailError> {
        if link.purpose == LinkPurpose::ConfirmEmail {
            if user.email != link.email {
                return Err(ConfirmEmailError::InvalidLink);
            }
            tx.set_email(user.id, &link.email, true, now).await?;
            return Ok(EventKind::EmailConfirmed);
        }
        tx.set_email(user.id, &link.email, true, now).await?;
        // Links sent to the old email address stop working, except the one that undoes this change.
        end_links_issued(tx, user.id).await?;
        tx.insert_outbox_email(&self.new_account_email(
            EmailKind::EmailChanged,
            user,
            request_info.ip,
            now,
        ))
        .await?;
        Ok(EventKind::EmailChanged)
    }
}

impl From<StoreError> for ConfirmEmailError {
    /// A taken username can be replaced, a taken email address cannot.
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Taken(Taken::Username) => Self::UsernameTaken,
            StoreError::Taken(Taken::Email) => Self::InvalidLink,
            other => Self::Store(other),
        }
    }
}

rate_limited!(ConfirmEmailError);
