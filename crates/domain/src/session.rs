//! `Session`: what begins at a login, lives by refreshes and ends once, with a reason.

use std::fmt;
use std::net::IpAddr;

use crate::refresh::RefreshState;
use crate::{SessionId, Timestamp, UserId};

macro_rules! end_reasons {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// Why a session is over.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum EndReason {
            $($(#[$doc])* $name,)*
        }

        impl EndReason {
            /// Every reason there is.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The reason's code in answers, tables and logs.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// Reads a code.
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
    /// Its client logged out.
    Logout = "logout",
    /// Its user ended all their sessions.
    LogoutAll = "logout_all",
    /// Its user ended it from another session.
    EndedByUser = "ended_by_user",
    /// An administrator ended it.
    EndedByAdmin = "ended_by_admin",
    /// The password was changed in another session.
    PasswordChanged = "password_changed",
    /// The password was reset by mail.
    PasswordReset = "password_reset",
    /// The account's address was changed back.
    EmailChanged = "email_changed",
    /// The account was disabled.
    AccountDisabled = "account_disabled",
    /// The account was deleted.
    AccountDeleted = "account_deleted",
    /// A refresh token was shown that had been spent before.
    RefreshTokenReused = "refresh_token_reused",
    /// It was not refreshed for too long.
    IdleTimeout = "idle_timeout",
    /// It reached the end of its longest life.
    LifetimeOver = "lifetime_over",
    /// Its user began more sessions than are allowed, and it was the oldest.
    SessionLimit = "session_limit",
    /// The key that signed its tokens was declared compromised.
    KeyCompromised = "key_compromised",
    /// The owner of the account said that it was not theirs.
    NotMe = "not_me",
}

impl fmt::Display for EndReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The end of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct End {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: EndReason,
}

/// From where and with what a request came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestInfo {
    /// The client's address, as far as the configured proxies can be believed.
    pub ip: Option<IpAddr>,
    /// The `User-Agent` header, cut to [`RequestInfo::USER_AGENT_LEN_MAX`] characters.
    pub user_agent: Option<String>,
}

impl RequestInfo {
    /// The most characters kept of a `User-Agent`: enough to tell browsers apart.
    pub const USER_AGENT_LEN_MAX: usize = 256;
}

/// A session: one login and all its refreshes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Which session.
    pub id: SessionId,
    /// Whose session.
    pub user_id: UserId,
    /// When its user logged in.
    pub created_at: Timestamp,
    /// When its user last gave the password; the `auth_time` of its access tokens.
    pub auth_time: Timestamp,
    /// The end of its longest life; no refresh moves it.
    pub lifetime_ends_at: Timestamp,
    /// Where it began.
    pub request_info: RequestInfo,
    /// The name that the client gave itself at login.
    pub client_name: Option<String>,
    /// Where the line of its refresh tokens stands.
    pub refresh_state: RefreshState,
    /// Its end, if somebody or something has ended it.
    pub ended: Option<End>,
}

impl Session {
    /// The most characters of a client's name.
    pub const CLIENT_NAME_LEN_MAX: usize = 100;

    /// The end of this session, if it is over at `now`: ended, or out of time.
    #[must_use]
    pub fn end(&self, now: Timestamp) -> Option<End> {
        self.ended.or_else(|| self.lapse(now))
    }

    /// The end that time alone has brought by `now`.
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
