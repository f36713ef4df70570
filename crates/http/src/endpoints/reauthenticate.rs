//! `POST /me/reauthenticate`

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use gateward_app::ReauthenticateError;
use serde::Serialize;

use super::by_cookie::{self, CookieSessionBody};
use crate::App;
use crate::body::Body;
use crate::credentials::{caller, is_by_cookie};
use crate::problem::{Problem, ProblemBody};
use crate::routes::Endpoint;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::api::<__path_reauthenticate>(|| web::to(reauthenticate))
}

/// A password confirmation.
#[derive(utoipa::ToSchema)]
#[schema(as = Reauthenticate)]
#[expect(dead_code, reason = "documents the body, which is read field by field")]
struct ReauthenticateBody {
    /// The current password.
    #[schema(format = "password", max_length = 1024)]
    password: String,
}

/// A new access token with the current time as its `auth_time`.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = AccessToken)]
struct AccessTokenBody {
    /// A JWT to send as `Authorization: Bearer`.
    access_token: String,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Seconds until the access token expires.
    #[schema(example = 900)]
    expires_in: i64,
}

/// The response of a password confirmation: `AccessToken`, or `CookieSession` in cookie mode.
#[derive(utoipa::ToSchema)]
#[schema(as = ReauthenticateResponse)]
#[serde(untagged)]
#[expect(dead_code, reason = "documents the two responses")]
enum ReauthenticateResponse {
    Bearer(AccessTokenBody),
    Cookie(CookieSessionBody),
}

/// Confirm your password.
///
/// Call it when a request fails with `reauthentication_required`, then repeat that request with the
/// new access token. Like a login, a confirmation counts as recent for 15 minutes by default. The
/// refresh token does not change.
#[utoipa::path(
    post, operation_id = "reauthenticate", path = "/me/reauthenticate", request_body = ReauthenticateBody,
    security(("access_token" = [])),
    responses(
        (status = 200, description = "A new access token with a new `auth_time`; in cookie mode it is set as a cookie", body = ReauthenticateResponse),
        (status = 422, description = "`validation_failed`; a wrong password has the field error `wrong_password`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`rate_limited`: too many attempts", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`overloaded` or `unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn reauthenticate(
    app: Data<App>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let caller = caller(&app, &request).await?;
    let request_info = app.request_info(&request);
    let mut fields = body.fields().await?;
    let password = fields.password("password");
    let password = fields.finish(password)?;
    let confirmed = app.core().verify_again(&caller, &password, &request_info).await?;
    let actor = caller.clone();
    let again = app
        .detached(async move |core| core.reauthenticate(&actor, confirmed, &request_info).await)
        .await??;
    if is_by_cookie(&request) {
        return by_cookie::access(&app, &again, &caller);
    }
    Ok(super::ok(&AccessTokenBody {
        access_token: again.access.text.expose().to_owned(),
        token_type: "Bearer",
        expires_in: again.access.expires_in,
    }))
}

impl From<ReauthenticateError> for Problem {
    fn from(error: ReauthenticateError) -> Self {
        match error {
            ReauthenticateError::WrongPassword => Self::wrong_password("password"),
            ReauthenticateError::RateLimited(error) => error.into(),
            ReauthenticateError::SessionEnded(reason) => Self::session_ended(reason),
            ReauthenticateError::Hash(error) => error.into(),
            ReauthenticateError::Token(error) => Self::of_access_token(error),
            ReauthenticateError::Store(error) => error.into(),
        }
    }
}
