//! The rows of `known_clients`.

use diesel::prelude::{Insertable, Queryable};
use gateward_domain::client::KnownClient;
use gateward_domain::link::SecretHash;
use gateward_domain::ports::StoreError;
use gateward_domain::{ClientId, Origin, UserId};

use super::super::columns::{Id, Time};
use super::super::schema::known_clients;
use super::{address, bytes_32};

/// A row of `known_clients`.
#[derive(Queryable, Insertable)]
#[diesel(table_name = known_clients)]
pub struct ClientRow {
    id: Id,
    user_id: Id,
    secret: Vec<u8>,
    ip: Option<String>,
    user_agent: Option<String>,
    created_at: Time,
    last_used_at: Time,
    expires_at: Time,
}

impl From<&KnownClient> for ClientRow {
    fn from(client: &KnownClient) -> Self {
        Self {
            id: Id(client.id.uuid()),
            user_id: Id(client.user_id.uuid()),
            secret: client.secret.0.to_vec(),
            ip: client.origin.ip.map(|ip| ip.to_string()),
            user_agent: client.origin.user_agent.clone(),
            created_at: Time(client.created_at),
            last_used_at: Time(client.last_used_at),
            expires_at: Time(client.expires_at),
        }
    }
}

impl TryFrom<ClientRow> for KnownClient {
    type Error = StoreError;

    fn try_from(row: ClientRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: ClientId::from_uuid(row.id.0),
            user_id: UserId::from_uuid(row.user_id.0),
            secret: SecretHash(bytes_32(&row.secret, "known_clients", "secret")?),
            origin: Origin {
                ip: address(row.ip.as_deref(), "known_clients")?,
                user_agent: row.user_agent,
            },
            created_at: row.created_at.0,
            last_used_at: row.last_used_at.0,
            expires_at: row.expires_at.0,
        })
    }
}
