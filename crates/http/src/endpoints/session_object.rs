//! A session as the API shows it, and how a request names one.

use actix_web::HttpRequest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gateward_app::domain::{End, Session, SessionId, Timestamp};
use serde::Serialize;

use super::objects::rfc3339;

/// A login and all its refreshes.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Session)]
pub(super) struct SessionBody {
    #[schema(format = "uuid")]
    id: String,
    #[schema(format = "date-time")]
    created_at: String,
    /// When it was last refreshed.
    #[schema(format = "date-time")]
    last_used_at: String,
    /// When it ends if it is not refreshed.
    #[schema(format = "date-time")]
    expires_at: String,
    /// The address that it began from.
    ip: Option<String>,
    user_agent: Option<String>,
    /// The name that the client gave itself.
    client_name: Option<String>,
    /// How often it was refreshed.
    refreshes: i64,
    /// Whether it is the one of this request.
    current: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "date-time")]
    ended_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "logout")]
    end_reason: Option<&'static str>,
}

impl SessionBody {
    /// What is shown to whoever calls with the session `current`; `end` is its end, if it is over.
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

/// The session that the path names under this name.
///
/// A text that is not an identifier, as it is written in answers, names one that nobody has: so its
/// answer is that of every unknown one.
pub(super) fn named_session(request: &HttpRequest, name: &str) -> SessionId {
    let text = request.match_info().get(name).unwrap_or_default();
    let id = text.parse().ok().filter(|id: &SessionId| id.to_string() == text);
    id.unwrap_or_else(|| SessionId::before_all_at(Timestamp::from_seconds(0)))
}

/// The place in a list behind this session.
pub(super) fn cursor_after(id: SessionId) -> String {
    URL_SAFE_NO_PAD.encode(id.uuid().as_bytes())
}

/// Reads what [`cursor_after`] writes.
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
