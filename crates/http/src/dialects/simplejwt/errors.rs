//! `Refusal`: why a request is refused, and the errors of the wire.

use std::borrow::Cow;
use std::collections::BTreeMap;

use actix_web::error::InternalError;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, WWW_AUTHENTICATE};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use serde::Serialize;

use super::texts;
use crate::problem::{Code, Problem, ShownCode};

const CHALLENGE: &str = r#"Bearer realm="api""#;

/// The `code` of errors about tokens, by which clients know that a refresh may help.
const TOKEN_NOT_VALID: &str = "token_not_valid";

/// An error of Django REST framework.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = SimpleJwtError)]
pub(super) struct ErrorBody {
    /// What is wrong, for people.
    detail: Cow<'static, str>,
    /// What is wrong, for programs. Some errors have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "token_not_valid")]
    code: Option<&'static str>,
    /// What is wrong with the token. Only if a protected endpoint refuses one.
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<Vec<MessageBody>>,
}

/// What is wrong with a token.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = SimpleJwtMessage)]
struct MessageBody {
    /// Always `AccessToken`.
    token_class: &'static str,
    /// Always `access`.
    token_type: &'static str,
    /// What is wrong, for people.
    message: &'static str,
}

/// The texts about each wrong field.
pub(super) type FieldTexts = BTreeMap<Cow<'static, str>, [Cow<'static, str>; 1]>;

/// Why a request is refused.
pub(super) enum Refusal {
    /// An error that the wire names: its code in the logs, its status and its body.
    Named(Code, StatusCode, ErrorBody),
    /// Fields are wrong.
    Fields(FieldTexts),
    /// Anything else.
    Problem(Problem),
}

impl Refusal {
    /// An error with a text only.
    pub(super) fn detail(
        code: Code,
        status: StatusCode,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::Named(code, status, ErrorBody { detail: detail.into(), code: None, messages: None })
    }

    /// `401` with a text only.
    pub(super) fn unauthorized(code: Code, detail: &'static str) -> Self {
        Self::detail(code, StatusCode::UNAUTHORIZED, detail)
    }

    /// `401` with a code for programs.
    pub(super) fn coded(code: Code, detail: &'static str, shown: &'static str) -> Self {
        let body = ErrorBody { detail: detail.into(), code: Some(shown), messages: None };
        Self::Named(code, StatusCode::UNAUTHORIZED, body)
    }

    /// `401` for a token that a token endpoint refuses.
    pub(super) fn bad_token(code: Code, detail: &'static str) -> Self {
        Self::coded(code, detail, TOKEN_NOT_VALID)
    }

    /// `401` for a token that a protected endpoint refuses.
    pub(super) fn unusable(code: Code, message: &'static str) -> Self {
        let message = MessageBody { token_class: "AccessToken", token_type: "access", message };
        let body = ErrorBody {
            detail: texts::UNUSABLE.into(),
            code: Some(TOKEN_NOT_VALID),
            messages: Some(vec![message]),
        };
        Self::Named(code, StatusCode::UNAUTHORIZED, body)
    }

    /// `400` about one field.
    pub(super) fn field(name: &'static str, text: impl Into<Cow<'static, str>>) -> Self {
        Self::Fields(BTreeMap::from([(name.into(), [text.into()])]))
    }

    /// `400` about the body as a whole.
    pub(super) fn body(text: impl Into<Cow<'static, str>>) -> Self {
        Self::field("non_field_errors", text)
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<Refusal> for actix_web::Error {
    fn from(refusal: Refusal) -> Self {
        let (code, response) = match refusal {
            // The middleware renders it with `refused`.
            Refusal::Problem(problem) => return problem.into(),
            Refusal::Named(code, status, body) => {
                let mut response = complete(code, status);
                if status == StatusCode::UNAUTHORIZED {
                    response.insert_header((WWW_AUTHENTICATE, CHALLENGE));
                }
                (code, response.json(body))
            }
            Refusal::Fields(texts) => {
                let code = Code::ValidationFailed;
                (code, complete(code, StatusCode::BAD_REQUEST).json(texts))
            }
        };
        InternalError::from_response(code.as_str(), response).into()
    }
}

/// A response that the middleware keeps.
fn complete(code: Code, status: StatusCode) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response.extensions_mut().insert(ShownCode(code.as_str()));
    response
}

/// Renders a problem as the error of a Django REST framework view.
pub(in crate::dialects) fn refused(
    request: &HttpRequest,
    response: &mut HttpResponseBuilder,
    problem: &Problem,
) -> HttpResponse {
    let detail = match problem.code {
        Code::MethodNotAllowed => texts::not_allowed(request.method().as_str()),
        Code::RateLimited => texts::throttled(problem.retry_after_seconds.unwrap_or(1)),
        Code::Internal => texts::SERVER_ERROR.to_owned(),
        _ => problem.detail.clone(),
    };
    if let Some(allow) = &problem.allow {
        response.insert_header((ALLOW, format!("{allow}, OPTIONS")));
    }
    if problem.code.status() == StatusCode::UNAUTHORIZED {
        response.insert_header((WWW_AUTHENTICATE, CHALLENGE));
    }
    response.json(ErrorBody { detail: detail.into(), code: None, messages: None })
}
