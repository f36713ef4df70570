//! Signing up: making an account of one's own.

use gateward_domain::ports::{Access, HashError, StoreError};
use gateward_domain::{
    Actor, Email, Event, EventKind, Origin, Password, PasswordError, PasswordHash, RoleName,
    Timestamp, User, UserId, Username,
};

use crate::App;

/// Who signs up, and with what.
#[derive(Debug)]
pub struct Signup {
    /// The name that they want.
    pub username: Username,
    /// Their address.
    pub email: Email,
    /// The password that they choose.
    pub password: Password,
    /// Where the request came from.
    pub origin: Origin,
}

/// An account that can be made; nothing is written yet.
#[derive(Debug)]
pub struct PreparedSignup {
    user: User,
    origin: Origin,
}

/// Why nobody was signed up.
#[derive(Debug, thiserror::Error)]
pub enum SignupError {
    /// The operator does not let strangers sign up.
    #[error("sign-up is off")]
    Off,
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
    /// Makes an account whose address is not confirmed yet. No session begins.
    ///
    /// Both halves at once; see [`App::login`] for why there are two.
    pub async fn signup(&self, signup: Signup) -> Result<User, SignupError> {
        let prepared = self.prepare_signup(signup).await?;
        self.complete_signup(prepared).await
    }

    /// The first half: checks the password and hashes it. Writes nothing.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn prepare_signup(&self, signup: Signup) -> Result<PreparedSignup, SignupError> {
        let now = self.now();
        if !self.policy.signup_enabled {
            return Err(SignupError::Off);
        }
        self.policy.password.check(&signup.password, &signup.username, &signup.email)?;
        let password_hash = self.ports.hasher.hash(&signup.password).await?;

        let user = self.new_user(signup.username, signup.email, password_hash, now);
        Ok(PreparedSignup { user, origin: signup.origin })
    }

    /// The second half: makes the account.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn complete_signup(&self, prepared: PreparedSignup) -> Result<User, SignupError> {
        let PreparedSignup { user, origin } = prepared;
        let mut tx = self.ports.store.begin(Access::Write).await?;
        tx.insert_user(&user).await?;
        tx.insert_event(&Event {
            user_id: Some(user.id),
            ip: origin.ip,
            ..self.event(EventKind::AccountCreated, Actor::User(user.id), user.created_at)
        })
        .await?;
        tx.commit().await?;
        tracing::info!(user_id = %user.id, "account created");
        Ok(user)
    }

    /// An account with the rights of everybody, not stored yet.
    pub(crate) fn new_user(
        &self,
        username: Username,
        email: Email,
        password_hash: PasswordHash,
        now: Timestamp,
    ) -> User {
        User {
            id: UserId::new(now, &*self.ports.entropy),
            username,
            email,
            email_verified: false,
            roles: vec![RoleName::user()],
            disabled: false,
            password_hash,
            credentials_version: 1,
            created_at: now,
            updated_at: now,
        }
    }
}
