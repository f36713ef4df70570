//! Encodes and decodes the claims of tokens (RFC 7519, RFC 9068).

use gateward_domain::key::{CLOCK_SKEW_SECONDS, KeyId};
use gateward_domain::{
    AccessClaims, AccessGrant, Permission, RoleName, Session, SessionId, Timestamp, TokenId, UserId,
};
use serde::Serialize;

use crate::json::Object;
use crate::jws;
use crate::keyring::DialectClaims;

/// The `typ` of an access token (RFC 9068, section 2.1).
pub(crate) const ACCESS_TYP: &str = "at+jwt";

/// The `typ` of a refresh token.
pub(crate) const REFRESH_TYP: &str = "rt+jwt";

/// The authentication method of the user (RFC 8176).
const AMR: [&str; 1] = ["pwd"];

/// The latest second that a token may contain: the end of the year 9999, the last that date formats
/// support.
const SECOND_MAX: i64 = 253_402_300_799;

/// The claims of an access token, in the order in which they are encoded.
#[derive(Serialize)]
struct AccessBody<'a> {
    iss: &'a str,
    sub: String,
    aud: &'a str,
    exp: i64,
    iat: i64,
    nbf: i64,
    jti: String,
    sid: String,
    client_id: &'a str,
    username: &'a str,
    email: &'a str,
    email_verified: bool,
    roles: Vec<&'a str>,
    permissions: Vec<&'static str>,
    auth_time: i64,
    amr: [&'static str; 1],
    #[serde(flatten)]
    dialects: DialectBody,
}

/// The claims of the dialects that are on.
#[derive(Default, Serialize)]
pub(crate) struct DialectBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none", rename = "type")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fresh: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    csrf: Option<String>,
}

impl DialectBody {
    /// The claims for this token; `csrf` is the CSRF token of its session. Both packages expect
    /// `user_id` as a string.
    pub(crate) fn new(on: DialectClaims, grant: &AccessGrant<'_>, csrf: Option<String>) -> Self {
        let any = on.simplejwt || on.flask;
        Self {
            user_id: any.then(|| grant.public_user_id.to_string()),
            token_type: on.simplejwt.then_some("access"),
            kind: on.flask.then_some("access"),
            fresh: on.flask.then_some(grant.is_fresh),
            csrf,
        }
    }
}

/// The claims of a refresh token, in the order in which they are encoded.
#[derive(Serialize)]
struct RefreshBody<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: String,
    sid: String,
    #[serde(rename = "gen")]
    generation: i64,
    iat: i64,
    exp: i64,
    sec: String,
}

/// The claims of an access token, and the time from which it is valid.
pub(crate) struct ReadAccess {
    pub(crate) claims: AccessClaims,
    not_before: Timestamp,
}

impl ReadAccess {
    /// Returns whether the token was issued, and is valid, at `now`.
    pub(crate) fn has_started(&self, now: Timestamp) -> bool {
        [self.claims.issued_at, self.not_before].iter().all(|time| has_come(*time, now))
    }
}

/// The claims of a refresh token.
pub(crate) struct RefreshClaims {
    pub(crate) session_id: SessionId,
    pub(crate) user_id: UserId,
    pub(crate) generation: i64,
    pub(crate) expires_at: Timestamp,
    pub(crate) secret: [u8; 32],
}

/// Encodes the claims of an access token.
pub(crate) fn write_access(
    issuer: &str,
    audience: &str,
    grant: &AccessGrant<'_>,
    dialects: DialectBody,
) -> Option<Vec<u8>> {
    let user = grant.user;
    let issued_at = grant.issued_at.seconds();
    let body = AccessBody {
        iss: issuer,
        sub: user.id.to_string(),
        aud: audience,
        exp: grant.expires_at.seconds(),
        iat: issued_at,
        nbf: issued_at,
        jti: grant.id.to_string(),
        sid: grant.session_id.to_string(),
        client_id: issuer,
        username: user.username.as_str(),
        email: user.email.as_str(),
        email_verified: user.email_verified,
        roles: user.roles.iter().map(RoleName::as_str).collect(),
        permissions: user.permissions.iter().map(Permission::as_str).collect(),
        auth_time: grant.auth_time.seconds(),
        amr: AMR,
        dialects,
    };
    serde_json::to_vec(&body).ok()
}

/// Encodes the claims of a session's current refresh token. All of them are derived from its row.
pub(crate) fn write_refresh(issuer: &str, session: &Session, secret: &[u8; 32]) -> Option<Vec<u8>> {
    let body = RefreshBody {
        iss: issuer,
        aud: issuer,
        sub: session.user_id.to_string(),
        sid: session.id.to_string(),
        generation: session.refresh_state.generation,
        iat: session.refresh_state.rotated_at.seconds(),
        exp: session.refresh_state.expires_at.seconds(),
        sec: jws::encode(secret),
    };
    serde_json::to_vec(&body).ok()
}

/// Decodes the claims of an access token with a valid signature by this key. `None` if one is
/// missing, has another type or is not of this installation. The caller checks its times.
pub(crate) fn read_access(
    payload: &[u8],
    key_id: KeyId,
    issuer: &str,
    audience: &str,
) -> Option<ReadAccess> {
    let claims = Object::parse(payload)?;
    let addressed = claims.text("iss")? == issuer
        && claims.text("aud")? == audience
        && claims.text("client_id")? == issuer;
    let described = claims.text("username").is_some()
        && claims.text("email").is_some()
        && claims.bool("email_verified").is_some()
        && ["roles", "permissions", "amr"].iter().all(|name| claims.has_texts(name));
    let not_before = second(&claims, "nbf")?;
    let claims = AccessClaims {
        id: identifier::<TokenId>(&claims, "jti")?,
        key_id,
        user_id: identifier::<UserId>(&claims, "sub")?,
        session_id: identifier::<SessionId>(&claims, "sid")?,
        auth_time: second(&claims, "auth_time")?,
        issued_at: second(&claims, "iat")?,
        expires_at: second(&claims, "exp")?,
    };
    (addressed && described).then_some(ReadAccess { claims, not_before })
}

/// Decodes the claims of a refresh token with a valid signature, as [`read_access`] does, and
/// checks its time of issue.
pub(crate) fn read_refresh(payload: &[u8], issuer: &str, now: Timestamp) -> Option<RefreshClaims> {
    let claims = Object::parse(payload)?;
    let addressed = claims.text("iss")? == issuer && claims.text("aud")? == issuer;
    second(&claims, "iat").filter(|time| has_come(*time, now))?;
    let read = RefreshClaims {
        session_id: identifier::<SessionId>(&claims, "sid")?,
        user_id: identifier::<UserId>(&claims, "sub")?,
        generation: claims.int("gen").filter(|generation| *generation > 0)?,
        expires_at: second(&claims, "exp")?,
        secret: jws::decode(claims.text("sec")?)?.try_into().ok()?,
    };
    addressed.then_some(read)
}

/// Returns whether a time has come, by the clock of the node that is furthest ahead.
fn has_come(time: Timestamp, now: Timestamp) -> bool {
    time <= now.plus_seconds(CLOCK_SKEW_SECONDS)
}

/// Decodes a `NumericDate` (RFC 7519, section 2). Gateward issues whole seconds after 1970.
fn second(claims: &Object<'_>, name: &str) -> Option<Timestamp> {
    let seconds = claims.int(name).filter(|seconds| (0..=SECOND_MAX).contains(seconds))?;
    Some(Timestamp::from_seconds(seconds))
}

/// Decodes an identifier in the one form that Gateward encodes: lower case, with hyphens.
fn identifier<T: std::str::FromStr>(claims: &Object<'_>, name: &str) -> Option<T> {
    let text = claims.text(name)?;
    let plain = text.len() == 36 && !text.bytes().any(|byte| byte.is_ascii_uppercase());
    if plain { text.parse().ok() } else { None }
}
