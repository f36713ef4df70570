//! Confirming an address: the mailbox *and* the account are proved, so that nobody can have a
//! stranger's click confirm an account whose password they chose.

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

/// How somebody proves that the account is theirs.
#[derive(Debug)]
pub enum AccountProof {
    /// Not at all.
    Missing,
    /// By the secret that whoever signed up was given.
    SignupSecret(String),
    /// By the password.
    Password(Password),
    /// By being logged in as this user.
    LoggedIn(UserId),
}

/// Both proofs.
#[derive(Debug)]
pub struct ConfirmEmail {
    /// The link or the code.
    pub mailbox: LinkProof,
    /// The proof of being who signed up, or whose account it is.
    pub account: AccountProof,
    /// Another name, where the one that was asked for went to somebody else meanwhile.
    pub username: Option<Username>,
    /// Where the request came from.
    pub request_info: RequestInfo,
}

/// A confirmation that may be made; nothing is written yet.
#[derive(Debug)]
pub struct PreparedConfirmation {
    link: Link,
    /// The version of the credentials that proved the account, if it is one.
    version: Option<i64>,
    username: Option<Username>,
    request_info: RequestInfo,
}

/// Why the address was not confirmed.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmEmailError {
    /// The link or code is unknown, used, superseded or too old, or the second proof is missing.
    #[error("not a link that is good, or not shown by its owner")]
    InvalidLink,
    /// Too much was tried.
    #[error(transparent)]
    RateLimited(#[from] RateLimited),
    /// The name went to somebody else meanwhile; the link is good still.
    #[error("the name went to somebody else")]
    UsernameTaken,
    /// The password could not be checked.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The store has failed.
    #[error(transparent)]
    Store(StoreError),
}

/// Whom a link is about, as they are now.
enum Subject {
    Signup(PendingSignup),
    Account(User),
}

impl App {
    /// Confirms an address. Both halves at once; see [`App::login`] for why there are two.
    pub async fn confirm_email(&self, confirm: ConfirmEmail) -> Result<(), ConfirmEmailError> {
        let prepared = self.prepare_confirmation(confirm).await?;
        self.complete_confirmation(prepared).await
    }

    /// The first half: checks both proofs. Uses up nothing but a try of a code.
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
            // Asked before a code is tried, so that choosing a name uses nothing up.
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

    /// The second half: uses the link up and does what it was made for.
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
                // The password may have changed, or the account been disabled, meanwhile.
                let is_as_proved = |user: &User| {
                    !user.disabled && Some(user.credentials_version) == prepared.version
                };
                let user = user.filter(is_as_proved);
                let user = user.ok_or(ConfirmEmailError::InvalidLink)?;
                (id, vec![self.confirm_for(&mut *tx, &user, &prepared, now).await?])
            }
            LinkSubject::Session(_) => return Err(ConfirmEmailError::InvalidLink),
        };
        // Others that wait for the address wait in vain from now on.
        tx.delete_signups_of_email(&link.email).await?;
        for kind in kinds {
            let event = self.event(kind, Actor::User(user_id), now);
            tx.insert_event(&Event { user_id: Some(user_id), ip: request_info.ip, ..event })
                .await?;
        }
        let after_commit = AfterCommit::default().user_changed(user_id).email_queued();
        self.commit_and_publish(tx, after_commit, now).await?;
        tracing::info!(%user_id, "address confirmed");
        Ok(())
    }

    /// Whom a proof can only be about, so that a code is tried on nobody else's email.
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

    /// Whether the account is proved. A password is always checked, against a decoy where there is
    /// nothing else, so that the time does not tell whether something waits for the address.
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

    /// The account that a confirmed sign-up becomes.
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

    /// Confirms the address that an account has, or gives it the new one.
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
        // Emails to the old address open nothing any more, but for the one that undoes this.
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
    /// A name can be chosen anew, an address cannot.
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Taken(Taken::Username) => Self::UsernameTaken,
            StoreError::Taken(Taken::Email) => Self::InvalidLink,
            other => Self::Store(other),
        }
    }
}

rate_limited!(ConfirmEmailError);
