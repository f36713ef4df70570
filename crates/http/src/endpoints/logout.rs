//! `POST /logout` and `POST /logout-all`

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use gateward_app::{LogoutAllError, LogoutError};

use crate::App;
use crate::body::Body;
use crate::credentials::{bearer, caller};
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
#[utoipa::path(
    post, path = "/logout", tag = "sessions", request_body = Option<LogoutBody>,
    security((), ("access_token" = [])),
    responses(
        (status = 204, description = "The session is over"),
        (status = 401, description = "`missing_token`, `invalid_token`, `wrong_token_kind` or `token_expired`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn logout(app: Data<App>, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    let origin = app.origin(&request);
    let mut fields = body.optional_fields().await?;
    let refresh_token = fields.optional_text("refresh_token");
    fields.finish(Some(()))?;
    // A refresh token in the body names the session; then no header is needed nor looked at.
    let (token, is_refresh) = match refresh_token {
        Some(token) => (token, true),
        None => (bearer(&request)?.ok_or_else(no_token)?.to_owned(), false),
    };
    let ended = app.detached(async move |core| {
        if is_refresh {
            core.logout_by_refresh(&token, &origin).await
        } else {
            core.logout_by_access(&token, &origin).await
        }
    });
    ended.await?.map_err(|error| match error {
        LogoutError::Token(error) if is_refresh => Problem::of_refresh_token(error),
        LogoutError::Token(error) => Problem::of_access_token(error),
        LogoutError::Store(error) => error.into(),
    })?;
    Ok(super::done())
}

/// Neither token says which session is to end.
fn no_token() -> Problem {
    Problem::new(Code::MissingToken).detail(
        "Send the member 'refresh_token', or an access token in the header 'Authorization'.",
    )
}

/// End every session of the caller, or every other one.
#[utoipa::path(
    post, path = "/logout-all", tag = "sessions", request_body = Option<LogoutAllBody>,
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
    let origin = app.origin(&request);
    let mut fields = body.optional_fields().await?;
    let except_current = fields.flag("except_current");
    fields.finish(Some(()))?;
    app.detached(async move |core| core.logout_all(&caller, except_current, &origin).await)
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
