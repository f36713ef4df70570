//! The rows of `links`.

use diesel::prelude::{AsChangeset, Insertable, Queryable};
use gateward_domain::LinkId;
use gateward_domain::key::KeyId;
use gateward_domain::link::{Link, LinkPurpose, LinkSubject, SecretHash};
use gateward_domain::ports::StoreError;
use gateward_domain::refresh::Salt;

use super::super::columns::{Id, Time};
use super::super::schema::links;
use super::{bytes_32, corrupt, count, email};

/// A row of `links`. A link that replaces another updates all its columns, including the
/// identifier; `dedup_key` stays the same.
#[derive(Queryable, Insertable, AsChangeset)]
#[diesel(table_name = links, primary_key(purpose, dedup_key))]
pub struct LinkRow {
    id: Id,
    purpose: String,
    subject_id: Id,
    dedup_key: Id,
    email: String,
    key_id: String,
    salt: Vec<u8>,
    secret: Vec<u8>,
    code_attempts: i64,
    reserves_email: bool,
    created_at: Time,
    expires_at: Time,
}

impl From<&Link> for LinkRow {
    fn from(link: &Link) -> Self {
        Self {
            id: Id(link.id.uuid()),
            purpose: link.purpose.as_str().to_owned(),
            subject_id: Id(link.subject.uuid()),
            dedup_key: Id(link.dedup_key()),
            email: link.email.as_str().to_owned(),
            key_id: link.key_id.0.clone(),
            salt: link.salt.0.to_vec(),
            secret: link.secret.0.to_vec(),
            code_attempts: i64::from(link.code_attempts),
            reserves_email: link.reserves_email,
            created_at: Time(link.created_at),
            expires_at: Time(link.expires_at),
        }
    }
}

impl TryFrom<LinkRow> for Link {
    type Error = StoreError;

    fn try_from(row: LinkRow) -> Result<Self, StoreError> {
        let purpose =
            LinkPurpose::from_name(&row.purpose).ok_or_else(|| corrupt("links", "purpose"))?;
        let link = Self {
            id: LinkId::from_uuid(row.id.0),
            purpose,
            subject: LinkSubject::of(purpose, row.subject_id.0),
            email: email(&row.email, "links", "email")?,
            key_id: KeyId(row.key_id),
            salt: Salt(bytes_32(&row.salt, "links", "salt")?),
            secret: SecretHash(bytes_32(&row.secret, "links", "secret")?),
            code_attempts: count(row.code_attempts, "links", "code_attempts")?,
            reserves_email: row.reserves_email,
            created_at: row.created_at.0,
            expires_at: row.expires_at.0,
        };
        if link.dedup_key() == row.dedup_key.0 {
            Ok(link)
        } else {
            Err(corrupt("links", "dedup_key"))
        }
    }
}
