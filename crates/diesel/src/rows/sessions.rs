//! The rows of `sessions`, and the part of them that a refresh changes.

use diesel::prelude::{AsChangeset, Insertable, Queryable};
use gateward_domain::key::KeyId;
use gateward_domain::ports::StoreError;
use gateward_domain::refresh::{IdempotencyKeyHash, RefreshState, Salt};
use gateward_domain::{End, EndReason, RequestInfo, Session, SessionId, UserId};

use super::super::columns::{Id, Time};
use super::super::schema::sessions;
use super::{address, bytes_32, corrupt};

/// A row of `sessions`.
#[derive(Queryable, Insertable)]
#[diesel(table_name = sessions)]
pub struct SessionRow {
    id: Id,
    user_id: Id,
    created_at: Time,
    auth_time: Time,
    lifetime_ends_at: Time,
    ip: Option<String>,
    user_agent: Option<String>,
    client_name: Option<String>,
    generation: i64,
    rotated_at: Time,
    expires_at: Time,
    key_id: String,
    idempotency_hash: Option<Vec<u8>>,
    salt: Vec<u8>,
    ended_at: Option<Time>,
    end_reason: Option<String>,
}

impl From<&Session> for SessionRow {
    fn from(session: &Session) -> Self {
        let refresh_state = &session.refresh_state;
        Self {
            id: Id(session.id.uuid()),
            user_id: Id(session.user_id.uuid()),
            created_at: Time(session.created_at),
            auth_time: Time(session.auth_time),
            lifetime_ends_at: Time(session.lifetime_ends_at),
            ip: session.request_info.ip.map(|ip| ip.to_string()),
            user_agent: session.request_info.user_agent.clone(),
            client_name: session.client_name.clone(),
            generation: refresh_state.generation,
            rotated_at: Time(refresh_state.rotated_at),
            expires_at: Time(refresh_state.expires_at),
            key_id: refresh_state.key_id.0.clone(),
            idempotency_hash: refresh_state.idempotency_key.map(|hash| hash.0.to_vec()),
            salt: refresh_state.salt.0.to_vec(),
            ended_at: session.ended.map(|end| Time(end.at)),
            end_reason: session.ended.map(|end| end.reason.as_str().to_owned()),
        }
    }
}

impl TryFrom<SessionRow> for Session {
    type Error = StoreError;

    fn try_from(row: SessionRow) -> Result<Self, StoreError> {
        let hash = row.idempotency_hash.as_deref();
        let hash = hash.map(|hash| bytes_32(hash, "sessions", "idempotency_hash")).transpose()?;
        let ended = match (row.ended_at, row.end_reason) {
            (None, None) => None,
            (Some(at), Some(code)) => EndReason::from_code(&code)
                .map(|reason| Some(End { at: at.0, reason }))
                .ok_or_else(|| corrupt("sessions", "end_reason"))?,
            (Some(_), None) | (None, Some(_)) => return Err(corrupt("sessions", "end_reason")),
        };
        Ok(Self {
            id: SessionId::from_uuid(row.id.0),
            user_id: UserId::from_uuid(row.user_id.0),
            created_at: row.created_at.0,
            auth_time: row.auth_time.0,
            lifetime_ends_at: row.lifetime_ends_at.0,
            request_info: RequestInfo {
                ip: address(row.ip.as_deref(), "sessions")?,
                user_agent: row.user_agent,
            },
            client_name: row.client_name,
            refresh_state: RefreshState {
                generation: row.generation,
                rotated_at: row.rotated_at.0,
                expires_at: row.expires_at.0,
                key_id: KeyId(row.key_id),
                idempotency_key: hash.map(IdempotencyKeyHash),
                salt: Salt(bytes_32(&row.salt, "sessions", "salt")?),
            },
            ended,
        })
    }
}

/// The columns of a session that a refresh changes.
#[derive(AsChangeset)]
#[diesel(table_name = sessions, treat_none_as_null = true)]
pub struct RefreshStateRow {
    generation: i64,
    rotated_at: Time,
    expires_at: Time,
    key_id: String,
    idempotency_hash: Option<Vec<u8>>,
    salt: Vec<u8>,
}

impl From<&RefreshState> for RefreshStateRow {
    fn from(refresh_state: &RefreshState) -> Self {
        Self {
            generation: refresh_state.generation,
            rotated_at: Time(refresh_state.rotated_at),
            expires_at: Time(refresh_state.expires_at),
            key_id: refresh_state.key_id.0.clone(),
            idempotency_hash: refresh_state.idempotency_key.map(|hash| hash.0.to_vec()),
            salt: refresh_state.salt.0.to_vec(),
        }
    }
}
