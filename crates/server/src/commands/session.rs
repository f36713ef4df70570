//! `gateward session`

use anyhow::Context;
use gateward_app::SessionTimeline;
use gateward_app::domain::{SessionId, Timestamp};
use gateward_http::rfc3339;
use serde_json::json;

use super::{ready, tell};
use crate::cli::SessionCommand;
use crate::settings::Settings;

pub(crate) async fn run(command: SessionCommand, settings: &Settings) -> anyhow::Result<()> {
    match command {
        SessionCommand::Explain { id, json } => explain(settings, &id, json).await,
        SessionCommand::EndAll { before } => end_all(settings, before).await,
    }
}

async fn explain(settings: &Settings, id: &str, as_json: bool) -> anyhow::Result<()> {
    let id: SessionId = id.trim().parse().context(
        "not a session ID; use the `sid` of an access token or the `session_id` of a response",
    )?;
    let wired = ready(settings).await?;
    let timeline = wired.app.session_timeline(id).await?.context(
        "no session with this ID; ended sessions are deleted one hour after their maximum lifetime",
    )?;
    if as_json {
        tell(&as_object(&timeline));
    } else {
        for sentence in sentences(&timeline) {
            tell(&sentence);
        }
    }
    Ok(())
}

fn sentences(timeline: &SessionTimeline) -> Vec<String> {
    let sentence = |entry: &gateward_app::TimelineEntry| {
        format!("{}: {} ({}).", rfc3339(entry.at), entry.message, entry.code)
    };
    timeline.entries.iter().map(sentence).collect()
}

fn as_object(timeline: &SessionTimeline) -> String {
    let session = &timeline.session;
    json!({
        "session": {
            "id": session.id.to_string(),
            "user_id": session.user_id.to_string(),
            "created_at": rfc3339(session.created_at),
            "last_used_at": rfc3339(session.refresh_state.rotated_at),
            "expires_at": rfc3339(session.refresh_state.expires_at),
            "ip": session.request_info.ip,
            "user_agent": session.request_info.user_agent,
            "client_name": session.client_name,
            "refreshes": session.refresh_state.generation - 1,
            "ended_at": timeline.end.map(|end| rfc3339(end.at)),
            "end_reason": timeline.end.map(|end| end.reason.as_str()),
        },
        "timeline": timeline.entries.iter().map(entry).collect::<Vec<_>>(),
    })
    .to_string()
}

/// An entry as `GET /sessions/{sid}/explain` returns it.
fn entry(entry: &gateward_app::TimelineEntry) -> serde_json::Value {
    json!({ "at": rfc3339(entry.at), "code": entry.code, "message": format!("{}.", entry.message) })
}

async fn end_all(settings: &Settings, before: Option<Timestamp>) -> anyhow::Result<()> {
    let wired = ready(settings).await?;
    let before = before.unwrap_or_else(|| wired.app.now());
    let count = wired
        .app
        .end_all_sessions(before, |count| {
            super::complain(&format!("Ended {count} sessions so far …"));
        })
        .await?;
    let noun = if count == 1 { "session" } else { "sessions" };
    tell(&format!("Ended {count} {noun} started before {}.", rfc3339(before)));
    Ok(())
}
