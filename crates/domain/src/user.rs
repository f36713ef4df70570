//! `User`: an account, and whether it may sign in.

use crate::{Email, PasswordHash, RoleName, Timestamp, UserId, Username};

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Who it is, for ever.
    pub id: UserId,
    /// The public handle.
    pub username: Username,
    /// The address in its canonical form.
    pub email: Email,
    /// Whether the owner has proved that the address is theirs.
    pub email_verified: bool,
    /// The roles held, in alphabetical order.
    pub roles: Vec<RoleName>,
    /// Whether an administrator has shut the account.
    pub disabled: bool,
    /// The hash of the password.
    pub password_hash: PasswordHash,
    /// Grows by one with each change of the password, so that work begun before is noticed.
    pub credentials_version: i64,
    /// When the account was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// The account is shut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the account is disabled")]
pub struct AccountDisabled;

impl User {
    /// Whether whoever has shown the right password gets a session.
    pub fn may_sign_in(&self) -> Result<(), AccountDisabled> {
        if self.disabled { Err(AccountDisabled) } else { Ok(()) }
    }
}

/// What a person types to say who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identifier {
    /// An e-mail address.
    Email(Email),
    /// A username.
    Username(Username),
}

impl Identifier {
    /// Reads an address if there is an `@` in the text, a username otherwise.
    ///
    /// `None` means that no account can have such a name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.contains(['@', '\u{ff20}']) {
            Email::parse(text).ok().map(Self::Email)
        } else {
            Username::parse_existing(text).ok().map(Self::Username)
        }
    }
}
