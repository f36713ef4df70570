//! The row of an account.

use gateward_domain::{
    EmailAddress, PasswordHash, PermissionSet, RoleName, Timestamp, User, UserId, Username,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Row;

/// The row of an account. It holds a password's hash, so it has no `Debug`.
#[derive(Serialize, Deserialize)]
pub struct UserRow {
    id: Uuid,
    username: String,
    email: String,
    email_verified: bool,
    roles: Vec<String>,
    disabled: bool,
    password_hash: String,
    credentials_version: i64,
    created_at: i64,
    updated_at: i64,
}

impl Row for UserRow {
    type Noun = User;
    type Key = u128;
    const TABLE: &'static str = "users";

    fn of(user: &User) -> Self {
        let mut roles: Vec<_> = user.roles.iter().map(|role| role.as_str().to_owned()).collect();
        roles.sort();
        Self {
            id: user.id.uuid(),
            username: user.username.as_str().to_owned(),
            email: user.email.as_str().to_owned(),
            email_verified: user.email_verified,
            roles,
            disabled: user.disabled,
            password_hash: user.password_hash.expose().to_owned(),
            credentials_version: user.credentials_version,
            created_at: user.created_at.micros(),
            updated_at: user.updated_at.micros(),
        }
    }

    fn into_noun(self) -> Result<User, &'static str> {
        let roles = self.roles.iter().map(|role| RoleName::parse(role).map_err(|_| "roles"));
        Ok(User {
            id: UserId::from_uuid(self.id),
            // A username that was once allowed stays valid, even if it is reserved by now.
            username: Username::parse_existing(&self.username).map_err(|_| "username")?,
            email: EmailAddress::parse(&self.email).map_err(|_| "email")?,
            email_verified: self.email_verified,
            roles: roles.collect::<Result<_, _>>()?,
            // Permissions are stored with the roles.
            permissions: PermissionSet::EMPTY,
            disabled: self.disabled,
            password_hash: PasswordHash::from_phc(self.password_hash),
            credentials_version: self.credentials_version,
            created_at: Timestamp::from_micros(self.created_at),
            updated_at: Timestamp::from_micros(self.updated_at),
        })
    }
}
