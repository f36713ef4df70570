//! The rows of the tables, and how they become nouns of the domain and back.

use std::net::IpAddr;

use diesel::prelude::{AsChangeset, Insertable, Queryable};
use gateward_domain::key::{Algorithm, KeyId, KeyPurpose, StoredKey};
use gateward_domain::ports::{Instance, StoreError};
use gateward_domain::refresh::{KeyHash, Line, Salt};
use gateward_domain::{
    Actor, Email, End, EndReason, Event, EventId, EventKind, Origin, PasswordHash, RoleName,
    Session, SessionId, User, UserId, Username,
};

use super::columns::{Id, Time};
use super::schema::{events, instance, keys, sessions, users};

/// The error of a value that was never written by us.
const fn corrupt(table: &'static str, column: &'static str) -> StoreError {
    StoreError::Corrupt { table, column }
}

/// The 32 bytes of a hash or a salt.
fn bytes_32(bytes: &[u8], column: &'static str) -> Result<[u8; 32], StoreError> {
    bytes.try_into().map_err(|_| corrupt("sessions", column))
}

/// A client's address.
fn address(text: Option<&str>, table: &'static str) -> Result<Option<IpAddr>, StoreError> {
    text.map(str::parse).transpose().map_err(|_| corrupt(table, "ip"))
}

/// The one row of `instance`.
#[derive(Queryable, Insertable)]
#[diesel(table_name = instance)]
pub struct InstanceRow {
    only_row: bool,
    issuer: String,
    created_at: Time,
}

impl From<&Instance> for InstanceRow {
    fn from(instance: &Instance) -> Self {
        let Instance { issuer, created_at } = instance;
        Self { only_row: true, issuer: issuer.clone(), created_at: Time(*created_at) }
    }
}

impl From<InstanceRow> for Instance {
    fn from(row: InstanceRow) -> Self {
        Self { issuer: row.issuer, created_at: row.created_at.0 }
    }
}

/// A row of `keys`.
#[derive(Queryable, Insertable)]
#[diesel(table_name = keys)]
pub struct KeyRow {
    id: String,
    purpose: String,
    algorithm: String,
    sealed: Vec<u8>,
    public_jwk: Option<String>,
    created_at: Time,
    active_from: Time,
}

impl From<&StoredKey> for KeyRow {
    fn from(key: &StoredKey) -> Self {
        Self {
            id: key.id.0.clone(),
            purpose: key.purpose.as_str().to_owned(),
            algorithm: key.algorithm.as_str().to_owned(),
            sealed: key.sealed.clone(),
            public_jwk: key.public_jwk.clone(),
            created_at: Time(key.created_at),
            active_from: Time(key.active_from),
        }
    }
}

impl TryFrom<KeyRow> for StoredKey {
    type Error = StoreError;

    fn try_from(row: KeyRow) -> Result<Self, StoreError> {
        let purpose = KeyPurpose::from_name(&row.purpose);
        let algorithm = Algorithm::from_name(&row.algorithm);
        Ok(Self {
            id: KeyId(row.id),
            purpose: purpose.ok_or_else(|| corrupt("keys", "purpose"))?,
            algorithm: algorithm.ok_or_else(|| corrupt("keys", "algorithm"))?,
            sealed: row.sealed,
            public_jwk: row.public_jwk,
            created_at: row.created_at.0,
            active_from: row.active_from.0,
        })
    }
}

/// A row of `users`.
#[derive(Queryable, Insertable)]
#[diesel(table_name = users)]
pub struct UserRow {
    id: Id,
    username: String,
    email: String,
    email_verified: bool,
    disabled: bool,
    password_hash: String,
    credentials_version: i64,
    created_at: Time,
    updated_at: Time,
}

impl From<&User> for UserRow {
    fn from(user: &User) -> Self {
        Self {
            id: Id(user.id.uuid()),
            username: user.username.as_str().to_owned(),
            email: user.email.as_str().to_owned(),
            email_verified: user.email_verified,
            disabled: user.disabled,
            password_hash: user.password_hash.expose().to_owned(),
            credentials_version: user.credentials_version,
            created_at: Time(user.created_at),
            updated_at: Time(user.updated_at),
        }
    }
}

impl UserRow {
    /// The account, with its roles as the database lists them: apart by commas, in any order.
    pub fn into_user(self, roles: Option<&str>) -> Result<User, StoreError> {
        let username = Username::parse_existing(&self.username);
        let email = Email::parse(&self.email).ok();
        let roles = roles.into_iter().flat_map(|roles| roles.split(','));
        let roles: Result<Vec<_>, _> = roles.map(RoleName::parse).collect();
        let mut roles = roles.map_err(|_| corrupt("user_roles", "role"))?;
        roles.sort();
        Ok(User {
            id: UserId::from_uuid(self.id.0),
            username: username.map_err(|_| corrupt("users", "username"))?,
            email: email
                .filter(|email| email.as_str() == self.email)
                .ok_or_else(|| corrupt("users", "email"))?,
            email_verified: self.email_verified,
            roles,
            disabled: self.disabled,
            password_hash: PasswordHash::from_phc(self.password_hash),
            credentials_version: self.credentials_version,
            created_at: self.created_at.0,
            updated_at: self.updated_at.0,
        })
    }
}

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
        let line = &session.line;
        Self {
            id: Id(session.id.uuid()),
            user_id: Id(session.user_id.uuid()),
            created_at: Time(session.created_at),
            auth_time: Time(session.auth_time),
            lifetime_ends_at: Time(session.lifetime_ends_at),
            ip: session.origin.ip.map(|ip| ip.to_string()),
            user_agent: session.origin.user_agent.clone(),
            client_name: session.client_name.clone(),
            generation: line.generation,
            rotated_at: Time(line.rotated_at),
            expires_at: Time(line.expires_at),
            key_id: line.key_id.0.clone(),
            idempotency_hash: line.idempotency.map(|hash| hash.0.to_vec()),
            salt: line.salt.0.to_vec(),
            ended_at: session.ended.map(|end| Time(end.at)),
            end_reason: session.ended.map(|end| end.reason.as_str().to_owned()),
        }
    }
}

impl TryFrom<SessionRow> for Session {
    type Error = StoreError;

    fn try_from(row: SessionRow) -> Result<Self, StoreError> {
        let hash = row.idempotency_hash.as_deref();
        let hash = hash.map(|hash| bytes_32(hash, "idempotency_hash")).transpose()?;
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
            origin: Origin {
                ip: address(row.ip.as_deref(), "sessions")?,
                user_agent: row.user_agent,
            },
            client_name: row.client_name,
            line: Line {
                generation: row.generation,
                rotated_at: row.rotated_at.0,
                expires_at: row.expires_at.0,
                key_id: KeyId(row.key_id),
                idempotency: hash.map(KeyHash),
                salt: Salt(bytes_32(&row.salt, "salt")?),
            },
            ended,
        })
    }
}

/// The columns of a session that a refresh changes.
#[derive(AsChangeset)]
#[diesel(table_name = sessions, treat_none_as_null = true)]
pub struct LineRow {
    generation: i64,
    rotated_at: Time,
    expires_at: Time,
    key_id: String,
    idempotency_hash: Option<Vec<u8>>,
    salt: Vec<u8>,
}

impl From<&Line> for LineRow {
    fn from(line: &Line) -> Self {
        Self {
            generation: line.generation,
            rotated_at: Time(line.rotated_at),
            expires_at: Time(line.expires_at),
            key_id: line.key_id.0.clone(),
            idempotency_hash: line.idempotency.map(|hash| hash.0.to_vec()),
            salt: line.salt.0.to_vec(),
        }
    }
}

/// A row of `events`.
#[derive(Queryable, Insertable)]
#[diesel(table_name = events)]
pub struct EventRow {
    id: Id,
    happened_at: Time,
    kind: String,
    reason: Option<String>,
    actor: String,
    actor_id: Option<Id>,
    user_id: Option<Id>,
    session_id: Option<Id>,
    ip: Option<String>,
}

impl From<&Event> for EventRow {
    fn from(event: &Event) -> Self {
        let (actor, actor_id) = match event.actor {
            Actor::User(id) => ("user", Some(Id(id.uuid()))),
            Actor::Operator => ("operator", None),
            Actor::Service => ("service", None),
        };
        Self {
            id: Id(event.id.uuid()),
            happened_at: Time(event.at),
            kind: event.kind.as_str().to_owned(),
            reason: event.kind.reason().map(|reason| reason.as_str().to_owned()),
            actor: actor.to_owned(),
            actor_id,
            user_id: event.user_id.map(|id| Id(id.uuid())),
            session_id: event.session_id.map(|id| Id(id.uuid())),
            ip: event.ip.map(|ip| ip.to_string()),
        }
    }
}

impl TryFrom<EventRow> for Event {
    type Error = StoreError;

    fn try_from(row: EventRow) -> Result<Self, StoreError> {
        let actor = match (row.actor.as_str(), row.actor_id) {
            ("user", Some(id)) => Actor::User(UserId::from_uuid(id.0)),
            ("operator", None) => Actor::Operator,
            ("service", None) => Actor::Service,
            _ => return Err(corrupt("events", "actor")),
        };
        Ok(Self {
            id: EventId::from_uuid(row.id.0),
            at: row.happened_at.0,
            kind: event_kind(&row.kind, row.reason.as_deref())?,
            actor,
            user_id: row.user_id.map(|id| UserId::from_uuid(id.0)),
            session_id: row.session_id.map(|id| SessionId::from_uuid(id.0)),
            ip: address(row.ip.as_deref(), "events")?,
        })
    }
}

/// Reads the name of an event and its reason.
fn event_kind(name: &str, reason: Option<&str>) -> Result<EventKind, StoreError> {
    let reason = match reason.map(EndReason::from_code) {
        Some(None) => return Err(corrupt("events", "reason")),
        known => known.flatten(),
    };
    EventKind::from_parts(name, reason).ok_or_else(|| corrupt("events", "kind"))
}
