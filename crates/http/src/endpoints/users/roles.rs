//! `PUT /users/{id}/roles`

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use gateward_app::domain::{BadRoleName, Permission, RoleName};

use super::{Administrator, named_user};
use crate::App;
use crate::body::{Body, Fields};
use crate::endpoints::objects::UserBody;
use crate::endpoints::ok;
use crate::problem::{Problem, ProblemBody, field_texts};
use crate::routes::Endpoint;

/// The field with role names.
const ROLES: &str = "roles";

pub(super) fn endpoint() -> Endpoint {
    Endpoint::api::<__path_set_user_roles>(|| web::to(set_user_roles))
}

/// The new roles of a user.
#[derive(utoipa::ToSchema)]
#[schema(as = SetUserRoles)]
#[expect(dead_code, reason = "documents the body, which is read field by field")]
struct RolesBody {
    /// All roles of the user. You can omit `user`, which every user has.
    #[schema(example = json!(["support"]))]
    roles: Vec<String>,
}

/// Replace a user's roles.
///
/// Takes effect on the user's next request. Unless you have the role `admin`, you can only assign
/// or remove roles that you have yourself. Requires a recent password confirmation: call
/// `POST /me/reauthenticate` first.
#[utoipa::path(
    put, operation_id = "setUserRoles", path = "/users/{id}/roles", request_body = RolesBody,
    security(("access_token" = [])),
    params(("id" = String, Path, description = "The user ID", format = "uuid")),
    responses(
        (status = 200, description = "The updated user", body = UserBody),
        (status = 403, description = "`forbidden`: you need `roles:grant`, every permission that the user has, and each role that you assign or remove; or `reauthentication_required`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`last_admin`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn set_user_roles(
    app: Data<App>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let admin = Administrator::with(Permission::RolesGrant, &app, &request).await?.recent(&app)?;
    let mut fields = body.fields().await?;
    let roles = fields.texts(ROLES).and_then(|names| read_roles(&mut fields, &names));
    let roles = fields.finish(roles)?;
    let id = named_user(&request);
    let user = app
        .detached(async move |core| core.set_user_roles(admin.actor(), id, roles).await)
        .await??;
    Ok(ok(&UserBody::from(&user)))
}

/// Takes optional role names.
pub(super) fn optional_roles(fields: &mut Fields) -> Option<Vec<RoleName>> {
    let names = fields.optional_texts(ROLES)?;
    read_roles(fields, &names)
}

fn read_roles(fields: &mut Fields, names: &[String]) -> Option<Vec<RoleName>> {
    let roles: Result<Vec<_>, _> = names.iter().map(|name| RoleName::parse(name)).collect();
    let refuse = |_: BadRoleName| fields.wrong(ROLES, field_texts::ROLE_NAME);
    roles.map_err(refuse).ok()
}
