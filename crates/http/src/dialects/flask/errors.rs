//! Errors in the form of the package. Clients compare its texts.

use actix_web::http::StatusCode;
use actix_web::http::header::WWW_AUTHENTICATE;
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::Serialize;

use crate::problem::{Code, Problem, details};

pub(super) const NO_HEADER: &str = "Missing Authorization Header";
pub(super) const NO_BEARER: &str =
    "Missing 'Bearer' type in 'Authorization' header. Expected 'Authorization: Bearer <JWT>'";
pub(super) const BAD_HEADER: &str =
    "Bad Authorization header. Expected 'Authorization: Bearer <JWT>'";
pub(super) const NO_CSRF: &str = "Missing CSRF token";
pub(super) const WRONG_CSRF: &str = "CSRF double submit tokens do not match";
const BAD_LOGIN: &str = "Bad username or password";
const EXPIRED: &str = "Token has expired";
const REVOKED: &str = "Token has been revoked";
const ONLY_ACCESS: &str = "Only non-refresh tokens are allowed";
const ONLY_REFRESH: &str = "Only refresh tokens are allowed";

/// The package sends one of many texts of `PyJWT`, which change with its version. This is the one
/// for a token that another server has signed.
const INVALID: &str = "Signature verification failed";

/// An error of the dialect.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = FlaskError)]
pub(super) struct ErrorBody<'a> {
    /// What is wrong.
    #[schema(example = "Token has expired")]
    msg: &'a str,
    /// The same text.
    #[schema(example = "Token has expired")]
    message: &'a str,
}

pub(super) fn no_cookie(name: &str) -> Problem {
    Problem::new(Code::MissingToken).detail(format!("Missing cookie \"{name}\""))
}

/// Renders a problem as the error of the package: `msg`, and the same text as `message`.
pub(in super::super) fn refused(
    response: &mut HttpResponseBuilder,
    problem: &Problem,
) -> HttpResponse {
    let (status, text) = status_and_text(problem);
    let body = ErrorBody { msg: text, message: text };
    let mut response = response.status(status).json(body);
    // The package sends no challenge, and a browser could react to one.
    response.headers_mut().remove(WWW_AUTHENTICATE);
    response
}

/// The package's status and text; for errors that it does not have, our own.
fn status_and_text(problem: &Problem) -> (StatusCode, &str) {
    let own = problem.detail.as_str();
    match problem.code {
        Code::InvalidCredentials | Code::AccountDisabled => (StatusCode::UNAUTHORIZED, BAD_LOGIN),
        Code::TokenExpired => (StatusCode::UNAUTHORIZED, EXPIRED),
        Code::SessionEnded | Code::RefreshTokenReused => (StatusCode::UNAUTHORIZED, REVOKED),
        Code::InvalidToken => (StatusCode::UNPROCESSABLE_ENTITY, INVALID),
        Code::WrongTokenKind if own == details::NOT_A_REFRESH_TOKEN => {
            (StatusCode::UNPROCESSABLE_ENTITY, ONLY_REFRESH)
        }
        Code::WrongTokenKind => (StatusCode::UNPROCESSABLE_ENTITY, ONLY_ACCESS),
        // The other case is a request from another site.
        Code::CsrfFailed if [NO_CSRF, WRONG_CSRF].contains(&own) => (StatusCode::UNAUTHORIZED, own),
        code => (code.status(), own),
    }
}
