//! The row of a known client.

use std::net::IpAddr;

use gateward_domain::client::KnownClient;
use gateward_domain::link::SecretHash;
use gateward_domain::{ClientId, Origin, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Row;

/// The row of a client. It holds the hash of its secret, so it has no `Debug`.
#[derive(Serialize, Deserialize)]
pub struct ClientRow {
    id: Uuid,
    user_id: Uuid,
    secret: [u8; 32],
    ip: Option<IpAddr>,
    user_agent: Option<String>,
    created_at: i64,
    last_used_at: i64,
    expires_at: i64,
}

impl Row for ClientRow {
    type Noun = KnownClient;
    type Key = u128;
    const TABLE: &'static str = "clients";

    fn of(client: &KnownClient) -> Self {
        Self {
            id: client.id.uuid(),
            user_id: client.user_id.uuid(),
            secret: client.secret.0,
            ip: client.origin.ip,
            user_agent: client.origin.user_agent.clone(),
            created_at: client.created_at.micros(),
            last_used_at: client.last_used_at.micros(),
            expires_at: client.expires_at.micros(),
        }
    }

    fn into_noun(self) -> Result<KnownClient, &'static str> {
        Ok(KnownClient {
            id: ClientId::from_uuid(self.id),
            user_id: UserId::from_uuid(self.user_id),
            secret: SecretHash(self.secret),
            origin: Origin { ip: self.ip, user_agent: self.user_agent },
            created_at: Timestamp::from_micros(self.created_at),
            last_used_at: Timestamp::from_micros(self.last_used_at),
            expires_at: Timestamp::from_micros(self.expires_at),
        })
    }
}
