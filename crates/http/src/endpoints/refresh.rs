//! `POST /refresh`

use actix_web::web::{self, Data};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use gateward_app::domain::refresh::IdempotencyKeyHash;
use gateward_app::domain::{Timestamp, TokenText};
use gateward_app::{Refresh, RefreshError, Refreshed};

use super::by_cookie::{self, CookieSessionBody};
use super::objects::TokenPairBody;
use crate::App;
use crate::body::Body;
use crate::cookies::{self, Cookie};
use crate::csrf;
use crate::middleware::Arrival;
use crate::problem::{Code, Problem, ProblemBody, details};
use crate::routes::Endpoint;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::api::<__path_refresh>(|| web::to(refresh))
}

/// A refresh token. In cookie mode, omit `refresh_token`; the body may be empty.
#[derive(utoipa::ToSchema)]
#[schema(as = Refresh)]
#[expect(dead_code, reason = "documents the body, which is read field by field")]
struct RefreshBody {
    /// The current refresh token of the session.
    refresh_token: String,
}

/// The response of a refresh: `TokenPair`, or `CookieSession` if the refresh token was in a cookie.
#[derive(utoipa::ToSchema)]
#[schema(as = RefreshResponse)]
#[serde(untagged)]
#[expect(dead_code, reason = "documents the two responses")]
enum RefreshResponse {
    Bearer(TokenPairBody),
    Cookie(CookieSessionBody),
}

/// Exchange a refresh token for a new token pair.
///
/// Each refresh token works once. To retry safely after a lost response, send the same token with
/// the same `Idempotency-Key`: you get the same refresh token again. Without a key, a retry works
/// for 10 seconds by default. Any other use of a used token ends the session. Generate a random key
/// for each refresh token when you store the token, and keep both together.
///
/// A refresh token in the cookie `__Secure-gateward-refresh` needs the header `X-CSRF-Token`; the
/// response then sets the new pair as cookies.
#[utoipa::path(
    post, operation_id = "refreshTokens", path = "/refresh", request_body = RefreshBody,
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "A random key that makes retries safe: 1 to 255 visible ASCII characters, a new one for each refresh token", min_length = 1, max_length = 255, pattern = "^[!-~]+$"),
        ("__Secure-gateward-refresh" = Option<String>, Cookie, description = "The refresh token, in cookie mode"),
        ("X-CSRF-Token" = Option<String>, Header, description = "The CSRF token of the session, in cookie mode"),
    ),
    responses(
        (status = 200, description = "The new token pair", body = RefreshResponse),
        (status = 400, description = "`malformed_request`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "`invalid_token`, `wrong_token_kind`, `token_expired`, `session_ended` or `refresh_token_reused`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`csrf_failed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn refresh(
    app: Data<App>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let received_at = received_at(&app, &request);
    let request_info = app.request_info(&request);
    let idempotency_key = idempotency_key(&request)?;
    let in_cookie = in_cookie(&request)?;
    let by_cookie = in_cookie.is_some();
    let token = match in_cookie {
        Some(token) => believed(&app, &request, body, token).await?,
        None => in_body(body).await?,
    };
    let refresh = Refresh { token, idempotency_key, received_at, request_info, rotate: true };
    let refreshed = app.detached(async move |core| core.refresh(refresh).await).await??;
    let Refreshed { pair, user } = refreshed;
    if by_cookie {
        return by_cookie::pair(&app, &pair, &user, None);
    }
    Ok(super::ok(&TokenPairBody::from(&pair)))
}

/// The refresh token in the body.
async fn in_body(body: Body) -> Result<TokenText, Problem> {
    let mut fields = body.fields().await?;
    let token = fields.text("refresh_token");
    Ok(TokenText::new(fields.finish(token)?))
}

/// The refresh token in the cookie, if there is one.
fn in_cookie(request: &HttpRequest) -> Result<Option<TokenText>, Problem> {
    let token = cookies::find(request, Cookie::Refresh)?;
    Ok(token.map(|text| TokenText::new(text.into_owned())))
}

/// Checks that the refresh token of the cookie is the only one, and that the request carries the
/// CSRF token of its session.
async fn believed(
    app: &App,
    request: &HttpRequest,
    body: Body,
    token: TokenText,
) -> Result<TokenText, Problem> {
    let mut fields = body.optional_fields().await?;
    if fields.has("refresh_token") {
        return Err(Problem::malformed(details::REFRESH_TOKEN_TWICE));
    }
    let session_id = app.core().session_id_of_refresh_token(token.expose());
    csrf::check(app, request, session_id.map_err(Problem::of_refresh_token)?)?;
    fields.finish(Some(token))
}

/// The time at which a request arrived.
pub(crate) fn received_at(app: &App, request: &HttpRequest) -> Timestamp {
    let arrival = request.extensions().get::<Arrival>().copied();
    arrival.map_or_else(|| app.core().now(), |arrival| arrival.0)
}

/// The hash of the idempotency key, if there is one.
pub(crate) fn idempotency_key(
    request: &HttpRequest,
) -> Result<Option<IdempotencyKeyHash>, Problem> {
    let mut headers = request.headers().get_all("idempotency-key");
    let Some(header) = headers.next() else { return Ok(None) };
    let key = header.to_str().ok().and_then(|text| IdempotencyKeyHash::of(text).ok());
    if key.is_none() || headers.next().is_some() {
        return Err(Problem::malformed(details::IDEMPOTENCY_KEY));
    }
    Ok(key)
}

impl From<RefreshError> for Problem {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::Token(error) => Self::of_refresh_token(error),
            RefreshError::SessionEnded(reason) => Self::session_ended(reason),
            RefreshError::Reused => Self::new(Code::RefreshTokenReused),
            RefreshError::TooLate => Self {
                retry_after_seconds: Some(1),
                ..Self::new(Code::Unavailable).detail(details::REFRESH_DROPPED)
            },
            RefreshError::Store(error) => error.into(),
        }
    }
}
