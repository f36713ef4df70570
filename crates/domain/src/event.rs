//! Events: the record of every change.

use std::net::IpAddr;

use sha2::{Digest as _, Sha256};

use crate::audit::Digest;
use crate::{EndReason, EventId, SessionId, Timestamp, UserId};

/// The actor that caused an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A user, through a request.
    User(UserId),
    /// An operator at the command line.
    Operator,
    /// The service itself, or an unauthenticated caller.
    Service,
}

macro_rules! event_kinds {
    (
        plain { $($(#[$doc:meta])* $name:ident = $text:literal,)* }
        ends { $($(#[$end_doc:meta])* $end:ident = $end_text:literal,)* }
    ) => {
        /// The kind of an event.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum EventKind {
            $($(#[$doc])* $name,)*
            $($(#[$end_doc])* $end(EndReason),)*
        }

        impl EventKind {
            /// The names of all events.
            pub const NAMES: &[&'static str] = &[$($text,)* $($end_text,)*];

            /// Returns all kinds. A kind that ends sessions appears once per reason.
            pub fn all() -> impl Iterator<Item = Self> {
                let plain = [$(Self::$name),*];
                let ends = EndReason::ALL.iter().flat_map(|reason| [$(Self::$end(*reason)),*]);
                plain.into_iter().chain(ends)
            }

            /// The event's name in the store and in responses.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                    $(Self::$end(_) => $end_text,)*
                }
            }

            /// Returns the reason if the event ends sessions.
            #[must_use]
            pub const fn reason(self) -> Option<EndReason> {
                match self {
                    $(Self::$name => None,)*
                    $(Self::$end(reason) => Some(reason),)*
                }
            }

            /// Parses a name and the reason that belongs to it.
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
        /// An account was created.
        AccountCreated = "account_created",
        /// The account was deleted.
        AccountDeleted = "account_deleted",
        /// The owner confirmed the account's email address.
        EmailConfirmed = "email_confirmed",
        /// A change of email address was requested. It takes effect once it is confirmed.
        EmailChangeRequested = "email_change_requested",
        /// The account's email address was changed.
        EmailChanged = "email_changed",
        /// The previous email address was restored with the link sent to it.
        EmailChangeUndone = "email_change_undone",
        /// The account's username was changed.
        UsernameChanged = "username_changed",
        /// The account's password was changed.
        PasswordChanged = "password_changed",
        /// The password was reset with an emailed link.
        PasswordReset = "password_reset",
        /// An operator created a password reset link.
        ResetLinkCreated = "reset_link_created",
        /// The account was disabled.
        AccountDisabled = "account_disabled",
        /// The account was enabled again.
        AccountEnabled = "account_enabled",
        /// A session started.
        SessionStarted = "session_started",
        /// The user confirmed the password within a session.
        Reauthenticated = "reauthenticated",
        /// A genuine refresh token was ahead of the store, which has therefore lost writes.
        SessionRecovered = "session_recovered",
        /// An unknown device logged in.
        NewDevice = "new_device",
        /// The account owner reported a login as not theirs.
        LoginReported = "login_reported",
        /// A signing key was created.
        KeyCreated = "key_created",
        /// A key was withdrawn before it signed anything.
        KeyWithdrawn = "key_withdrawn",
        /// A key was revoked as compromised. Its signatures are no longer accepted.
        KeyRevoked = "key_revoked",
        /// The keys were wrapped with another master key.
        KeysRewrapped = "keys_rewrapped",
        /// The issuer of the installation was changed.
        IssuerChanged = "issuer_changed",
        /// A login for the account used a wrong password.
        LoginFailed = "login_failed",
        /// A login used the right password of a disabled account.
        LoginRefused = "login_refused",
        /// A user who is logged in entered a wrong password to confirm a sensitive action.
        PasswordRefused = "password_refused",
        /// Too many wrong secrets: further attempts are refused for a while.
        RateLimited = "rate_limited",
        /// A request lacked the required permission.
        AccessDenied = "access_denied",
        /// An account was created by invitation. Its owner chooses the password with an emailed
        /// link.
        AccountInvited = "account_invited",
        /// An invited user chose a password.
        InvitationAccepted = "invitation_accepted",
        /// A password reset email was requested.
        ResetRequested = "reset_requested",
        /// The roles of the account were changed.
        RolesChanged = "roles_changed",
        /// A role was created or redefined.
        RoleDefined = "role_defined",
        /// A role was deleted.
        RoleDeleted = "role_deleted",
        /// The personal parts of the events of a deleted account were erased.
        EventsErased = "events_erased",
        /// The oldest events were deleted at the end of their retention period.
        EventsExpired = "events_expired",
        /// An email was not sent because its reason no longer applied.
        EmailDiscarded = "email_discarded",
        /// An email could not be delivered within the time limit and is not retried.
        EmailFailed = "email_failed",
    }
    ends {
        /// A session ended.
        SessionEnded = "session_ended",
        /// All sessions of the account ended, or all except the named one.
        SessionsEnded = "sessions_ended",
    }
}

impl EventKind {
    /// Returns whether the event reports a refusal or a failure.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        matches!(
            self,
            Self::LoginFailed
                | Self::LoginRefused
                | Self::PasswordRefused
                | Self::RateLimited
                | Self::AccessDenied
                | Self::EmailFailed
        )
    }
}

/// Random salt that keeps the personal part of an event from being guessed from its commitment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventSalt(pub [u8; 16]);

/// An event, written in the transaction of the change it reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The event's identifier.
    pub id: EventId,
    /// Time of the event, UTC.
    pub at: Timestamp,
    /// The kind of the event.
    pub kind: EventKind,
    /// The actor that caused the event.
    pub actor: Actor,
    /// The actor's session, if a user who is logged in sent the request.
    pub actor_session_id: Option<SessionId>,
    /// The account that the event is about.
    pub user_id: Option<UserId>,
    /// The session that the event is about.
    pub session_id: Option<SessionId>,
    /// Further detail in a few words. Contains no personal data.
    pub detail: Option<String>,
    /// Client IP address. It is personal data: erasing the account erases it.
    pub ip: Option<IpAddr>,
    /// Salt of the commitment to the personal part. Erased together with it.
    pub salt: Option<EventSalt>,
}

impl Event {
    /// Returns the commitment that binds the chain to the personal part without revealing it. It
    /// remains when the personal part is erased. `None` if it was erased.
    #[must_use]
    pub fn commitment(&self) -> Option<Digest> {
        let salt = self.salt?;
        let ip = self.ip.map_or_else(String::new, |ip| ip.to_string());
        Some(Digest(Sha256::new().chain_update(salt.0).chain_update(ip).finalize().into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_among_all_and_is_read_by_its_name() {
        let all: Vec<_> = EventKind::all().collect();
        for kind in &all {
            assert_eq!(EventKind::from_parts(kind.as_str(), kind.reason()), Some(*kind));
        }
        for name in EventKind::NAMES {
            let found = all.iter().filter(|kind| kind.as_str() == *name);
            let reasons: Vec<_> = found.map(|kind| kind.reason()).collect();
            let ends: Vec<_> = EndReason::ALL.iter().copied().map(Some).collect();
            assert!(reasons == [None] || reasons == ends, "{name}: {reasons:?}");
        }
    }

    #[test]
    fn the_commitment_tells_addresses_apart_and_goes_with_the_salt() {
        let uuid = uuid::Uuid::from_u128(1);
        let event = Event {
            id: EventId::from_uuid(uuid),
            at: Timestamp::from_seconds(1),
            kind: EventKind::LoginFailed,
            actor: Actor::Service,
            actor_session_id: None,
            user_id: None,
            session_id: None,
            detail: None,
            ip: None,
            salt: Some(EventSalt([7; 16])),
        };
        let elsewhere = Event { ip: Some([192, 0, 2, 1].into()), ..event.clone() };
        let salted = Event { salt: Some(EventSalt([8; 16])), ..event.clone() };
        assert_ne!(event.commitment(), elsewhere.commitment());
        assert_ne!(event.commitment(), salted.commitment());
        assert_eq!(Event { salt: None, ..event }.commitment(), None);
    }
}
