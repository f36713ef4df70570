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

/// Some sessions, and where the next ones are found.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SessionPage)]
pub(super) struct PageBody {
    items: Vec<SessionBody>,
    /// The `cursor` of the next page; `null` on the last one.
    next_cursor: Option<String>,
}

impl PageBody {
    /// What is shown to whoever calls with the session `current` of a page of `limit` active
    /// sessions, and of one more, if there is one, which tells that there is a next page.
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

/// The caller's active sessions, in the order in which they began.
#[utoipa::path(
    get, operation_id = "listSessions", path = "/me/sessions", tag = "sessions", security(("access_token" = [])),
    params(
        ("limit" = Option<u32>, Query, description = "How many, 50 if it is left out", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the page before"),
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

/// End one of the caller's sessions. A second time is no error.
///
/// For another session than that of the request, the password must have been given a short time
/// ago.
#[utoipa::path(
    delete, operation_id = "endSession", path = "/me/sessions/{id}", tag = "sessions", security(("access_token" = [])),
    params(("id" = String, Path, description = "Which session", format = "uuid")),
    responses(
        (status = 204, description = "The session is over"),
        (status = 403, description = "`reauthentication_required`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`: the caller has no such session", body = ProblemBody, content_type = "application/problem+json"),
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
