//! `RoleRepo`: custom roles, and their assignment to accounts.

use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use gateward_domain::ports::{RoleRepo, StoreError};
use gateward_domain::{Role, RoleName, Timestamp, UserId};

use super::super::Tx;
use super::super::columns::{Id, Time};
use super::super::rows::RoleRow;
use super::super::schema::{roles, user_roles, users};

#[async_trait]
impl RoleRepo for Tx {
    async fn list_roles(&mut self) -> Result<Vec<Role>, StoreError> {
        let rows = read!(self, "roles", conn => roles::table
            .order(roles::name)
            .load::<RoleRow>(conn))?;
        rows.into_iter().map(Role::try_from).collect()
    }

    async fn put_role(&mut self, role: &Role, now: Timestamp) -> Result<bool, StoreError> {
        atomically!(self, self.insert_or_update_role(role, now))
    }

    async fn delete_role(&mut self, name: &RoleName) -> Result<bool, StoreError> {
        let delete = diesel::delete(roles::table.find(name.as_str()));
        Ok(change!(self, "roles", conn => delete.execute(conn))? > 0)
    }

    async fn set_user_roles(
        &mut self,
        id: UserId,
        roles: &[RoleName],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        atomically!(self, self.replace_user_roles(id, roles, now))
    }
}

impl Tx {
    /// Inserts a role, or updates its permissions. Returns whether it is new.
    async fn insert_or_update_role(
        &mut self,
        role: &Role,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let insert = diesel::insert_into(roles::table)
            .values(RoleRow::new(role, now))
            .on_conflict_do_nothing();
        if change!(self, "roles", conn => insert.execute(conn))? > 0 {
            return Ok(true);
        }
        let update =
            diesel::update(roles::table.find(role.name.as_str())).set(RoleRow::new(role, now));
        change!(self, "roles", conn => update.execute(conn)).map(|_| false)
    }

    /// Deletes the roles that are not listed, and inserts the missing ones.
    async fn replace_user_roles(
        &mut self,
        id: UserId,
        roles: &[RoleName],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let id = Id(id.uuid());
        let update = diesel::update(users::table.find(id)).set(users::updated_at.eq(Time(now)));
        if change!(self, "users", conn => update.execute(conn))? == 0 {
            return Ok(false);
        }
        let names: Vec<_> = roles.iter().map(RoleName::as_str).collect();
        let others = user_roles::user_id.eq(id).and(user_roles::role.ne_all(&names));
        let delete = diesel::delete(user_roles::table.filter(others));
        change!(self, "user_roles", conn => delete.execute(conn))?;
        for name in names {
            let insert = diesel::insert_into(user_roles::table)
                .values((user_roles::user_id.eq(id), user_roles::role.eq(name)))
                .on_conflict_do_nothing();
            change!(self, "user_roles", conn => insert.execute(conn))?;
        }
        Ok(true)
    }
}
