//! `Password` and the rules for new passwords.

use std::collections::HashSet;
use std::fmt;
use std::sync::LazyLock;

use zeroize::Zeroizing;

use crate::{EmailAddress, Username};

/// The bundled list. `docs/common-passwords.md` describes its source.
static COMMON: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("common.txt").lines().collect());

/// Words that belong to this service. Attackers try them first.
const CONTEXT_WORDS: &[&str] = &["gateward"];

/// Maximum number of characters added to a context word for which the password is still refused.
const CONTEXT_EXTRA_MAX: usize = 4;

/// A password exactly as received. Wiped from memory when dropped.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

/// Why a password is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// The password has fewer code points than the policy requires.
    #[error("the password must have at least {length_min} characters")]
    TooShort {
        /// Minimum length that the policy requires, in code points.
        length_min: usize,
    },
    /// The password has more than [`Password::CHARS_MAX`] code points or [`Password::BYTES_MAX`]
    /// bytes.
    #[error("the password must have at most 1024 characters and 4096 bytes")]
    TooLong,
    /// The password is on the bundled list.
    #[error("the password is on a list of common passwords")]
    Common,
    /// The password is the owner's username or email address, or the product's name, with little
    /// added.
    #[error("the password is too similar to the username, the email address or \"gateward\"")]
    Context,
    /// The password is on the list of breached passwords that the operator has configured.
    #[error("the password is on a list of breached passwords")]
    Breached,
}

impl Password {
    /// Maximum length in code points. It bounds the cost of hashing and is no recommendation.
    pub const CHARS_MAX: usize = 1024;
    /// Maximum length in bytes.
    pub const BYTES_MAX: usize = 4096;

    /// Accepts a password as received. Refuses only what no account can have.
    pub fn received(text: String) -> Result<Self, PasswordError> {
        let password = Self(Zeroizing::new(text));
        if password.0.len() > Self::BYTES_MAX || password.0.chars().count() > Self::CHARS_MAX {
            return Err(PasswordError::TooLong);
        }
        Ok(password)
    }

    /// Returns the text. Pass it only to the hasher.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Password(…)")
    }
}

/// The rules for a new password.
///
/// There is no rule about kinds of characters and no expiry: both make passwords worse (NIST SP
/// 800-63B-4, section 3.1.1.2).
#[derive(Clone, Copy, Debug)]
pub struct PasswordPolicy {
    /// Minimum length in code points.
    pub length_min: usize,
}

impl PasswordPolicy {
    /// Checks the rules that do not depend on the account.
    pub fn check_alone(&self, password: &Password) -> Result<(), PasswordError> {
        if password.0.chars().count() < self.length_min {
            return Err(PasswordError::TooShort { length_min: self.length_min });
        }
        let folded = Zeroizing::new(password.0.to_lowercase());
        if COMMON.contains(folded.as_str()) { Err(PasswordError::Common) } else { Ok(()) }
    }

    /// Checks a new password for the account with this username and email address.
    pub fn check(
        &self,
        password: &Password,
        username: &Username,
        email: &EmailAddress,
    ) -> Result<(), PasswordError> {
        self.check_alone(password)?;
        let folded = Zeroizing::new(password.0.to_lowercase());
        let (username, domain) = (username.folded(), email.domain());
        let own = [username.as_str(), email.as_str(), email.local(), domain];
        let labels = domain.split('.');
        let words = own.into_iter().chain(labels).chain(CONTEXT_WORDS.iter().copied());
        if words.into_iter().any(|word| is_little_more_than(&folded, word)) {
            return Err(PasswordError::Context);
        }
        Ok(())
    }
}

/// Returns whether the password is the word with at most [`CONTEXT_EXTRA_MAX`] additional
/// characters.
fn is_little_more_than(password: &str, word: &str) -> bool {
    let extra = password.chars().count().saturating_sub(word.chars().count());
    password.contains(word) && extra <= CONTEXT_EXTRA_MAX
}

/// A password hash in PHC form (`$argon2id$…`).
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Wraps a hash in PHC form. The hasher decides whether it can be parsed.
    #[must_use]
    pub const fn from_phc(phc: String) -> Self {
        Self(phc)
    }

    /// Returns the PHC form.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PasswordHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: PasswordPolicy = PasswordPolicy { length_min: 8 };

    fn check(text: &str) -> Result<(), PasswordError> {
        let username = Username::parse("ada.lovelace").unwrap();
        let email = EmailAddress::parse("countess@lovelace-family.example").unwrap();
        POLICY.check(&Password::received(text.to_owned())?, &username, &email)
    }

    /// Row P7: no rule about kinds of characters.
    #[test]
    fn p7_any_composition_is_accepted() {
        for good in ["correcthorsebatterystaple", "       x y z   ", "8306591742650", "ßßßßßßßß"]
        {
            assert_eq!(check(good), Ok(()), "{good:?}");
        }
    }

    /// Row P3: length is counted in code points.
    #[test]
    fn p3_length_is_counted_in_code_points() {
        assert_eq!(check("üüüüüüü"), Err(PasswordError::TooShort { length_min: 8 }));
        assert_eq!(check(&"🦀🐍🐘🐳🦊🐝🐙🦉".repeat(8)), Ok(()), "64 code points of four bytes");
        assert_eq!(check(&"xy".repeat(512)), Ok(()));
        assert_eq!(check(&"x".repeat(1025)), Err(PasswordError::TooLong));
        assert_eq!(check(&"🦀".repeat(1024)), Ok(()), "4,096 bytes");
    }

    /// Row P6: common passwords and words of the account's own context are refused.
    #[test]
    fn p6_common_and_context_passwords_are_refused() {
        for common in ["password", "12345678", "PASSWORD", "iloveyou1"] {
            assert_eq!(check(common), Err(PasswordError::Common), "{common:?}");
        }
        for own in [
            "ada.lovelace",
            "ADA.lovelace1234",
            "countess",
            "countess99",
            "12countess34",
            "countess@lovelace-family.example",
            "lovelace-family!",
            "gateward",
            "Gateward2026",
            "lovelace-family.example",
        ] {
            assert_eq!(check(own), Err(PasswordError::Context), "{own:?}");
        }
        assert_eq!(check("ada.lovelace 1843"), Ok(()), "five more characters are enough");
    }

    #[test]
    fn the_bundled_list_is_large_enough_and_in_order() {
        assert!(COMMON.len() >= 3000);
        let list = include_str!("common.txt");
        assert!(list.lines().all(|line| line.chars().count() >= 8 && line == line.to_lowercase()));
        assert_eq!(list.lines().count(), COMMON.len(), "no doubles");
    }

    #[test]
    fn debug_shows_nothing() {
        let password = Password::received("hunter2hunter2".to_owned()).unwrap();
        assert_eq!(format!("{password:?}"), "Password(…)");
        let hash = PasswordHash::from_phc("$argon2id$secret".to_owned());
        assert_eq!(format!("{hash:?}"), "PasswordHash(…)");
    }
}
