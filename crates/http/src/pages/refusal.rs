//! `Refusal`: why a form is shown again, and the text for a problem.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, HttpResponseBuilder};
use gateward_app::domain::PasswordError;
use gateward_app::domain::ports::{HashError, StoreError};
use gateward_app::{
    AcceptInvitationError, ConfirmEmailError, NotMeError, ResetPasswordError, UndoEmailError,
};

use super::filled::password_words;
use super::texts;
use crate::problem::{Code, Problem, ShownCode};

/// Why a form is shown again.
pub(super) enum Refusal {
    /// Each field has its own error.
    Fields,
    /// The link is invalid, for any reason.
    Link,
    /// Another account took the username.
    UsernameTaken,
    /// The new password contains the account's own words.
    Password(PasswordError),
    /// The request fails for now.
    Problem(Problem),
}

impl Refusal {
    /// The field with the error, and the text next to it.
    pub(super) fn wrong(&self) -> Option<(&'static str, String)> {
        match self {
            Self::UsernameTaken => Some(("username", texts::USERNAME_TAKEN.to_owned())),
            Self::Password(error) => Some(("new_password", password_words(*error))),
            Self::Fields | Self::Link | Self::Problem(_) => None,
        }
    }

    /// The text above the form. `link_words` is the text for an invalid link.
    pub(super) fn banner(&self, link_words: &str) -> Option<String> {
        match self {
            Self::Link => Some(link_words.to_owned()),
            Self::Problem(problem) => Some(words(problem).1),
            Self::Fields | Self::UsernameTaken | Self::Password(_) => None,
        }
    }

    /// A response with this status, for the page that shows the form again.
    pub(super) fn response(&self) -> HttpResponseBuilder {
        let (code, retry) = match self {
            Self::Fields | Self::Password(_) => (Code::ValidationFailed, None),
            Self::Link => (Code::InvalidLink, None),
            Self::UsernameTaken => (Code::UsernameTaken, None),
            Self::Problem(problem) => (problem.code, problem.retry_after_seconds),
        };
        let mut response = HttpResponse::build(code.status());
        if let Some(seconds) = retry {
            response.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        response.extensions_mut().insert(ShownCode(code.as_str()));
        response
    }
}

/// The text for a problem: a title, and a sentence that says what to do.
pub(super) fn words(problem: &Problem) -> (&'static str, String) {
    match (problem.code.status(), problem.retry_after_seconds) {
        (StatusCode::TOO_MANY_REQUESTS, Some(seconds)) => {
            (texts::TOO_MANY, texts::too_many(seconds))
        }
        (StatusCode::SERVICE_UNAVAILABLE, seconds) => {
            (texts::UNAVAILABLE, texts::unavailable(seconds))
        }
        (StatusCode::METHOD_NOT_ALLOWED, _) => (texts::METHOD.0, texts::METHOD.1.to_owned()),
        (status, _) if status.is_server_error() => (texts::BROKEN.0, texts::BROKEN.1.to_owned()),
        _ => (texts::title(problem.code), problem.detail.clone()),
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<HashError> for Refusal {
    fn from(error: HashError) -> Self {
        Self::Problem(error.into())
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Problem(error.into())
    }
}

impl From<ConfirmEmailError> for Refusal {
    fn from(error: ConfirmEmailError) -> Self {
        match error {
            ConfirmEmailError::InvalidLink => Self::Link,
            ConfirmEmailError::RateLimited(error) => Self::Problem(error.into()),
            ConfirmEmailError::UsernameTaken => Self::UsernameTaken,
            ConfirmEmailError::Hash(error) => error.into(),
            ConfirmEmailError::Store(error) => error.into(),
        }
    }
}

impl From<ResetPasswordError> for Refusal {
    fn from(error: ResetPasswordError) -> Self {
        match error {
            ResetPasswordError::InvalidLink => Self::Link,
            ResetPasswordError::RateLimited(error) => Self::Problem(error.into()),
            ResetPasswordError::Password(error) => Self::Password(error),
            ResetPasswordError::Hash(error) => error.into(),
            ResetPasswordError::Store(error) => error.into(),
        }
    }
}

impl From<AcceptInvitationError> for Refusal {
    fn from(error: AcceptInvitationError) -> Self {
        match error {
            AcceptInvitationError::InvalidLink => Self::Link,
            AcceptInvitationError::RateLimited(error) => Self::Problem(error.into()),
            AcceptInvitationError::Password(error) => Self::Password(error),
            AcceptInvitationError::Hash(error) => error.into(),
            AcceptInvitationError::Store(error) => error.into(),
        }
    }
}

impl From<NotMeError> for Refusal {
    fn from(error: NotMeError) -> Self {
        match error {
            NotMeError::InvalidLink => Self::Link,
            NotMeError::RateLimited(error) => Self::Problem(error.into()),
            NotMeError::Store(error) => error.into(),
        }
    }
}

impl From<UndoEmailError> for Refusal {
    fn from(error: UndoEmailError) -> Self {
        match error {
            UndoEmailError::InvalidLink => Self::Link,
            UndoEmailError::RateLimited(error) => Self::Problem(error.into()),
            UndoEmailError::Store(error) => error.into(),
        }
    }
}
