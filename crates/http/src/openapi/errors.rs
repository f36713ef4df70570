//! The examples of error responses: one for each code that the description of a response names,
//! with the texts that the operation really sends.

mod fields;

use gateward_app::domain::{EndReason, Permission, TokenError};
use gateward_app::{Forbidden, RateLimited, SignupError};
use serde_json::Value;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{Content, RefOr};

use super::PROBLEM_TYPE;
use crate::endpoints::with_oauth_error;
use crate::problem::{Code, Problem, ProblemBody, details};
use crate::{ClientRight, Options};

/// The request ID of the examples.
const REQUEST_ID: &str = "0193f3a1-6f0e-7cc3-8d5e-2f1a9b7c4d10";

/// The wait in the examples of `rate_limited`, in seconds.
const WAIT_SECONDS: u32 = 30;

/// Adds an example for each code to the error responses of an operation.
pub(crate) fn add_examples(operation: &mut Operation, options: &Options) {
    let id = operation.operation_id.clone().unwrap_or_default();
    let has_body = operation.request_body.is_some();
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        let description = response.description.as_str();
        let Some(RefOr::T(content)) = response.content.get_mut(PROBLEM_TYPE) else { continue };
        let codes = codes(description).filter(|code| code.status().as_str() == status);
        let examples = codes.map(|code| {
            let problem = Error { id: &id, has_body, description }.problem(code);
            let body = ProblemBody::new(&problem, options, REQUEST_ID);
            (code, serde_json::to_value(body).unwrap_or_default())
        });
        show(content, examples.collect());
    }
}

/// The codes that a description names, in backquotes.
fn codes(description: &str) -> impl Iterator<Item = Code> {
    quoted(description)
        .filter_map(|name| Code::ALL.iter().find(|code| code.as_str() == name))
        .copied()
}

fn quoted(description: &str) -> impl Iterator<Item = &str> {
    description.split('`').skip(1).step_by(2)
}

/// Several examples get the names of their codes.
fn show(content: &mut Content, examples: Vec<(Code, Value)>) {
    if let [(_, only)] = examples.as_slice() {
        content.example = Some(only.clone());
        return;
    }
    for (code, body) in examples {
        let example = ExampleBuilder::new().summary(code.title()).value(Some(body)).build();
        content.examples.insert(code.as_str().to_owned(), RefOr::T(example));
    }
}

/// An error response of an operation.
struct Error<'a> {
    id: &'a str,
    has_body: bool,
    description: &'a str,
}

impl Error<'_> {
    fn problem(&self, code: Code) -> Problem {
        let general = || Problem::new(code);
        let problem = match code {
            Code::MalformedRequest => Problem::malformed(self.malformed()),
            Code::InvalidLink => general().detail(self.invalid_link()),
            Code::MissingToken if self.client_right().is_some() => {
                general().detail(details::NO_CLIENT)
            }
            Code::MissingToken if self.id == "logOut" => general().detail(details::NO_SESSION),
            Code::InvalidCredentials if self.client_right().is_some() => {
                general().detail(details::WRONG_CLIENT)
            }
            Code::WrongTokenKind if self.id == "refreshTokens" => {
                Problem::of_refresh_token(TokenError::WrongKind)
            }
            Code::WrongTokenKind => Problem::of_access_token(TokenError::WrongKind),
            Code::SessionEnded => Problem::session_ended(EndReason::Logout),
            Code::CsrfFailed if self.id == "logIn" => general().detail(details::CROSS_SITE),
            Code::CsrfFailed => general().detail(details::CSRF_TOKEN),
            Code::Forbidden => self.forbidden(),
            Code::UsernameTaken if self.id == "confirmEmail" => {
                general().detail(details::USERNAME_TAKEN_SINCE)
            }
            Code::ValidationFailed => Problem::fields(vec![fields::field_error(self.id)]),
            Code::RateLimited => RateLimited { retry_after_seconds: WAIT_SECONDS }.into(),
            _ => general(),
        };
        if self.id == "introspectToken" || self.id == "revokeToken" {
            return with_oauth_error(problem);
        }
        problem
    }

    fn malformed(&self) -> &'static str {
        match self.id {
            "introspectToken" | "revokeToken" => details::FORM_TOKEN,
            _ if self.has_body => details::BODY_SYNTAX,
            _ => details::QUERY_TWICE,
        }
    }

    fn invalid_link(&self) -> &'static str {
        match self.id {
            "resetPassword" => details::RESET_LINK,
            "acceptInvitation" => details::INVITATION_LINK,
            "undoEmailChange" => details::UNDO_LINK,
            "reportLogin" => details::NOT_ME_LINK,
            _ => details::CONFIRMATION,
        }
    }

    fn forbidden(&self) -> Problem {
        if self.id == "signUp" {
            return SignupError::Disabled.into();
        }
        if let Some(right) = self.client_right() {
            let detail = details::missing_client_right(right.as_str());
            return Problem::new(Code::Forbidden).detail(detail);
        }
        match quoted(self.description).find_map(Permission::from_name) {
            Some(permission) => Forbidden(permission).into(),
            None => Problem::new(Code::Forbidden),
        }
    }

    /// The right that the operation requires of API clients.
    fn client_right(&self) -> Option<ClientRight> {
        match self.id {
            "introspectToken" => Some(ClientRight::Introspect),
            "revokeToken" => Some(ClientRight::Revoke),
            "listRevocations" | "streamRevocations" => Some(ClientRight::Revocations),
            _ => None,
        }
    }
}
