//! The export of an account: everything that is stored about it, but for secrets and hashes.

use gateward_app::Export;
use gateward_app::domain::email::OutboxEmail;
use gateward_app::domain::known_device::KnownDevice;
use gateward_app::domain::link::Link;
use gateward_app::domain::{Actor, EndReason, Event, SessionId};
use serde::Serialize;

use super::objects::{UserBody, rfc3339};
use super::session_object::SessionBody;

/// Everything that is stored about an account.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Export)]
pub(super) struct ExportBody {
    user: UserBody,
    /// Sessions, ended ones too.
    sessions: Vec<SessionBody>,
    /// What was written down about the account.
    events: Vec<EventBody>,
    /// The clients that are known to have logged in to it.
    known_devices: Vec<KnownDeviceBody>,
    /// Mailed links that can still be used.
    links: Vec<LinkBody>,
    /// Emails about the account.
    emails: Vec<OutboxEmailBody>,
}

impl ExportBody {
    /// What is shown to whoever calls with this session.
    pub(super) fn new(export: &Export, current: SessionId) -> Self {
        let Export { user, sessions, events, known_devices, links, emails } = export;
        Self {
            user: UserBody::from(user),
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

/// Something that happened.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Event)]
struct EventBody {
    #[schema(format = "uuid")]
    id: String,
    #[schema(format = "date-time")]
    at: String,
    #[schema(example = "session_started")]
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// `user`, `operator` or `service`.
    #[schema(example = "user")]
    actor: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "uuid")]
    session_id: Option<String>,
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

/// A client that has logged in before, and is known again.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = KnownDevice)]
struct KnownDeviceBody {
    #[schema(format = "uuid")]
    id: String,
    /// The address that it logged in from last.
    ip: Option<String>,
    user_agent: Option<String>,
    #[schema(format = "date-time")]
    created_at: String,
    /// When it logged in last.
    #[schema(format = "date-time")]
    last_used_at: String,
    /// Until when it is known if it does not log in again.
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

/// A mailed link that can still be used.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Link)]
struct LinkBody {
    #[schema(example = "reset_password")]
    purpose: &'static str,
    email: String,
    #[schema(format = "date-time")]
    created_at: String,
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

/// An email.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = OutboxEmail)]
struct OutboxEmailBody {
    #[schema(format = "uuid")]
    id: String,
    #[schema(example = "password_changed")]
    kind: &'static str,
    recipient: String,
    /// `waiting`, `sent`, `discarded` or `failed`.
    #[schema(example = "sent")]
    state: &'static str,
    #[schema(format = "date-time")]
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "date-time")]
    finished_at: Option<String>,
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
