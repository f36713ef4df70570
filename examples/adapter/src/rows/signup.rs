//! The row of a pending sign-up.

use gateward_domain::link::SecretHash;
use gateward_domain::signup::PendingSignup;
use gateward_domain::{EmailAddress, PasswordHash, SignupId, Timestamp, Username};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Row;

/// The row of a pending sign-up. It holds a password's hash, so it has no `Debug`.
#[derive(Serialize, Deserialize)]
pub struct SignupRow {
    id: Uuid,
    secret: [u8; 32],
    username: String,
    email: String,
    password_hash: String,
    created_at: i64,
    expires_at: i64,
}

impl Row for SignupRow {
    type Noun = PendingSignup;
    type Key = u128;
    const TABLE: &'static str = "signups";

    fn of(signup: &PendingSignup) -> Self {
        Self {
            id: signup.id.uuid(),
            secret: signup.secret.0,
            username: signup.username.as_str().to_owned(),
            email: signup.email.as_str().to_owned(),
            password_hash: signup.password_hash.expose().to_owned(),
            created_at: signup.created_at.micros(),
            expires_at: signup.expires_at.micros(),
        }
    }

    fn into_noun(self) -> Result<PendingSignup, &'static str> {
        Ok(PendingSignup {
            id: SignupId::from_uuid(self.id),
            secret: SecretHash(self.secret),
            username: Username::parse_existing(&self.username).map_err(|_| "username")?,
            email: EmailAddress::parse(&self.email).map_err(|_| "email")?,
            password_hash: PasswordHash::from_phc(self.password_hash),
            created_at: Timestamp::from_micros(self.created_at),
            expires_at: Timestamp::from_micros(self.expires_at),
        })
    }
}
