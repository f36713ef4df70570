//! `POST /api/token/` and the other token endpoints.

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use gateward_app::domain::{EndReason, Identifier, TokenError, TokenText};
use gateward_app::{InactiveToken, LoggedIn, Login, LoginError, Refresh, RefreshError};
use serde::Serialize;

use super::documented::{LoginBody, RefreshTokenBody, TokenBody};
use super::errors::{ErrorBody, Refusal};
use super::input::Input;
use super::{BLACKLIST, LOGIN, REFRESH, VERIFY, texts};
use crate::App;
use crate::body::Body;
use crate::endpoints::{idempotency_key, received_at};
use crate::problem::{Code, Problem};
use crate::routes::Endpoint;

pub(super) fn login_endpoint() -> Endpoint {
    Endpoint::dialect::<__path_login>(LOGIN, || web::to(login))
}

pub(super) fn refresh_endpoint() -> Endpoint {
    Endpoint::dialect::<__path_refresh>(REFRESH, || web::to(refresh))
}

pub(super) fn verify_endpoint() -> Endpoint {
    Endpoint::dialect::<__path_verify>(VERIFY, || web::to(verify))
}

pub(super) fn blacklist_endpoint() -> Endpoint {
    Endpoint::dialect::<__path_blacklist>(BLACKLIST, || web::to(blacklist))
}

/// A token pair.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SimpleJwtPair)]
struct PairBody {
    /// A single-use token for `POST /api/token/refresh/`.
    refresh: String,
    /// A JWT to send as `Authorization: Bearer`.
    access: String,
}

/// A new access token.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SimpleJwtRefreshed)]
struct RefreshedBody {
    /// A JWT to send as `Authorization: Bearer`.
    access: String,
    /// The next refresh token. Keep it: the one that was sent no longer works. Absent if the
    /// installation does not rotate refresh tokens of this dialect.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh: Option<String>,
}

/// An empty object.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SimpleJwtDone)]
struct DoneBody {}

/// Log in with a username or email address and a password.
///
/// The wire of djangorestframework-simplejwt.
#[utoipa::path(
    post, operation_id = "logInWithSimpleJwt", path = "/api/token/",
    request_body(content(
        (LoginBody = "application/json"),
        (LoginBody = "application/x-www-form-urlencoded"),
        (LoginBody = "multipart/form-data"),
    )),
    responses(
        (status = 200, description = "Logged in; a new session has started", body = PairBody),
        (status = 400, description = "Fields are missing or wrong, or the body cannot be parsed", body = BTreeMap<String, Vec<String>>),
        (status = 401, description = "The credentials are wrong, or the account is disabled or not confirmed yet", body = ErrorBody),
        (status = 413, description = "The body is too large", body = ErrorBody),
        (status = 415, description = "The body is neither JSON nor a form", body = ErrorBody),
        (status = 429, description = "Too many attempts", body = ErrorBody, headers(("Retry-After" = u32, description = "Seconds to wait before you retry"))),
        (status = 503, description = "The server is too busy or temporarily unavailable", body = ErrorBody, headers(("Retry-After" = u32, description = "Seconds to wait before you retry"))),
    )
)]
async fn login(app: Data<App>, request: HttpRequest, body: Body) -> Result<HttpResponse, Refusal> {
    let request_info = app.request_info(&request);
    let mut input = Input::read(&request, body).await?;
    let username = input.text("username");
    let password = input.password("password");
    let (username, password) = input.finish(username.zip(password))?;
    let login = Login {
        identifier: Identifier::parse(&username),
        password,
        client_name: None,
        known_device_token: None,
        request_info,
    };
    let verified = app.core().verify_login(login).await?;
    let logged_in = app.detached(async move |core| core.complete_login(verified).await).await??;
    let LoggedIn { pair, user, .. } = logged_in;
    crate::credentials::note(&user, pair.session_id);
    Ok(HttpResponse::Ok().json(PairBody {
        refresh: pair.refresh.expose().to_owned(),
        access: pair.access.text.expose().to_owned(),
    }))
}

/// Exchange a refresh token for a new access token.
///
/// The wire of djangorestframework-simplejwt with `ROTATE_REFRESH_TOKENS`: each refresh token works
/// once, and using it twice ends the session. To retry safely after a lost response, send the same
/// token with the same `Idempotency-Key`.
#[utoipa::path(
    post, operation_id = "refreshWithSimpleJwt", path = "/api/token/refresh/",
    request_body(content(
        (RefreshTokenBody = "application/json"),
        (RefreshTokenBody = "application/x-www-form-urlencoded"),
        (RefreshTokenBody = "multipart/form-data"),
    )),
    params(("Idempotency-Key" = Option<String>, Header, description = "A random key that makes retries safe: 1 to 255 visible ASCII characters, a new one for each refresh token", min_length = 1, max_length = 255, pattern = "^[!-~]+$")),
    responses(
        (status = 200, description = "The new tokens", body = RefreshedBody),
        (status = 400, description = "Fields are missing or wrong, or the body cannot be parsed", body = BTreeMap<String, Vec<String>>),
        (status = 401, description = "The token is not valid, or its session has ended", body = ErrorBody),
        (status = 413, description = "The body is too large", body = ErrorBody),
        (status = 415, description = "The body is neither JSON nor a form", body = ErrorBody),
        (status = 503, description = "The server is temporarily unavailable", body = ErrorBody, headers(("Retry-After" = u32, description = "Seconds to wait before you retry"))),
    )
)]
async fn refresh(
    app: Data<App>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Refusal> {
    let received_at = received_at(&app, &request);
    let request_info = app.request_info(&request);
    let idempotency_key = idempotency_key(&request)?;
    let token = TokenText::new(token(&request, body, "refresh").await?);
    let rotate = app.options().dialects.simplejwt.as_ref().is_none_or(|dialect| dialect.rotate);
    let refresh = Refresh { token, idempotency_key, received_at, request_info, rotate };
    let refreshed = app.detached(async move |core| core.refresh(refresh).await).await??;
    let pair = refreshed.pair;
    crate::credentials::note(&refreshed.user, pair.session_id);
    Ok(HttpResponse::Ok().json(RefreshedBody {
        access: pair.access.text.expose().to_owned(),
        refresh: rotate.then(|| pair.refresh.expose().to_owned()),
    }))
}

/// Check whether a token is valid.
///
/// The wire of djangorestframework-simplejwt. Access tokens are valid only while their session is.
#[utoipa::path(
    post, operation_id = "verifyWithSimpleJwt", path = "/api/token/verify/",
    request_body(content(
        (TokenBody = "application/json"),
        (TokenBody = "application/x-www-form-urlencoded"),
        (TokenBody = "multipart/form-data"),
    )),
    responses(
        (status = 200, description = "The token is valid", body = DoneBody),
        (status = 400, description = "Fields are missing or wrong, the refresh token was already used, the session has ended, or the body cannot be parsed", body = BTreeMap<String, Vec<String>>),
        (status = 401, description = "The token is invalid or expired", body = ErrorBody),
        (status = 413, description = "The body is too large", body = ErrorBody),
        (status = 415, description = "The body is neither JSON nor a form", body = ErrorBody),
        (status = 503, description = "The server is temporarily unavailable", body = ErrorBody, headers(("Retry-After" = u32, description = "Seconds to wait before you retry"))),
    )
)]
async fn verify(app: Data<App>, request: HttpRequest, body: Body) -> Result<HttpResponse, Refusal> {
    let token = token(&request, body, "token").await?;
    match app.core().check_token(&token).await {
        Ok(_) => Ok(HttpResponse::Ok().json(DoneBody {})),
        Err(InactiveToken::SessionEnded(reason)) if !is_lapse(reason) => {
            Err(Refusal::body(texts::BLACKLISTED))
        }
        Err(InactiveToken::Spent) => Err(Refusal::body(texts::BLACKLISTED)),
        Err(error) => Err(error.into()),
    }
}

/// Log out.
///
/// The wire of djangorestframework-simplejwt. Ends the session of its current refresh token; its
/// access tokens stop working at once.
#[utoipa::path(
    post, operation_id = "blacklistWithSimpleJwt", path = "/api/token/blacklist/",
    request_body(content(
        (RefreshTokenBody = "application/json"),
        (RefreshTokenBody = "application/x-www-form-urlencoded"),
        (RefreshTokenBody = "multipart/form-data"),
    )),
    responses(
        (status = 200, description = "The session has ended", body = DoneBody),
        (status = 400, description = "Fields are missing or wrong, or the body cannot be parsed", body = BTreeMap<String, Vec<String>>),
        (status = 401, description = "The token is not the current one of an active session", body = ErrorBody),
        (status = 413, description = "The body is too large", body = ErrorBody),
        (status = 415, description = "The body is neither JSON nor a form", body = ErrorBody),
        (status = 503, description = "The server is temporarily unavailable", body = ErrorBody, headers(("Retry-After" = u32, description = "Seconds to wait before you retry"))),
    )
)]
async fn blacklist(
    app: Data<App>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Refusal> {
    let request_info = app.request_info(&request);
    let token = token(&request, body, "refresh").await?;
    app.detached(async move |core| core.logout_by_current_refresh(&token, &request_info).await)
        .await??;
    Ok(HttpResponse::Ok().json(DoneBody {}))
}

/// The token in the only field of a body.
async fn token(request: &HttpRequest, body: Body, name: &'static str) -> Result<String, Refusal> {
    let mut input = Input::read(request, body).await?;
    let token = input.text(name);
    input.finish(token)
}

/// Whether the session has ended by time alone. Its tokens have expired then.
pub(super) const fn is_lapse(reason: EndReason) -> bool {
    matches!(reason, EndReason::IdleTimeout | EndReason::LifetimeOver)
}

/// The error for a token that is not accepted. A fault of the server stays a problem.
fn of_token(error: TokenError) -> Refusal {
    match error {
        TokenError::Invalid => Refusal::bad_token(Code::InvalidToken, texts::INVALID),
        TokenError::Expired => Refusal::bad_token(Code::TokenExpired, texts::INVALID),
        TokenError::WrongKind => Refusal::bad_token(Code::WrongTokenKind, texts::WRONG_TYPE),
        TokenError::NoKey => Problem::of_refresh_token(error).into(),
    }
}

/// The error for a refresh token whose session has ended.
fn of_end(reason: EndReason) -> Refusal {
    match reason {
        EndReason::AccountDisabled | EndReason::AccountDeleted => {
            Refusal::unauthorized(Code::SessionEnded, texts::NO_ACCOUNT_OF_TOKEN)
        }
        reason if is_lapse(reason) => Refusal::bad_token(Code::SessionEnded, texts::INVALID),
        _ => Refusal::bad_token(Code::SessionEnded, texts::BLACKLISTED),
    }
}

impl From<LoginError> for Refusal {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::InvalidCredentials => {
                Self::unauthorized(Code::InvalidCredentials, texts::NO_ACCOUNT)
            }
            LoginError::Disabled(_) => Self::unauthorized(Code::AccountDisabled, texts::NO_ACCOUNT),
            error => Problem::from(error).into(),
        }
    }
}

impl From<RefreshError> for Refusal {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::Token(error) => of_token(error),
            RefreshError::SessionEnded(reason) => of_end(reason),
            RefreshError::Reused => Self::bad_token(Code::RefreshTokenReused, texts::BLACKLISTED),
            RefreshError::TooLate | RefreshError::Store(_) => Problem::from(error).into(),
        }
    }
}

impl From<InactiveToken> for Refusal {
    fn from(error: InactiveToken) -> Self {
        match error {
            InactiveToken::Token(error) => of_token(error),
            InactiveToken::SessionEnded(reason) if is_lapse(reason) => {
                Self::bad_token(Code::SessionEnded, texts::INVALID)
            }
            InactiveToken::SessionEnded(_) => {
                Self::bad_token(Code::SessionEnded, texts::BLACKLISTED)
            }
            InactiveToken::Spent => Self::bad_token(Code::RefreshTokenReused, texts::BLACKLISTED),
            InactiveToken::Store(error) => Problem::from(error).into(),
        }
    }
}
