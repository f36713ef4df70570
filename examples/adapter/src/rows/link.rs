//! The row of an emailed link.

use gateward_domain::key::KeyId;
use gateward_domain::link::{Link, LinkPurpose, LinkSubject, SecretHash};
use gateward_domain::refresh::Salt;
use gateward_domain::{EmailAddress, LinkId, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Row;

/// The row of a link. It holds the salt of its secrets, so it has no `Debug`.
#[derive(Serialize, Deserialize)]
pub struct LinkRow {
    id: Uuid,
    purpose: String,
    subject: Uuid,
    email: String,
    key_id: String,
    salt: [u8; 32],
    secret: [u8; 32],
    code_attempts: u32,
    reserves_email: bool,
    created_at: i64,
    expires_at: i64,
}

impl Row for LinkRow {
    type Noun = Link;
    type Key = u128;
    const TABLE: &'static str = "links";

    fn of(link: &Link) -> Self {
        Self {
            id: link.id.uuid(),
            purpose: link.purpose.as_str().to_owned(),
            subject: link.subject.uuid(),
            email: link.email.as_str().to_owned(),
            key_id: link.key_id.0.clone(),
            salt: link.salt.0,
            secret: link.secret.0,
            code_attempts: link.code_attempts,
            reserves_email: link.reserves_email,
            created_at: link.created_at.micros(),
            expires_at: link.expires_at.micros(),
        }
    }

    fn into_noun(self) -> Result<Link, &'static str> {
        let purpose = LinkPurpose::from_name(&self.purpose).ok_or("purpose")?;
        Ok(Link {
            id: LinkId::from_uuid(self.id),
            purpose,
            subject: LinkSubject::of(purpose, self.subject),
            email: EmailAddress::parse(&self.email).map_err(|_| "email")?,
            key_id: KeyId(self.key_id),
            salt: Salt(self.salt),
            secret: SecretHash(self.secret),
            code_attempts: self.code_attempts,
            reserves_email: self.reserves_email,
            created_at: Timestamp::from_micros(self.created_at),
            expires_at: Timestamp::from_micros(self.expires_at),
        })
    }
}
