//! The introspection response (RFC 7662, section 2.2).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gateward_app::domain::{Permission, RoleName};
use gateward_app::{ActiveToken, TokenKind};
use serde::{Deserialize, Serialize};

/// The response for inactive, invalid and unknown tokens.
pub(super) const INACTIVE: InactiveBody = InactiveBody { active: false };

#[derive(Serialize)]
pub(super) struct InactiveBody {
    active: bool,
}

/// The state of a token. For an inactive token, only `active` is present.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Introspection)]
pub(super) struct ActiveBody<'a> {
    /// Whether the token can be used now.
    active: bool,
    /// `Bearer` for access tokens. Absent for refresh tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Bearer")]
    token_type: Option<&'static str>,
    /// Always the issuer: users log in to this server directly, without an OAuth client.
    #[schema(required = false)]
    client_id: &'a str,
    /// The current username of the user.
    #[schema(required = false)]
    username: &'a str,
    /// The ID of the user.
    #[schema(required = false, format = "uuid")]
    sub: String,
    /// The audience of the token. Absent if the token has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<String>,
    /// The issuer.
    #[schema(required = false)]
    iss: &'a str,
    /// When the token expires, in seconds since the Unix epoch.
    #[schema(required = false)]
    exp: i64,
    /// When the token was issued, in seconds since the Unix epoch.
    #[schema(required = false)]
    iat: i64,
    /// When the token becomes valid, in seconds since the Unix epoch. Equal to `iat`.
    #[schema(required = false)]
    nbf: i64,
    /// The ID of an access token. Absent for refresh tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "uuid")]
    jti: Option<String>,
    /// The ID of the session.
    #[schema(required = false, format = "uuid")]
    sid: String,
    /// The current email address of the user.
    #[schema(required = false, format = "email")]
    email: &'a str,
    /// Whether the email address is verified.
    #[schema(required = false)]
    email_verified: bool,
    /// The current roles of the user.
    #[schema(required = false)]
    roles: Vec<&'a str>,
    /// The permissions that the user's current roles give.
    #[schema(required = false)]
    permissions: Vec<&'static str>,
    /// When the user last entered the password, in seconds since the Unix epoch.
    #[schema(required = false)]
    auth_time: i64,
}

impl<'a> ActiveBody<'a> {
    /// The response for this active token; `text` is the encoded token.
    pub(super) fn new(token: &'a ActiveToken, text: &str, issuer: &'a str) -> Self {
        let user = &*token.user;
        let access = match token.kind {
            TokenKind::Access(id) => Some(id),
            TokenKind::Refresh => None,
        };
        Self {
            active: true,
            token_type: access.map(|_| "Bearer"),
            client_id: issuer,
            username: user.username.as_str(),
            sub: user.id.to_string(),
            aud: audience(text),
            iss: issuer,
            exp: token.expires_at.seconds(),
            iat: token.issued_at.seconds(),
            nbf: token.issued_at.seconds(),
            jti: access.map(|id| id.to_string()),
            sid: token.session_id.to_string(),
            email: user.email.as_str(),
            email_verified: user.email_verified,
            roles: user.roles.iter().map(RoleName::as_str).collect(),
            permissions: user.permissions.iter().map(Permission::as_str).collect(),
            auth_time: token.auth_time.seconds(),
        }
    }
}

/// The `aud` claim of a token whose signature has been verified.
fn audience(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Claims {
        aud: String,
    }
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice::<Claims>(&payload).ok().map(|claims| claims.aud)
}
