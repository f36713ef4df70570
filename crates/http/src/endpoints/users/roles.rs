//! `PUT /users/{id}/roles`

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use gateward_app::domain::{BadRoleName, Permission, RoleName};

use super::{Administrator, named_user};
use crate::App;
use crate::body::{Body, Fields};
use crate::endpoints::objects::UserBody;
use crate::endpoints::ok;
use crate::problem::{Problem, ProblemBody};
use crate::routes::Endpoint;

/// The member that names roles.
const ROLES: &str = "roles";

pub(super) fn endpoint() -> Endpoint {
    Endpoint::api::<__path_set_user_roles>(|| web::to(set_user_roles))
}

/// The roles that an account is to hold.
#[derive(utoipa::ToSchema)]
#[schema(as = SetUserRoles)]
#[expect(dead_code, reason = "documents the body, which is read member by member")]
struct RolesBody {
    /// All of them; `user`, which everybody holds, may be left out.
    #[schema(example = json!(["support"]))]
    roles: Vec<String>,
}

/// Give an account exactly these roles. What they give holds from its next request on.
///
/// Nobody gives or takes a role that they do not hold, nor one that gives what they do not hold.
/// The password must have been given a short time ago.
#[utoipa::path(
    put, operation_id = "setUserRoles", path = "/users/{id}/roles", tag = "administration", request_body = RolesBody,
    security(("access_token" = [])),
    params(("id" = String, Path, description = "Whose account", format = "uuid")),
    responses(
        (status = 200, description = "The account as it is now", body = UserBody),
        (status = 403, description = "`forbidden`: the permission `roles:grant` is wanted, or one that the account or a role holds, or a role is not the caller's to give or take; or `reauthentication_required`", body = ProblemBody, content_type = "application/problem+json"),
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

/// Takes roles that may be named.
pub(super) fn optional_roles(fields: &mut Fields) -> Option<Vec<RoleName>> {
    let names = fields.optional_texts(ROLES)?;
    read_roles(fields, &names)
}

fn read_roles(fields: &mut Fields, names: &[String]) -> Option<Vec<RoleName>> {
    let roles: Result<Vec<_>, _> = names.iter().map(|name| RoleName::parse(name)).collect();
    let refuse = |error: BadRoleName| fields.wrong(ROLES, "bad_form", error.to_string());
    roles.map_err(refuse).ok()
}
