//! Emails: why one is written, how it waits, and what it says.

use std::fmt;
use std::net::IpAddr;

use crate::link::LinkCode;
use crate::{EmailAddress, EmailId, LinkId, SignupId, Timestamp, UserId};

macro_rules! named {
    (
        $(#[$type_doc:meta])* $type:ident { $($(#[$doc:meta])* $name:ident = $text:literal,)* }
    ) => {
        $(#[$type_doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $type {
            $($(#[$doc])* $name,)*
        }

        impl $type {
            /// Every one there is.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Reads a name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == name)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(self.as_str())
            }
        }
    };
}

named! {
    /// Why an email is written. What it says is decided when it is sent, from how things are then:
    /// so a request takes the same time for an address that is known and for one that is not.
    EmailKind {
        /// Somebody signed up; the account waits for the address to be confirmed.
        Signup = "signup",
        /// The address of an account is to be confirmed.
        ConfirmEmail = "confirm_email",
        /// Somebody asked for the email that confirms once more.
        ResendConfirmation = "resend_confirmation",
        /// Somebody has forgotten the password.
        ForgotPassword = "forgot_password",
        /// An account is to have this address.
        ChangeEmail = "change_email",
        /// An account is to have another address than this one; with the link that undoes it.
        EmailChange = "email_change",
        /// An account has another address than this one now.
        EmailChanged = "email_changed",
        /// An account had this address until the one before came back.
        EmailUndone = "email_undone",
        /// The password was changed.
        PasswordChanged = "password_changed",
        /// The password was reset.
        PasswordReset = "password_reset",
        /// The account's name was changed.
        UsernameChanged = "username_changed",
        /// A spent refresh token was shown, and its session ended.
        TokenReused = "token_reused",
        /// The account was deleted.
        AccountDeleted = "account_deleted",
        /// A client logged in that had never done so before; with the link that ends its session.
        NewDevice = "new_device",
        /// An account was made for somebody, who is to choose a password.
        Invitation = "invitation",
    }
}

named! {
    /// What an email says; each has its texts in the language files.
    EmailTemplate {
        /// Confirm your address, and your account is there.
        ConfirmSignup = "confirm_signup",
        /// Somebody signed up with your address, but you have an account already.
        AccountExists = "account_exists",
        /// Confirm the address of your account.
        ConfirmEmail = "confirm_email",
        /// Confirm the new address of your account.
        ConfirmChange = "confirm_change",
        /// Somebody wanted to use your address for another account.
        AddressInUse = "address_in_use",
        /// Choose a new password.
        ResetPassword = "reset_password",
        /// Your address is about to be changed; here you undo it.
        EmailChange = "email_change",
        /// Your address was changed.
        EmailChanged = "email_changed",
        /// The change of your address was undone from the one before.
        EmailUndone = "email_undone",
        /// Your password was changed.
        PasswordChanged = "password_changed",
        /// Your password was reset.
        PasswordReset = "password_reset",
        /// Your name was changed.
        UsernameChanged = "username_changed",
        /// One of your sessions was ended, because a token of it was used twice.
        TokenReused = "token_reused",
        /// Your account was deleted.
        AccountDeleted = "account_deleted",
        /// A new device logged in to your account; here you say that it was not you.
        NewDevice = "new_device",
        /// An account was made for you; choose its password.
        Invitation = "invitation",
    }
}

named! {
    /// Where an email is on its way.
    EmailState {
        /// It is to be sent.
        Waiting = "waiting",
        /// An SMTP server has taken it.
        Sent = "sent",
        /// It is not to be sent: what it was about is over.
        Discarded = "discarded",
        /// It could not be sent for too long; an operator may have it tried again.
        Failed = "failed",
    }
}

/// An email in the outbox. It holds no secret: those of its link are made when it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxEmail {
    /// Which email.
    pub id: EmailId,
    /// Why it is written.
    pub kind: EmailKind,
    /// To whom.
    pub recipient: EmailAddress,
    /// The account that it is about.
    pub user_id: Option<UserId>,
    /// The sign-up that it is about.
    pub signup_id: Option<SignupId>,
    /// The link that it carries, once it is made.
    pub link_id: Option<LinkId>,
    /// When that happened which it tells of.
    pub created_at: Timestamp,
    /// The client's address then.
    pub ip: Option<IpAddr>,
    /// What no other email has: the place in time of its kind and recipient, where those are few.
    pub slot: Option<String>,
    /// From when on it was to be sent; its age counts from here.
    pub scheduled_at: Timestamp,
    /// When it is tried next. While a worker has it, when another may take it.
    pub next_attempt_at: Timestamp,
    /// How often it was taken.
    pub attempts: u32,
    /// Where it is on its way.
    pub state: EmailState,
    /// When it stopped waiting.
    pub finished_at: Option<Timestamp>,
    /// What went wrong last.
    pub failure: Option<String>,
}

/// An email as it is sent.
#[derive(Clone, PartialEq, Eq)]
pub struct EmailMessage {
    /// Which email; the same on every try.
    pub id: EmailId,
    /// The one recipient.
    pub to: EmailAddress,
    /// What it says.
    pub text: EmailTemplate,
    /// The link, secret and all.
    pub link: Option<String>,
    /// The code that does the same by hand.
    pub code: Option<LinkCode>,
    /// Until when both are good.
    pub expires_at: Option<Timestamp>,
    /// When that happened which it tells of.
    pub created_at: Timestamp,
    /// The client's address then.
    pub ip: Option<IpAddr>,
}

impl fmt::Debug for EmailMessage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("EmailMessage")
            .field("id", &self.id)
            .field("text", &self.text)
            .finish_non_exhaustive()
    }
}

/// The place in time of an email: what it is about, to whom, and in which span of
/// `window_seconds`. Two emails with one place are one too many.
#[must_use]
pub fn slot(about: &str, recipient: &EmailAddress, at: Timestamp, window_seconds: i64) -> String {
    let window = at.seconds().div_euclid(window_seconds.max(1));
    format!("{about} {window} {recipient}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emails_within_one_span_share_a_slot() {
        let recipient =
            EmailAddress::parse("ada@example.org").unwrap_or_else(|error| panic!("{error}"));
        let at = |seconds| slot("reset", &recipient, Timestamp::from_seconds(seconds), 60);
        assert_eq!(at(60), at(119));
        assert_ne!(at(119), at(120));
        assert_ne!(at(60), slot("confirm", &recipient, Timestamp::from_seconds(60), 60));
    }

    #[test]
    fn every_name_can_be_read_back() {
        for kind in EmailKind::ALL {
            assert_eq!(EmailKind::from_name(kind.as_str()), Some(*kind));
        }
        for text in EmailTemplate::ALL {
            assert_eq!(EmailTemplate::from_name(text.as_str()), Some(*text));
        }
        for state in EmailState::ALL {
            assert_eq!(EmailState::from_name(state.as_str()), Some(*state));
        }
    }
}
