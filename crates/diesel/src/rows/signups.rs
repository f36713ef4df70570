//! The rows of `signups`.

use diesel::prelude::{Insertable, Queryable};
use gateward_domain::link::SecretHash;
use gateward_domain::ports::StoreError;
use gateward_domain::signup::PendingSignup;
use gateward_domain::{PasswordHash, SignupId, Username};

use super::super::columns::{Id, Time};
use super::super::schema::signups;
use super::{bytes_32, corrupt, email};

/// A row of `signups`.
#[derive(Queryable, Insertable)]
#[diesel(table_name = signups)]
pub struct SignupRow {
    id: Id,
    secret: Vec<u8>,
    username: String,
    email: String,
    password_hash: String,
    created_at: Time,
    expires_at: Time,
}

impl From<&PendingSignup> for SignupRow {
    fn from(signup: &PendingSignup) -> Self {
        Self {
            id: Id(signup.id.uuid()),
            secret: signup.secret.0.to_vec(),
            username: signup.username.as_str().to_owned(),
            email: signup.email.as_str().to_owned(),
            password_hash: signup.password_hash.expose().to_owned(),
            created_at: Time(signup.created_at),
            expires_at: Time(signup.expires_at),
        }
    }
}

impl TryFrom<SignupRow> for PendingSignup {
    type Error = StoreError;

    fn try_from(row: SignupRow) -> Result<Self, StoreError> {
        let username = Username::parse_existing(&row.username);
        Ok(Self {
            id: SignupId::from_uuid(row.id.0),
            secret: SecretHash(bytes_32(&row.secret, "signups", "secret")?),
            username: username.map_err(|_| corrupt("signups", "username"))?,
            email: email(&row.email, "signups", "email")?,
            password_hash: PasswordHash::from_phc(row.password_hash),
            created_at: row.created_at.0,
            expires_at: row.expires_at.0,
        })
    }
}
