//! `POST /me/password`

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use gateward_app::{ChangePassword, ChangePasswordError, ReauthenticateError};

use crate::App;
use crate::body::{Body, password_error};
use crate::credentials::caller;
use crate::problem::{Problem, ProblemBody, field_texts};
use crate::routes::Endpoint;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::api::<__path_change_password>(|| web::to(change_password))
}

/// The current password and the new one.
#[derive(utoipa::ToSchema)]
#[schema(as = ChangePassword)]
#[expect(dead_code, reason = "documents the body, which is read field by field")]
struct ChangePasswordBody {
    /// The current password.
    #[schema(format = "password", max_length = 1024)]
    current_password: String,
    /// At least 8 characters; an installation can require more. It must not be a common or breached
    /// password, nor similar to the username or email address.
    #[schema(format = "password", min_length = 8, max_length = 1024)]
    new_password: String,
}

/// Change your password.
///
/// Ends all other sessions; the current one stays active.
#[utoipa::path(
    post, operation_id = "changePassword", path = "/me/password", request_body = ChangePasswordBody,
    security(("access_token" = [])),
    responses(
        (status = 204, description = "The password was changed"),
        (status = 422, description = "`validation_failed`; a wrong current password has the field error `wrong_password`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`rate_limited`: too many attempts", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`overloaded` or `unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn change_password(
    app: Data<App>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let caller = caller(&app, &request).await?;
    let request_info = app.request_info(&request);
    let mut fields = body.fields().await?;
    let current = fields.password("current_password");
    let new = fields.new_password("new_password", app.core().policy().password);
    let (current, new) = fields.finish(current.zip(new))?;
    let change = ChangePassword { current, new, request_info };
    let prepared = app.core().prepare_change(&caller, change).await?;
    app.detached(async move |core| core.complete_change(&caller, prepared).await).await??;
    Ok(super::done())
}

impl From<ChangePasswordError> for Problem {
    fn from(error: ChangePasswordError) -> Self {
        match error {
            ChangePasswordError::WrongPassword
            | ChangePasswordError::Reauthenticate(ReauthenticateError::WrongPassword) => {
                Self::wrong_password("current_password")
            }
            ChangePasswordError::Reauthenticate(error) => error.into(),
            ChangePasswordError::Password(error) => {
                Self::fields(vec![password_error("new_password", error)])
            }
            ChangePasswordError::Hash(error) => error.into(),
            ChangePasswordError::Store(error) => error.into(),
        }
    }
}

impl Problem {
    /// A wrong password of a logged-in user. Not a 401: clients would refresh and retry forever.
    pub(super) fn wrong_password(field: &str) -> Self {
        Self::fields(vec![field_texts::WRONG_PASSWORD.at(field)])
    }
}
