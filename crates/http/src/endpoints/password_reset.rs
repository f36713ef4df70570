//! `POST /password/…`: resetting a forgotten password.

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use gateward_app::{LinkProof, ResetPassword, ResetPasswordError};

use super::objects::Accepted;
use crate::App;
use crate::body::{Body, password_error};
use crate::link_proof::{link_proof, unhurried};
use crate::problem::{Code, Problem, ProblemBody, details};
use crate::routes::Endpoint;

pub(super) fn forgot_endpoint() -> Endpoint {
    Endpoint::api::<__path_forgot>(|| web::to(forgot))
}

pub(super) fn reset_endpoint() -> Endpoint {
    Endpoint::api::<__path_reset>(|| web::to(reset))
}

/// A request for a password reset email.
#[derive(utoipa::ToSchema)]
#[schema(as = ForgotPassword)]
#[expect(dead_code, reason = "documents the body, which is read field by field")]
struct ForgotBody {
    /// The email address of the account.
    #[schema(format = "email", max_length = 254, example = "ada@example.org")]
    email: String,
}

/// The proof that you received the email (`token`, or `email` and `code`), and the new password.
#[derive(utoipa::ToSchema)]
#[schema(as = ResetPassword)]
#[expect(dead_code, reason = "documents the body, which is read field by field")]
struct ResetBody {
    /// The token from the link in the email: the part after `#token=`.
    token: Option<String>,
    /// The email address that the code was sent to. Send it together with `code`.
    #[schema(format = "email", max_length = 254, example = "ada@example.org")]
    email: Option<String>,
    /// The 8-digit code from the email. Send it together with `email`.
    #[schema(pattern = "^[0-9]{8}$", example = "12345678")]
    code: Option<String>,
    /// At least 8 characters; an installation can require more. It must not be a common or breached
    /// password, nor similar to the username or email address.
    #[schema(format = "password", min_length = 8, max_length = 1024)]
    new_password: String,
}

/// Request a password reset email.
///
/// The response is the same whether or not the email address has an account. By default, an email
/// address gets at most one reset email per minute; the link in the earlier one stays valid.
#[utoipa::path(
    post, operation_id = "requestPasswordReset", path = "/password/forgot", request_body = ForgotBody,
    responses(
        (status = 202, description = "If the email address has an account, an email was sent", body = Accepted),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`rate_limited`: too many emails requested", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn forgot(app: Data<App>, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    let request_info = app.request_info(&request);
    let mut fields = body.fields().await?;
    let email = fields.email("email");
    let email = fields.finish(email)?;
    app.detached(async move |core| core.forgot_password(&email, &request_info).await).await??;
    Ok(super::accepted("email_sent"))
}

/// Reset the password.
///
/// Sets a new password with the link or code from the email, ends all sessions and marks the email
/// address as verified. It does not log you in.
#[utoipa::path(
    post, operation_id = "resetPassword", path = "/password/reset", request_body = ResetBody,
    responses(
        (status = 204, description = "The password was changed, and the email address is verified"),
        (status = 400, description = "`invalid_link`, or `malformed_request`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`; the link or code stays valid", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`rate_limited`: too many attempts", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`overloaded` or `unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn reset(app: Data<App>, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    let request_info = app.request_info(&request);
    let mut fields = body.fields().await?;
    let proof = link_proof(&mut fields);
    let new = fields.new_password("new_password", app.core().policy().password);
    let (proof, new) = fields.finish(proof.zip(new))?;
    let by_code = matches!(proof, LinkProof::Code { .. });
    let reset = ResetPassword { proof, new, request_info };
    let prepared = unhurried(by_code, app.core().prepare_reset(reset)).await?;
    app.detached(async move |core| core.complete_reset(prepared).await).await??;
    Ok(super::done())
}

impl From<ResetPasswordError> for Problem {
    fn from(error: ResetPasswordError) -> Self {
        match error {
            ResetPasswordError::RateLimited(error) => error.into(),
            ResetPasswordError::InvalidLink => {
                Self::new(Code::InvalidLink).detail(details::RESET_LINK)
            }
            ResetPasswordError::Password(error) => {
                Self::fields(vec![password_error("new_password", error)])
            }
            ResetPasswordError::Hash(error) => error.into(),
            ResetPasswordError::Store(error) => error.into(),
        }
    }
}
