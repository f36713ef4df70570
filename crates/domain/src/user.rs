//! `User`: an account, and whether it may sign in.

use crate::{EmailAddress, PasswordHash, PermissionSet, RoleName, Timestamp, UserId, Username};

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Who it is, for ever.
    pub id: UserId,
    /// The public handle.
    pub username: Username,
    /// The address in its canonical form.
    pub email: EmailAddress,
    /// Whether the owner has proved that the address is theirs.
    pub email_verified: bool,
    /// The roles held, in alphabetical order.
    pub roles: Vec<RoleName>,
    /// What the roles give, as they were defined when the account was read. It is not stored with
    /// the account: whoever adds or changes one need not fill it.
    pub permissions: PermissionSet,
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
    pub fn check_enabled(&self) -> Result<(), AccountDisabled> {
        if self.disabled { Err(AccountDisabled) } else { Ok(()) }
    }
}

/// What a person types to say who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identifier {
    /// An e-mail address.
    Email(EmailAddress),
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
            EmailAddress::parse(text).ok().map(Self::Email)
        } else {
            Username::parse_existing(text).ok().map(Self::Username)
        }
    }
}

/// Some of the accounts, in an order of their own, so that a page of them costs no more than its
/// rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserRange {
    /// All, in the order of their identifiers.
    All,
    /// Those that hold a role, in the order of their identifiers.
    Role(RoleName),
    /// Those that are disabled, in the order of their identifiers.
    Disabled,
    /// Those whose name begins with this text in lower case, in the order of their names.
    Username(String),
    /// Those whose address begins with this text in lower case, in the order of their addresses.
    Email(String),
}

impl UserRange {
    /// Where an account stands in the range; the texts are ordered by their bytes.
    #[must_use]
    pub fn cursor(&self, user: &User) -> String {
        match self {
            Self::All | Self::Role(_) | Self::Disabled => user.id.to_string(),
            Self::Username(_) => user.username.folded(),
            Self::Email(_) => user.email.as_str().to_owned(),
        }
    }

    /// Whether an account is one of them.
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
