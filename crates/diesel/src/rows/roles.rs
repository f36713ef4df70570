//! The rows of `roles`.

use diesel::prelude::{AsChangeset, Insertable, Queryable};
use gateward_domain::ports::StoreError;
use gateward_domain::{PermissionSet, Role, RoleName, Timestamp};

use super::super::columns::Time;
use super::super::schema::roles;
use super::corrupt;

/// A row of `roles`.
#[derive(Queryable, Insertable, AsChangeset)]
#[diesel(table_name = roles, primary_key(name))]
pub struct RoleRow {
    name: String,
    permissions: String,
    updated_at: Time,
}

impl RoleRow {
    /// Returns the row of a role that is defined at `now`.
    pub fn new(role: &Role, now: Timestamp) -> Self {
        let (name, permissions) = (role.name.as_str().to_owned(), role.permissions.to_text());
        Self { name, permissions, updated_at: Time(now) }
    }
}

impl TryFrom<RoleRow> for Role {
    type Error = StoreError;

    fn try_from(row: RoleRow) -> Result<Self, StoreError> {
        let name = RoleName::parse(&row.name).map_err(|_| corrupt("roles", "name"))?;
        Ok(Self { name, permissions: PermissionSet::from_text(&row.permissions) })
    }
}
