//! The credentials of a request: the access token in the header (RFC 6750, section 2.1) or cookie.

use std::borrow::Cow;

use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;
use gateward_app::domain::{SessionId, TokenError, User};
use gateward_app::{AuthenticateError, Caller, Forbidden};

use crate::App;
use crate::cookies::{self, Cookie};
use crate::problem::{Challenge, Code, Problem, details};

/// The access token of a request, not verified yet.
pub(crate) enum AccessToken<'a> {
    /// From the header `Authorization`.
    Header(&'a str),
    /// From the cookie, which browsers add automatically.
    Cookie(Cow<'a, str>),
}

impl AccessToken<'_> {
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Header(text) => text,
            Self::Cookie(text) => text,
        }
    }
}

/// Authenticates the caller by the access token of the request.
///
/// Call this first in every handler that needs a caller, before reading the body. An application
/// that mounts the service can call it in its own handlers. A request that authenticates with the
/// cookie and may change data must also carry the CSRF token.
pub async fn caller(app: &App, request: &HttpRequest) -> Result<Caller, Problem> {
    let token = access_token(request)?.ok_or_else(|| Problem::new(Code::MissingToken))?;
    let caller = app.core().authenticate(token.text()).await?;
    if matches!(token, AccessToken::Cookie(_)) {
        crate::csrf::check(app, request, caller.session_id)?;
    }
    note(&caller.user, caller.session_id);
    Ok(caller)
}

/// The access token of a request, if there is one. Sending it in more than one way is an error (RFC
/// 6750, section 2). A token in the query alone is ignored.
pub(crate) fn access_token(request: &HttpRequest) -> Result<Option<AccessToken<'_>>, Problem> {
    let cookie = cookies::find(request, Cookie::Access).map_err(badly_sent)?;
    let token = match (bearer(request)?, cookie) {
        (Some(_), Some(_)) => {
            return Err(badly_sent(Problem::malformed(details::TOKEN_IN_HEADER_AND_COOKIE)));
        }
        (Some(text), None) => AccessToken::Header(text),
        (None, Some(text)) => AccessToken::Cookie(text),
        (None, None) => return Ok(None),
    };
    let query = request.query_string().as_bytes();
    if url::form_urlencoded::parse(query).any(|(name, _)| name == "access_token") {
        return Err(badly_sent(Problem::malformed(details::TOKEN_IN_QUERY)));
    }
    Ok(Some(token))
}

/// Whether the request authenticates with the cookie.
pub(crate) fn is_by_cookie(request: &HttpRequest) -> bool {
    matches!(access_token(request), Ok(Some(AccessToken::Cookie(_))))
}

fn bearer(request: &HttpRequest) -> Result<Option<&str>, Problem> {
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let Some(header) = headers.next() else { return Ok(None) };
    let refuse = |detail: &str| Err(badly_sent(Problem::malformed(detail)));
    if headers.next().is_some() {
        return refuse(details::AUTHORIZATION_TWICE);
    }
    let Ok(value) = header.to_str() else {
        return refuse(details::AUTHORIZATION_CHARACTERS);
    };
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Ok(None);
    }
    // RFC 6750, section 2.1: the characters of a token68.
    let token68 = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    if token.is_empty() || !token.bytes().all(token68) {
        return refuse(details::AUTHORIZATION_FORM);
    }
    Ok(Some(token))
}

/// Adds the challenge for credentials that are malformed or sent more than once.
fn badly_sent(problem: Problem) -> Problem {
    Problem { challenge: Some(Challenge::InvalidRequest), ..problem }
}

/// Records the user and the session in the log span of the request.
pub(crate) fn note(user: &User, session_id: SessionId) {
    let span = tracing::Span::current();
    span.record("user_id", tracing::field::display(user.id));
    span.record("session_id", tracing::field::display(session_id));
}

impl From<AuthenticateError> for Problem {
    fn from(error: AuthenticateError) -> Self {
        match error {
            AuthenticateError::Token(error) => Self::of_access_token(error),
            AuthenticateError::SessionEnded(reason) => Self::session_ended(reason),
            AuthenticateError::Store(error) => error.into(),
        }
    }
}

impl From<Forbidden> for Problem {
    fn from(Forbidden(permission): Forbidden) -> Self {
        Self::new(Code::Forbidden).detail(details::missing_permission(permission.as_str()))
    }
}

impl Problem {
    /// The problem with an access token.
    pub(crate) fn of_access_token(error: TokenError) -> Self {
        Self::of_token(error, details::NOT_AN_ACCESS_TOKEN)
    }

    /// The problem with a refresh token.
    pub(crate) fn of_refresh_token(error: TokenError) -> Self {
        Self::of_token(error, details::NOT_A_REFRESH_TOKEN)
    }

    fn of_token(error: TokenError, wrong_kind: &str) -> Self {
        match error {
            TokenError::Invalid => Self::new(Code::InvalidToken),
            TokenError::WrongKind => Self::new(Code::WrongTokenKind).detail(wrong_kind),
            TokenError::Expired => Self::new(Code::TokenExpired),
            TokenError::NoKey => {
                tracing::error!("no signing key is active");
                Self::new(Code::Unavailable)
            }
        }
    }
}
