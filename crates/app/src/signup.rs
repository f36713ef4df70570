//! Signs up: creates an account of one's own.

use gateward_domain::email::{EmailKind, OutboxEmail};
use gateward_domain::link::SecretHash;
use gateward_domain::ports::{Access, HashError, RateLimitScope, StoreError, Taken};
use gateward_domain::signup::PendingSignup;
use gateward_domain::{
    Actor, EmailAddress, Event, EventKind, Identifier, Password, PasswordError, PasswordHash,
    PermissionSet, RequestInfo, RoleName, SignupId, Timestamp, TokenText, User, UserId, Username,
};

use crate::after_commit::AfterCommit;
use crate::outbox::SLOT_CONFIRM;
use crate::rate_limited::rate_limited;
use crate::{App, RateLimited};

/// Number of seconds for which a sign-up can be confirmed: as long as its email is attempted, plus
/// one day.
const PENDING_SIGNUP_TTL_SECONDS: i64 = 4 * 24 * 3600;

/// A sign-up request.
#[derive(Debug)]
pub struct Signup {
    /// The requested username.
    pub username: Username,
    /// The email address.
    pub email: EmailAddress,
    /// The chosen password.
    pub password: Password,
    /// Client IP address and user agent of the request.
    pub request_info: RequestInfo,
}

/// A verified sign-up. Nothing is written yet.
#[derive(Debug)]
pub struct PreparedSignup {
    user: User,
    request_info: RequestInfo,
}

/// The result of a sign-up.
#[derive(Debug)]
pub enum SignedUp {
    /// An account whose email address is not confirmed yet.
    Account(User),
    /// No account until the email address is confirmed. The response is the same whether or not the
    /// email address already has an account.
    Pending {
        /// The secret that proves this sign-up.
        signup_secret: TokenText,
    },
}

/// Why a sign-up failed.
#[derive(Debug, thiserror::Error)]
pub enum SignupError {
    /// The operator has turned off sign-ups.
    #[error("sign-up is disabled")]
    Disabled,
    /// Too many sign-ups came from the same client.
    #[error(transparent)]
    RateLimited(#[from] RateLimited),
    /// The password does not meet the policy.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The password could not be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The store failed, or the username or the email address is already taken.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// Signs a user up. Creates an account with an unconfirmed email address or, if confirmation is
    /// required first, only queues the confirmation email. No session starts.
    ///
    /// Runs both halves; see [`App::login`] for why there are two.
    pub async fn signup(&self, signup: Signup) -> Result<SignedUp, SignupError> {
        let prepared = self.prepare_signup(signup).await?;
        self.complete_signup(prepared).await
    }

    /// The first half: checks the password and hashes it. Writes nothing, except the count of
    /// sign-ups of the client.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn prepare_signup(&self, signup: Signup) -> Result<PreparedSignup, SignupError> {
        let now = self.now();
        if !self.policy.signup_enabled {
            return Err(SignupError::Disabled);
        }
        let Signup { username, email, password, request_info } = &signup;
        self.policy.password.check(password, username, email)?;
        // Each attempt counts, whether or not it creates an account.
        let mut limits = self.ip_rate_limit(RateLimitScope::Signup, request_info)?;
        self.check_rate_limit_in_own_tx(&mut limits, now).await?;
        self.record_failure(&limits, None, now).await?;
        self.validate_new_password::<SignupError>(password, username, email).await?;
        if self.policy.confirmation_required {
            self.refuse_taken_name(&signup.username).await?;
        }
        let password_hash = self.ports.hasher.hash(&signup.password).await?;

        let user = self.new_user(signup.username, signup.email, password_hash, now);
        Ok(PreparedSignup { user, request_info: signup.request_info })
    }

    /// The second half: creates the account or the pending sign-up.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn complete_signup(&self, prepared: PreparedSignup) -> Result<SignedUp, SignupError> {
        let PreparedSignup { user, request_info } = prepared;
        if self.policy.confirmation_required {
            return Ok(self.store_pending_signup(user, &request_info).await?);
        }
        let now = user.created_at;
        let mut tx = self.ports.store.begin(Access::Write).await?;
        tx.insert_user(&user).await?;
        let event = self.event(EventKind::AccountCreated, Actor::User(user.id), now);
        tx.insert_event(&Event { user_id: Some(user.id), ip: request_info.ip, ..event }).await?;
        let message = self.new_account_email(EmailKind::ConfirmEmail, &user, request_info.ip, now);
        self.queue_in_free_slot(&mut *tx, SLOT_CONFIRM, message).await?;
        self.commit_and_publish(tx, AfterCommit::default().email_queued(), now).await?;
        tracing::info!(user_id = %user.id, "account created");
        Ok(SignedUp::Account(user))
    }

    /// Stores a pending sign-up until its email address is confirmed. The writes are the same
    /// whether or not the email address has an account. The email informs its owner.
    async fn store_pending_signup(
        &self,
        user: User,
        request_info: &RequestInfo,
    ) -> Result<SignedUp, StoreError> {
        let now = user.created_at;
        let secret = self.new_secret();
        let signup = PendingSignup {
            id: SignupId::new(now, &*self.ports.entropy),
            secret: SecretHash::of(secret.expose()),
            username: user.username,
            email: user.email,
            password_hash: user.password_hash,
            created_at: now,
            expires_at: now.plus_seconds(PENDING_SIGNUP_TTL_SECONDS),
        };
        let message = self.new_outbox_email(EmailKind::Signup, &signup.email, request_info.ip, now);
        let message = OutboxEmail { signup_id: Some(signup.id), ..message };
        let mut tx = self.ports.store.begin(Access::Write).await?;
        tx.insert_signup(&signup).await?;
        self.queue_in_free_slot(&mut *tx, SLOT_CONFIRM, message).await?;
        self.commit_and_publish(tx, AfterCommit::default().email_queued(), now).await?;
        tracing::info!("sign-up pending email verification");
        Ok(SignedUp::Pending { signup_secret: secret })
    }

    /// Usernames are public handles, so the response may reveal that one is taken. A pending
    /// sign-up alone does not reserve one.
    pub(crate) async fn refuse_taken_name(&self, username: &Username) -> Result<(), StoreError> {
        let identifier = Identifier::Username(username.clone());
        let mut tx = self.ports.store.begin(Access::Read).await?;
        let found = tx.find_user_by_identifier(&identifier).await?;
        tx.commit().await?;
        match found {
            Some(_) => Err(StoreError::Taken(Taken::Username)),
            None => Ok(()),
        }
    }

    /// Creates an account with the role `user`, without storing it.
    pub(crate) fn new_user(
        &self,
        username: Username,
        email: EmailAddress,
        password_hash: PasswordHash,
        now: Timestamp,
    ) -> User {
        User {
            id: UserId::new(now, &*self.ports.entropy),
            username,
            email,
            email_verified: false,
            roles: vec![RoleName::user()],
            permissions: PermissionSet::EMPTY,
            disabled: false,
            password_hash,
            credentials_version: 1,
            created_at: now,
            updated_at: now,
        }
    }
}

rate_limited!(SignupError);
