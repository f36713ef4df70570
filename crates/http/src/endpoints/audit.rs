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
use crate::problem::{Problem, ProblemBody};
use crate::routes::Endpoint;

/// What is said of a text that is no identifier.
const BAD_ID: (&str, &str) = ("bad_form", "must be an identifier as answers show it");

/// What is said of a text that is no time.
const BAD_TIME: (&str, &str) = ("bad_form", "must be a time such as 2026-11-20T04:10:00Z");

pub(super) fn endpoint() -> Endpoint {
    Endpoint::api::<__path_list_events>(|| web::to(list_events))
}

/// Some events of the audit trail, and where the next ones are found.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = AuditPage)]
struct PageBody {
    items: Vec<EventBody>,
    /// The `cursor` of the next page; `null` on the last one.
    next_cursor: Option<String>,
}

/// An event of the audit trail. What does not apply is left out.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = AuditEvent)]
struct EventBody {
    #[schema(format = "uuid")]
    id: String,
    #[schema(format = "date-time")]
    at: String,
    #[schema(example = "session_ended")]
    event: &'static str,
    /// `success` or `failure`.
    #[schema(example = "success")]
    outcome: &'static str,
    /// Why, where a session or all of them ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "ended_by_admin")]
    reason: Option<&'static str>,
    actor: ActorBody,
    /// Whose account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "uuid")]
    user_id: Option<String>,
    /// Which session.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "uuid")]
    session_id: Option<String>,
    /// What else there is to say, in a few words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "roles=support,user before=user")]
    detail: Option<String>,
    /// From where; it goes when the account is erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<String>,
}

/// By whom, and in which session of theirs.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = AuditActor)]
struct ActorBody {
    /// `user`, `operator` (somebody at the command line) or `service` (itself, or somebody whom it
    /// cannot name).
    #[schema(example = "user")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "uuid")]
    id: Option<String>,
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

/// The events of the audit trail that meet every condition, the newest first.
///
/// A page looks at a thousand events at most: it may be shorter than its limit, or empty, and have
/// a next one.
#[utoipa::path(
    get, operation_id = "listAuditEvents", path = "/audit", tag = "administration", security(("access_token" = [])),
    params(
        ("subject" = Option<String>, Query, description = "About which account", format = "uuid"),
        ("actor" = Option<String>, Query, description = "By which account", format = "uuid"),
        ("event" = Option<String>, Query, description = "The name of an event"),
        ("from" = Option<String>, Query, description = "From this time on", format = "date-time"),
        ("to" = Option<String>, Query, description = "Before this time", format = "date-time"),
        ("limit" = Option<u32>, Query, description = "How many, 50 if it is left out", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the page before"),
    ),
    responses(
        (status = 200, description = "A page of events", body = PageBody),
        (status = 403, description = "`forbidden`: the permission `audit:read` is wanted", body = ProblemBody, content_type = "application/problem+json"),
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

/// Takes the conditions.
fn filter(fields: &mut Fields) -> EventFilter {
    let known = |text: &str| EventKind::NAMES.iter().copied().find(|name| *name == text);
    EventFilter {
        subject: fields.parameter("subject", BAD_ID, identifier),
        actor: fields.parameter("actor", BAD_ID, identifier),
        event: fields.parameter("event", ("unknown_event", "must be the name of an event"), known),
        from: fields.parameter("from", BAD_TIME, time),
        to: fields.parameter("to", BAD_TIME, time),
    }
}

/// Reads a time (RFC 3339).
fn time(text: &str) -> Option<Timestamp> {
    let time: jiff::Timestamp = text.parse().ok()?;
    Some(Timestamp::from_micros(time.as_microsecond()))
}
