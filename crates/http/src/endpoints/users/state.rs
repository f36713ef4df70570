//! `POST /users/{id}/disable`, `/enable` and `/reset-password`

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use gateward_app::domain::Permission;

use super::{Administrator, named_user};
use crate::App;
use crate::body::Body;
use crate::endpoints::objects::{Accepted, UserBody};
use crate::endpoints::{accepted, ok};
use crate::problem::{Problem, ProblemBody};
use crate::routes::Endpoint;

pub(super) fn disable_endpoint() -> Endpoint {
    Endpoint::api::<__path_disable_user>(|| web::to(disable_user))
}

pub(super) fn enable_endpoint() -> Endpoint {
    Endpoint::api::<__path_enable_user>(|| web::to(enable_user))
}

pub(super) fn reset_endpoint() -> Endpoint {
    Endpoint::api::<__path_reset_user_password>(|| web::to(reset_user_password))
}

/// Disable a user.
///
/// Ends all sessions of the user, who cannot log in until enabled again. Idempotent.
///
/// Requires a recent password confirmation: call `POST /me/reauthenticate` first.
#[utoipa::path(
    post, operation_id = "disableUser", path = "/users/{id}/disable", security(("access_token" = [])),
    params(("id" = String, Path, description = "The user ID", format = "uuid")),
    responses(
        (status = 200, description = "The updated user", body = UserBody),
        (status = 403, description = "`forbidden`: you need `users:write` and every permission that the user has; or `reauthentication_required`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`last_admin`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`: do not send any fields", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn disable_user(
    app: Data<App>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let admin = Administrator::with(Permission::UsersWrite, &app, &request).await?.recent(&app)?;
    refuse_members(body).await?;
    let id = named_user(&request);
    let (user, _) =
        app.detached(async move |core| core.disable_user(admin.actor(), id).await).await??;
    Ok(ok(&UserBody::from(&user)))
}

/// Enable a disabled user.
///
/// Sessions that have ended stay ended. Idempotent.
#[utoipa::path(
    post, operation_id = "enableUser", path = "/users/{id}/enable", security(("access_token" = [])),
    params(("id" = String, Path, description = "The user ID", format = "uuid")),
    responses(
        (status = 200, description = "The updated user", body = UserBody),
        (status = 403, description = "`forbidden`: you need `users:write` and every permission that the user has", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`: do not send any fields", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn enable_user(
    app: Data<App>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let admin = Administrator::with(Permission::UsersWrite, &app, &request).await?;
    refuse_members(body).await?;
    let id = named_user(&request);
    let (user, _) =
        app.detached(async move |core| core.enable_user(admin.actor(), id).await).await??;
    Ok(ok(&UserBody::from(&user)))
}

/// Send a password reset email to a user.
///
/// The current password and the sessions stay valid until the user sets a new password.
#[utoipa::path(
    post, operation_id = "resetUserPassword", path = "/users/{id}/reset-password",
    security(("access_token" = [])),
    params(("id" = String, Path, description = "The user ID", format = "uuid")),
    responses(
        (status = 202, description = "A password reset email was sent", body = Accepted),
        (status = 403, description = "`forbidden`: you need `users:write` and every permission that the user has", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`: do not send any fields; administrators cannot set passwords", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn reset_user_password(
    app: Data<App>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let admin = Administrator::with(Permission::UsersWrite, &app, &request).await?;
    refuse_members(body).await?;
    let id = named_user(&request);
    app.detached(async move |core| core.send_password_reset(admin.actor(), id).await).await??;
    Ok(accepted("email_sent"))
}

/// Rejects any field: a request must not be executed in part.
async fn refuse_members(body: Body) -> Result<(), Problem> {
    body.optional_fields().await?.finish(Some(()))
}
