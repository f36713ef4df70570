//! `Session`: starts at a login, is extended by refreshes, and ends once, with a reason.

use std::fmt;
use std::net::IpAddr;

use crate::refresh::RefreshState;
use crate::{SessionId, Timestamp, UserId};

macro_rules! end_reasons {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// Why a session ended.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum EndReason {
            $($(#[$doc])* $name,)*
        }

        impl EndReason {
            /// All reasons.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The reason's code in responses, tables and logs.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// Parses a code.
            #[must_use]
            pub fn from_code(code: &str) -> Option<Self> {
                match code {
                    $($text => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

end_reasons! {
    /// The client logged out.
    Logout = "logout",
    /// The user ended all their sessions.
    LogoutAll = "logout_all",
    /// The user ended it from another session.
    EndedByUser = "ended_by_user",
    /// An administrator ended it.
    EndedByAdmin = "ended_by_admin",
    /// The password was changed in another session.
    PasswordChanged = "password_changed",
    /// The password was reset by email.
    PasswordReset = "password_reset",
    /// The change of the account's email address was undone.
    EmailChanged = "email_changed",
    /// The account was disabled.
    AccountDisabled = "account_disabled",
    /// The account was deleted.
    AccountDeleted = "account_deleted",
    /// A refresh token was reused.
    RefreshTokenReused = "refresh_token_reused",
    /// The session was not refreshed in time.
    IdleTimeout = "idle_timeout",
    /// The session reached its maximum lifetime.
    LifetimeOver = "lifetime_over",
    /// The user exceeded the maximum number of sessions, and this was the oldest.
    SessionLimit = "session_limit",
    /// The key that signed its tokens was revoked as compromised.
    KeyCompromised = "key_compromised",
    /// The account owner reported the login as not theirs.
    NotMe = "not_me",
}

impl fmt::Display for EndReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// When and why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct End {
    /// Time of the end, UTC.
    pub at: Timestamp,
    /// Why the session ended.
    pub reason: EndReason,
}

/// Client IP address and user agent of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestInfo {
    /// Client IP address, as far as the configured proxies are trusted.
    pub ip: Option<IpAddr>,
    /// The `User-Agent` header, truncated to [`RequestInfo::USER_AGENT_LEN_MAX`] characters.
    pub user_agent: Option<String>,
}

impl RequestInfo {
    /// Maximum length of a stored `User-Agent` in characters: enough to tell browsers apart.
    pub const USER_AGENT_LEN_MAX: usize = 256;
}

/// A session: one login and all its refreshes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The session's identifier: the `sid` of its tokens.
    pub id: SessionId,
    /// The user that the session belongs to.
    pub user_id: UserId,
    /// Time of the login, UTC.
    pub created_at: Timestamp,
    /// Time at which the user last entered the password, UTC: the `auth_time` of its access tokens.
    pub auth_time: Timestamp,
    /// End of the maximum lifetime, UTC. No refresh extends it.
    pub lifetime_ends_at: Timestamp,
    /// IP address and user agent of the login.
    pub request_info: RequestInfo,
    /// The name that the client reported at login.
    pub client_name: Option<String>,
    /// The state of the session's refresh token.
    pub refresh_state: RefreshState,
    /// The recorded end. `None` while the session is active or has merely expired.
    pub ended: Option<End>,
}

impl Session {
    /// Maximum length of a client's name in characters.
    pub const CLIENT_NAME_LEN_MAX: usize = 100;

    /// Returns the end of the session if it was ended or has expired at `now`.
    #[must_use]
    pub fn end(&self, now: Timestamp) -> Option<End> {
        self.ended.or_else(|| self.lapse(now))
    }

    /// Returns the end if the session has expired at `now`.
    #[must_use]
    pub fn lapse(&self, now: Timestamp) -> Option<End> {
        if now >= self.lifetime_ends_at {
            Some(End { at: self.lifetime_ends_at, reason: EndReason::LifetimeOver })
        } else if now >= self.refresh_state.expires_at {
            Some(End { at: self.refresh_state.expires_at, reason: EndReason::IdleTimeout })
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_can_be_read_back() {
        for reason in EndReason::ALL {
            assert_eq!(EndReason::from_code(reason.as_str()), Some(*reason));
        }
        assert_eq!(EndReason::from_code("boredom"), None);
    }
}
