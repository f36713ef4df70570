//! `SessionTimeline`: the history of a session, in sentences.

use std::net::IpAddr;

use gateward_domain::{Actor, End, EndReason, Event, EventKind, Session, Timestamp, UserId};

/// The history of a session, and its upcoming expiry.
#[derive(Clone, Debug)]
pub struct SessionTimeline {
    /// The session.
    pub session: Session,
    /// The end of the session, if it was ended or has expired.
    pub end: Option<End>,
    /// The entries, in order of time.
    pub entries: Vec<TimelineEntry>,
}

/// One past or upcoming event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimelineEntry {
    /// Time of the event, UTC.
    pub at: Timestamp,
    /// A code for programs: the name of an event, or the reason of an end.
    pub code: &'static str,
    /// A sentence for people, without the time and the full stop.
    pub message: String,
}

impl SessionTimeline {
    /// Builds the timeline of a session from its row, its events, and the account's events at the
    /// time of its end.
    pub(crate) fn build(
        session: Session,
        events: &[Event],
        account_events: &[Event],
        now: Timestamp,
    ) -> Self {
        let end = session.end(now);
        let mut entries = vec![started_entry(&session)];
        entries.extend(events.iter().filter_map(event_entry));
        entries.extend(refreshes(&session));
        entries.sort_by_key(|entry| entry.at);
        match end {
            Some(end) => entries.push(ended_entry(&session, end, events, account_events)),
            None => entries.extend(expiry_entries(&session)),
        }
        Self { session, end, entries }
    }
}

fn entry(at: Timestamp, code: &'static str, message: impl Into<String>) -> TimelineEntry {
    TimelineEntry { at, code, message: message.into() }
}

fn started_entry(session: &Session) -> TimelineEntry {
    let from = from(session.request_info.ip);
    let quoted = |word: &str, text: &Option<String>| {
        text.as_ref().map(|text| format!(", {word} \"{text}\"")).unwrap_or_default()
    };
    let on = quoted("on", &session.client_name);
    let with = quoted("with", &session.request_info.user_agent);
    let text = format!("The session started: the user logged in{from}{on}{with}");
    entry(session.created_at, EventKind::SessionStarted.as_str(), text)
}

/// Returns the entry for an event between start and end.
fn event_entry(event: &Event) -> Option<TimelineEntry> {
    let from = from(event.ip);
    let text = match event.kind {
        EventKind::NewDevice => "The login came from a new device".to_owned(),
        EventKind::Reauthenticated => format!("The user confirmed the password{from}"),
        EventKind::SessionRecovered => {
            "A refresh token was newer than the database, which had lost writes; the token was accepted"
                .to_owned()
        }
        EventKind::UsernameChanged => format!("The username was changed{from}"),
        EventKind::EmailChangeRequested => format!("A change of the email address was requested{from}"),
        EventKind::PasswordChanged => format!("The password was changed in this session{from}"),
        EventKind::LoginReported => {
            format!("The account owner reported this login{}", request_from(event.ip))
        }
        _ => return None,
    };
    Some(entry(event.at, event.kind.as_str(), text))
}

/// Returns the number of refreshes. They are counted, not recorded one by one.
fn refreshes(session: &Session) -> Option<TimelineEntry> {
    let refresh_state = &session.refresh_state;
    let text = match refresh_state.generation - 1 {
        ..=0 => return None,
        1 => "The session was refreshed once".to_owned(),
        times => format!("The session was refreshed {times} times, most recently at this time"),
    };
    Some(entry(refresh_state.rotated_at, "refreshed", text))
}

fn ended_entry(
    session: &Session,
    end: End,
    events: &[Event],
    account_events: &[Event],
) -> TimelineEntry {
    let is_it = |event: &&Event| event.kind.reason() == Some(end.reason) && event.at == end.at;
    let event = events.iter().chain(account_events).find(is_it);
    let why = why(end.reason, event.map(|event| actor(event, session.user_id)));
    let from = request_from(event.and_then(|event| event.ip));
    entry(end.at, end.reason.as_str(), format!("The session ended: {why}{from}"))
}

/// Returns the upcoming ends by expiry.
fn expiry_entries(session: &Session) -> [TimelineEntry; 2] {
    [
        entry(
            session.refresh_state.expires_at,
            EndReason::IdleTimeout.as_str(),
            "The session is active. It expires at this time unless it is refreshed",
        ),
        entry(
            session.lifetime_ends_at,
            EndReason::LifetimeOver.as_str(),
            "The session expires at this time in any case",
        ),
    ]
}

fn actor(event: &Event, owner: UserId) -> &'static str {
    match event.actor {
        Actor::User(id) if id == owner => "the user",
        Actor::User(_) => "an administrator",
        Actor::Operator => "an operator at the command line",
        Actor::Service => "the service",
    }
}

fn from(ip: Option<IpAddr>) -> String {
    ip.map(|ip| format!(" from {ip}")).unwrap_or_default()
}

fn request_from(ip: Option<IpAddr>) -> String {
    ip.map(|ip| format!("; the request came from {ip}")).unwrap_or_default()
}

/// Describes why a session ended. `actor` is `None` if no event is about it.
fn why(reason: EndReason, actor: Option<&str>) -> String {
    let text = match (reason, actor) {
        (EndReason::Logout, _) => "the client logged out",
        (EndReason::LogoutAll, _) => "the user logged out of all sessions",
        (EndReason::EndedByUser, _) => "the user ended it",
        (EndReason::EndedByAdmin, Some(actor)) => return format!("{actor} ended it"),
        (EndReason::EndedByAdmin, None) => "an administrator ended it",
        (EndReason::PasswordChanged, _) => "the user changed the password in another session",
        (EndReason::PasswordReset, _) => "the user reset the password with a link or code",
        (EndReason::EmailChanged, _) => "the user undid a change of the email address",
        (EndReason::AccountDisabled, Some(actor)) => {
            return format!("{actor} disabled the account");
        }
        (EndReason::AccountDisabled, None) => "the account was disabled",
        (EndReason::AccountDeleted, Some(actor)) => return format!("{actor} deleted the account"),
        (EndReason::AccountDeleted, None) => "the account was deleted",
        (EndReason::RefreshTokenReused, _) => {
            "a refresh token was used again, so two clients have the same token"
        }
        (EndReason::IdleTimeout, _) => "it was not refreshed for too long",
        (EndReason::LifetimeOver, _) => "it reached its maximum lifetime",
        (EndReason::SessionLimit, _) => "the user started more sessions than are allowed",
        (EndReason::KeyCompromised, _) => {
            "an operator declared the key that signed its tokens compromised"
        }
        (EndReason::NotMe, _) => "the account owner reported the login",
    };
    text.to_owned()
}
