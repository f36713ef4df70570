//! `GET /me/sessions` and `DELETE /me/sessions/{id}`

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use gateward_app::EndSessionError;
use gateward_app::domain::{Session, SessionId};
use serde::Serialize;

use super::session_object::{SessionBody, cursor_after, named_session, read_cursor};
use crate::App;
use crate::body::{query, refuse_query};
use crate::credentials::caller;
use crate::problem::{Code, Problem, ProblemBody};
use crate::routes::Endpoint;

pub(super) fn list_endpoint() -> Endpoint {
    Endpoint::api::<__path_list_sessions>(|| web::to(list_sessions))
}

pub(super) fn end_endpoint() -> Endpoint {
    Endpoint::api::<__path_end_session>(|| web::to(end_session))
}

/// A page of sessions.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SessionPage)]
pub(super) struct PageBody {
    /// The items of this page.
    items: Vec<SessionBody>,
    /// Send it as `cursor` to get the next page. `null` on the last page.
    next_cursor: Option<String>,
}

impl PageBody {
    /// Creates a page of `limit` sessions for a caller with the session `current`. One more session
    /// than `limit` means that there is a next page.
    pub(super) fn new(mut sessions: Vec<Session>, limit: u32, current: SessionId) -> Self {
        let has_more = sessions.len() > limit as usize;
        sessions.truncate(limit as usize);
        let last = sessions.last().filter(|_| has_more);
        Self {
            next_cursor: last.map(|session| cursor_after(session.id)),
            items: sessions
                .iter()
                .map(|session| SessionBody::new(session, current, None))
                .collect(),
        }
    }
}

/// List your active sessions, oldest first.
#[utoipa::path(
    get, operation_id = "listSessions", path = "/me/sessions", security(("access_token" = [])),
    params(
        ("limit" = Option<u32>, Query, description = "Page size; 50 by default", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the previous page"),
    ),
    responses(
        (status = 200, description = "A page of sessions", body = PageBody),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn list_sessions(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let caller = caller(&app, &request).await?;
    let mut fields = query(&request)?;
    let limit = fields.limit();
    let after = fields.cursor("cursor", read_cursor);
    let limit = fields.finish(limit)?;
    let sessions = app.core().list_own_sessions(&caller, after, limit + 1).await?;
    Ok(super::ok(&PageBody::new(sessions, limit, caller.session_id)))
}

/// End one of your sessions.
///
/// Idempotent. Ending a session other than the current one requires a recent password confirmation:
/// call `POST /me/reauthenticate` first.
#[utoipa::path(
    delete, operation_id = "endSession", path = "/me/sessions/{id}", security(("access_token" = [])),
    params(("id" = String, Path, description = "The session ID", format = "uuid")),
    responses(
        (status = 204, description = "The session has ended"),
        (status = 403, description = "`reauthentication_required`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`: you have no such session", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn end_session(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let caller = caller(&app, &request).await?;
    refuse_query(&request)?;
    let request_info = app.request_info(&request);
    let id = named_session(&request, "id");
    app.detached(async move |core| core.end_own_session(&caller, id, &request_info).await)
        .await??;
    Ok(super::done())
}

impl From<EndSessionError> for Problem {
    fn from(error: EndSessionError) -> Self {
        match error {
            EndSessionError::NotFound => Self::new(Code::NotFound),
            EndSessionError::NotRecent(error) => error.into(),
            EndSessionError::Store(error) => error.into(),
        }
    }
}
