//! Mailed links: single-use secrets, each for one purpose, and the codes that go with them.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::key::KeyId;
use crate::refresh::Salt;
use crate::{EmailAddress, LinkId, SessionId, SignupId, Timestamp, TokenText, UserId};

/// For how many seconds a link is good at most: one that undoes a change of address or invites.
pub const LINK_SECONDS_MAX: i64 = 7 * 24 * 3600;

macro_rules! purposes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $page:literal;)*) => {
        /// What a link is for. It does nothing else.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum LinkPurpose {
            $($(#[$doc])* $name,)*
        }

        impl LinkPurpose {
            /// Every purpose there is.
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
    /// Confirms the address of a sign-up that waits for it.
    ConfirmSignup = "confirm_signup", "/confirm-email";
    /// Confirms the address that an account has.
    ConfirmEmail = "confirm_email", "/confirm-email";
    /// Confirms the address that an account is to have.
    ChangeEmail = "change_email", "/confirm-email";
    /// Brings the address back that an account had.
    UndoEmail = "undo_email", "/undo-email-change";
    /// Lets the owner of the address choose a new password.
    ResetPassword = "reset_password", "/reset-password";
    /// Lets somebody choose a new password whom an operator gave the link; it proves no mailbox.
    OperatorReset = "operator_reset", "/reset-password";
    /// Lets somebody choose a password for whom an account was made.
    Invitation = "invitation", "/accept-invitation";
    /// Ends the session of a login that was not the owner's, and begins a reset.
    NotMe = "not_me", "/not-me";
}

impl LinkPurpose {
    /// Those that confirm an address.
    pub const CONFIRMING: [Self; 3] = [Self::ConfirmSignup, Self::ConfirmEmail, Self::ChangeEmail];

    /// Reads a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|purpose| purpose.as_str() == name)
    }

    /// Whether a newer link of the same purpose and subject takes the place of an older one. A link
    /// that undoes a change stays: otherwise whoever took an account over could change the address
    /// once more and so take the owner's way back.
    #[must_use]
    pub const fn is_superseded(self) -> bool {
        !matches!(self, Self::UndoEmail)
    }
}

/// Whom a link is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LinkSubject {
    /// A sign-up that waits.
    Signup(SignupId),
    /// An account.
    User(UserId),
    /// A session.
    Session(SessionId),
}

impl LinkSubject {
    /// The subject of a link with this purpose.
    #[must_use]
    pub const fn of(purpose: LinkPurpose, uuid: Uuid) -> Self {
        match purpose {
            LinkPurpose::ConfirmSignup => Self::Signup(SignupId::from_uuid(uuid)),
            LinkPurpose::NotMe => Self::Session(SessionId::from_uuid(uuid)),
            _ => Self::User(UserId::from_uuid(uuid)),
        }
    }

    /// Its identifier.
    #[must_use]
    pub const fn uuid(self) -> Uuid {
        match self {
            Self::Signup(id) => id.uuid(),
            Self::User(id) => id.uuid(),
            Self::Session(id) => id.uuid(),
        }
    }
}

/// What is kept of a secret that was given away: enough to know it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SecretHash(pub [u8; 32]);

impl SecretHash {
    /// The hash of a secret of at least 128 random bits, which needs no slow hash.
    #[must_use]
    pub fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret.as_bytes()).into())
    }
}

/// The eight digits that do by hand what the link does by a click.
#[derive(Clone)]
pub struct LinkCode(String);

impl LinkCode {
    /// How many digits a code has.
    pub const LEN: usize = 8;

    /// Makes a code of any number: its last eight digits.
    #[must_use]
    pub fn from_number(number: u64) -> Self {
        Self(format!("{:08}", number % 100_000_000))
    }

    /// Reads what somebody typed; `None` if it cannot be a code.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.len() == Self::LEN && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| Self(text.to_owned()))
    }

    /// The digits, for the owner of the mailbox alone.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl PartialEq for LinkCode {
    /// In the same time, wherever the first wrong digit is.
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

/// What an email carries: the token of the link, and the code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkSecret {
    /// 256 bits that nobody can guess.
    pub token: TokenText,
    /// The eight digits.
    pub code: LinkCode,
}

/// A link as it is stored. Its secrets are not: they follow from the salt and a sealed key, so that
/// an email that is sent again is the same email, and the store alone opens nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Which making of the link; a newer one is another.
    pub id: LinkId,
    /// What it is for.
    pub purpose: LinkPurpose,
    /// Whom it is about.
    pub subject: LinkSubject,
    /// The address that it confirms, resets or brings back; the email goes there.
    pub email: EmailAddress,
    /// The key that its secrets follow from.
    pub key_id: KeyId,
    /// The other thing that they follow from.
    pub salt: Salt,
    /// The hash of the token.
    pub secret: SecretHash,
    /// How many codes were tried on it.
    pub code_attempts: u32,
    /// Whether nobody else may take the address while the link lives.
    pub reserves_email: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

impl Link {
    /// What at most one link of a purpose has: the subject, or, where newer links leave older ones
    /// alone, the link itself.
    #[must_use]
    pub const fn dedup_key(&self) -> Uuid {
        if self.purpose.is_superseded() { self.subject.uuid() } else { self.id.uuid() }
    }

    /// Whether it can undo a change of address at `now`.
    #[must_use]
    pub fn undoes(&self, now: Timestamp) -> bool {
        self.purpose == LinkPurpose::UndoEmail && self.expires_at > now
    }

    /// The account that it is about, if it is about one.
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
