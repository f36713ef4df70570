//! The rows of `users`.

use diesel::prelude::{Insertable, Queryable};
use gateward_domain::ports::StoreError;
use gateward_domain::{
    PasswordHash, PermissionSet, RoleName, User, UserId, Username, permissions_given,
};

use super::super::columns::{Id, Time};
use super::super::schema::users;
use super::{corrupt, email};

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

/// The roles and permissions of an account as the database aggregates them: separated by commas, in
/// any order.
#[derive(Queryable)]
pub struct HeldRow {
    roles: Option<String>,
    /// The permissions of its custom roles.
    permissions: Option<String>,
}

impl HeldRow {
    fn roles(&self) -> Result<Vec<RoleName>, StoreError> {
        let names = self.roles.iter().flat_map(|names| names.split(','));
        let roles: Result<Vec<_>, _> = names.map(RoleName::parse).collect();
        let mut roles = roles.map_err(|_| corrupt("user_roles", "role"))?;
        roles.sort();
        Ok(roles)
    }
}

impl UserRow {
    /// Returns the account with its roles and permissions.
    pub fn into_user(self, held: &HeldRow) -> Result<User, StoreError> {
        let username = Username::parse_existing(&self.username);
        let roles = held.roles()?;
        let stored = held.permissions.as_deref().map(PermissionSet::from_text);
        Ok(User {
            id: UserId::from_uuid(self.id.0),
            username: username.map_err(|_| corrupt("users", "username"))?,
            email: email(&self.email, "users", "email")?,
            email_verified: self.email_verified,
            permissions: permissions_given(&roles, stored),
            roles,
            disabled: self.disabled,
            password_hash: PasswordHash::from_phc(self.password_hash),
            credentials_version: self.credentials_version,
            created_at: self.created_at.0,
            updated_at: self.updated_at.0,
        })
    }
}
