//! Events: what is written down when something changes.

use std::net::IpAddr;

use crate::{EndReason, EventId, SessionId, Timestamp, UserId};

/// Who caused an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A user, by a request.
    User(UserId),
    /// Somebody at the command line.
    Operator,
    /// The service itself, or somebody it cannot name.
    Service,
}

macro_rules! event_kinds {
    (
        plain { $($(#[$doc:meta])* $name:ident = $text:literal,)* }
        ends { $($(#[$end_doc:meta])* $end:ident = $end_text:literal,)* }
    ) => {
        /// What happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum EventKind {
            $($(#[$doc])* $name,)*
            $($(#[$end_doc])* $end(EndReason),)*
        }

        impl EventKind {
            /// The event's name in the store and in answers.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                    $(Self::$end(_) => $end_text,)*
                }
            }

            /// The reason, where the event is an end.
            #[must_use]
            pub const fn reason(self) -> Option<EndReason> {
                match self {
                    $(Self::$name => None,)*
                    $(Self::$end(reason) => Some(reason),)*
                }
            }

            /// Reads a name and the reason that goes with it.
            #[must_use]
            pub fn from_parts(name: &str, reason: Option<EndReason>) -> Option<Self> {
                match (name, reason) {
                    $(($text, None) => Some(Self::$name),)*
                    $(($end_text, Some(reason)) => Some(Self::$end(reason)),)*
                    _ => None,
                }
            }
        }
    };
}

event_kinds! {
    plain {
        /// An account was made.
        AccountCreated = "account_created",
        /// The account was deleted.
        AccountDeleted = "account_deleted",
        /// The owner has proved that the account's address is theirs.
        EmailConfirmed = "email_confirmed",
        /// Another address was asked for; it counts once it is confirmed.
        EmailChangeRequested = "email_change_requested",
        /// The account's address was changed.
        EmailChanged = "email_changed",
        /// The address before came back by the link that was sent to it.
        EmailChangeUndone = "email_change_undone",
        /// The account's name was changed.
        UsernameChanged = "username_changed",
        /// The account's password was changed.
        PasswordChanged = "password_changed",
        /// The password was forgotten and a new one chosen by a mailed link.
        PasswordReset = "password_reset",
        /// An operator made a link to choose a new password.
        ResetLinkMade = "reset_link_made",
        /// The account was disabled.
        AccountDisabled = "account_disabled",
        /// The account was enabled again.
        AccountEnabled = "account_enabled",
        /// A session began.
        SessionBegun = "session_begun",
        /// The password was given again within a session.
        Reauthenticated = "reauthenticated",
        /// A genuine refresh token was ahead of the store, which has therefore lost writes.
        SessionCaughtUp = "session_caught_up",
        /// A client logged in that had never done so before.
        NewClient = "new_client",
        /// The owner of the account said of a login that it was not theirs.
        LoginDisowned = "login_disowned",
        /// A signing key was made.
        KeyCreated = "key_created",
        /// A key was taken back before it signed anything.
        KeyWithdrawn = "key_withdrawn",
        /// A key was declared compromised: what it signed is not believed any more.
        KeyRevoked = "key_revoked",
        /// The keys were sealed with another master key.
        KeysResealed = "keys_resealed",
        /// The installation got another issuer.
        IssuerChanged = "issuer_changed",
        /// A letter was not sent: what it was about is over.
        LetterDropped = "letter_dropped",
        /// A letter could not be sent for so long that it is not tried any more.
        LetterGivenUp = "letter_given_up",
    }
    ends {
        /// A session ended.
        SessionEnded = "session_ended",
        /// All sessions of the account ended, or all but the one named.
        SessionsEnded = "sessions_ended",
    }
}

/// Something that happened, written in the transaction of the change it tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Which event.
    pub id: EventId,
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: EventKind,
    /// By whom.
    pub actor: Actor,
    /// Whose account.
    pub user_id: Option<UserId>,
    /// Which session.
    pub session_id: Option<SessionId>,
    /// From where.
    pub ip: Option<IpAddr>,
}
