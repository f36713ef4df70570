//! Emails: why one is queued, the states of the outbox, and the message that is sent.

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
            /// All variants.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The variant's name in the store.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Parses a name.
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
    /// Why an email is queued. Its template is chosen when the email is sent, from the state at
    /// that time. A request therefore takes the same time for a known and an unknown email address.
    EmailKind {
        /// A sign-up that waits for confirmation of the email address.
        Signup = "signup",
        /// A request to confirm the email address of an account.
        ConfirmEmail = "confirm_email",
        /// A request to send the confirmation email again.
        ResendConfirmation = "resend_confirmation",
        /// A request for a password reset.
        ForgotPassword = "forgot_password",
        /// A request to change an account's email address, sent to the new address.
        ChangeEmail = "change_email",
        /// A request to change an account's email address, sent to the old address with a link to
        /// undo it.
        EmailChange = "email_change",
        /// The email address of an account was changed.
        EmailChanged = "email_changed",
        /// A change of the email address was undone; sent to the address that was removed.
        EmailUndone = "email_undone",
        /// The password was changed.
        PasswordChanged = "password_changed",
        /// The password was reset.
        PasswordReset = "password_reset",
        /// The username was changed.
        UsernameChanged = "username_changed",
        /// A refresh token was reused, and its session ended.
        TokenReused = "token_reused",
        /// The account was deleted.
        AccountDeleted = "account_deleted",
        /// A login from an unknown device, with a link that ends the session.
        NewDevice = "new_device",
        /// An invitation to choose the password of a new account.
        Invitation = "invitation",
    }
}

named! {
    /// The text of an email. Each template has its strings in the language files.
    EmailTemplate {
        /// Confirm your email address to create the account.
        ConfirmSignup = "confirm_signup",
        /// A sign-up used your email address, but you already have an account.
        AccountExists = "account_exists",
        /// Confirm the email address of your account.
        ConfirmEmail = "confirm_email",
        /// Confirm the new email address of your account.
        ConfirmChange = "confirm_change",
        /// A request tried to use your email address for another account.
        AddressInUse = "address_in_use",
        /// Choose a new password.
        ResetPassword = "reset_password",
        /// Your email address is about to change, with a link to undo it.
        EmailChange = "email_change",
        /// Your email address was changed.
        EmailChanged = "email_changed",
        /// The change to your email address was undone.
        EmailUndone = "email_undone",
        /// Your password was changed.
        PasswordChanged = "password_changed",
        /// Your password was reset.
        PasswordReset = "password_reset",
        /// Your username was changed.
        UsernameChanged = "username_changed",
        /// One of your sessions ended because its refresh token was reused.
        TokenReused = "token_reused",
        /// Your account was deleted.
        AccountDeleted = "account_deleted",
        /// A new device logged in to your account, with a link to report the login.
        NewDevice = "new_device",
        /// An account was created for you; choose its password.
        Invitation = "invitation",
    }
}

named! {
    /// The delivery state of an email.
    EmailState {
        /// Waits to be sent.
        Waiting = "waiting",
        /// Accepted by an SMTP server.
        Sent = "sent",
        /// Not sent, because its reason no longer applies.
        Discarded = "discarded",
        /// Not delivered within the time limit. An operator can retry it.
        Failed = "failed",
    }
}

/// An email in the outbox. It holds no secret: the link's secrets are derived when the email is
/// sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxEmail {
    /// The email's identifier.
    pub id: EmailId,
    /// Why the email was queued.
    pub kind: EmailKind,
    /// The recipient.
    pub recipient: EmailAddress,
    /// The account that the email is about.
    pub user_id: Option<UserId>,
    /// The sign-up that the email is about.
    pub signup_id: Option<SignupId>,
    /// The link in the email. `None` until the link is created.
    pub link_id: Option<LinkId>,
    /// Time of the event that triggered the email, UTC.
    pub created_at: Timestamp,
    /// Client IP address of the request that triggered the email.
    pub ip: Option<IpAddr>,
    /// Unique key that limits the emails of one kind and recipient to one per time window. `None`
    /// if the kind is not limited.
    pub slot: Option<String>,
    /// Time from which the email is to be sent, UTC. Its age counts from here.
    pub scheduled_at: Timestamp,
    /// Time of the next attempt, UTC. While a worker leases the email, the time at which another
    /// worker may take it.
    pub next_attempt_at: Timestamp,
    /// Number of times a worker has leased the email.
    pub attempts: u32,
    /// The delivery state.
    pub state: EmailState,
    /// Time at which the email left the state [`EmailState::Waiting`], UTC.
    pub finished_at: Option<Timestamp>,
    /// The last delivery error.
    pub failure: Option<String>,
}

/// An email as it is sent.
#[derive(Clone, PartialEq, Eq)]
pub struct EmailMessage {
    /// The email's identifier, the same on every attempt.
    pub id: EmailId,
    /// The only recipient.
    pub to: EmailAddress,
    /// The template to render.
    pub text: EmailTemplate,
    /// The link, including its secret.
    pub link: Option<String>,
    /// The code that can be typed instead of opening the link.
    pub code: Option<LinkCode>,
    /// Expiry of the link and the code, UTC.
    pub expires_at: Option<Timestamp>,
    /// Time of the event that triggered the email, UTC.
    pub created_at: Timestamp,
    /// Client IP address of the request that triggered the email.
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

/// Returns the slot of an email: its subject, its recipient and the time window of
/// `window_seconds`. At most one email is queued per slot.
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
