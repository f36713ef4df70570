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

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// An account was made.
    AccountCreated,
    /// The account's name was changed.
    UsernameChanged,
    /// The account's password was changed.
    PasswordChanged,
    /// The account was disabled.
    AccountDisabled,
    /// The account was enabled again.
    AccountEnabled,
    /// A session began.
    SessionBegun,
    /// The password was given again within a session.
    Reauthenticated,
    /// A session ended.
    SessionEnded(EndReason),
    /// All sessions of the account ended, or all but the one named.
    SessionsEnded(EndReason),
    /// A genuine refresh token was ahead of the store, which has therefore lost writes.
    SessionCaughtUp,
    /// A signing key was made.
    KeyCreated,
}

impl EventKind {
    /// The event's name in the store and in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccountCreated => "account_created",
            Self::UsernameChanged => "username_changed",
            Self::PasswordChanged => "password_changed",
            Self::AccountDisabled => "account_disabled",
            Self::AccountEnabled => "account_enabled",
            Self::SessionBegun => "session_begun",
            Self::Reauthenticated => "reauthenticated",
            Self::SessionEnded(_) => "session_ended",
            Self::SessionsEnded(_) => "sessions_ended",
            Self::SessionCaughtUp => "session_caught_up",
            Self::KeyCreated => "key_created",
        }
    }

    /// The reason, where the event is an end.
    #[must_use]
    pub const fn reason(self) -> Option<EndReason> {
        match self {
            Self::SessionEnded(reason) | Self::SessionsEnded(reason) => Some(reason),
            _ => None,
        }
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
