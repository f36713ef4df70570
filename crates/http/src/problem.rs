//! `Problem`: an error as clients see it (problem details, RFC 9457).

mod codes;
pub(crate) mod details;
pub(crate) mod field_texts;

use std::error::Error;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::WWW_AUTHENTICATE;
use actix_web::{HttpResponse, ResponseError};
use gateward_app::domain::EndReason;
use gateward_app::domain::ports::{HashError, StoreError};
use gateward_app::{RateLimitError, RateLimited};
use serde::Serialize;

pub use self::codes::Code;
pub(crate) use self::details::why;
pub(crate) use self::field_texts::FieldText;
use crate::Options;

/// An invalid field or query parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// The name of the field, query parameter or header.
    pub field: String,
    /// What is wrong, as a stable code for programs.
    #[schema(example = "too_short")]
    pub code: &'static str,
    /// What is wrong, as text for people.
    pub message: String,
}

/// An error response. The middleware adds the `type` and the request ID.
#[derive(Clone, Debug)]
pub struct Problem {
    pub(crate) code: Code,
    pub(crate) detail: String,
    pub(crate) errors: Vec<FieldError>,
    pub(crate) reason: Option<EndReason>,
    pub(crate) retry_after_seconds: Option<u32>,
    pub(crate) challenge: Option<Challenge>,
    pub(crate) allow: Option<String>,
    /// The OAuth error code, for endpoints under `/oauth/`.
    pub(crate) error: Option<&'static str>,
}

/// Marks an error response that is complete. The middleware keeps its body, writes no problem
/// document, and only logs this code.
#[derive(Clone, Copy)]
pub(crate) struct ShownCode(pub(crate) &'static str);

/// The challenge in the header `WWW-Authenticate` (RFC 6750, section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// The request has no credentials.
    Plain,
    /// The token is invalid.
    InvalidToken,
    /// The credentials are malformed or sent more than once.
    InvalidRequest,
    /// The caller lacks a permission.
    InsufficientScope,
    /// The request needs the name and secret of an API client (RFC 7617, section 2).
    Basic,
}

impl Challenge {
    /// The header's value.
    pub(crate) const fn header(self) -> &'static str {
        match self {
            Self::Plain => r#"Bearer realm="gateward""#,
            Self::InvalidToken => r#"Bearer realm="gateward", error="invalid_token""#,
            Self::InvalidRequest => r#"Bearer realm="gateward", error="invalid_request""#,
            Self::InsufficientScope => r#"Bearer realm="gateward", error="insufficient_scope""#,
            Self::Basic => r#"Basic realm="gateward""#,
        }
    }
}

impl Problem {
    /// Creates a problem with the general help text of its code as detail.
    #[must_use]
    pub fn new(code: Code) -> Self {
        let challenge = match code {
            Code::InvalidToken
            | Code::WrongTokenKind
            | Code::TokenExpired
            | Code::SessionEnded
            | Code::RefreshTokenReused => Some(Challenge::InvalidToken),
            Code::MissingToken | Code::InvalidCredentials => Some(Challenge::Plain),
            Code::Forbidden => Some(Challenge::InsufficientScope),
            _ => None,
        };
        Self {
            code,
            detail: code.help().to_owned(),
            errors: Vec::new(),
            reason: None,
            retry_after_seconds: None,
            challenge,
            allow: None,
            error: None,
        }
    }

    /// The problem code.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// Replaces the detail: what is wrong, then what to do.
    #[must_use]
    pub fn detail(self, detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), ..self }
    }

    /// The request cannot be parsed.
    #[must_use]
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(Code::MalformedRequest).detail(detail)
    }

    /// The session has ended for this reason.
    #[must_use]
    pub fn session_ended(reason: EndReason) -> Self {
        let detail = details::session_ended(reason);
        Self { reason: Some(reason), ..Self::new(Code::SessionEnded).detail(detail) }
    }

    /// One field is invalid.
    #[must_use]
    pub fn field(field: &str, code: &'static str, message: impl Into<String>) -> Self {
        Self::fields(vec![FieldError { field: field.to_owned(), code, message: message.into() }])
    }

    /// These fields are invalid.
    #[must_use]
    pub fn fields(errors: Vec<FieldError>) -> Self {
        Self { errors, ..Self::new(Code::ValidationFailed) }
    }

    /// The server is overloaded; the client may retry after this many seconds.
    #[must_use]
    pub fn overloaded(retry_after_seconds: u32) -> Self {
        Self {
            retry_after_seconds: Some(retry_after_seconds.max(1)),
            ..Self::new(Code::Overloaded)
        }
    }

    /// An internal error. The cause is logged here, once, and not sent to the client.
    #[must_use]
    pub fn internal(error: &dyn Error) -> Self {
        tracing::error!(cause = %Chain(error), "internal error");
        Self::new(Code::Internal)
    }
}

impl From<HashError> for Problem {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Overloaded { retry_after_seconds } => Self::overloaded(retry_after_seconds),
            HashError::Malformed | HashError::Failed => Self::internal(&error),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        use gateward_app::domain::ports::Taken;
        match &error {
            StoreError::Taken(Taken::Username) => Self::new(Code::UsernameTaken),
            StoreError::Taken(Taken::Email) => Self::new(Code::EmailTaken),
            StoreError::Busy => Self::overloaded(1),
            StoreError::Unavailable(_) => {
                tracing::error!(cause = %Chain(&error), "the store is unavailable");
                Self { retry_after_seconds: Some(1), ..Self::new(Code::Unavailable) }
            }
            StoreError::Corrupt { .. } => Self::internal(&error),
        }
    }
}

impl From<RateLimited> for Problem {
    fn from(RateLimited { retry_after_seconds }: RateLimited) -> Self {
        let seconds = retry_after_seconds.max(1);
        let detail = details::rate_limited(seconds);
        Self { retry_after_seconds: Some(seconds), ..Self::new(Code::RateLimited).detail(detail) }
    }
}

impl From<RateLimitError> for Problem {
    fn from(error: RateLimitError) -> Self {
        match error {
            RateLimitError::RateLimited(error) => error.into(),
            RateLimitError::Store(error) => error.into(),
        }
    }
}

/// An error and its causes in one line.
pub(crate) struct Chain<'a>(pub(crate) &'a dyn Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(cause) = source {
            write!(formatter, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code.as_str(), self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.code.status()
    }

    /// The problem document without the fields that depend on the request. The middleware replaces
    /// it; clients see this one only from handlers outside the middleware.
    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        if let Some(challenge) = self.challenge {
            response.insert_header((WWW_AUTHENTICATE, challenge.header()));
        }
        let (title, code) = (self.code.title(), self.code.as_str());
        let status = self.status_code().as_u16();
        let document = serde_json::json!({
            "type": "about:blank", "title": title, "status": status, "code": code,
            "detail": self.detail,
        });
        response.content_type("application/problem+json").body(document.to_string())
    }
}

/// An error response (problem details, RFC 9457).
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody<'a> {
    /// A URL that identifies the type of the problem and leads to its documentation.
    #[serde(rename = "type")]
    #[schema(format = "uri")]
    pub kind: String,
    /// A short summary. It is the same for all problems with this `code`.
    pub title: &'a str,
    /// The HTTP status code.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// The stable code of the problem, for programs.
    #[schema(example = "session_ended")]
    pub code: &'a str,
    /// What is wrong with this request and what to do, for people. The text may change.
    pub detail: &'a str,
    /// The ID of the request, as in the header `X-Request-Id` and in the server logs.
    pub request_id: &'a str,
    /// Why the session has ended, such as `logout`. Only with `session_ended`. The page
    /// `/docs/problems` lists all reasons.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'a str>,
    /// The OAuth error code (RFC 6749, section 5.2). Only under `/oauth/`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "invalid_client")]
    pub error: Option<&'a str>,
    /// What is wrong with each field. Only with `validation_failed`.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub errors: &'a [FieldError],
}

impl<'a> ProblemBody<'a> {
    pub(crate) fn new(problem: &'a Problem, options: &Options, request_id: &'a str) -> Self {
        let code = problem.code;
        Self {
            kind: format!("{}#{}", options.problems_url(), code.as_str()),
            title: code.title(),
            status: code.status().as_u16(),
            code: code.as_str(),
            detail: &problem.detail,
            request_id,
            reason: problem.reason.map(EndReason::as_str),
            error: problem.error,
            errors: &problem.errors,
        }
    }
}
