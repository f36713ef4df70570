//! Events: what is written down when something changes.

use std::net::IpAddr;

use sha2::{Digest as _, Sha256};

use crate::audit::Digest;
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
            /// The name of every event.
            pub const NAMES: &[&'static str] = &[$($text,)* $($end_text,)*];

            /// Every kind of event; those that are ends once for each reason.
            pub fn all() -> impl Iterator<Item = Self> {
                let plain = [$(Self::$name),*];
                let ends = EndReason::ALL.iter().flat_map(|reason| [$(Self::$end(*reason)),*]);
                plain.into_iter().chain(ends)
            }

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
        ResetLinkCreated = "reset_link_created",
        /// The account was disabled.
        AccountDisabled = "account_disabled",
        /// The account was enabled again.
        AccountEnabled = "account_enabled",
        /// A session began.
        SessionStarted = "session_started",
        /// The password was given again within a session.
        Reauthenticated = "reauthenticated",
        /// A genuine refresh token was ahead of the store, which has therefore lost writes.
        SessionRecovered = "session_recovered",
        /// A client logged in that had never done so before.
        NewDevice = "new_device",
        /// The owner of the account said of a login that it was not theirs.
        LoginReported = "login_reported",
        /// A signing key was made.
        KeyCreated = "key_created",
        /// A key was taken back before it signed anything.
        KeyWithdrawn = "key_withdrawn",
        /// A key was declared compromised: what it signed is not believed any more.
        KeyRevoked = "key_revoked",
        /// The keys were sealed with another master key.
        KeysRewrapped = "keys_rewrapped",
        /// The installation got another issuer.
        IssuerChanged = "issuer_changed",
        /// Somebody gave a wrong password for the account, at a login.
        LoginFailed = "login_failed",
        /// Somebody gave the right password of an account that is disabled.
        LoginRefused = "login_refused",
        /// Somebody who was logged in gave a wrong password for a sensitive act.
        PasswordRefused = "password_refused",
        /// So many secrets were wrong that no more are looked at for a while.
        RateLimited = "rate_limited",
        /// Somebody asked for what they may not do.
        AccessDenied = "access_denied",
        /// The account was made for somebody, who chooses the password by a mailed link.
        AccountInvited = "account_invited",
        /// Whoever was invited has chosen a password.
        InvitationAccepted = "invitation_accepted",
        /// An email was asked for with which the owner of the account chooses a new password.
        ResetRequested = "reset_requested",
        /// The account was given other roles.
        RolesChanged = "roles_changed",
        /// A role was defined, for the first time or anew.
        RoleDefined = "role_defined",
        /// A role was deleted.
        RoleDeleted = "role_deleted",
        /// What could tell of a person was taken out of the events of a deleted account.
        EventsErased = "events_erased",
        /// The oldest events were deleted, as long as they were kept.
        EventsExpired = "events_expired",
        /// An email was not sent: what it was about is over.
        EmailDiscarded = "email_discarded",
        /// An email could not be sent for so long that it is not tried any more.
        EmailFailed = "email_failed",
    }
    ends {
        /// A session ended.
        SessionEnded = "session_ended",
        /// All sessions of the account ended, or all but the one named.
        SessionsEnded = "sessions_ended",
    }
}

impl EventKind {
    /// Whether it tells of something that was refused or went wrong.
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

/// What makes the personal part of an event impossible to guess from its commitment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventSalt(pub [u8; 16]);

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
    /// In which session of the actor, if it was a request of a user who is logged in.
    pub actor_session_id: Option<SessionId>,
    /// Whose account.
    pub user_id: Option<UserId>,
    /// Which session.
    pub session_id: Option<SessionId>,
    /// What else there is to say, in a few words; nothing about a person.
    pub detail: Option<String>,
    /// From where. It is the personal part: it goes when the account is erased.
    pub ip: Option<IpAddr>,
    /// What the commitment to the personal part is made with; it goes with it.
    pub salt: Option<EventSalt>,
}

impl Event {
    /// What binds the chain of the audit trail to the personal part without telling it: it stays
    /// when that part is erased. `None` if it was.
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
