//! Responses in cookie mode: the tokens of a session are set as cookies, and are not in the body.

use actix_web::{HttpResponse, HttpResponseBuilder};
use gateward_app::domain::known_device::KnownDevice;
use gateward_app::domain::{SessionId, TokenPair, TokenText, User};
use gateward_app::{Caller, Reauthenticated};
use serde::Serialize;

use super::objects::UserBody;
use crate::App;
use crate::cookies::Cookie;
use crate::problem::Problem;

/// A session whose tokens are in cookies that scripts cannot read.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = CookieSession)]
pub(super) struct CookieSessionBody {
    /// Send it in the header `X-CSRF-Token` of every request that changes data. It stays the same
    /// for the whole session, and is also in the cookie `__Host-gateward-csrf`.
    csrf_token: String,
    /// Seconds until the access token expires.
    #[schema(example = 900)]
    expires_in: i64,
    /// The ID of the session.
    #[schema(format = "uuid")]
    session_id: String,
    user: UserBody,
}

impl CookieSessionBody {
    fn new(csrf_token: &TokenText, session_id: SessionId, expires_in: i64, user: &User) -> Self {
        Self {
            csrf_token: csrf_token.expose().to_owned(),
            expires_in,
            session_id: session_id.to_string(),
            user: UserBody::from(user),
        }
    }
}

/// The response of a login or refresh. Browsers keep all cookies for the rest of the session, even
/// the access token, because logging out also works with an expired one.
pub(super) fn pair(
    app: &App,
    pair: &TokenPair,
    user: &User,
    known_device_token: Option<&TokenText>,
) -> Result<HttpResponse, Problem> {
    let csrf_token = csrf_token(app, pair.session_id)?;
    let mut response = HttpResponse::Ok();
    for (cookie, value) in [
        (Cookie::Access, &pair.access.text),
        (Cookie::Refresh, &pair.refresh),
        (Cookie::Csrf, &csrf_token),
    ] {
        cookie.set(&mut response, value.expose(), pair.refresh_expires_in, app.options());
    }
    if let Some(token) = known_device_token {
        let seconds = KnownDevice::KNOWN_SECONDS;
        Cookie::Device.set(&mut response, token.expose(), seconds, app.options());
    }
    let expires_in = pair.access.expires_in;
    Ok(response.json(CookieSessionBody::new(&csrf_token, pair.session_id, expires_in, user)))
}

/// The response of a password confirmation: a new access token for the caller's session.
///
/// Browsers keep it for the rest of the session, like the previous one.
pub(super) fn access(
    app: &App,
    again: &Reauthenticated,
    caller: &Caller,
) -> Result<HttpResponse, Problem> {
    let csrf_token = csrf_token(app, caller.session_id)?;
    let mut response = HttpResponse::Ok();
    let (text, seconds) = (again.access.text.expose(), again.session_expires_in);
    Cookie::Access.set(&mut response, text, seconds, app.options());
    let (id, expires_in) = (caller.session_id, again.access.expires_in);
    Ok(response.json(CookieSessionBody::new(&csrf_token, id, expires_in, &caller.user)))
}

/// Deletes the cookies of the session. The known-device token stays, for the next login.
pub(super) fn forget(app: &App, response: &mut HttpResponseBuilder) {
    for cookie in [Cookie::Access, Cookie::Refresh, Cookie::Csrf] {
        cookie.clear(response, app.options());
    }
}

fn csrf_token(app: &App, id: SessionId) -> Result<TokenText, Problem> {
    app.core().csrf_token(id).map_err(Problem::of_access_token)
}
