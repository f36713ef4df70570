//! `POST /refresh`

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use gateward_app::{Refresh, Refreshed};

use super::cookies::Kind;
use super::errors::ErrorBody;
use super::presented::Presented;
use super::tokens::{self, New, TokensResponse};
use super::{Flask, REFRESH};
use crate::App;
use crate::endpoints::{idempotency_key, received_at};
use crate::problem::Problem;
use crate::routes::Endpoint;

pub(super) fn endpoint(flask: &Flask) -> Endpoint {
    Endpoint::dialect::<__path_refresh>(&flask.path_of(REFRESH), || web::to(refresh))
}

/// Exchange a refresh token for a new access token (Flask-JWT-Extended).
///
/// Send the refresh token in the header `Authorization`, or in its cookie in cookie mode. The body
/// is ignored. Each refresh token works once, and the response has the next one: keep it. With
/// `dialects.flask_rotate = false`, the current one stays valid and the response has only an access
/// token.
#[utoipa::path(
    post, operation_id = "flaskRefresh", path = "/refresh",
    security((), ("access_token" = [])),
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "A random key that makes retries safe: 1 to 255 visible ASCII characters, a new one for each refresh token", min_length = 1, max_length = 255, pattern = "^[!-~]+$"),
        ("refresh_token_cookie" = Option<String>, Cookie, description = "The refresh token, in cookie mode"),
        ("X-CSRF-TOKEN" = Option<String>, Header, description = "The value of the cookie `csrf_refresh_token`, in cookie mode"),
    ),
    responses(
        (status = 200, description = "The new tokens", body = TokensResponse),
        (status = 400, description = "The header `Idempotency-Key` is invalid", body = ErrorBody),
        (status = 401, description = "The token is missing or has expired, the session has ended, or the CSRF token is missing or wrong", body = ErrorBody),
        (status = 403, description = "In cookie mode: a page of another origin has sent the request", body = ErrorBody),
        (status = 422, description = "The token or its header is invalid, or it is an access token", body = ErrorBody),
        (status = 503, description = "The service is unavailable", body = ErrorBody, headers(("Retry-After" = u32, description = "Seconds to wait before you retry"))),
    )
)]
async fn refresh(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let flask = Flask::of(&app)?;
    let received_at = received_at(&app, &request);
    let request_info = app.request_info(&request);
    let idempotency_key = idempotency_key(&request)?;
    let presented = Presented::of(&app, flask, &request, Kind::Refresh)?;
    if presented.needs_csrf() {
        let id = app.core().session_id_of_refresh_token(presented.token.expose());
        presented.check_csrf(&app, id.map_err(Problem::of_refresh_token)?)?;
    }
    let (token, rotate) = (presented.token, flask.rotate);
    let refresh = Refresh { token, idempotency_key, received_at, request_info, rotate };
    let refreshed = app.detached(async move |core| core.refresh(refresh).await).await??;
    let Refreshed { pair, user } = refreshed;
    crate::credentials::note(&user, pair.session_id);
    let new = if rotate { New::Both } else { New::Access };
    tokens::response(&app, flask, (&pair, new), "Refresh successful")
}
