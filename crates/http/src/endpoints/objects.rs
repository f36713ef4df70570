//! The objects of the API.

use gateward_app::domain::{RoleName, Timestamp, TokenPair, User};
use serde::Serialize;

/// An account.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = User)]
pub(crate) struct UserBody {
    /// Who it is, for ever.
    #[schema(format = "uuid")]
    id: String,
    /// The public handle.
    #[schema(example = "ada")]
    username: String,
    /// The address in its canonical form.
    #[schema(format = "email", example = "ada@example.org")]
    email: String,
    /// Whether the owner has confirmed the address.
    email_verified: bool,
    /// The roles held.
    roles: Vec<String>,
    /// Whether the account is shut.
    disabled: bool,
    /// When the account was made.
    #[schema(format = "date-time")]
    created_at: String,
    /// When it was last changed.
    #[schema(format = "date-time")]
    updated_at: String,
}

impl From<&User> for UserBody {
    fn from(user: &User) -> Self {
        Self {
            id: user.id.to_string(),
            username: user.username.to_string(),
            email: user.email.to_string(),
            email_verified: user.email_verified,
            roles: user.roles.iter().map(RoleName::to_string).collect(),
            disabled: user.disabled,
            created_at: rfc3339(user.created_at),
            updated_at: rfc3339(user.updated_at),
        }
    }
}

/// An access token, the refresh token for the next pair, and how long they live.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = TokenPair)]
pub(crate) struct TokenPairBody {
    /// Opens the endpoints.
    access_token: String,
    /// How to send it: `Authorization: Bearer …`.
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// For how many seconds the access token is good.
    #[schema(example = 900)]
    expires_in: i64,
    /// Gets the next pair, once.
    refresh_token: String,
    /// For how many seconds the refresh token is good.
    #[schema(example = 604_800)]
    refresh_expires_in: i64,
    /// The session that both belong to.
    #[schema(format = "uuid")]
    session_id: String,
}

impl From<&TokenPair> for TokenPairBody {
    fn from(pair: &TokenPair) -> Self {
        Self {
            access_token: pair.access.text.expose().to_owned(),
            token_type: "Bearer",
            expires_in: pair.access.expires_in,
            refresh_token: pair.refresh.expose().to_owned(),
            refresh_expires_in: pair.refresh_expires_in,
            session_id: pair.session_id.to_string(),
        }
    }
}

/// A request that is taken; what comes of it comes by mail.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Accepted)]
pub(crate) struct Accepted {
    /// What is done, if there is anything to be done.
    #[schema(example = "email_sent")]
    pub(super) status: &'static str,
}

/// A time as RFC 3339 has it, in UTC, in whole seconds.
#[must_use]
pub fn rfc3339(time: Timestamp) -> String {
    jiff::Timestamp::from_second(time.seconds()).unwrap_or_default().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_utc_and_in_whole_seconds() {
        let time = Timestamp::from_micros(1_795_147_800_123_456);
        assert_eq!(rfc3339(time), "2026-11-20T04:10:00Z");
    }
}
