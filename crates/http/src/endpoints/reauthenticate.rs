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

/// The password, again.
#[derive(utoipa::ToSchema)]
#[schema(as = Reauthenticate)]
#[expect(dead_code, reason = "documents the body, which is read member by member")]
struct ReauthenticateBody {
    #[schema(format = "password", max_length = 1024)]
    password: String,
}

/// An access token whose `auth_time` is now.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = AccessToken)]
struct AccessTokenBody {
    access_token: String,
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// For how many seconds it is good.
    #[schema(example = 900)]
    expires_in: i64,
}

/// By the way in which the access token came.
#[derive(utoipa::ToSchema)]
#[schema(as = ReauthenticateResponse)]
#[serde(untagged)]
#[expect(dead_code, reason = "documents the two answers")]
enum ReauthenticateResponse {
    Bearer(AccessTokenBody),
    Cookie(CookieSessionBody),
}

/// Give the password again, before a sensitive act. The refresh token stays as it is.
#[utoipa::path(
    post, operation_id = "reauthenticate", path = "/me/reauthenticate", tag = "sessions", request_body = ReauthenticateBody,
    security(("access_token" = [])),
    responses(
        (status = 200, description = "An access token with a new `auth_time`; in cookie mode it is set as a cookie", body = ReauthenticateResponse),
        (status = 422, description = "`validation_failed`, also for a wrong password", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`rate_limited`: too many tries", body = ProblemBody, content_type = "application/problem+json"),
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
