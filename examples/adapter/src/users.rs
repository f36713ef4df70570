//! The port of the accounts.

use async_trait::async_trait;
use gateward_domain::link::Link;
use gateward_domain::ports::{StoreError, Taken, UserRepo};
use gateward_domain::{
    EmailAddress, Identifier, PasswordHash, RoleName, Timestamp, User, UserId, UserRange, Username,
};
use redb::{ReadableTable, WriteTransaction};
use uuid::Uuid;

use crate::failed;
use crate::known_devices;
use crate::links;
use crate::roles;
use crate::rows::UserRow;
use crate::tables::{
    EMAILS, LAST_USER_NUMBER, USER_NUMBERS, USERNAMES, View, claim, count_of, insert, remove,
    table, update,
};
use crate::unit::RedbTx;

#[async_trait]
impl UserRepo for RedbTx {
    async fn insert_user(&mut self, user: &User) -> Result<(), StoreError> {
        let user = user.clone();
        self.write(move |transaction| {
            take_username(transaction, user.id, &user.username)?;
            take_email(transaction, user.id, &user.email, user.created_at)?;
            insert::<UserRow>(transaction, key(user.id), &user)
        })
        .await
    }

    async fn find_user(&mut self, id: UserId) -> Result<Option<User>, StoreError> {
        self.read(move |view| find(view, id)).await
    }

    async fn find_user_number(&mut self, id: UserId) -> Result<Option<i64>, StoreError> {
        self.read(move |view| view.user_number(key(id))).await
    }

    async fn assign_user_number(&mut self, id: UserId) -> Result<Option<i64>, StoreError> {
        self.write(move |transaction| assign_number(transaction, id)).await
    }

    async fn find_user_by_identifier(
        &mut self,
        identifier: &Identifier,
    ) -> Result<Option<User>, StoreError> {
        let (names, name) = match identifier {
            Identifier::Email(email) => (EMAILS, email.as_str().to_owned()),
            Identifier::Username(username) => (USERNAMES, username.folded()),
        };
        self.read(move |view| match view.owner(names, &name)? {
            Some(id) => find(view, UserId::from_uuid(Uuid::from_u128(id))),
            None => Ok(None),
        })
        .await
    }

    async fn lock_user(&mut self, id: UserId) -> Result<Option<User>, StoreError> {
        self.lock(move |view| find(view, id)).await
    }

    async fn set_username(
        &mut self,
        id: UserId,
        username: &Username,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let username = username.clone();
        self.write(move |transaction| rename(transaction, id, &username, now)).await
    }

    async fn set_email(
        &mut self,
        id: UserId,
        email: &EmailAddress,
        verified: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let email = email.clone();
        self.write(move |transaction| {
            let Some(user) = find(View::Own(transaction), id)? else { return Ok(false) };
            remove(transaction, EMAILS, user.email.as_str())?;
            take_email(transaction, id, &email, now)?;
            update::<UserRow>(transaction, key(id), |user| {
                user.email = email;
                user.email_verified = verified;
                user.updated_at = now;
                true
            })
        })
        .await
    }

    async fn find_email_owner(
        &mut self,
        email: &EmailAddress,
        now: Timestamp,
    ) -> Result<Option<UserId>, StoreError> {
        let email = email.clone();
        self.read(move |view| match view.owner(EMAILS, email.as_str())? {
            Some(id) => Ok(Some(UserId::from_uuid(Uuid::from_u128(id)))),
            None => Ok(links::reservations(view, &email, now)?.iter().find_map(Link::user_id)),
        })
        .await
    }

    async fn delete_user(&mut self, id: UserId) -> Result<bool, StoreError> {
        self.write(move |transaction| {
            let Some(user) = find(View::Own(transaction), id)? else { return Ok(false) };
            remove(transaction, USERNAMES, &user.username.folded())?;
            remove(transaction, EMAILS, user.email.as_str())?;
            links::delete_of_user(transaction, id)?;
            known_devices::delete_of_user(transaction, id)?;
            remove(transaction, USER_NUMBERS, key(id))?;
            remove(transaction, table::<UserRow>(), key(id))?;
            Ok(true)
        })
        .await
    }

    /// Scans all accounts in the order of the range until it has enough.
    async fn list_users(
        &mut self,
        range: &UserRange,
        after: Option<String>,
        limit: u32,
    ) -> Result<Vec<User>, StoreError> {
        let (range, limit) = (range.clone(), count_of(limit));
        self.read(move |view| {
            let users = list(view, &range, after.as_deref(), limit)?;
            users.into_iter().map(|user| roles::given(view, user)).collect()
        })
        .await
    }

    /// Scans all accounts.
    async fn count_users_with_role(&mut self, role: &RoleName) -> Result<u64, StoreError> {
        let role = role.clone();
        let holds =
            move |user: &User| !user.disabled && user.email_verified && user.roles.contains(&role);
        self.read(move |view| Ok(view.newest::<UserRow>(usize::MAX, holds)?.len() as u64)).await
    }

    async fn set_password(
        &mut self,
        id: UserId,
        version: i64,
        hash: &PasswordHash,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let hash = hash.clone();
        let change = move |user: &mut User| {
            user.password_hash = hash;
            user.credentials_version += 1;
            user.updated_at = now;
        };
        self.write(move |transaction| update_if(transaction, id, at(version), change)).await
    }

    async fn set_rehashed_password(
        &mut self,
        id: UserId,
        version: i64,
        hash: &PasswordHash,
    ) -> Result<bool, StoreError> {
        let hash = hash.clone();
        let change = move |user: &mut User| user.password_hash = hash;
        self.write(move |transaction| update_if(transaction, id, at(version), change)).await
    }

    async fn set_user_disabled(
        &mut self,
        id: UserId,
        disabled: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let is_other = move |user: &User| user.disabled != disabled;
        let change = move |user: &mut User| {
            user.disabled = disabled;
            user.updated_at = now;
        };
        self.write(move |transaction| update_if(transaction, id, is_other, change)).await
    }
}

/// Returns the account with the current permissions of its roles.
pub fn find(view: View<'_>, id: UserId) -> Result<Option<User>, StoreError> {
    view.find::<UserRow>(key(id))?.map(|user| roles::given(view, user)).transpose()
}

const fn key(id: UserId) -> u128 {
    id.uuid().as_u128()
}

/// Returns the accounts of a range after a position.
fn list(
    view: View<'_>,
    range: &UserRange,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<User>, StoreError> {
    let ids = match range {
        UserRange::Username(prefix) => view.named(USERNAMES, prefix, after, limit)?,
        UserRange::Email(prefix) => view.named(EMAILS, prefix, after, limit)?,
        UserRange::All | UserRange::Role(_) | UserRange::Disabled => {
            let after = after.map(str::parse::<UserId>).transpose();
            let after = after.map_err(|error| StoreError::Unavailable(Box::new(error)))?;
            return view.after::<UserRow>(after.map(key), limit, |user| range.contains(user));
        }
    };
    view.find_all::<UserRow>(ids)
}

/// Returns a condition on the version of the credentials.
fn at(version: i64) -> impl FnOnce(&User) -> bool {
    move |user| user.credentials_version == version
}

/// Changes the account if it exists and meets the condition. Returns whether it did.
pub fn update_if(
    transaction: &WriteTransaction,
    id: UserId,
    condition: impl FnOnce(&User) -> bool,
    change: impl FnOnce(&mut User),
) -> Result<bool, StoreError> {
    update::<UserRow>(transaction, key(id), |user| {
        let met = condition(user);
        if met {
            change(user);
        }
        met
    })
}

/// Sets the account's username and releases the old one.
fn rename(
    transaction: &WriteTransaction,
    id: UserId,
    username: &Username,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some(user) = find(View::Own(transaction), id)? else { return Ok(false) };
    remove(transaction, USERNAMES, &user.username.folded())?;
    take_username(transaction, id, username)?;
    update::<UserRow>(transaction, key(id), |user| {
        user.username = username.clone();
        user.updated_at = now;
        true
    })
}

/// Assigns the username to the account, unless it is taken.
fn take_username(
    transaction: &WriteTransaction,
    id: UserId,
    username: &Username,
) -> Result<(), StoreError> {
    let taken = claim(transaction, USERNAMES, &username.folded(), key(id))?;
    if taken { Ok(()) } else { Err(StoreError::Taken(Taken::Username)) }
}

/// Assigns the email address to the account, unless it is taken or reserved for another.
fn take_email(
    transaction: &WriteTransaction,
    id: UserId,
    email: &EmailAddress,
    now: Timestamp,
) -> Result<(), StoreError> {
    let reservations = links::reservations(View::Own(transaction), email, now)?;
    let is_reserved = reservations.iter().any(|link| link.user_id() != Some(id));
    if is_reserved || !claim(transaction, EMAILS, email.as_str(), key(id))? {
        return Err(StoreError::Taken(Taken::Email));
    }
    Ok(())
}

/// Returns the number of an account, and assigns the next one if it has none.
fn assign_number(transaction: &WriteTransaction, id: UserId) -> Result<Option<i64>, StoreError> {
    let view = View::Own(transaction);
    if find(view, id)?.is_none() {
        return Ok(None);
    }
    if let Some(number) = view.user_number(key(id))? {
        return Ok(Some(number));
    }
    let mut last = transaction.open_table(LAST_USER_NUMBER).map_err(failed)?;
    let number = last.get(()).map_err(failed)?.map_or(1, |last| last.value() + 1);
    last.insert((), number).map_err(failed)?;
    let mut numbers = transaction.open_table(USER_NUMBERS).map_err(failed)?;
    numbers.insert(key(id), number).map_err(failed)?;
    Ok(Some(number))
}
