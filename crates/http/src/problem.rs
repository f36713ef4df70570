//! `Problem`: an error as clients see it (RFC 9457).

use std::error::Error;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::WWW_AUTHENTICATE;
use actix_web::{HttpResponse, ResponseError};
use gateward_app::domain::EndReason;
use gateward_app::domain::ports::{HashError, StoreError};
use serde::Serialize;

macro_rules! codes {
    ($($name:ident = $text:literal, $status:ident, $title:literal, $help:literal;)*) => {
        /// What went wrong, as a program reads it. Codes are stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code {
            $(#[doc = $title] $name,)*
        }

        impl Code {
            /// Every code there is.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The code in answers.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The status that goes with it.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            /// The same for every occurrence, for people.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// What to do about it.
            #[must_use]
            pub const fn help(self) -> &'static str {
                match self { $(Self::$name => $help,)* }
            }
        }
    };
}

codes! {
    MalformedRequest = "malformed_request", BAD_REQUEST, "Malformed request",
        "The request cannot be read: its body is not one JSON object, a member appears twice, or credentials are sent in two ways at once. Mend the request before it is sent again.";
    InvalidLink = "invalid_link", BAD_REQUEST, "Not a link that is good",
        "The link or code is unknown, used, replaced by a newer one or too old. Where an address is confirmed, the proof that the account is yours (signup_id, password or access token) may be missing or wrong instead. Ask for a new letter, or send the right proof.";
    MissingToken = "missing_token", UNAUTHORIZED, "No credentials",
        "Send an access token in the header 'Authorization: Bearer TOKEN'.";
    InvalidToken = "invalid_token", UNAUTHORIZED, "Not a token of this service",
        "The token was not made by this service, or not for it. Log in to get one.";
    WrongTokenKind = "wrong_token_kind", UNAUTHORIZED, "A token of the wrong kind",
        "Access tokens open endpoints, refresh tokens get the next pair. Send the other one.";
    TokenExpired = "token_expired", UNAUTHORIZED, "The token has expired",
        "Refresh to get the next access token; when the refresh token has expired too, log in.";
    SessionEnded = "session_ended", UNAUTHORIZED, "The session is over",
        "The member 'reason' says why. Log in to begin another one.";
    RefreshTokenReused = "refresh_token_reused", UNAUTHORIZED, "A spent refresh token was shown",
        "A refresh token works once. Somebody has used this one before, so the session is over. Log in again.";
    InvalidCredentials = "invalid_credentials", UNAUTHORIZED, "The log-in failed",
        "The account is unknown, the password is wrong, or the address is not confirmed yet. POST /password/forgot and POST /email/resend have letters sent that help.";
    AccountDisabled = "account_disabled", FORBIDDEN, "The account is disabled",
        "Only an administrator can enable it.";
    ReauthenticationRequired = "reauthentication_required", FORBIDDEN, "The password is wanted again",
        "Send the password to POST /me/reauthenticate, and this request again with the access token of the answer.";
    CsrfFailed = "csrf_failed", FORBIDDEN, "Without the CSRF token, or from another site",
        "Where a cookie tells who calls, send the CSRF token of its session too, in one header 'X-CSRF-Token': it is the member 'csrf_token' of the log-in, and stands in the cookie '__Host-gateward-csrf'.";
    Forbidden = "forbidden", FORBIDDEN, "Not permitted",
        "The caller is known and may not do this.";
    NotFound = "not_found", NOT_FOUND, "Not found",
        "There is nothing here. Check the path and the identifier.";
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "Method not allowed",
        "The header 'Allow' lists the methods of this path.";
    UsernameTaken = "username_taken", CONFLICT, "The username is taken",
        "Choose another username.";
    EmailTaken = "email_taken", CONFLICT, "The address is taken",
        "There is an account with this address. Log in, or use another address.";
    LastAdmin = "last_admin", CONFLICT, "The last administrator stays",
        "Nobody else could administer this installation. Make another account an administrator first.";
    BodyTooLarge = "body_too_large", PAYLOAD_TOO_LARGE, "The body is too large",
        "A body has at most 16 KiB.";
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "Unsupported media type",
        "Send JSON in UTF-8, uncompressed, with the header 'Content-Type: application/json'.";
    ValidationFailed = "validation_failed", UNPROCESSABLE_ENTITY, "Some values are not accepted",
        "The member 'errors' names each field and what is wrong with it.";
    Internal = "internal", INTERNAL_SERVER_ERROR, "Internal error",
        "The fault is not yours. The operator finds it in the logs by the request id.";
    Overloaded = "overloaded", SERVICE_UNAVAILABLE, "Too busy",
        "Try again after the seconds that the header 'Retry-After' says.";
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "Not available at the moment",
        "A part that is needed is down. Try again soon.";
}

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

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of codes is a promise: a change of it must be meant.
    #[test]
    fn every_code_has_its_status() {
        let table: Vec<String> = Code::ALL
            .iter()
            .map(|code| format!("{} {}", code.status().as_u16(), code.as_str()))
            .collect();
        let promised = [
            "400 malformed_request",
            "400 invalid_link",
            "401 missing_token",
            "401 invalid_token",
            "401 wrong_token_kind",
            "401 token_expired",
            "401 session_ended",
            "401 refresh_token_reused",
            "401 invalid_credentials",
            "403 account_disabled",
            "403 reauthentication_required",
            "403 csrf_failed",
            "403 forbidden",
            "404 not_found",
            "405 method_not_allowed",
            "409 username_taken",
            "409 email_taken",
            "409 last_admin",
            "413 body_too_large",
            "415 unsupported_media_type",
            "422 validation_failed",
            "500 internal",
            "503 overloaded",
            "503 unavailable",
        ];
        assert_eq!(table, promised);
    }
}
