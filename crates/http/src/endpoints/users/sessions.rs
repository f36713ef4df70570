//! `GET` and `DELETE /users/{id}/sessions`, `DELETE /users/{id}/sessions/{sid}`

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use gateward_app::domain::Permission;

use super::{Administrator, named_user};
use crate::App;
use crate::body::{query, refuse_query};
use crate::endpoints::session_object::{named_session, read_cursor};
use crate::endpoints::sessions::PageBody;
use crate::endpoints::{done, ok};
use crate::problem::{Code, Problem, ProblemBody};
use crate::routes::Endpoint;

pub(super) fn list_endpoint() -> Endpoint {
    Endpoint::api::<__path_list_user_sessions>(|| web::to(list_user_sessions))
}

pub(super) fn end_all_endpoint() -> Endpoint {
    Endpoint::api::<__path_end_user_sessions>(|| web::to(end_user_sessions))
}

pub(super) fn end_endpoint() -> Endpoint {
    Endpoint::api::<__path_end_user_session>(|| web::to(end_user_session))
}

/// List a user's active sessions, oldest first.
#[utoipa::path(
    get, operation_id = "listUserSessions", path = "/users/{id}/sessions", security(("access_token" = [])),
    params(
        ("id" = String, Path, description = "The user ID", format = "uuid"),
        ("limit" = Option<u32>, Query, description = "Page size; 50 by default", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the previous page"),
    ),
    responses(
        (status = 200, description = "A page of sessions", body = PageBody),
        (status = 403, description = "`forbidden`: you need the permission `sessions:read`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn list_user_sessions(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let admin = Administrator::with(Permission::SessionsRead, &app, &request).await?;
    let mut fields = query(&request)?;
    let limit = fields.limit();
    let after = fields.cursor("cursor", read_cursor);
    let limit = fields.finish(limit)?;
    let id = named_user(&request);
    let sessions = app.core().list_sessions_of(id, after, limit + 1).await?;
    let sessions = sessions.ok_or_else(|| Problem::new(Code::NotFound))?;
    Ok(ok(&PageBody::new(sessions, limit, admin.caller.session_id)))
}

/// End all sessions of a user.
///
/// Requires a recent password confirmation: call `POST /me/reauthenticate` first.
#[utoipa::path(
    delete, operation_id = "endUserSessions", path = "/users/{id}/sessions",
    security(("access_token" = [])),
    params(("id" = String, Path, description = "The user ID", format = "uuid")),
    responses(
        (status = 204, description = "The sessions have ended"),
        (status = 403, description = "`forbidden`: you need `sessions:end` and every permission that the user has; or `reauthentication_required`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn end_user_sessions(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let admin = Administrator::with(Permission::SessionsEnd, &app, &request).await?.recent(&app)?;
    refuse_query(&request)?;
    let id = named_user(&request);
    app.detached(async move |core| core.end_sessions_of(admin.actor(), id).await).await??;
    Ok(done())
}

/// End a session of a user.
///
/// Idempotent.
///
/// Requires a recent password confirmation: call `POST /me/reauthenticate` first.
#[utoipa::path(
    delete, operation_id = "endUserSession", path = "/users/{id}/sessions/{sid}",
    security(("access_token" = [])),
    params(
        ("id" = String, Path, description = "The user ID", format = "uuid"),
        ("sid" = String, Path, description = "The session ID", format = "uuid"),
    ),
    responses(
        (status = 204, description = "The session has ended"),
        (status = 403, description = "`forbidden`: you need `sessions:end` and every permission that the user has; or `reauthentication_required`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`: the user does not exist or has no such session", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn end_user_session(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let admin = Administrator::with(Permission::SessionsEnd, &app, &request).await?.recent(&app)?;
    refuse_query(&request)?;
    let (id, sid) = (named_user(&request), named_session(&request, "sid"));
    app.detached(async move |core| core.end_session_of(admin.actor(), id, sid).await).await??;
    Ok(done())
}
