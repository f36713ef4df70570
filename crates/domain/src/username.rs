//! `Username`: the public handle of an account.

use std::fmt;

/// 3 to 32 characters of `[A-Za-z0-9._-]`, stored as entered, compared case-insensitively.
#[derive(Clone, Debug)]
pub struct Username(String);

/// Why a string is not a valid username.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UsernameError {
    /// The username is shorter than [`Username::LEN_MIN`] or longer than [`Username::LEN_MAX`].
    #[error("a username must have 3 to 32 characters")]
    Length,
    /// The username contains a character that is not allowed.
    #[error("a username may only contain the letters A to Z, digits, '.', '_' and '-'")]
    Character,
    /// The username could be mistaken for a part of the service or for its staff.
    #[error("this username is reserved; choose another one")]
    Reserved,
}

/// Usernames that users cannot choose: path segments of the service, and names that sound like its
/// staff.
const RESERVED: &[&str] = &[
    "admin",
    "administrator",
    "anonymous",
    "api",
    "audit",
    "auth",
    "billing",
    "contact",
    "dev",
    "docs",
    "email",
    "everyone",
    "gateward",
    "health",
    "help",
    "hostmaster",
    "info",
    "invitation",
    "login",
    "logout",
    "logout-all",
    "mail",
    "me",
    "metrics",
    "moderator",
    "no-reply",
    "noreply",
    "null",
    "oauth",
    "openapi",
    "operator",
    "owner",
    "password",
    "postmaster",
    "refresh",
    "revocations",
    "roles",
    "root",
    "security",
    "sessions",
    "signup",
    "staff",
    "status",
    "support",
    "sysadmin",
    "system",
    "undefined",
    "user",
    "users",
    "v1",
    "webmaster",
    "well-known",
    "www",
];

impl Username {
    /// Minimum length in characters.
    pub const LEN_MIN: usize = 3;
    /// Maximum length in characters.
    pub const LEN_MAX: usize = 32;

    /// Parses a username that a user chooses.
    pub fn parse(text: &str) -> Result<Self, UsernameError> {
        let username = Self::parse_existing(text)?;
        if RESERVED.contains(&username.folded().as_str()) {
            return Err(UsernameError::Reserved);
        }
        Ok(username)
    }

    /// Parses the username of an existing account. An operator may have assigned a reserved one.
    pub fn parse_existing(text: &str) -> Result<Self, UsernameError> {
        if !(Self::LEN_MIN..=Self::LEN_MAX).contains(&text.chars().count()) {
            return Err(UsernameError::Length);
        }
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        if text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(UsernameError::Character)
        }
    }

    /// Returns the username as its owner entered it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the form used for comparison.
    #[must_use]
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl PartialEq for Username {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Username {}

impl fmt::Display for Username {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_as_typed_and_compared_without_case() {
        let name = Username::parse("Ada.Lovelace_1").unwrap();
        assert_eq!(name.as_str(), "Ada.Lovelace_1");
        assert_eq!(name, Username::parse("ada.LOVELACE_1").unwrap());
    }

    #[test]
    fn length_and_characters_are_held() {
        assert_eq!(Username::parse("ab"), Err(UsernameError::Length));
        assert_eq!(Username::parse(&"a".repeat(33)), Err(UsernameError::Length));
        for bad in ["a b", "a@b", "ünal", "a\u{200b}bc", "abc\n", "<abc>"] {
            assert_eq!(Username::parse(bad), Err(UsernameError::Character), "{bad:?}");
        }
    }

    #[test]
    fn reserved_names_are_refused_in_any_case() {
        assert_eq!(Username::parse("ADMIN"), Err(UsernameError::Reserved));
        assert!(Username::parse_existing("admin").is_ok());
        assert!(RESERVED.is_sorted(), "kept in order, so that a double is seen");
    }
}
