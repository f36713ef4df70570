//! `GET /audit`

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use gateward_app::domain::{Actor, EndReason, Event, EventKind, Permission, Timestamp};
use gateward_app::{EventFilter, EventPage};
use serde::Serialize;

use super::objects::rfc3339;
use super::users::{Administrator, identifier};
use crate::App;
use crate::body::{Fields, query};
use crate::problem::{Problem, ProblemBody, field_texts};
use crate::routes::Endpoint;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::api::<__path_list_events>(|| web::to(list_events))
}

/// A page of audit events.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = AuditPage)]
struct PageBody {
    /// The items of this page.
    items: Vec<EventBody>,
    /// Send it as `cursor` to get the next page. `null` on the last page.
    next_cursor: Option<String>,
}

/// An event of the audit trail. Fields that do not apply are absent.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = AuditEvent)]
struct EventBody {
    /// The ID of the event.
    #[schema(format = "uuid")]
    id: String,
    /// When it happened.
    #[schema(format = "date-time")]
    at: String,
    /// The name of the event.
    #[schema(example = "session_ended")]
    event: &'static str,
    /// `success` or `failure`.
    #[schema(example = "success")]
    outcome: &'static str,
    /// Why a session ended: one of the reasons of `session_ended`. Absent for other events.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "ended_by_admin")]
    reason: Option<&'static str>,
    /// Who caused the event.
    actor: ActorBody,
    /// The user that the event is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "uuid")]
    user_id: Option<String>,
    /// The session that the event is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "uuid")]
    session_id: Option<String>,
    /// Details of the event, such as the old and the new roles.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "roles=support,user before=user")]
    detail: Option<String>,
    /// The IP address of the request. It is removed when the user's data is erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<String>,
}

/// Who caused an event, and in which session.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = AuditActor)]
struct ActorBody {
    /// `user`, `operator` (on the command line) or `service` (the service itself, or a caller who
    /// was not logged in).
    #[schema(example = "user")]
    kind: &'static str,
    /// The ID of the user. Absent for other actors.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "uuid")]
    id: Option<String>,
    /// The session of the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "uuid")]
    session_id: Option<String>,
}

impl From<&Event> for EventBody {
    fn from(event: &Event) -> Self {
        Self {
            id: event.id.to_string(),
            at: rfc3339(event.at),
            event: event.kind.as_str(),
            outcome: if event.kind.is_failure() { "failure" } else { "success" },
            reason: event.kind.reason().map(EndReason::as_str),
            actor: ActorBody::of(event),
            user_id: event.user_id.map(|id| id.to_string()),
            session_id: event.session_id.map(|id| id.to_string()),
            detail: event.detail.clone(),
            ip: event.ip.map(|ip| ip.to_string()),
        }
    }
}

impl ActorBody {
    fn of(event: &Event) -> Self {
        let (kind, id) = match event.actor {
            Actor::User(id) => ("user", Some(id.to_string())),
            Actor::Operator => ("operator", None),
            Actor::Service => ("service", None),
        };
        Self { kind, id, session_id: event.actor_session_id.map(|id| id.to_string()) }
    }
}

/// List audit events, newest first.
///
/// Returns the events that match all filters. Each page examines at most 1000 events, so it may
/// have fewer items than `limit`, or none, even if there is a next page. Continue until
/// `next_cursor` is `null`.
#[utoipa::path(
    get, operation_id = "listAuditEvents", path = "/audit", security(("access_token" = [])),
    params(
        ("subject" = Option<String>, Query, description = "Only events about this user ID", format = "uuid"),
        ("actor" = Option<String>, Query, description = "Only events that this user ID caused", format = "uuid"),
        ("event" = Option<String>, Query, description = "Only events with this name, such as `session_ended`"),
        ("from" = Option<String>, Query, description = "Only events at or after this time (RFC 3339)", format = "date-time"),
        ("to" = Option<String>, Query, description = "Only events before this time (RFC 3339)", format = "date-time"),
        ("limit" = Option<u32>, Query, description = "Page size; 50 by default", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the previous page"),
    ),
    responses(
        (status = 200, description = "A page of audit events", body = PageBody),
        (status = 403, description = "`forbidden`: you need the permission `audit:read`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
async fn list_events(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Administrator::with(Permission::AuditRead, &app, &request).await?;
    let mut fields = query(&request)?;
    let limit = fields.limit();
    let before = fields.cursor("cursor", identifier);
    let filter = filter(&mut fields);
    let limit = fields.finish(limit)?;
    let EventPage { events, next } =
        app.core().list_events(&filter, before, limit as usize).await?;
    Ok(super::ok(&PageBody {
        items: events.iter().map(EventBody::from).collect(),
        next_cursor: next.map(|id| id.to_string()),
    }))
}

/// Takes the filters.
fn filter(fields: &mut Fields) -> EventFilter {
    let known = |text: &str| EventKind::NAMES.iter().copied().find(|name| *name == text);
    EventFilter {
        subject: fields.parameter("subject", field_texts::ID, identifier),
        actor: fields.parameter("actor", field_texts::ID, identifier),
        event: fields.parameter("event", field_texts::EVENT, known),
        from: fields.parameter("from", field_texts::TIME, time),
        to: fields.parameter("to", field_texts::TIME, time),
    }
}

/// Parses a time (RFC 3339).
fn time(text: &str) -> Option<Timestamp> {
    let time: jiff::Timestamp = text.parse().ok()?;
    Some(Timestamp::from_micros(time.as_microsecond()))
}
