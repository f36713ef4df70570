//! The export of an account: everything that is stored about it, except secrets and hashes.

use gateward_app::Export;
use gateward_app::domain::email::OutboxEmail;
use gateward_app::domain::known_device::KnownDevice;
use gateward_app::domain::link::Link;
use gateward_app::domain::{Actor, EndReason, Event, SessionId};
use serde::Serialize;

use super::objects::{UserBody, rfc3339};
use super::session_object::SessionBody;

/// Everything that is stored about an account, except secrets and hashes.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Export)]
pub(super) struct ExportBody {
    /// The account.
    user: UserBody,
    /// The number of the account in the dialects. Absent if it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<i64>,
    /// Active and ended sessions.
    sessions: Vec<SessionBody>,
    /// The events of the audit trail about the account.
    events: Vec<EventBody>,
    /// The devices that have logged in and are recognized.
    known_devices: Vec<KnownDeviceBody>,
    /// Emailed links that can still be used.
    links: Vec<LinkBody>,
    /// The stored emails about the account.
    emails: Vec<OutboxEmailBody>,
}

impl ExportBody {
    /// The export as a caller with the session `current` sees it.
    pub(super) fn new(export: &Export, current: SessionId) -> Self {
        let Export { user, number, sessions, events, known_devices, links, emails } = export;
        Self {
            user: UserBody::from(user),
            number: *number,
            sessions: sessions
                .iter()
                .map(|session| SessionBody::new(session, current, session.ended))
                .collect(),
            events: events.iter().map(EventBody::from).collect(),
            known_devices: known_devices.iter().map(KnownDeviceBody::from).collect(),
            links: links.iter().map(LinkBody::from).collect(),
            emails: emails.iter().map(OutboxEmailBody::from).collect(),
        }
    }
}

/// An event of the audit trail.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Event)]
struct EventBody {
    /// The ID of the event.
    #[schema(format = "uuid")]
    id: String,
    /// When it happened.
    #[schema(format = "date-time")]
    at: String,
    /// The name of the event.
    #[schema(example = "session_started")]
    event: &'static str,
    /// Why a session ended: one of the reasons of `session_ended`. Absent for other events.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// Who caused it: `user`, `operator` (on the command line) or `service`.
    #[schema(example = "user")]
    actor: &'static str,
    /// The session that the event is about, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "uuid")]
    session_id: Option<String>,
    /// The IP address of the request, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<String>,
}

impl From<&Event> for EventBody {
    fn from(event: &Event) -> Self {
        Self {
            id: event.id.to_string(),
            at: rfc3339(event.at),
            event: event.kind.as_str(),
            reason: event.kind.reason().map(EndReason::as_str),
            actor: match event.actor {
                Actor::User(_) => "user",
                Actor::Operator => "operator",
                Actor::Service => "service",
            },
            session_id: event.session_id.map(|id| id.to_string()),
            ip: event.ip.map(|ip| ip.to_string()),
        }
    }
}

/// A device that has logged in before and is recognized at its next login.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = KnownDevice)]
struct KnownDeviceBody {
    /// The ID of the known device.
    #[schema(format = "uuid")]
    id: String,
    /// The IP address of its last login.
    ip: Option<String>,
    /// The `User-Agent` of its last login.
    user_agent: Option<String>,
    /// When it first logged in.
    #[schema(format = "date-time")]
    created_at: String,
    /// When it last logged in.
    #[schema(format = "date-time")]
    last_used_at: String,
    /// When the device stops being recognized, unless it logs in before.
    #[schema(format = "date-time")]
    expires_at: String,
}

impl From<&KnownDevice> for KnownDeviceBody {
    fn from(known_device: &KnownDevice) -> Self {
        Self {
            id: known_device.id.to_string(),
            ip: known_device.request_info.ip.map(|ip| ip.to_string()),
            user_agent: known_device.request_info.user_agent.clone(),
            created_at: rfc3339(known_device.created_at),
            last_used_at: rfc3339(known_device.last_used_at),
            expires_at: rfc3339(known_device.expires_at),
        }
    }
}

/// An emailed link that can still be used.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Link)]
struct LinkBody {
    /// What the link is for.
    #[schema(example = "reset_password")]
    purpose: &'static str,
    /// The email address that the link was created for.
    email: String,
    /// When the link was created.
    #[schema(format = "date-time")]
    created_at: String,
    /// When the link expires.
    #[schema(format = "date-time")]
    expires_at: String,
}

impl From<&Link> for LinkBody {
    fn from(link: &Link) -> Self {
        Self {
            purpose: link.purpose.as_str(),
            email: link.email.to_string(),
            created_at: rfc3339(link.created_at),
            expires_at: rfc3339(link.expires_at),
        }
    }
}

/// An email about the account.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = OutboxEmail)]
struct OutboxEmailBody {
    /// The ID of the email.
    #[schema(format = "uuid")]
    id: String,
    /// What the email is about.
    #[schema(example = "password_changed")]
    kind: &'static str,
    /// The email address that it is sent to.
    recipient: String,
    /// `waiting`, `sent`, `discarded` (no longer needed) or `failed` (given up).
    #[schema(example = "sent")]
    state: &'static str,
    /// When the email was queued.
    #[schema(format = "date-time")]
    created_at: String,
    /// When the email was sent, discarded or failed. Absent while it is waiting.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "date-time")]
    finished_at: Option<String>,
    /// The IP address of the request that caused the email, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<String>,
}

impl From<&OutboxEmail> for OutboxEmailBody {
    fn from(message: &OutboxEmail) -> Self {
        Self {
            id: message.id.to_string(),
            kind: message.kind.as_str(),
            recipient: message.recipient.to_string(),
            state: message.state.as_str(),
            created_at: rfc3339(message.created_at),
            finished_at: message.finished_at.map(rfc3339),
            ip: message.ip.map(|ip| ip.to_string()),
        }
    }
}
