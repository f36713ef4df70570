//! What a client is told of a token (RFC 7662, section 2.2).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gateward_app::domain::{Permission, RoleName};
use gateward_app::{ActiveToken, TokenKind};
use serde::{Deserialize, Serialize};

/// What is told of every text that is not a token which can be used now.
pub(super) const INACTIVE: InactiveBody = InactiveBody { active: false };

#[derive(Serialize)]
pub(super) struct InactiveBody {
    active: bool,
}

/// What is told of a token that can be used now. Of another one, only that it cannot.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Introspection)]
pub(super) struct ActiveBody<'a> {
    active: bool,
    /// `Bearer`; an access token alone has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Bearer")]
    token_type: Option<&'static str>,
    /// The issuer, for logins of its own.
    #[schema(required = false)]
    client_id: &'a str,
    #[schema(required = false)]
    username: &'a str,
    /// The user.
    #[schema(required = false, format = "uuid")]
    sub: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<String>,
    #[schema(required = false)]
    iss: &'a str,
    #[schema(required = false)]
    exp: i64,
    #[schema(required = false)]
    iat: i64,
    #[schema(required = false)]
    nbf: i64,
    /// The token's own identifier; an access token alone has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "uuid")]
    jti: Option<String>,
    /// The session.
    #[schema(required = false, format = "uuid")]
    sid: String,
    #[schema(required = false, format = "email")]
    email: &'a str,
    #[schema(required = false)]
    email_verified: bool,
    /// The roles that the user has now.
    #[schema(required = false)]
    roles: Vec<&'a str>,
    /// What these roles permit.
    #[schema(required = false)]
    permissions: Vec<&'static str>,
    /// When the user last gave the password.
    #[schema(required = false)]
    auth_time: i64,
}

impl<'a> ActiveBody<'a> {
    /// What is told of this token, whose text this is.
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

/// Whom the token is for, as it says itself: it was found to be genuine.
fn audience(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Claims {
        aud: String,
    }
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice::<Claims>(&payload).ok().map(|claims| claims.aud)
}
