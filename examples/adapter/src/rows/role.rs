//! The row of a role.

use gateward_domain::{PermissionSet, Role, RoleName};
use serde::{Deserialize, Serialize};

use super::Row;

/// The row of a role.
#[derive(Serialize, Deserialize)]
pub struct RoleRow {
    name: String,
    permissions: String,
}

impl Row for RoleRow {
    type Noun = Role;
    type Key = &'static str;
    const TABLE: &'static str = "roles";

    fn of(role: &Role) -> Self {
        Self { name: role.name.as_str().to_owned(), permissions: role.permissions.to_text() }
    }

    fn into_noun(self) -> Result<Role, &'static str> {
        Ok(Role {
            name: RoleName::parse(&self.name).map_err(|_| "name")?,
            permissions: PermissionSet::from_text(&self.permissions),
        })
    }
}
