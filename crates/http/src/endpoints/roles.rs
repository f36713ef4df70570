//! `GET /roles`, and `GET`, `PUT` and `DELETE /roles/{name}`

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gateward_app::domain::{Permission, PermissionSet, Role, RoleName};
use serde::Serialize;

use super::users::Administrator;
use crate::App;
use crate::body::{Body, Fields, query, refuse_query};
use crate::problem::{Code, Problem, ProblemBody, field_texts};
use crate::routes::Endpoint;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::api::<__path_list_roles>(|| web::to(list_roles)),
        Endpoint::api::<__path_get_role>(|| web::to(get_role)),
        Endpoint::api::<__path_put_role>(|| web::to(put_role)),
        Endpoint::api::<__path_delete_role>(|| web::to(delete_role)),
    ]
}

/// A role: a name and the permissions that it gives.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Role)]
struct RoleBody {
    /// The unique name.
    #[schema(example = "support")]
    name: String,
    /// The permissions of the role, in alphabetical order.
    #[schema(value_type = Vec<String>, example = json!(["sessions:read", "users:read"]))]
    permissions: Vec<&'static str>,
    /// Whether the role is built in. Built-in roles cannot be changed or deleted.
    built_in: bool,
}

impl From<&Role> for RoleBody {
    fn from(role: &Role) -> Self {
        Self {
            name: role.name.to_string(),
            permissions: role.permissions.iter().map(Permission::as_str).collect(),
            built_in: role.name.is_built_in(),
        }
    }
}

/// A page of roles.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = RolePage)]
struct PageBody {
    /// The items of this page.
    items: Vec<RoleBody>,
    /// Send it as `cursor` to get the next page. `null` on the last page.
    next_cursor: Option<String>,
}

/// The definition of a role.
#[derive(utoipa::ToSchema)]
#[schema(as = PutRole)]
#[expect(dead_code, reason = "documents the body, which is read field by field")]
struct PutRoleBody {
    /// All permissions of the role. They replace the previous ones.
    #[schema(example = json!(["sessions:read", "users:read"]))]
    permissions: Vec<String>,
}

/// List roles, in alphabetical order.
#[utoipa::path(
    get, operation_id = "listRoles", path = "/roles", security(("access_token" = [])),
    params(
        ("limit" = Option<u32>, Query, description = "Page size; 50 by default", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the previous page"),
    ),
    responses(
        (status = 200, description = "A page of roles", body = PageBody),
        (status = 403, description = "`forbidden`: you need the permission `roles:read`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn list_roles(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Administrator::with(Permission::RolesRead, &app, &request).await?;
    let mut fields = query(&request)?;
    let limit = fields.limit();
    let after = fields.cursor("cursor", read_cursor);
    let limit = fields.finish(limit)? as usize;
    // There are at most a few hundred, so all are read and one page of them is returned.
    let mut roles = app.core().list_roles().await?;
    roles.retain(|role| after.as_ref().is_none_or(|after| role.name > *after));
    let has_more = roles.len() > limit;
    roles.truncate(limit);
    let last = roles.last().filter(|_| has_more);
    Ok(super::ok(&PageBody {
        next_cursor: last.map(|role| URL_SAFE_NO_PAD.encode(role.name.as_str())),
        items: roles.iter().map(RoleBody::from).collect(),
    }))
}

/// Get a role.
#[utoipa::path(
    get, operation_id = "getRole", path = "/roles/{name}", security(("access_token" = [])),
    params(("name" = String, Path, description = "The role name", example = "support")),
    responses(
        (status = 200, description = "The role", body = RoleBody),
        (status = 403, description = "`forbidden`: you need the permission `roles:read`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn get_role(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Administrator::with(Permission::RolesRead, &app, &request).await?;
    refuse_query(&request)?;
    let name = existing_name(&request)?;
    let role = app.core().find_role(&name).await?;
    let role = role.ok_or_else(|| Problem::new(Code::NotFound))?;
    Ok(super::ok(&RoleBody::from(&role)))
}

/// Create or replace a role.
///
/// The change applies from the next request of each user who has the role. You need every
/// permission that the role has, before and after the change. Requires a recent password
/// confirmation: call `POST /me/reauthenticate` first.
#[utoipa::path(
    put, operation_id = "putRole", path = "/roles/{name}", request_body = PutRoleBody,
    security(("access_token" = [])),
    params(("name" = String, Path, description = "The role name: 1 to 32 characters of `a-z 0-9 _ -`, a letter first", example = "support", min_length = 1, max_length = 32, pattern = "^[a-z][a-z0-9_-]*$")),
    responses(
        (status = 200, description = "The role was replaced", body = RoleBody),
        (status = 201, description = "The role was created", body = RoleBody),
        (status = 403, description = "`forbidden`: you need `roles:write` and every permission of the role, old and new; or `reauthentication_required`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`, also if the role is built in or there are too many roles", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn put_role(
    app: Data<App>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let admin = Administrator::with(Permission::RolesWrite, &app, &request).await?.recent(&app)?;
    let mut fields = body.fields().await?;
    let permissions = permissions(&mut fields);
    let name = RoleName::parse(request.match_info().get("name").unwrap_or_default())
        .map_err(|_| fields.wrong("name", field_texts::ROLE_NAME));
    let (name, permissions) = fields.finish(name.ok().zip(permissions))?;
    let role = Role { name, permissions };
    let reply = RoleBody::from(&role);
    let is_new = app.detached(async move |core| core.put_role(admin.actor(), role).await).await??;
    let mut response = if is_new { HttpResponse::Created() } else { HttpResponse::Ok() };
    Ok(response.json(reply))
}

/// Delete a role.
///
/// Fails with `role_in_use` while users have the role.
///
/// Requires a recent password confirmation: call `POST /me/reauthenticate` first.
#[utoipa::path(
    delete, operation_id = "deleteRole", path = "/roles/{name}", security(("access_token" = [])),
    params(("name" = String, Path, description = "The role name", example = "support")),
    responses(
        (status = 204, description = "The role was deleted"),
        (status = 403, description = "`forbidden`: you need `roles:write` and every permission of the role; or `reauthentication_required`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`role_in_use`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`: the role is built in", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn delete_role(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let admin = Administrator::with(Permission::RolesWrite, &app, &request).await?.recent(&app)?;
    refuse_query(&request)?;
    let name = existing_name(&request)?;
    app.detached(async move |core| core.delete_role(admin.actor(), &name).await).await??;
    Ok(super::done())
}

/// The role name in the path. An invalid name gets the same response as an unknown one.
fn existing_name(request: &HttpRequest) -> Result<RoleName, Problem> {
    let text = request.match_info().get("name").unwrap_or_default();
    RoleName::parse(text).map_err(|_| Problem::new(Code::NotFound))
}

fn permissions(fields: &mut Fields) -> Option<PermissionSet> {
    let names = fields.texts("permissions")?;
    let permissions: Option<PermissionSet> =
        names.iter().map(|name| Permission::from_name(name)).collect::<Option<_>>();
    if permissions.is_none() {
        fields.wrong("permissions", field_texts::unknown_permission());
    }
    permissions
}

/// Parses the cursor of a page: the name of the last role on the previous page.
fn read_cursor(text: &str) -> Option<RoleName> {
    let name = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    RoleName::parse(&name).ok()
}
