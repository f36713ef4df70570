//! `GET /me` and `PATCH /me`

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use gateward_app::ChangeUsernameError;
use gateward_app::domain::EndReason;

use super::objects::UserBody;
use crate::App;
use crate::body::{Body, refuse_query};
use crate::credentials::caller;
use crate::problem::{Problem, ProblemBody};
use crate::routes::Endpoint;

pub(super) fn get_endpoint() -> Endpoint {
    Endpoint::api::<__path_me>(|| web::to(me))
}

pub(super) fn patch_endpoint() -> Endpoint {
    Endpoint::api::<__path_change_me>(|| web::to(change_me))
}

/// Changes of your own account.
#[derive(utoipa::ToSchema)]
#[schema(as = UpdateCurrentUser)]
#[expect(dead_code, reason = "documents the body, which is read field by field")]
struct UpdateCurrentUserBody {
    /// A username: 3 to 32 characters of `A-Z a-z 0-9 . _ -`, unique regardless of case.
    #[schema(min_length = 3, max_length = 32, pattern = "^[A-Za-z0-9._-]+$", example = "ada")]
    username: String,
}

/// Get your own account.
#[utoipa::path(
    get, operation_id = "getCurrentUser", path = "/me", security(("access_token" = [])),
    responses(
        (status = 200, description = "Your account", body = UserBody),
    )
)]
async fn me(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let caller = caller(&app, &request).await?;
    refuse_query(&request)?;
    Ok(super::ok(&UserBody::from(&*caller.user)))
}

/// Change your username.
#[utoipa::path(
    patch, operation_id = "updateCurrentUser", path = "/me", request_body = UpdateCurrentUserBody,
    security(("access_token" = [])),
    responses(
        (status = 200, description = "Your updated account", body = UserBody),
        (status = 409, description = "`username_taken`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn change_me(
    app: Data<App>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let caller = caller(&app, &request).await?;
    let request_info = app.request_info(&request);
    let mut fields = body.fields().await?;
    let username = fields.new_username("username");
    let username = fields.finish(username)?;
    let user = app
        .detached(async move |core| core.change_username(&caller, username, &request_info).await)
        .await??;
    Ok(super::ok(&UserBody::from(&user)))
}

impl From<ChangeUsernameError> for Problem {
    fn from(error: ChangeUsernameError) -> Self {
        match error {
            ChangeUsernameError::Gone => Self::session_ended(EndReason::AccountDeleted),
            ChangeUsernameError::Store(error) => error.into(),
        }
    }
}
