//! `POST /invitation/accept`

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use gateward_app::AcceptInvitationError;

use crate::App;
use crate::body::{Body, password_error};
use crate::problem::{Code, Problem, ProblemBody, details};
use crate::routes::Endpoint;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::api::<__path_accept_invitation>(|| web::to(accept_invitation))
}

/// The link from the invitation email, and the new password.
#[derive(utoipa::ToSchema)]
#[schema(as = AcceptInvitation)]
#[expect(dead_code, reason = "documents the body, which is read field by field")]
struct AcceptBody {
    /// The token from the link in the email: the part after `#token=`.
    token: String,
    /// At least 8 characters; an installation can require more. It must not be a common or breached
    /// password, nor similar to the username or email address.
    #[schema(
        format = "password",
        min_length = 8,
        max_length = 1024,
        example = "correct horse battery"
    )]
    password: String,
}

/// Accept an invitation.
///
/// Sets the password of the account and marks its email address as verified. It does not log you
/// in.
#[utoipa::path(
    post, operation_id = "acceptInvitation", path = "/invitation/accept", request_body = AcceptBody,
    responses(
        (status = 204, description = "The password was set, and the email address is verified"),
        (status = 400, description = "`invalid_link`, or `malformed_request`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`; the link stays valid", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`rate_limited`: too many attempts", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`overloaded` or `unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn accept_invitation(
    app: Data<App>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let request_info = app.request_info(&request);
    let mut fields = body.fields().await?;
    let token = fields.text("token");
    let password = fields.new_password("password", app.core().policy().password);
    let (token, password) = fields.finish(token.zip(password))?;
    let prepared = app.core().prepare_acceptance(token, password, request_info).await?;
    app.detached(async move |core| core.complete_acceptance(prepared).await).await??;
    Ok(super::done())
}

impl From<AcceptInvitationError> for Problem {
    fn from(error: AcceptInvitationError) -> Self {
        match error {
            AcceptInvitationError::RateLimited(error) => error.into(),
            AcceptInvitationError::InvalidLink => {
                Self::new(Code::InvalidLink).detail(details::INVITATION_LINK)
            }
            AcceptInvitationError::Password(error) => {
                Self::fields(vec![password_error("password", error)])
            }
            AcceptInvitationError::Hash(error) => error.into(),
            AcceptInvitationError::Store(error) => error.into(),
        }
    }
}
