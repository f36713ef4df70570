//! `GET /sessions/{sid}/explain`

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use gateward_app::domain::Permission;
use gateward_app::{ExplainError, SessionTimeline, TimelineEntry};
use serde::Serialize;

use super::objects::rfc3339;
use super::session_object::{SessionBody, named_session};
use crate::App;
use crate::body::refuse_query;
use crate::credentials::caller;
use crate::problem::{Code, Problem, ProblemBody};
use crate::routes::Endpoint;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::api::<__path_explain_session>(|| web::to(explain_session))
}

/// A session and its timeline.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SessionTimeline)]
struct TimelineBody {
    /// The session.
    session: SessionBody,
    /// What happened to the session and when it will end, oldest first.
    timeline: Vec<TimelineEntryBody>,
}

/// Something that happened to a session, or will happen.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = TimelineEntry)]
struct TimelineEntryBody {
    /// When it happened or will happen.
    #[schema(format = "date-time")]
    at: String,
    /// The name of the event, or the reason why the session ended. Stable, for programs.
    #[schema(example = "logout")]
    code: &'static str,
    /// One sentence for people. The text may change.
    #[schema(
        example = "The session ended: the client logged out; the request came from 192.0.2.7."
    )]
    message: String,
}

/// Get the timeline of a session.
///
/// Shows when the session started, what happened to it, when and why it ended, and who ended it.
#[utoipa::path(
    get, operation_id = "explainSession", path = "/sessions/{sid}/explain", security(("access_token" = [])),
    params(("sid" = String, Path, description = "The session ID", format = "uuid")),
    responses(
        (status = 200, description = "The session's timeline", body = TimelineBody),
        (status = 403, description = "`forbidden`: you need the permission `sessions:read`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`: the session does not exist, or was deleted after its retention period", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn explain_session(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let caller = caller(&app, &request).await?;
    app.core().require(&caller, Permission::SessionsRead, &app.request_info(&request)).await?;
    refuse_query(&request)?;
    let timeline = app.core().explain_session(&caller, named_session(&request, "sid")).await;
    let SessionTimeline { session, end, entries } = timeline?;
    Ok(super::ok(&TimelineBody {
        session: SessionBody::new(&session, caller.session_id, end),
        timeline: entries.iter().map(TimelineEntryBody::from).collect(),
    }))
}

impl From<&TimelineEntry> for TimelineEntryBody {
    fn from(entry: &TimelineEntry) -> Self {
        let message = format!("{}.", entry.message);
        Self { at: rfc3339(entry.at), code: entry.code, message }
    }
}

impl From<ExplainError> for Problem {
    fn from(error: ExplainError) -> Self {
        match error {
            ExplainError::Forbidden(error) => error.into(),
            ExplainError::NotFound => Self::new(Code::NotFound),
            ExplainError::Store(error) => error.into(),
        }
    }
}
