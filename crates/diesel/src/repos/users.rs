//! `UserRepo`: accounts.

use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use gateward_domain::ports::{StoreError, Taken, UserRepo};
use gateward_domain::{Identifier, PasswordHash, Timestamp, User, UserId, Username};

use super::super::Tx;
use super::super::columns::{Id, Time};
use super::super::rows::UserRow;
use super::super::schema::{lower, roles_of_user, user_roles, users};

/// An account as the database gives it.
type Found = Option<(UserRow, Option<String>)>;

/// The account of a row, if there is one.
fn user(found: Found) -> Result<Option<User>, StoreError> {
    found.map(|(row, roles)| row.into_user(roles.as_deref())).transpose()
}

#[async_trait]
impl UserRepo for Tx {
    async fn insert_user(&mut self, user: &User) -> Result<(), StoreError> {
        atomically!(self, self.insert_user_and_roles(user))
    }

    async fn find_user(&mut self, id: UserId) -> Result<Option<User>, StoreError> {
        let id = Id(id.uuid());
        user(find!(self, "users", conn => users::table
            .filter(users::id.eq(id))
            .select((users::all_columns, roles_of_user()))
            .first(conn))?)
    }

    async fn find_user_by_identifier(
        &mut self,
        identifier: &Identifier,
    ) -> Result<Option<User>, StoreError> {
        user(match identifier {
            Identifier::Email(email) => find!(self, "users", conn => users::table
                .filter(users::email.eq(email.as_str()))
                .select((users::all_columns, roles_of_user()))
                .first(conn))?,
            Identifier::Username(username) => find!(self, "users", conn => users::table
                .filter(lower(users::username).eq(username.folded()))
                .select((users::all_columns, roles_of_user()))
                .first(conn))?,
        })
    }

    async fn lock_user(&mut self, id: UserId) -> Result<Option<User>, StoreError> {
        self.may_lock()?;
        let key = Id(id.uuid());
        let row = users::table.filter(users::id.eq(key)).select(users::id);
        let locked = find!(self, "users", conn => locked!(row).first::<Id>(conn))?;
        // Whoever had to wait for the lock sees the roles as they are now in a second query alone.
        if locked.is_none() { Ok(None) } else { self.find_user(id).await }
    }

    async fn set_username(
        &mut self,
        id: UserId,
        username: &Username,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let update = diesel::update(users::table.find(Id(id.uuid())))
            .set((users::username.eq(username.as_str()), users::updated_at.eq(Time(now))));
        Ok(change!(self, "users", conn => update.execute(conn))? > 0)
    }

    async fn set_password(
        &mut self,
        id: UserId,
        version: i64,
        hash: &PasswordHash,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let current = users::id.eq(Id(id.uuid())).and(users::credentials_version.eq(version));
        let update = diesel::update(users::table.filter(current)).set((
            users::password_hash.eq(hash.expose()),
            users::credentials_version.eq(version.saturating_add(1)),
            users::updated_at.eq(Time(now)),
        ));
        Ok(change!(self, "users", conn => update.execute(conn))? > 0)
    }

    async fn renew_password_hash(
        &mut self,
        id: UserId,
        version: i64,
        hash: &PasswordHash,
    ) -> Result<bool, StoreError> {
        let current = users::id.eq(Id(id.uuid())).and(users::credentials_version.eq(version));
        let update = diesel::update(users::table.filter(current))
            .set(users::password_hash.eq(hash.expose()));
        Ok(change!(self, "users", conn => update.execute(conn))? > 0)
    }

    async fn set_user_disabled(
        &mut self,
        id: UserId,
        disabled: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let other = users::id.eq(Id(id.uuid())).and(users::disabled.ne(disabled));
        let update = diesel::update(users::table.filter(other))
            .set((users::disabled.eq(disabled), users::updated_at.eq(Time(now))));
        Ok(change!(self, "users", conn => update.execute(conn))? > 0)
    }
}

impl Tx {
    /// Adds an account and its roles, in statements of their own.
    async fn insert_user_and_roles(&mut self, user: &User) -> Result<(), StoreError> {
        let insert =
            diesel::insert_into(users::table).values(UserRow::from(user)).on_conflict_do_nothing();
        if change!(self, "users", conn => insert.execute(conn))? == 0 {
            return Err(self.what_is_taken(user).await?);
        }
        for role in &user.roles {
            let insert = diesel::insert_into(user_roles::table).values((
                user_roles::user_id.eq(Id(user.id.uuid())),
                user_roles::role.eq(role.as_str()),
            ));
            change!(self, "user_roles", conn => insert.execute(conn))?;
        }
        Ok(())
    }

    /// Why an account could not be added. A second statement sees who won the race for the name.
    async fn what_is_taken(&mut self, user: &User) -> Result<StoreError, StoreError> {
        let (name, email) = (user.username.folded(), user.email.as_str());
        let name = find!(self, "users", conn => users::table
            .filter(lower(users::username).eq(&name))
            .select(users::id)
            .first::<Id>(conn))?;
        if name.is_some() {
            return Ok(StoreError::Taken(Taken::Username));
        }
        let email = find!(self, "users", conn => users::table
            .filter(users::email.eq(email))
            .select(users::id)
            .first::<Id>(conn))?;
        let id = Id(user.id.uuid());
        let id = find!(self, "users", conn => users::table
            .filter(users::id.eq(id))
            .select(users::id)
            .first::<Id>(conn))?;
        Ok(match (email, id) {
            (Some(_), _) => StoreError::Taken(Taken::Email),
            (None, Some(_)) => StoreError::Unavailable("this account is there already".into()),
            // Whoever was in the way is gone meanwhile.
            (None, None) => StoreError::Busy,
        })
    }
}
