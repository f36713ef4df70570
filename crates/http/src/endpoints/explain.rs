//! `GET /sessions/{sid}/explain`

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use gateward_app::domain::Permission;
use gateward_app::{ExplainError, SessionTimeline};
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

/// What has happened to a session.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SessionTimeline)]
struct TimelineBody {
    session: SessionBody,
    /// One sentence for each thing that has happened or is to come, in order: its time, what it is,
    /// and its code.
    #[schema(example = json!(["2026-11-20T04:10:00Z: The session ended: its client logged out, by its user (logout)."]))]
    timeline: Vec<String>,
}

/// Explain a session: when it began, what has happened to it, why it is over, and by whom.
#[utoipa::path(
    get, path = "/sessions/{sid}/explain", tag = "sessions", security(("access_token" = [])),
    params(("sid" = String, Path, description = "Which session", format = "uuid")),
    responses(
        (status = 200, description = "The session's timeline", body = TimelineBody),
        (status = 403, description = "`forbidden`: the permission `sessions:read` is wanted", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`: there is no such session, or no more", body = ProblemBody, content_type = "application/problem+json"),
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
        timeline: entries
            .iter()
            .map(|it| format!("{}: {} ({}).", rfc3339(it.at), it.text, it.code))
            .collect(),
    }))
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
