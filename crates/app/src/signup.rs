//! Signing up: making an account of one's own.

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

/// For how many seconds a sign-up can be confirmed: as long as its email is tried, and a day more.
const PENDING_SIGNUP_TTL_SECONDS: i64 = 4 * 24 * 3600;

/// Who signs up, and with what.
#[derive(Debug)]
pub struct Signup {
    /// The name that they want.
    pub username: Username,
    /// Their address.
    pub email: EmailAddress,
    /// The password that they choose.
    pub password: Password,
    /// Where the request came from.
    pub request_info: RequestInfo,
}

/// An account that can be made; nothing is written yet.
#[derive(Debug)]
pub struct PreparedSignup {
    user: User,
    request_info: RequestInfo,
}

/// What a sign-up gives.
#[derive(Debug)]
pub enum SignedUp {
    /// An account whose address is not confirmed yet.
    Account(User),
    /// Nothing before the address is confirmed. The answer is the same whether the address has an
    /// account or not.
    Pending {
        /// The secret by which whoever signed up proves it.
        signup_secret: TokenText,
    },
}

/// Why nobody was signed up.
#[derive(Debug, thiserror::Error)]
pub enum SignupError {
    /// The operator does not let strangers sign up.
    #[error("sign-up is off")]
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
    /// The store refused, perhaps because name or address are another's.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// Signs somebody up: with an account whose address is not confirmed yet, or, where addresses
    /// must be confirmed first, with nothing but the email that asks for it. No session begins.
    ///
    /// Both halves at once; see [`App::login`] for why there are two.
    pub async fn signup(&self, signup: Signup) -> Result<SignedUp, SignupError> {
        let prepared = self.prepare_signup(signup).await?;
        self.complete_signup(prepared).await
    }

    /// The first half: checks the password and hashes it. Writes nothing but that there was one
    /// more from there.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn prepare_signup(&self, signup: Signup) -> Result<PreparedSignup, SignupError> {
        let now = self.now();
        if !self.policy.signup_enabled {
            return Err(SignupError::Disabled);
        }
        let Signup { username, email, password, request_info } = &signup;
        self.policy.password.check(password, username, email)?;
        // Each one counts, whether an account comes of it or not.
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

    /// The second half: makes the account, or what waits to become one.
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

    /// Keeps what an account needs until its address is confirmed. What is written is the same
    /// whether the address has an account or not; the email will tell its owner.
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
        tracing::info!("sign-up waits for its address to be confirmed");
        Ok(SignedUp::Pending { signup_secret: secret })
    }

    /// Names are public handles: whether one is taken is told. Nobody holds one by signing up
    /// alone.
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

    /// An account with the rights of everybody, not stored yet.
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
