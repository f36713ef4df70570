//! `User`: an account, and whether it may log in.

use std::fmt;

use crate::{EmailAddress, PasswordHash, PermissionSet, RoleName, Timestamp, UserId, Username};

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The user's permanent identifier.
    pub id: UserId,
    /// The public handle.
    pub username: Username,
    /// The email address in its canonical form.
    pub email: EmailAddress,
    /// Whether the owner has confirmed the email address.
    pub email_verified: bool,
    /// The roles of the account, in alphabetical order.
    pub roles: Vec<RoleName>,
    /// The permissions that the roles granted when the account was read. They are not stored with
    /// the account: leave the field empty when you insert or update one.
    pub permissions: PermissionSet,
    /// Whether an administrator has disabled the account.
    pub disabled: bool,
    /// Hash of the password.
    pub password_hash: PasswordHash,
    /// Incremented by one with each change of the password, so that operations started before can
    /// detect it.
    pub credentials_version: i64,
    /// Time of creation, UTC.
    pub created_at: Timestamp,
    /// Time of the last change, UTC.
    pub updated_at: Timestamp,
}

/// The account is disabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the account is disabled")]
pub struct AccountDisabled;

impl User {
    /// Checks whether a user who has entered the right password may log in.
    pub fn check_enabled(&self) -> Result<(), AccountDisabled> {
        if self.disabled { Err(AccountDisabled) } else { Ok(()) }
    }
}

/// The identifier of an account as the dialects show it: in the claim `user_id` and in their
/// bodies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublicUserId {
    /// The account's identifier.
    Uuid(UserId),
    /// The account's number, for services whose user table has integer keys.
    Number(i64),
}

impl fmt::Display for PublicUserId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uuid(id) => id.fmt(formatter),
            Self::Number(number) => number.fmt(formatter),
        }
    }
}

/// The identifier that a person enters to log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identifier {
    /// An email address.
    Email(EmailAddress),
    /// A username.
    Username(Username),
}

impl Identifier {
    /// Parses an email address if the string contains an `@`, a username otherwise.
    ///
    /// Returns `None` if no account can have this identifier.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.contains(['@', '\u{ff20}']) {
            EmailAddress::parse(text).ok().map(Self::Email)
        } else {
            Username::parse_existing(text).ok().map(Self::Username)
        }
    }
}

/// A selection of accounts in its own order. One page costs no more than the rows it returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserRange {
    /// All accounts, ordered by identifier.
    All,
    /// Accounts that hold a role, ordered by identifier.
    Role(RoleName),
    /// Disabled accounts, ordered by identifier.
    Disabled,
    /// Accounts whose username starts with this string in lower case, ordered by username.
    Username(String),
    /// Accounts whose email address starts with this string in lower case, ordered by email
    /// address.
    Email(String),
}

impl UserRange {
    /// Returns the position of an account in the range. Strings are ordered by their bytes.
    #[must_use]
    pub fn cursor(&self, user: &User) -> String {
        match self {
            Self::All | Self::Role(_) | Self::Disabled => user.id.to_string(),
            Self::Username(_) => user.username.folded(),
            Self::Email(_) => user.email.as_str().to_owned(),
        }
    }

    /// Returns whether the range contains the account.
    #[must_use]
    pub fn contains(&self, user: &User) -> bool {
        match self {
            Self::All => true,
            Self::Role(role) => user.roles.contains(role),
            Self::Disabled => user.disabled,
            Self::Username(prefix) => user.username.folded().starts_with(prefix),
            Self::Email(prefix) => user.email.as_str().starts_with(prefix),
        }
    }
}
