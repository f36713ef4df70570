//! Credentials of a request: the access token in its header (RFC 6750, section 2.1).

use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;
use gateward_app::domain::{SessionId, TokenError, User};
use gateward_app::{AuthenticateError, Caller};

use crate::App;
use crate::problem::{Challenge, Code, Problem};

/// The access token of a request, if it carries one.
pub(crate) fn bearer(request: &HttpRequest) -> Result<Option<&str>, Problem> {
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let Some(header) = headers.next() else { return Ok(None) };
    let refuse = |detail: &str| {
        let challenge = Some(Challenge::InvalidRequest);
        Err(Problem { challenge, ..Problem::malformed(detail) })
    };
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
    // RFC 6750, section 2: no more than one way at once. By itself a token in the query is none.
    let query = request.query_string().as_bytes();
    if url::form_urlencoded::parse(query).any(|(name, _)| name == "access_token") {
        return refuse("An access token is sent in the header and in the query; send the header.");
    }
    Ok(Some(token))
}

/// Who calls, by the access token in the header of the request.
///
/// Every endpoint that needs a caller asks this first, before it looks at the body. An application
/// that mounts the service asks it in handlers of its own.
pub async fn caller(app: &App, request: &HttpRequest) -> Result<Caller, Problem> {
    let token = bearer(request)?.ok_or_else(|| Problem::new(Code::MissingToken))?;
    let caller = app.core().authenticate(token).await?;
    note(&caller.user, caller.session.id);
    Ok(caller)
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
