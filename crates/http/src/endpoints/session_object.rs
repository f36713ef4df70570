//! The API object of a session, its IDs in paths, and the cursors of session lists.

use actix_web::HttpRequest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gateward_app::domain::{End, Session, SessionId, Timestamp};
use serde::Serialize;

use super::objects::rfc3339;

/// A session: a login and all its refreshes.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Session)]
pub(super) struct SessionBody {
    /// The ID of the session.
    #[schema(format = "uuid")]
    id: String,
    /// When the user logged in.
    #[schema(format = "date-time")]
    created_at: String,
    /// When the session was last refreshed.
    #[schema(format = "date-time")]
    last_used_at: String,
    /// When the session ends unless it is refreshed.
    #[schema(format = "date-time")]
    expires_at: String,
    /// The IP address of the login.
    ip: Option<String>,
    /// The `User-Agent` of the login.
    user_agent: Option<String>,
    /// The `client_name` from the login.
    client_name: Option<String>,
    /// How often the session was refreshed.
    refreshes: i64,
    /// Whether this is the session of the request.
    current: bool,
    /// When the session ended. Absent while it is active.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "date-time")]
    ended_at: Option<String>,
    /// Why the session ended: one of the reasons of `session_ended`. Absent while it is active.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "logout")]
    end_reason: Option<&'static str>,
}

impl SessionBody {
    /// The session as a caller with the session `current` sees it; `end` is set if it has ended.
    pub(super) fn new(session: &Session, current: SessionId, end: Option<End>) -> Self {
        Self {
            id: session.id.to_string(),
            created_at: rfc3339(session.created_at),
            last_used_at: rfc3339(session.refresh_state.rotated_at),
            expires_at: rfc3339(session.refresh_state.expires_at),
            ip: session.request_info.ip.map(|ip| ip.to_string()),
            user_agent: session.request_info.user_agent.clone(),
            client_name: session.client_name.clone(),
            refreshes: session.refresh_state.generation - 1,
            current: session.id == current,
            ended_at: end.map(|end| rfc3339(end.at)),
            end_reason: end.map(|end| end.reason.as_str()),
        }
    }
}

/// The session ID in this path parameter.
///
/// An invalid ID becomes one that no session has, so that it gets the same response as an unknown
/// one.
pub(super) fn named_session(request: &HttpRequest, name: &str) -> SessionId {
    let text = request.match_info().get(name).unwrap_or_default();
    let id = text.parse().ok().filter(|id: &SessionId| id.to_string() == text);
    id.unwrap_or_else(|| SessionId::before_all_at(Timestamp::from_seconds(0)))
}

/// The cursor of the page after this session.
pub(super) fn cursor_after(id: SessionId) -> String {
    URL_SAFE_NO_PAD.encode(id.uuid().as_bytes())
}

/// Parses a cursor from [`cursor_after`].
pub(super) fn read_cursor(text: &str) -> Option<SessionId> {
    let bytes: [u8; 16] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
    format!("{:032x}", u128::from_be_bytes(bytes)).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_and_nothing_else_is_one() {
        let text = "019abcde-0123-7456-89ab-cdef01234567";
        let id: SessionId = text.parse().unwrap();
        let cursor = cursor_after(id);
        assert_eq!(read_cursor(&cursor), Some(id));
        // The last character has four bits to spare, which must be zero.
        let bent = format!("{}x", &cursor[..21]);
        for bad in
            ["", "x", text, &cursor[..21], &format!("{cursor}="), &format!("{cursor}A"), &bent]
        {
            assert_eq!(read_cursor(bad), None, "{bad}");
        }
    }
}
