//! The state of a [`MemoryStore`](super::MemoryStore), and the operations of each port on it.

use std::collections::BTreeMap;

use gateward_domain::audit::{Chain, Entry};
use gateward_domain::email::OutboxEmail;
use gateward_domain::feed::FeedItem;
use gateward_domain::key::StoredKey;
use gateward_domain::known_device::KnownDevice;
use gateward_domain::link::Link;
use gateward_domain::ports::{Instance, StoreError, Taken};
use gateward_domain::rate_limit::AttemptCounter;
use gateward_domain::signup::PendingSignup;
use gateward_domain::{
    EmailAddress, Identifier, PasswordHash, PermissionSet, RoleName, Session, SessionId, Timestamp,
    User, UserId, Username,
};

/// Everything that is stored. Each method takes full effect or, on error, none.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub users: BTreeMap<UserId, User>,
    pub user_numbers: BTreeMap<UserId, i64>,
    /// The last assigned number. Its account may have been deleted.
    pub last_user_number: i64,
    pub sessions: BTreeMap<SessionId, Session>,
    pub instance: Option<Instance>,
    pub keys: Vec<StoredKey>,
    /// The permissions of custom roles.
    pub roles: BTreeMap<RoleName, PermissionSet>,
    pub entries: Vec<Entry>,
    /// Both ends of the chain. `None` before its first entry.
    pub chain: Option<Chain>,
    /// Accounts whose events are to be erased, with the time of the request.
    pub erasures: BTreeMap<UserId, Timestamp>,
    pub rate_limit_counters: Vec<AttemptCounter>,
    pub signups: Vec<PendingSignup>,
    pub links: Vec<Link>,
    pub outbox_emails: Vec<OutboxEmail>,
    pub known_devices: Vec<KnownDevice>,
    /// The invalidation events by sequence number.
    pub invalidation_events: BTreeMap<u64, FeedItem>,
    /// The last assigned sequence number. Its invalidation events may have been deleted.
    pub last_sequence: u64,
}

/// Returns the error for an identifier that is inserted twice.
pub(super) fn doubled(what: &'static str) -> StoreError {
    StoreError::Unavailable(format!("this {what} is there already").into())
}

/// Keeps the first `limit` rows.
pub(super) fn truncate<T>(mut rows: Vec<T>, limit: u32) -> Vec<T> {
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    rows
}

/// Removes the first `limit` rows that are `unwanted`, and returns their number.
pub(super) fn remove_where<T>(rows: &mut Vec<T>, limit: u32, unwanted: impl Fn(&T) -> bool) -> u64 {
    let mut removed = 0;
    rows.retain(|row| {
        let goes = removed < u64::from(limit) && unwanted(row);
        removed += u64::from(goes);
        !goes
    });
    removed
}

/// Returns the first `limit` rows after the identifier `after`, ordered by identifier.
pub(super) fn page<'a, T: Clone + 'a, I: Ord + Copy>(
    rows: impl Iterator<Item = &'a T>,
    id: impl Fn(&T) -> I,
    after: Option<I>,
    limit: u32,
) -> Vec<T> {
    let is_after = |row: &&T| after.is_none_or(|after| id(row) > after);
    let mut rows: Vec<T> = rows.filter(is_after).cloned().collect();
    rows.sort_by_key(|row| id(row));
    truncate(rows, limit)
}

impl State {
    pub fn insert_user(&mut self, user: &User) -> Result<(), StoreError> {
        if self.users.contains_key(&user.id) {
            return Err(doubled("account"));
        }
        if self.users.values().any(|other| other.username == user.username) {
            return Err(StoreError::Taken(Taken::Username));
        }
        if self.is_email_of_another(user.id, &user.email, user.created_at) {
            return Err(StoreError::Taken(Taken::Email));
        }
        let mut user = user.clone();
        user.roles.sort();
        self.users.insert(user.id, user);
        Ok(())
    }

    pub fn find_user_by_identifier(&self, identifier: &Identifier) -> Option<User> {
        let found = self.users.values().find(|user| match identifier {
            Identifier::Email(email) => user.email == *email,
            Identifier::Username(username) => user.username == *username,
        });
        found.map(|user| self.as_read(user))
    }

    pub fn set_username(
        &mut self,
        id: UserId,
        username: &Username,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        if !self.users.contains_key(&id) {
            return Ok(false);
        }
        if self.users.values().any(|other| other.id != id && other.username == *username) {
            return Err(StoreError::Taken(Taken::Username));
        }
        let change = |user: &mut User| {
            user.username = username.clone();
            user.updated_at = now;
        };
        Ok(self.users.get_mut(&id).map(change).is_some())
    }

    pub fn set_email(
        &mut self,
        id: UserId,
        email: &EmailAddress,
        verified: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        if !self.users.contains_key(&id) {
            return Ok(false);
        }
        if self.is_email_of_another(id, email, now) {
            return Err(StoreError::Taken(Taken::Email));
        }
        let change = |user: &mut User| {
            user.email = email.clone();
            user.email_verified = verified;
            user.updated_at = now;
        };
        Ok(self.users.get_mut(&id).map(change).is_some())
    }

    /// Returns whether this account cannot take an email address: another account has it, or has it
    /// reserved.
    fn is_email_of_another(&self, id: UserId, email: &EmailAddress, now: Timestamp) -> bool {
        self.users.values().any(|other| other.id != id && other.email == *email)
            || self.reservations(email, now).any(|of| of != Some(id))
    }

    pub fn find_email_owner(&self, email: &EmailAddress, now: Timestamp) -> Option<UserId> {
        let owner = self.users.values().find(|user| user.email == *email);
        owner.map(|user| user.id).or_else(|| self.reservations(email, now).flatten().next())
    }

    pub fn delete_user(&mut self, id: UserId) -> bool {
        self.links.retain(|link| link.user_id() != Some(id));
        self.known_devices.retain(|known_device| known_device.user_id != id);
        self.user_numbers.remove(&id);
        self.users.remove(&id).is_some()
    }

    pub fn assign_user_number(&mut self, id: UserId) -> Option<i64> {
        if !self.users.contains_key(&id) {
            return None;
        }
        if let Some(number) = self.user_numbers.get(&id) {
            return Some(*number);
        }
        self.last_user_number += 1;
        self.user_numbers.insert(id, self.last_user_number);
        Some(self.last_user_number)
    }

    pub fn count_users_with_role(&self, role: &RoleName) -> u64 {
        let holds =
            |user: &&User| !user.disabled && user.email_verified && user.roles.contains(role);
        self.users.values().filter(holds).map(|_| 1).sum()
    }

    pub fn set_password(
        &mut self,
        id: UserId,
        version: i64,
        hash: &PasswordHash,
        now: Timestamp,
    ) -> bool {
        let Some(user) = self.at_version(id, version) else { return false };
        user.password_hash = hash.clone();
        user.credentials_version += 1;
        user.updated_at = now;
        true
    }

    pub fn set_rehashed_password(&mut self, id: UserId, version: i64, hash: &PasswordHash) -> bool {
        let Some(user) = self.at_version(id, version) else { return false };
        user.password_hash = hash.clone();
        true
    }

    fn at_version(&mut self, id: UserId, version: i64) -> Option<&mut User> {
        self.users.get_mut(&id).filter(|user| user.credentials_version == version)
    }

    pub fn set_user_disabled(&mut self, id: UserId, disabled: bool, now: Timestamp) -> bool {
        let user = self.users.get_mut(&id).filter(|user| user.disabled != disabled);
        let change = |user: &mut User| {
            user.disabled = disabled;
            user.updated_at = now;
        };
        user.map(change).is_some()
    }

    pub fn insert_key(&mut self, key: &StoredKey) -> Result<(), StoreError> {
        if self.keys.iter().any(|other| other.id == key.id) {
            return Err(doubled("key"));
        }
        self.keys.push(key.clone());
        self.sort_keys();
        Ok(())
    }

    pub fn update_key(&mut self, key: &StoredKey) -> bool {
        let Some(stored) = self.keys.iter_mut().find(|stored| stored.id == key.id) else {
            return false;
        };
        stored.wrapped.clone_from(&key.wrapped);
        stored.active_from = key.active_from;
        stored.revoked_at = key.revoked_at;
        self.sort_keys();
        true
    }

    fn sort_keys(&mut self) {
        self.keys.sort_by_key(|key| (key.active_from, key.created_at, key.id.clone()));
    }
}
