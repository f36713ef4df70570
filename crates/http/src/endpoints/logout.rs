//! `POST /logout` and `POST /logout-all`

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use gateward_app::domain::{RequestInfo, SessionId, TokenError};
use gateward_app::{App as Core, LogoutAllError, LogoutError};

use crate::App;
use crate::body::Body;
use crate::credentials::{AccessToken, access_token, caller};
use crate::csrf;
use crate::problem::{Code, Problem, ProblemBody, details};
use crate::routes::Endpoint;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::api::<__path_logout>(|| web::to(logout))
}

pub(super) fn all_endpoint() -> Endpoint {
    Endpoint::api::<__path_logout_all>(|| web::to(logout_all))
}

/// The session to end. Without `refresh_token`, the session of the access token ends.
#[derive(utoipa::ToSchema)]
#[schema(as = Logout)]
#[expect(dead_code, reason = "documents the body, which is read field by field")]
struct LogoutBody {
    /// A refresh token of the session. It may be used or expired.
    refresh_token: Option<String>,
}

/// Which sessions to end.
#[derive(utoipa::ToSchema)]
#[schema(as = LogoutAll)]
#[expect(dead_code, reason = "documents the body, which is read field by field")]
struct LogoutAllBody {
    /// Whether to keep the current session. Default `false`.
    except_current: Option<bool>,
}

/// Log out.
///
/// Ends the session; its tokens stop working at once. Idempotent. Identify the session with
/// `refresh_token`, or with an access token in the header or cookie. In cookie mode, the access
/// token may have expired, and the response deletes the cookies of the session.
#[utoipa::path(
    post, operation_id = "logOut", path = "/logout", request_body = Option<LogoutBody>,
    security((), ("access_token" = [])),
    responses(
        (status = 204, description = "The session has ended"),
        (status = 401, description = "`missing_token`, `invalid_token`, `wrong_token_kind` or `token_expired`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn logout(app: Data<App>, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    let request_info = app.request_info(&request);
    let mut fields = body.optional_fields().await?;
    // A refresh token in the body identifies the session; other credentials are then ignored.
    let presented = match fields.optional_string("refresh_token") {
        Some(token) => Some(Presented::Refresh(token)),
        None => presented(&app, &request)?,
    };
    fields.finish(Some(()))?;
    let presented = presented.ok_or_else(no_token)?;
    let by_cookie = matches!(presented, Presented::Cookie(_));
    app.detached(async move |core| presented.end(&core, &request_info).await).await??;
    let mut response = HttpResponse::NoContent();
    if by_cookie {
        super::by_cookie::forget(&app, &mut response);
    }
    Ok(response.finish())
}

/// The credential that identifies the session to end.
enum Presented {
    /// A refresh token in the body.
    Refresh(String),
    /// An access token in the header.
    Access(String),
    /// The session of an access token in the cookie; the CSRF token has been checked.
    Cookie(SessionId),
}

/// The access token that identifies the session if the body does not. The token of the cookie may
/// have expired: a browser must be able to log out after an hour of inactivity.
fn presented(app: &App, request: &HttpRequest) -> Result<Option<Presented>, Problem> {
    Ok(match access_token(request)? {
        None => None,
        Some(AccessToken::Header(token)) => Some(Presented::Access(token.to_owned())),
        Some(AccessToken::Cookie(token)) => {
            let id = app.core().past_session(&token).map_err(Problem::of_access_token)?;
            csrf::check(app, request, id)?;
            Some(Presented::Cookie(id))
        }
    })
}

impl Presented {
    async fn end(self, core: &Core, request_info: &RequestInfo) -> Result<(), Problem> {
        let (ended, refuse): (_, fn(TokenError) -> Problem) = match self {
            Self::Refresh(token) => {
                (core.logout_by_refresh(&token, request_info).await, Problem::of_refresh_token)
            }
            Self::Access(token) => {
                (core.logout_by_access(&token, request_info).await, Problem::of_access_token)
            }
            Self::Cookie(id) => return Ok(core.logout_session(id, request_info).await?),
        };
        ended.map_err(|error| match error {
            LogoutError::Token(error) => refuse(error),
            LogoutError::Store(error) => error.into(),
        })
    }
}

/// The problem if no token identifies the session.
fn no_token() -> Problem {
    Problem::new(Code::MissingToken).detail(details::NO_SESSION)
}

/// Log out everywhere.
///
/// Ends all your sessions. With `"except_current": true`, the current session stays active.
#[utoipa::path(
    post, operation_id = "logOutEverywhere", path = "/logout-all", request_body = Option<LogoutAllBody>,
    security(("access_token" = [])),
    responses(
        (status = 204, description = "The sessions have ended"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn logout_all(
    app: Data<App>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let caller = caller(&app, &request).await?;
    let request_info = app.request_info(&request);
    let mut fields = body.optional_fields().await?;
    let except_current = fields.flag("except_current");
    fields.finish(Some(()))?;
    app.detached(async move |core| core.logout_all(&caller, except_current, &request_info).await)
        .await??;
    Ok(super::done())
}

impl From<LogoutAllError> for Problem {
    fn from(error: LogoutAllError) -> Self {
        match error {
            LogoutAllError::Store(error) => error.into(),
        }
    }
}
