//! `POST /logout` and `DELETE /logout`

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use gateward_app::domain::TokenError;
use gateward_app::{AuthenticateError, LogoutError};
use utoipa::openapi::path::HttpMethod;

use super::cookies::Kind;
use super::errors::ErrorBody;
use super::presented::Presented;
use super::tokens::MessageBody;
use super::{Flask, LOGOUT};
use crate::App;
use crate::problem::Problem;
use crate::routes::Endpoint;

/// Both methods do the same.
pub(super) fn endpoints(flask: &Flask) -> [Endpoint; 2] {
    let post = Endpoint::dialect::<__path_logout>(&flask.path_of(LOGOUT), || web::to(logout));
    let summary = "Log out with `DELETE` (Flask-JWT-Extended).";
    let delete = post.with_method(HttpMethod::Delete, "flaskLogOutByDelete", summary);
    [post, delete]
}

/// Log out (Flask-JWT-Extended).
///
/// Ends the session of the token, so that its access and refresh tokens stop working at once. Send
/// either token in the header `Authorization`, or the access token in its cookie in cookie mode;
/// the response then deletes the cookies.
#[utoipa::path(
    post, operation_id = "flaskLogOut", path = "/logout",
    security((), ("access_token" = [])),
    params(
        ("access_token_cookie" = Option<String>, Cookie, description = "The access token, in cookie mode"),
        ("X-CSRF-TOKEN" = Option<String>, Header, description = "The value of the cookie `csrf_access_token`, in cookie mode"),
    ),
    responses(
        (status = 200, description = "The session has ended", body = MessageBody),
        (status = 401, description = "The token is missing or has expired, the session has ended, or the CSRF token is missing or wrong", body = ErrorBody),
        (status = 403, description = "In cookie mode: a page of another origin has sent the request", body = ErrorBody),
        (status = 422, description = "The token or its header is invalid", body = ErrorBody),
        (status = 503, description = "The service is unavailable", body = ErrorBody, headers(("Retry-After" = u32, description = "Seconds to wait before you retry"))),
    )
)]
async fn logout(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let (app, request) = (&*app, &request);
    let flask = Flask::of(app)?;
    let request_info = app.request_info(request);
    let presented = Presented::of(app, flask, request, Kind::Access)?;
    // Not idempotent, unlike the logout of our API: the package refuses an ended session.
    match app.core().authenticate(presented.token.expose()).await {
        Ok(caller) => {
            presented.check_csrf(app, caller.session_id)?;
            crate::credentials::note(&caller.user, caller.session_id);
            let id = caller.session_id;
            app.detached(async move |core| core.logout_session(id, &request_info).await).await??;
        }
        // A browser must be able to log out after an hour of inactivity: no script can delete the
        // cookies.
        Err(AuthenticateError::Token(TokenError::Expired)) if flask.is_by_cookie() => {
            let id = app.core().past_session(presented.token.expose());
            let id = id.map_err(Problem::of_access_token)?;
            presented.check_csrf(app, id)?;
            app.detached(async move |core| core.logout_session(id, &request_info).await).await??;
        }
        Err(AuthenticateError::Token(TokenError::WrongKind)) if !flask.is_by_cookie() => {
            let token = presented.token;
            let ended = app.detached(async move |core| {
                core.logout_by_refresh(token.expose(), &request_info).await
            });
            ended.await?.map_err(|error| match error {
                LogoutError::Token(error) => Problem::of_refresh_token(error),
                LogoutError::Store(error) => error.into(),
            })?;
        }
        Err(error) => return Err(error.into()),
    }
    let mut response = HttpResponse::Ok();
    if flask.is_by_cookie() {
        for kind in [Kind::Access, Kind::Refresh] {
            kind.clear(&mut response, (flask, app.options()));
        }
    }
    Ok(response.json(MessageBody { msg: "Logout successful" }))
}
