//! `GET`, `PATCH` and `DELETE /users/{id}`

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use gateward_app::domain::Permission;

use super::{Administrator, named_user};
use crate::App;
use crate::body::{Body, refuse_query};
use crate::endpoints::objects::UserBody;
use crate::endpoints::{done, ok};
use crate::problem::{Code, Problem, ProblemBody};
use crate::routes::Endpoint;

pub(super) fn get_endpoint() -> Endpoint {
    Endpoint::api::<__path_get_user>(|| web::to(get_user))
}

pub(super) fn patch_endpoint() -> Endpoint {
    Endpoint::api::<__path_change_user>(|| web::to(change_user))
}

pub(super) fn delete_endpoint() -> Endpoint {
    Endpoint::api::<__path_delete_user>(|| web::to(delete_user))
}

/// Changes of a user.
#[derive(utoipa::ToSchema)]
#[schema(as = UpdateUser)]
#[expect(dead_code, reason = "documents the body, which is read field by field")]
struct UpdateUserBody {
    /// A username: 3 to 32 characters of `A-Z a-z 0-9 . _ -`, unique regardless of case.
    #[schema(min_length = 3, max_length = 32, pattern = "^[A-Za-z0-9._-]+$", example = "ada")]
    username: String,
}

/// Get a user.
#[utoipa::path(
    get, operation_id = "getUser", path = "/users/{id}", security(("access_token" = [])),
    params(("id" = String, Path, description = "The user ID", format = "uuid")),
    responses(
        (status = 200, description = "The user", body = UserBody),
        (status = 403, description = "`forbidden`: you need the permission `users:read`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn get_user(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Administrator::with(Permission::UsersRead, &app, &request).await?;
    refuse_query(&request)?;
    let user = app.core().find_user(named_user(&request)).await?;
    let user = user.ok_or_else(|| Problem::new(Code::NotFound))?;
    Ok(ok(&UserBody::from(&user)))
}

/// Change the username of a user.
///
/// The user gets an email about it.
#[utoipa::path(
    patch, operation_id = "updateUser", path = "/users/{id}", request_body = UpdateUserBody,
    security(("access_token" = [])),
    params(("id" = String, Path, description = "The user ID", format = "uuid")),
    responses(
        (status = 200, description = "The updated user", body = UserBody),
        (status = 403, description = "`forbidden`: you need `users:write` and every permission that the user has", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`username_taken`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn change_user(
    app: Data<App>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let admin = Administrator::with(Permission::UsersWrite, &app, &request).await?;
    let mut fields = body.fields().await?;
    let username = fields.new_username("username");
    let username = fields.finish(username)?;
    let id = named_user(&request);
    let user = app
        .detached(async move |core| core.rename_user(admin.actor(), id, username).await)
        .await??;
    Ok(ok(&UserBody::from(&user)))
}

/// Delete a user.
///
/// Ends all sessions of the user.
///
/// Requires a recent password confirmation: call `POST /me/reauthenticate` first.
#[utoipa::path(
    delete, operation_id = "deleteUser", path = "/users/{id}", security(("access_token" = [])),
    params(("id" = String, Path, description = "The user ID", format = "uuid")),
    responses(
        (status = 204, description = "The user was deleted"),
        (status = 403, description = "`forbidden`: you need `users:write` and every permission that the user has; or `reauthentication_required`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`last_admin`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn delete_user(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let admin = Administrator::with(Permission::UsersWrite, &app, &request).await?.recent(&app)?;
    refuse_query(&request)?;
    let id = named_user(&request);
    app.detached(async move |core| core.delete_user(admin.actor(), id).await).await??;
    Ok(done())
}
