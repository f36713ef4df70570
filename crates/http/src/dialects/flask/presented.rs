//! The token of a request, from the header or from a cookie with its CSRF token.

use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;
use gateward_app::domain::{SessionId, TokenText};

use super::cookies::Kind;
use super::errors::{BAD_HEADER, NO_BEARER, NO_CSRF, NO_HEADER, WRONG_CSRF, no_cookie};
use super::{Flask, FlaskTransport};
use crate::problem::{Code, Problem};
use crate::{App, csrf};

const CSRF_HEADER: &str = "x-csrf-token";

/// The token of a request, not verified yet.
pub(super) struct Presented {
    pub(super) token: TokenText,
    kind: Kind,
    /// The CSRF token of the request, if it needs one.
    csrf_token: Option<String>,
}

impl Presented {
    /// The token of a request. `kind` says which cookie has it.
    pub(super) fn of(
        app: &App,
        flask: &Flask,
        request: &HttpRequest,
        kind: Kind,
    ) -> Result<Self, Problem> {
        let (token, csrf_token) = match flask.transport {
            FlaskTransport::Header => (in_header(request)?.to_owned(), None),
            FlaskTransport::Cookie => {
                (in_cookie(app, request, kind)?, csrf_token(app, flask, request)?)
            }
        };
        Ok(Self { token: TokenText::new(token), kind, csrf_token })
    }

    /// Whether [`Self::check_csrf`] compares anything.
    pub(super) const fn needs_csrf(&self) -> bool {
        self.csrf_token.is_some()
    }

    /// Checks that the request carries the CSRF token of this session, if it needs one.
    pub(super) fn check_csrf(&self, app: &App, id: SessionId) -> Result<(), Problem> {
        match &self.csrf_token {
            Some(text) if !self.kind.csrf_token(app, id)?.is(text) => Err(csrf_failed(WRONG_CSRF)),
            _ => Ok(()),
        }
    }
}

/// The token in the header. The scheme is compared with its case, as the package does.
fn in_header(request: &HttpRequest) -> Result<&str, Problem> {
    let missing = |text| Problem::new(Code::MissingToken).detail(text);
    let bad = || Problem::new(Code::ValidationFailed).detail(BAD_HEADER);
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let text = match (headers.next(), headers.next()) {
        (None, _) => return Err(missing(NO_HEADER)),
        (Some(header), None) => header.to_str().map_err(|_| bad())?,
        (Some(_), Some(_)) => return Err(bad()),
    };
    let mut parts = text.split_ascii_whitespace();
    match (parts.next(), parts.next(), parts.next()) {
        (None, ..) => Err(missing(NO_HEADER)),
        (Some("Bearer"), Some(token), None) => Ok(token),
        (Some("Bearer"), ..) => Err(bad()),
        _ => Err(missing(NO_BEARER)),
    }
}

/// The token in the cookie.
///
/// A browser may still have the cookie of the replaced server and send both, in any order (RFC 6265,
/// section 5.4), so cookies that this installation has not signed are ignored if it has signed
/// another one. Cookies of two sessions are refused: another host of the site has set one.
fn in_cookie(app: &App, request: &HttpRequest, kind: Kind) -> Result<String, Problem> {
    let values = crate::cookies::values(request, kind.name()).filter(|value| !value.is_empty());
    // Bytes that are no text are no token either.
    let values: Vec<_> =
        values.map(|value| std::str::from_utf8(value).unwrap_or_default()).collect();
    let first = *values.first().ok_or_else(|| no_cookie(kind.name()))?;
    if values.len() == 1 {
        return Ok(first.to_owned());
    }
    let mut ours = values.iter().filter_map(|text| Some((*text, kind.session(app, text)?)));
    let Some((text, id)) = ours.next() else { return Ok(first.to_owned()) };
    if ours.any(|(_, other)| other != id) {
        return Err(Problem::new(Code::InvalidToken));
    }
    Ok(text.to_owned())
}

/// The CSRF token of a request with cookies, if it needs one. Rejects requests from other sites
/// even without CSRF tokens: browsers of today say where a request comes from.
fn csrf_token(app: &App, flask: &Flask, request: &HttpRequest) -> Result<Option<String>, Problem> {
    if request.method().is_safe() {
        return Ok(None);
    }
    csrf::refuse_cross_site(request, app.options())?;
    flask.csrf.then(|| in_csrf_header(request)).transpose()
}

fn in_csrf_header(request: &HttpRequest) -> Result<String, Problem> {
    let mut headers = request.headers().get_all(CSRF_HEADER);
    let text = match (headers.next(), headers.next()) {
        (None, _) => "",
        (Some(header), None) => header.to_str().map_err(|_| csrf_failed(WRONG_CSRF))?,
        (Some(_), Some(_)) => return Err(csrf_failed(WRONG_CSRF)),
    };
    if text.is_empty() { Err(csrf_failed(NO_CSRF)) } else { Ok(text.to_owned()) }
}

fn csrf_failed(text: &str) -> Problem {
    Problem::new(Code::CsrfFailed).detail(text)
}
