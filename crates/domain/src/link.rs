//! Emailed links: single-use secrets with one purpose each, and their codes.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::key::KeyId;
use crate::refresh::Salt;
use crate::{EmailAddress, LinkId, SessionId, SignupId, Timestamp, TokenText, UserId};

/// Maximum lifetime of a link in seconds. Applies to invitations and to links that undo a change of
/// email address.
pub const LINK_SECONDS_MAX: i64 = 7 * 24 * 3600;

macro_rules! purposes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $page:literal;)*) => {
        /// The purpose of a link. A link is not valid for any other purpose.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum LinkPurpose {
            $($(#[$doc])* $name,)*
        }

        impl LinkPurpose {
            /// All purposes.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The purpose's name in the store.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The path of the page that the link opens.
            #[must_use]
            pub const fn page(self) -> &'static str {
                match self { $(Self::$name => $page,)* }
            }
        }
    };
}

purposes! {
    /// Confirms the email address of a pending sign-up.
    ConfirmSignup = "confirm_signup", "/confirm-email";
    /// Confirms the current email address of an account.
    ConfirmEmail = "confirm_email", "/confirm-email";
    /// Confirms the new email address of an account.
    ChangeEmail = "change_email", "/confirm-email";
    /// Restores the previous email address of an account.
    UndoEmail = "undo_email", "/undo-email-change";
    /// Lets the owner of the email address choose a new password.
    ResetPassword = "reset_password", "/reset-password";
    /// Lets the user who receives the link from an operator choose a new password. It does not
    /// prove access to a mailbox.
    OperatorReset = "operator_reset", "/reset-password";
    /// Lets an invited user choose a password.
    Invitation = "invitation", "/accept-invitation";
    /// Ends the session of a reported login, and starts a password reset.
    NotMe = "not_me", "/not-me";
}

impl LinkPurpose {
    /// Purposes that confirm an email address.
    pub const CONFIRMING: [Self; 3] = [Self::ConfirmSignup, Self::ConfirmEmail, Self::ChangeEmail];

    /// Parses a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|purpose| purpose.as_str() == name)
    }

    /// Returns whether a newer link of the same purpose and subject replaces an older one. A link
    /// that undoes a change is not replaced. Otherwise an attacker who has taken over an account
    /// could change the email address again and so remove the owner's way back.
    #[must_use]
    pub const fn is_superseded(self) -> bool {
        !matches!(self, Self::UndoEmail)
    }
}

/// The subject of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LinkSubject {
    /// A pending sign-up.
    Signup(SignupId),
    /// An account.
    User(UserId),
    /// A session.
    Session(SessionId),
}

impl LinkSubject {
    /// Returns the subject of a link with this purpose.
    #[must_use]
    pub const fn of(purpose: LinkPurpose, uuid: Uuid) -> Self {
        match purpose {
            LinkPurpose::ConfirmSignup => Self::Signup(SignupId::from_uuid(uuid)),
            LinkPurpose::NotMe => Self::Session(SessionId::from_uuid(uuid)),
            _ => Self::User(UserId::from_uuid(uuid)),
        }
    }

    /// Returns the subject's identifier.
    #[must_use]
    pub const fn uuid(self) -> Uuid {
        match self {
            Self::Signup(id) => id.uuid(),
            Self::User(id) => id.uuid(),
            Self::Session(id) => id.uuid(),
        }
    }
}

/// The hash of a secret that was issued, enough to recognize it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SecretHash(pub [u8; 32]);

impl SecretHash {
    /// Hashes a secret of at least 128 random bits, which needs no slow hash.
    #[must_use]
    pub fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret.as_bytes()).into())
    }
}

/// The eight-digit code that can be typed instead of opening the link.
#[derive(Clone)]
pub struct LinkCode(String);

impl LinkCode {
    /// Number of digits in a code.
    pub const LEN: usize = 8;

    /// Builds a code from the last eight digits of a number.
    #[must_use]
    pub fn from_number(number: u64) -> Self {
        Self(format!("{:08}", number % 100_000_000))
    }

    /// Parses user input. `None` if it cannot be a code.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.len() == Self::LEN && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| Self(text.to_owned()))
    }

    /// Returns the digits. Show them only to the owner of the mailbox.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl PartialEq for LinkCode {
    /// Compares in constant time, wherever the first wrong digit is.
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for LinkCode {}

impl fmt::Debug for LinkCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("LinkCode(…)")
    }
}

/// The secrets in an email: the link's token and its code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkSecret {
    /// 256 unpredictable bits.
    pub token: TokenText,
    /// The eight-digit code.
    pub code: LinkCode,
}

/// A link as it is stored. Its secrets are not stored: they are derived from the salt and a wrapped
/// key. An email that is sent again is therefore identical, and the store alone is not enough to
/// open a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The link's identifier. Issuing the link again creates another one.
    pub id: LinkId,
    /// The link's purpose.
    pub purpose: LinkPurpose,
    /// The subject of the link.
    pub subject: LinkSubject,
    /// The email address that the link confirms, resets or restores. The email goes there.
    pub email: EmailAddress,
    /// The key from which the secrets are derived.
    pub key_id: KeyId,
    /// The salt from which the secrets are derived.
    pub salt: Salt,
    /// Hash of the token.
    pub secret: SecretHash,
    /// Number of codes tried on the link.
    pub code_attempts: u32,
    /// Whether the link reserves the email address while it is valid.
    pub reserves_email: bool,
    /// Time of creation, UTC.
    pub created_at: Timestamp,
    /// Expiry, UTC.
    pub expires_at: Timestamp,
}

impl Link {
    /// Key that at most one link of a purpose has: the subject or, if newer links do not replace
    /// older ones, the link itself.
    #[must_use]
    pub const fn dedup_key(&self) -> Uuid {
        if self.purpose.is_superseded() { self.subject.uuid() } else { self.id.uuid() }
    }

    /// Returns whether the link can undo a change of email address at `now`.
    #[must_use]
    pub fn undoes(&self, now: Timestamp) -> bool {
        self.purpose == LinkPurpose::UndoEmail && self.expires_at > now
    }

    /// Returns the account that the link is about, if any.
    #[must_use]
    pub const fn user_id(&self) -> Option<UserId> {
        match self.subject {
            LinkSubject::User(id) => Some(id),
            LinkSubject::Signup(_) | LinkSubject::Session(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_purpose_can_be_read_back() {
        for purpose in LinkPurpose::ALL {
            assert_eq!(LinkPurpose::from_name(purpose.as_str()), Some(*purpose));
        }
        assert_eq!(LinkPurpose::from_name("log_in"), None);
    }

    #[test]
    fn a_code_is_eight_digits_and_nothing_else() {
        for bad in ["", "1234567", "123456789", "1234 567", "1234567a", "١٢٣٤٥٦٧٨", "-1234567"]
        {
            assert!(LinkCode::parse(bad).is_none(), "{bad:?}");
        }
        assert_eq!(LinkCode::parse("00000042"), Some(LinkCode::from_number(4_200_000_042)));
        assert_ne!(LinkCode::from_number(1), LinkCode::from_number(2));
        assert_eq!(format!("{:?}", LinkCode::from_number(42)), "LinkCode(…)");
    }
}
