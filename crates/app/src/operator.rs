//! Commands of an operator at the command line.

use gateward_domain::ports::{Access, HashError, StoreError};
use gateward_domain::{
    Actor, EmailAddress, Event, EventKind, Identifier, Password, PasswordError, RoleName,
    TokenError, User, Username,
};

use crate::App;
use crate::admin::lock_installation;
use crate::roles::listed;

/// An account that an operator creates.
#[derive(Debug)]
pub struct NewAccount {
    /// The username. A reserved one is allowed.
    pub username: Username,
    /// The email address, which counts as confirmed.
    pub email: EmailAddress,
    /// The password.
    pub password: Password,
    /// Whether the account is an administrator.
    pub admin: bool,
}

/// Why an operator's command failed.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// No account has this username or email address.
    #[error("there is no such account")]
    NoSuchUser,
    /// The account is disabled.
    #[error("the account is disabled")]
    Disabled,
    /// The link could not be created.
    #[error("the link could not be created")]
    Token(#[from] TokenError),
    /// The password does not meet the policy.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The password could not be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The store failed, or a unique value is already taken.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// Creates an account whose email address counts as confirmed.
    pub async fn create_user(&self, account: NewAccount) -> Result<User, OperatorError> {
        let now = self.now();
        let NewAccount { username, email, password, .. } = &account;
        self.validate_new_password::<OperatorError>(password, username, email).await?;
        let hash = self.ports.hasher.hash(&account.password).await?;
        let mut user = self.new_user(account.username, account.email, hash, now);
        user.email_verified = true;
        if account.admin {
            user.roles = vec![RoleName::admin(), RoleName::user()];
        }
        let mut tx = self.ports.store.begin(Access::Write).await?;
        lock_installation(&mut *tx).await?;
        tx.insert_user(&user).await?;
        let event = self.event(EventKind::AccountCreated, Actor::Operator, now);
        let detail = Some(format!("roles={}", listed(&user.roles)));
        tx.insert_event(&Event { user_id: Some(user.id), detail, ..event }).await?;
        tx.commit().await?;
        Ok(user)
    }

    /// Returns the account with this username or email address.
    pub async fn find_account(&self, identifier: &Identifier) -> Result<User, OperatorError> {
        let mut tx = self.ports.store.begin(Access::Read).await?;
        let user = tx.find_user_by_identifier(identifier).await?;
        tx.commit().await?;
        user.ok_or(OperatorError::NoSuchUser)
    }
}
