//! `POST /me/email`

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use gateward_app::ChangeEmailError;

use super::objects::Accepted;
use crate::App;
use crate::body::Body;
use crate::credentials::caller;
use crate::problem::{Problem, ProblemBody, field_texts};
use crate::routes::Endpoint;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::api::<__path_change_email>(|| web::to(change_email))
}

/// The new email address, and the password.
#[derive(utoipa::ToSchema)]
#[schema(as = ChangeEmail)]
#[expect(dead_code, reason = "documents the body, which is read field by field")]
struct ChangeEmailBody {
    /// The new email address.
    #[schema(format = "email", max_length = 254, example = "lovelace@example.org")]
    new_email: String,
    /// The current password.
    #[schema(format = "password", max_length = 1024)]
    password: String,
}

/// Change your email address.
///
/// The change takes effect when you confirm the new email address with `POST /email/confirm`. The
/// old email address gets an email at once. For 7 days, the link in it undoes the change.
#[utoipa::path(
    post, operation_id = "changeEmail", path = "/me/email", request_body = ChangeEmailBody,
    security(("access_token" = [])),
    responses(
        (status = 202, description = "Emails were sent to both email addresses. The response is the same if the new one belongs to another account", body = Accepted),
        (status = 422, description = "`validation_failed`; a wrong password has the field error `wrong_password`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`rate_limited`: too many attempts", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`overloaded` or `unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn change_email(
    app: Data<App>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let caller = caller(&app, &request).await?;
    let request_info = app.request_info(&request);
    let mut fields = body.fields().await?;
    let new = fields.email("new_email");
    let password = fields.password("password");
    let (new, password) = fields.finish(new.zip(password))?;
    let confirmed = app.core().verify_again(&caller, &password, &request_info).await?;
    app.detached(async move |core| core.change_email(&caller, confirmed, new, &request_info).await)
        .await??;
    Ok(super::accepted("confirmation_sent"))
}

impl From<ChangeEmailError> for Problem {
    fn from(error: ChangeEmailError) -> Self {
        match error {
            ChangeEmailError::WrongPassword => Self::wrong_password("password"),
            ChangeEmailError::Unchanged => {
                Self::fields(vec![field_texts::EMAIL_UNCHANGED.at("new_email")])
            }
            ChangeEmailError::TooOften => {
                Self::fields(vec![field_texts::EMAIL_TOO_OFTEN.at("new_email")])
            }
            ChangeEmailError::Token(error) => Self::of_access_token(error),
            ChangeEmailError::Store(error) => error.into(),
        }
    }
}
