//! `POST /logout` and `POST /logout-all`

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use gateward_app::domain::{RequestInfo, SessionId, TokenError};
use gateward_app::{App as Core, LogoutAllError, LogoutError};

use crate::App;
use crate::body::Body;
use crate::credentials::{AccessToken, access_token, caller};
use crate::csrf;
use crate::problem::{Code, Problem, ProblemBody};
use crate::routes::Endpoint;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::api::<__path_logout>(|| web::to(logout))
}

pub(super) fn all_endpoint() -> Endpoint {
    Endpoint::api::<__path_logout_all>(|| web::to(logout_all))
}

/// The refresh token of the session that is to end; without it, the access token decides.
#[derive(utoipa::ToSchema)]
#[schema(as = Logout)]
#[expect(dead_code, reason = "documents the body, which is read member by member")]
struct LogoutBody {
    /// Current, spent or expired.
    refresh_token: Option<String>,
}

/// Which sessions are to end.
#[derive(utoipa::ToSchema)]
#[schema(as = LogoutAll)]
#[expect(dead_code, reason = "documents the body, which is read member by member")]
struct LogoutAllBody {
    /// Whether the session of the caller goes on.
    except_current: Option<bool>,
}

/// End a session. Its tokens stop working at once; a second time is no error.
///
/// The access token of the cookie will do though it has expired; the cookies of the session are
/// cleared then.
#[utoipa::path(
    post, operation_id = "logOut", path = "/logout", tag = "sessions", request_body = Option<LogoutBody>,
    security((), ("access_token" = [])),
    responses(
        (status = 204, description = "The session is over"),
        (status = 401, description = "`missing_token`, `invalid_token`, `wrong_token_kind` or `token_expired`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn logout(app: Data<App>, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    let request_info = app.request_info(&request);
    let mut fields = body.optional_fields().await?;
    // A refresh token in the body names the session; then nothing else is needed nor looked at.
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

/// What names the session that is to end.
enum Presented {
    /// A refresh token in the body.
    Refresh(String),
    /// An access token in the header.
    Access(String),
    /// An access token in the cookie, and the CSRF token of its session.
    Cookie(SessionId),
}

/// What names the session where the body does not. The token of the cookie may have expired: a
/// browser that was away for an hour must be able to log out.
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

/// Neither token says which session is to end.
fn no_token() -> Problem {
    Problem::new(Code::MissingToken).detail(
        "Send the member 'refresh_token', or an access token in the header 'Authorization' or in \
         its cookie.",
    )
}

/// End every session of the caller, or every other one.
#[utoipa::path(
    post, operation_id = "logOutEverywhere", path = "/logout-all", tag = "sessions", request_body = Option<LogoutAllBody>,
    security(("access_token" = [])),
    responses(
        (status = 204, description = "The sessions are over"),
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
