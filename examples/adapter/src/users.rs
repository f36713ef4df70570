//! The port of the accounts.

use async_trait::async_trait;
use gateward_domain::ports::{StoreError, Taken, UserRepo};
use gateward_domain::{Identifier, PasswordHash, Timestamp, User, UserId, Username};
use redb::WriteTransaction;

use crate::rows::UserRow;
use crate::tables::{EMAILS, USERNAMES, View, claim, insert, remove, update};
use crate::unit::RedbTx;

#[async_trait]
impl UserRepo for RedbTx {
    async fn insert_user(&mut self, user: &User) -> Result<(), StoreError> {
        let user = user.clone();
        self.write(move |transaction| {
            let id = key(user.id);
            let (name, email) = (user.username.folded(), user.email.as_str());
            claim(transaction, USERNAMES, (&name, id), Taken::Username)?;
            claim(transaction, EMAILS, (email, id), Taken::Email)?;
            insert::<UserRow>(transaction, id, &user)
        })
        .await
    }

    async fn find_user(&mut self, id: UserId) -> Result<Option<User>, StoreError> {
        self.read(move |view| find(view, id)).await
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
            Some(owner) => view.find::<UserRow>(owner),
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

    async fn renew_password_hash(
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

/// The account.
pub fn find(view: View<'_>, id: UserId) -> Result<Option<User>, StoreError> {
    view.find::<UserRow>(key(id))
}

const fn key(id: UserId) -> u128 {
    id.uuid().as_u128()
}

/// Whether the credentials are still of this version.
fn at(version: i64) -> impl FnOnce(&User) -> bool {
    move |user| user.credentials_version == version
}

/// Changes the account if it is there and meets the condition; says whether it did.
fn update_if(
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

/// Gives the account another name and sets the old one free.
fn rename(
    transaction: &WriteTransaction,
    id: UserId,
    username: &Username,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some(user) = find(View::Own(transaction), id)? else { return Ok(false) };
    remove(transaction, USERNAMES, &user.username.folded())?;
    claim(transaction, USERNAMES, (&username.folded(), key(id)), Taken::Username)?;
    update::<UserRow>(transaction, key(id), |user| {
        user.username = username.clone();
        user.updated_at = now;
        true
    })
}
