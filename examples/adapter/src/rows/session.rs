//! The row of a session, with its refresh state.

use std::net::IpAddr;

use gateward_domain::key::KeyId;
use gateward_domain::refresh::{IdempotencyKeyHash, RefreshState, Salt};
use gateward_domain::{End, EndReason, RequestInfo, Session, SessionId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Row;

/// The row of a session. It holds the salt of its tokens, so it has no `Debug`.
#[derive(Serialize, Deserialize)]
pub struct SessionRow {
    id: Uuid,
    user_id: Uuid,
    created_at: i64,
    auth_time: i64,
    lifetime_ends_at: i64,
    ip: Option<IpAddr>,
    user_agent: Option<String>,
    client_name: Option<String>,
    refresh_state: RefreshStateColumn,
    ended: Option<EndColumn>,
}

/// The columns of the refresh state.
#[derive(Serialize, Deserialize)]
struct RefreshStateColumn {
    generation: i64,
    rotated_at: i64,
    expires_at: i64,
    key_id: String,
    idempotency_key: Option<[u8; 32]>,
    salt: [u8; 32],
}

/// When and why the session ended.
#[derive(Serialize, Deserialize)]
struct EndColumn {
    at: i64,
    reason: String,
}

impl Row for SessionRow {
    type Noun = Session;
    type Key = u128;
    const TABLE: &'static str = "sessions";

    fn of(session: &Session) -> Self {
        Self {
            id: session.id.uuid(),
            user_id: session.user_id.uuid(),
            created_at: session.created_at.micros(),
            auth_time: session.auth_time.micros(),
            lifetime_ends_at: session.lifetime_ends_at.micros(),
            ip: session.request_info.ip,
            user_agent: session.request_info.user_agent.clone(),
            client_name: session.client_name.clone(),
            refresh_state: RefreshStateColumn::of(&session.refresh_state),
            ended: session.ended.map(EndColumn::of),
        }
    }

    fn into_noun(self) -> Result<Session, &'static str> {
        Ok(Session {
            id: SessionId::from_uuid(self.id),
            user_id: UserId::from_uuid(self.user_id),
            created_at: Timestamp::from_micros(self.created_at),
            auth_time: Timestamp::from_micros(self.auth_time),
            lifetime_ends_at: Timestamp::from_micros(self.lifetime_ends_at),
            request_info: RequestInfo { ip: self.ip, user_agent: self.user_agent },
            client_name: self.client_name,
            refresh_state: self.refresh_state.into_line(),
            ended: self.ended.map(EndColumn::into_end).transpose()?,
        })
    }
}

impl RefreshStateColumn {
    fn of(refresh_state: &RefreshState) -> Self {
        Self {
            generation: refresh_state.generation,
            rotated_at: refresh_state.rotated_at.micros(),
            expires_at: refresh_state.expires_at.micros(),
            key_id: refresh_state.key_id.0.clone(),
            idempotency_key: refresh_state.idempotency_key.map(|hash| hash.0),
            salt: refresh_state.salt.0,
        }
    }

    fn into_line(self) -> RefreshState {
        RefreshState {
            generation: self.generation,
            rotated_at: Timestamp::from_micros(self.rotated_at),
            expires_at: Timestamp::from_micros(self.expires_at),
            key_id: KeyId(self.key_id),
            idempotency_key: self.idempotency_key.map(IdempotencyKeyHash),
            salt: Salt(self.salt),
        }
    }
}

impl EndColumn {
    fn of(end: End) -> Self {
        Self { at: end.at.micros(), reason: end.reason.as_str().to_owned() }
    }

    fn into_end(self) -> Result<End, &'static str> {
        let reason = EndReason::from_code(&self.reason).ok_or("ended")?;
        Ok(End { at: Timestamp::from_micros(self.at), reason })
    }
}
