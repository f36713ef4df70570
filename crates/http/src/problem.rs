//! `Problem`: an error as clients see it (RFC 9457).

mod codes;

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

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// The field's name.
    pub field: String,
    /// What is wrong, for programs.
    #[schema(example = "too_short")]
    pub code: &'static str,
    /// What is wrong, for people.
    pub message: String,
}

/// An error on its way to the client. The edge adds the type and the request id.
#[derive(Clone, Debug)]
pub struct Problem {
    pub(crate) code: Code,
    pub(crate) detail: String,
    pub(crate) errors: Vec<FieldError>,
    pub(crate) reason: Option<EndReason>,
    pub(crate) retry_after_seconds: Option<u32>,
    pub(crate) challenge: Option<Challenge>,
    pub(crate) allow: Option<String>,
    /// The same as OAuth names it, where clients speak that.
    pub(crate) error: Option<&'static str>,
}

/// What `WWW-Authenticate` asks for (RFC 6750, section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// Credentials are wanted.
    Plain,
    /// The token that was sent is no good.
    InvalidToken,
    /// The credentials were sent in a wrong way.
    InvalidRequest,
    /// The caller lacks a right.
    InsufficientScope,
    /// Name and secret of a client are wanted (RFC 7617, section 2).
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
    /// A problem whose detail is the general help for its code.
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

    /// What went wrong, as a program reads it.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The same with a detail of its own: one sentence for a person, with the way out.
    #[must_use]
    pub fn detail(self, detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), ..self }
    }

    /// The request cannot be read.
    #[must_use]
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(Code::MalformedRequest).detail(detail)
    }

    /// The session is over, for this reason.
    #[must_use]
    pub fn session_ended(reason: EndReason) -> Self {
        let detail = format!("The session is over: {}. Log in to begin another one.", why(reason));
        Self { reason: Some(reason), ..Self::new(Code::SessionEnded).detail(detail) }
    }

    /// One field is wrong.
    #[must_use]
    pub fn field(field: &str, code: &'static str, message: impl Into<String>) -> Self {
        Self::fields(vec![FieldError { field: field.to_owned(), code, message: message.into() }])
    }

    /// Some fields are wrong.
    #[must_use]
    pub fn fields(errors: Vec<FieldError>) -> Self {
        Self { errors, ..Self::new(Code::ValidationFailed) }
    }

    /// Too busy; trying again after that many seconds helps.
    #[must_use]
    pub fn overloaded(retry_after_seconds: u32) -> Self {
        Self {
            retry_after_seconds: Some(retry_after_seconds.max(1)),
            ..Self::new(Code::Overloaded)
        }
    }

    /// The fault is ours; the cause is logged here, once, and not told.
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
        let unit = if seconds == 1 { "second" } else { "seconds" };
        let detail = format!("There were too many tries. Wait {seconds} {unit}, and try again.");
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

/// Why a session is over, for people.
pub(crate) const fn why(reason: EndReason) -> &'static str {
    match reason {
        EndReason::Logout => "it was logged out",
        EndReason::LogoutAll => "all sessions of the account were logged out",
        EndReason::EndedByUser => "it was ended from another session of the account",
        EndReason::EndedByAdmin => "an administrator ended it",
        EndReason::PasswordChanged => "the password was changed",
        EndReason::PasswordReset => "the password was reset",
        EndReason::EmailChanged => "the address of the account was changed back",
        EndReason::AccountDisabled => "the account is disabled",
        EndReason::AccountDeleted => "the account was deleted",
        EndReason::RefreshTokenReused => "a refresh token of it was used twice",
        EndReason::IdleTimeout => "it was not used for too long",
        EndReason::LifetimeOver => "it reached its longest life",
        EndReason::SessionLimit => "newer sessions took its place",
        EndReason::KeyCompromised => "the key that signed its tokens is not safe any more",
        EndReason::NotMe => "the owner of the account said that it was not theirs",
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

    /// The document as far as it is known here. The edge, which knows the request, writes it anew;
    /// in handlers outside it, this is what the client sees.
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

/// The document (RFC 9457).
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody<'a> {
    /// Identifies the kind of problem, and is the address of a page that explains it.
    #[serde(rename = "type")]
    #[schema(format = "uri")]
    pub kind: String,
    /// The same for every occurrence of the kind.
    pub title: &'a str,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// The kind, for programs.
    #[schema(example = "session_ended")]
    pub code: &'a str,
    /// What happened here, for people, with the way out.
    pub detail: &'a str,
    /// The id of the request, as in the header `X-Request-Id` and in the logs.
    pub request_id: &'a str,
    /// Why the session is over; with `session_ended` alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'a str>,
    /// The kind as OAuth names it (RFC 6749, section 5.2); under `/oauth/` alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "invalid_client")]
    pub error: Option<&'a str>,
    /// What is wrong with each field; with `validation_failed` alone.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub errors: &'a [FieldError],
}
