//! `UserRepo`: accounts.

use async_trait::async_trait;
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use gateward_domain::link::LinkPurpose;
use gateward_domain::ports::{StoreError, Taken, UserRepo};
use gateward_domain::{
    EmailAddress, Identifier, PasswordHash, RoleName, Timestamp, User, UserId, UserRange, Username,
};

use super::super::Tx;
use super::super::columns::{Id, Time};
use super::super::rows::{HeldRow, UserRow};
use super::super::schema::{held_by_user, links, lower, user_numbers, user_roles, users};

/// The links that reserve an email address for an account, at a time.
macro_rules! reservations {
    ($email:expr, $now:expr) => {
        links::table
            .filter(links::email.eq($email.as_str()))
            .filter(links::reserves_email)
            .filter(links::purpose.ne(LinkPurpose::ConfirmSignup.as_str()))
            .filter(links::expires_at.gt(Time($now)))
    };
}

/// An account as the database returns it.
type Found = Option<(UserRow, HeldRow)>;

/// Converts a row to the account, if there is one.
fn user(found: Found) -> Result<Option<User>, StoreError> {
    found.map(|(row, held)| row.into_user(&held)).transpose()
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
            .select((users::all_columns, held_by_user()))
            .first(conn))?)
    }

    async fn find_user_number(&mut self, id: UserId) -> Result<Option<i64>, StoreError> {
        let id = Id(id.uuid());
        find!(self, "user_numbers", conn => user_numbers::table
            .filter(user_numbers::user_id.eq(id))
            .select(user_numbers::number)
            .first(conn))
    }

    async fn assign_user_number(&mut self, id: UserId) -> Result<Option<i64>, StoreError> {
        atomically!(self, self.assign_number(id))
    }

    async fn find_user_by_identifier(
        &mut self,
        identifier: &Identifier,
    ) -> Result<Option<User>, StoreError> {
        user(match identifier {
            Identifier::Email(email) => find!(self, "users", conn => users::table
                .filter(users::email.eq(email.as_str()))
                .select((users::all_columns, held_by_user()))
                .first(conn))?,
            Identifier::Username(username) => find!(self, "users", conn => users::table
                .filter(lower(users::username).eq(username.folded()))
                .select((users::all_columns, held_by_user()))
                .first(conn))?,
        })
    }

    async fn lock_user(&mut self, id: UserId) -> Result<Option<User>, StoreError> {
        self.may_lock()?;
        let key = Id(id.uuid());
        let row = users::table.filter(users::id.eq(key)).select(users::id);
        let locked = find!(self, "users", conn => locked!(row).first::<Id>(conn))?;
        // After a wait for the lock, only a second query sees the current roles.
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

    async fn set_email(
        &mut self,
        id: UserId,
        email: &EmailAddress,
        verified: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        atomically!(self, self.set_free_email(id, email, verified, now))
    }

    async fn find_email_owner(
        &mut self,
        email: &EmailAddress,
        now: Timestamp,
    ) -> Result<Option<UserId>, StoreError> {
        // One statement, so that an email address that moves from one account to the other is seen.
        let (holder, reserver) = read!(self, "users", conn => {
            let holder = users::table.filter(users::email.eq(email.as_str())).select(users::id);
            let reserver = reservations!(email, now).select(links::subject_id);
            diesel::select((holder.single_value(), reserver.single_value()))
                .get_result::<(Option<Id>, Option<Id>)>(conn)
        })?;
        Ok(holder.or(reserver).map(|id| UserId::from_uuid(id.0)))
    }

    async fn delete_user(&mut self, id: UserId) -> Result<bool, StoreError> {
        atomically!(self, self.delete_user_and_links(id))
    }

    async fn list_users(
        &mut self,
        range: &UserRange,
        after: Option<String>,
        limit: u32,
    ) -> Result<Vec<User>, StoreError> {
        self.users_in(range, after.as_deref(), limit).await
    }

    async fn count_users_with_role(&mut self, role: &RoleName) -> Result<u64, StoreError> {
        let count = read!(self, "users", conn => user_roles::table
            .inner_join(users::table.on(users::id.eq(user_roles::user_id)))
            .filter(user_roles::role.eq(role.as_str()))
            .filter(users::disabled.eq(false).and(users::email_verified.eq(true)))
            .count()
            .get_result::<i64>(conn))?;
        Ok(u64::try_from(count).unwrap_or(0))
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

    async fn set_rehashed_password(
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
    async fn assign_number(&mut self, id: UserId) -> Result<Option<i64>, StoreError> {
        let account = users::table.filter(users::id.eq(Id(id.uuid()))).select(users::id);
        let insert = diesel::insert_into(user_numbers::table)
            .values(account)
            .into_columns(user_numbers::user_id)
            .on_conflict_do_nothing();
        change!(self, "user_numbers", conn => insert.execute(conn))?;
        self.find_user_number(id).await
    }

    /// Inserts an account and its roles, in separate statements.
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
        self.refuse_reserved(user.id, &user.email, user.created_at).await
    }

    /// Sets an email address that no other account has.
    async fn set_free_email(
        &mut self,
        id: UserId,
        email: &EmailAddress,
        verified: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let update = diesel::update(users::table.find(Id(id.uuid()))).set((
            users::email.eq(email.as_str()),
            users::email_verified.eq(verified),
            users::updated_at.eq(Time(now)),
        ));
        if change!(self, "users", conn => update.execute(conn))? == 0 {
            return Ok(false);
        }
        self.refuse_reserved(id, email, now).await.map(|()| true)
    }

    /// Refuses an email address that is reserved for another account.
    ///
    /// It runs after the email address is written. The write waits for an account that gave it up
    /// and reserved it, so that account has committed, and a separate statement sees the
    /// reservation.
    async fn refuse_reserved(
        &mut self,
        id: UserId,
        email: &EmailAddress,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let id = Id(id.uuid());
        let reserved = read!(self, "links", conn => {
            let of_others = reservations!(email, now).filter(links::subject_id.ne(id));
            diesel::select(exists(of_others)).get_result::<bool>(conn)
        })?;
        if reserved { Err(StoreError::Taken(Taken::Email)) } else { Ok(()) }
    }

    /// Deletes an account with its roles, and then the links: a transaction that creates a link
    /// holds the account's row, for which the first statement waits.
    async fn delete_user_and_links(&mut self, id: UserId) -> Result<bool, StoreError> {
        let delete = diesel::delete(users::table.find(Id(id.uuid())));
        if change!(self, "users", conn => delete.execute(conn))? == 0 {
            return Ok(false);
        }
        self.delete_links_about(id).await.map(|()| true)
    }

    /// Returns why an account could not be inserted. A second statement sees which concurrent
    /// insert won.
    async fn what_is_taken(&mut self, user: &User) -> Result<StoreError, StoreError> {
        let name = user.username.folded();
        let name = find!(self, "users", conn => users::table
            .filter(lower(users::username).eq(&name))
            .select(users::id)
            .first::<Id>(conn))?;
        if name.is_some() {
            return Ok(StoreError::Taken(Taken::Username));
        }
        // The account that had the email address may have given it up meanwhile, and reserved it.
        if self.find_email_owner(&user.email, user.created_at).await?.is_some() {
            return Ok(StoreError::Taken(Taken::Email));
        }
        let id = Id(user.id.uuid());
        let id = find!(self, "users", conn => users::table
            .filter(users::id.eq(id))
            .select(users::id)
            .first::<Id>(conn))?;
        Ok(match id {
            Some(_) => StoreError::Unavailable("this account is there already".into()),
            // The conflicting account was deleted meanwhile.
            None => StoreError::Busy,
        })
    }
}
