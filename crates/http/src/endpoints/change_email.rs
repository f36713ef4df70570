//! `POST /me/email`

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use gateward_app::ChangeEmailError;

use super::objects::Accepted;
use crate::App;
use crate::body::Body;
use crate::credentials::caller;
use crate::problem::{Problem, ProblemBody};
use crate::routes::Endpoint;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::api::<__path_change_email>(|| web::to(change_email))
}

/// The new address, and the password.
#[derive(utoipa::ToSchema)]
#[schema(as = ChangeEmail)]
#[expect(dead_code, reason = "documents the body, which is read member by member")]
struct ChangeEmailBody {
    #[schema(format = "email", max_length = 254, example = "lovelace@example.org")]
    new_email: String,
    #[schema(format = "password", max_length = 1024)]
    password: String,
}

/// Ask for another address. It counts once it is confirmed from there; the old one is told at once,
/// with a link that undoes the change for seven days.
#[utoipa::path(
    post, operation_id = "changeEmail", path = "/me/email", tag = "accounts", request_body = ChangeEmailBody,
    security(("access_token" = [])),
    responses(
        (status = 202, description = "Emails to both addresses are on their way; the same if the new one is another's", body = Accepted),
        (status = 422, description = "`validation_failed`, also for a wrong password", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`rate_limited`: too many tries", body = ProblemBody, content_type = "application/problem+json"),
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
                Self::field("new_email", "unchanged", "is the address of the account already")
            }
            ChangeEmailError::TooOften => {
                let message = "the address was changed too often; wait some days";
                Self::field("new_email", "too_often", message)
            }
            ChangeEmailError::Token(error) => Self::of_access_token(error),
            ChangeEmailError::Store(error) => error.into(),
        }
    }
}
