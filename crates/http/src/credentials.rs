//! Credentials of a request: the access token in its header (RFC 6750, section 2.1) or in a cookie.

use std::borrow::Cow;

use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;
use gateward_app::domain::{SessionId, TokenError, User};
use gateward_app::{AuthenticateError, Caller, Forbidden};

use crate::App;
use crate::cookies::{self, Cookie};
use crate::problem::{Challenge, Code, Problem};

/// An access token that a request carries; nobody has judged it yet.
pub(crate) enum AccessToken<'a> {
    /// In the header, where its holder has put it.
    Header(&'a str),
    /// In the cookie, which a browser adds by itself.
    Cookie(Cow<'a, str>),
}

impl AccessToken<'_> {
    /// The text of the token.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Header(text) => text,
            Self::Cookie(text) => text,
        }
    }
}

/// Who calls, by the access token of the request.
///
/// Every endpoint that needs a caller asks this first, before it looks at the body. An application
/// that mounts the service asks it in handlers of its own. Where the token is in the cookie, a
/// request that may change something must carry the CSRF token too.
pub async fn caller(app: &App, request: &HttpRequest) -> Result<Caller, Problem> {
    let token = access_token(request)?.ok_or_else(|| Problem::new(Code::MissingToken))?;
    let caller = app.core().authenticate(token.text()).await?;
    if matches!(token, AccessToken::Cookie(_)) {
        crate::csrf::check(app, request, caller.session_id)?;
    }
    note(&caller.user, caller.session_id);
    Ok(caller)
}

/// The access token of a request, if it carries one. RFC 6750, section 2: no more than one way at
/// once. By itself a token in the query is none.
pub(crate) fn access_token(request: &HttpRequest) -> Result<Option<AccessToken<'_>>, Problem> {
    let cookie = cookies::find(request, Cookie::Access).map_err(badly_sent)?;
    let token = match (bearer(request)?, cookie) {
        (Some(_), Some(_)) => {
            let detail = "An access token is sent in the header and in a cookie; send one of them.";
            return Err(badly_sent(Problem::malformed(detail)));
        }
        (Some(text), None) => AccessToken::Header(text),
        (None, Some(text)) => AccessToken::Cookie(text),
        (None, None) => return Ok(None),
    };
    let query = request.query_string().as_bytes();
    if url::form_urlencoded::parse(query).any(|(name, _)| name == "access_token") {
        let detail = "A second access token is sent in the query; leave that out.";
        return Err(badly_sent(Problem::malformed(detail)));
    }
    Ok(Some(token))
}

/// Whether the access token is in the cookie.
pub(crate) fn is_by_cookie(request: &HttpRequest) -> bool {
    matches!(access_token(request), Ok(Some(AccessToken::Cookie(_))))
}

/// The access token in the header.
fn bearer(request: &HttpRequest) -> Result<Option<&str>, Problem> {
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let Some(header) = headers.next() else { return Ok(None) };
    let refuse = |detail: &str| Err(badly_sent(Problem::malformed(detail)));
    if headers.next().is_some() {
        return refuse("The header 'Authorization' appears twice; send it once.");
    }
    let Ok(value) = header.to_str() else {
        return refuse("The header 'Authorization' holds characters that no token has.");
    };
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Ok(None);
    }
    // RFC 6750, section 2.1: the characters of a token68.
    let token68 = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    if token.is_empty() || !token.bytes().all(token68) {
        return refuse("Write the header as 'Authorization: Bearer TOKEN', with one space.");
    }
    Ok(Some(token))
}

/// Says that credentials were sent in a wrong way.
fn badly_sent(problem: Problem) -> Problem {
    Problem { challenge: Some(Challenge::InvalidRequest), ..problem }
}

/// Notes in the log who the request is of.
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
        let detail = format!("The permission '{}' is wanted.", permission.as_str());
        Self::new(Code::Forbidden).detail(detail)
    }
}

impl Problem {
    /// What is wrong with an access token.
    pub(crate) fn of_access_token(error: TokenError) -> Self {
        Self::of_token(error, "This is a refresh token; send the access token here.")
    }

    /// What is wrong with a refresh token.
    pub(crate) fn of_refresh_token(error: TokenError) -> Self {
        Self::of_token(error, "This is an access token; send the refresh token here.")
    }

    fn of_token(error: TokenError, wrong_kind: &str) -> Self {
        match error {
            TokenError::Invalid => Self::new(Code::InvalidToken),
            TokenError::WrongKind => Self::new(Code::WrongTokenKind).detail(wrong_kind),
            TokenError::Expired => Self::new(Code::TokenExpired),
            TokenError::NoKey => {
                tracing::error!("no signing key is in use");
                Self::new(Code::Unavailable)
            }
        }
    }
}
