//! API objects that several endpoints share.

use gateward_app::domain::{RoleName, Timestamp, TokenPair, User};
use serde::Serialize;

/// A user account.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = User)]
pub(crate) struct UserBody {
    /// The unique ID. It never changes.
    #[schema(format = "uuid")]
    id: String,
    /// The username. It can change.
    #[schema(example = "ada")]
    username: String,
    /// The email address in canonical form: Unicode NFKC, lowercase, the domain in ASCII.
    #[schema(format = "email", example = "ada@example.org")]
    email: String,
    /// Whether the user has confirmed the email address.
    email_verified: bool,
    /// The names of the user's roles.
    roles: Vec<String>,
    /// Whether the account is disabled. The user then cannot log in.
    disabled: bool,
    /// When the account was created.
    #[schema(format = "date-time")]
    created_at: String,
    /// When the account was last changed.
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

/// An access token and a refresh token, with their lifetimes.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = TokenPair)]
pub(crate) struct TokenPairBody {
    /// A JWT to send as `Authorization: Bearer`.
    access_token: String,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Seconds until the access token expires.
    #[schema(example = 900)]
    expires_in: i64,
    /// A single-use token for `POST /refresh`.
    refresh_token: String,
    /// Seconds until the refresh token expires.
    #[schema(example = 604_800)]
    refresh_expires_in: i64,
    /// The ID of the session that both tokens belong to.
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

/// An accepted request whose result arrives by email.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Accepted)]
pub(crate) struct Accepted {
    /// `email_sent` or `confirmation_sent`. It does not show whether an email was really sent.
    #[schema(example = "email_sent")]
    pub(super) status: &'static str,
}

/// Formats a time as RFC 3339, in UTC and whole seconds.
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
