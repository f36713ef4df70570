//! The ports of a [`MemoryTx`]: each declares whether it reads, writes or locks.

use async_trait::async_trait;
use gateward_domain::key::{KeyId, StoredKey};
use gateward_domain::ports::{Instance, KeyRepo, StoreError, TokenStore, UserRepo};
use gateward_domain::refresh::{RefreshState, Rotation};
use gateward_domain::{
    EmailAddress, End, Identifier, PasswordHash, RoleName, Session, SessionId, Timestamp, User,
    UserId, UserRange, Username,
};

use super::MemoryTx;
use super::state::page;

#[async_trait]
impl UserRepo for MemoryTx {
    async fn insert_user(&mut self, user: &User) -> Result<(), StoreError> {
        self.write(|state| state.insert_user(user)).await
    }

    async fn find_user(&mut self, id: UserId) -> Result<Option<User>, StoreError> {
        Ok(self.read(|state| state.find_user(id)))
    }

    async fn find_user_number(&mut self, id: UserId) -> Result<Option<i64>, StoreError> {
        Ok(self.read(|state| state.user_numbers.get(&id).copied()))
    }

    async fn assign_user_number(&mut self, id: UserId) -> Result<Option<i64>, StoreError> {
        self.write(|state| Ok(state.assign_user_number(id))).await
    }

    async fn find_user_by_identifier(
        &mut self,
        identifier: &Identifier,
    ) -> Result<Option<User>, StoreError> {
        Ok(self.read(|state| state.find_user_by_identifier(identifier)))
    }

    async fn lock_user(&mut self, id: UserId) -> Result<Option<User>, StoreError> {
        Ok(self.locked().find_user(id))
    }

    async fn set_username(
        &mut self,
        id: UserId,
        username: &Username,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(|state| state.set_username(id, username, now)).await
    }

    async fn set_email(
        &mut self,
        id: UserId,
        email: &EmailAddress,
        verified: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(|state| state.set_email(id, email, verified, now)).await
    }

    async fn find_email_owner(
        &mut self,
        email: &EmailAddress,
        now: Timestamp,
    ) -> Result<Option<UserId>, StoreError> {
        Ok(self.read(|state| state.find_email_owner(email, now)))
    }

    async fn delete_user(&mut self, id: UserId) -> Result<bool, StoreError> {
        self.write(|state| Ok(state.delete_user(id))).await
    }

    async fn list_users(
        &mut self,
        range: &UserRange,
        after: Option<String>,
        limit: u32,
    ) -> Result<Vec<User>, StoreError> {
        Ok(self.read(|state| state.list_users(range, after.as_deref(), limit)))
    }

    async fn count_users_with_role(&mut self, role: &RoleName) -> Result<u64, StoreError> {
        Ok(self.read(|state| state.count_users_with_role(role)))
    }

    async fn set_password(
        &mut self,
        id: UserId,
        version: i64,
        hash: &PasswordHash,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(|state| Ok(state.set_password(id, version, hash, now))).await
    }

    async fn set_rehashed_password(
        &mut self,
        id: UserId,
        version: i64,
        hash: &PasswordHash,
    ) -> Result<bool, StoreError> {
        self.write(|state| Ok(state.set_rehashed_password(id, version, hash))).await
    }

    async fn set_user_disabled(
        &mut self,
        id: UserId,
        disabled: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(|state| Ok(state.set_user_disabled(id, disabled, now))).await
    }
}

#[async_trait]
impl TokenStore for MemoryTx {
    async fn insert_session(&mut self, session: &Session) -> Result<(), StoreError> {
        self.write(|state| state.insert_session(session)).await
    }

    async fn find_session(
        &mut self,
        id: SessionId,
    ) -> Result<Option<(Session, Option<User>)>, StoreError> {
        Ok(self.read(|state| state.find_session(id)))
    }

    async fn rotate_session(
        &mut self,
        rotation: &Rotation,
    ) -> Result<Option<(Session, User)>, StoreError> {
        self.write(|state| Ok(state.rotate_session(rotation))).await
    }

    async fn lock_session(&mut self, id: SessionId) -> Result<Option<Session>, StoreError> {
        Ok(self.locked().sessions.get(&id).cloned())
    }

    async fn set_refresh_state(
        &mut self,
        id: SessionId,
        refresh_state: &RefreshState,
    ) -> Result<(), StoreError> {
        self.locked().set_refresh_state(id, refresh_state);
        Ok(())
    }

    async fn set_session_auth_time(
        &mut self,
        id: SessionId,
        auth_time: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(|state| Ok(state.set_session_auth_time(id, auth_time))).await
    }

    async fn end_session(&mut self, id: SessionId, end: End) -> Result<bool, StoreError> {
        self.write(|state| Ok(state.end_session(id, end))).await
    }

    async fn end_sessions_of_user(
        &mut self,
        user_id: UserId,
        except: Option<SessionId>,
        end: End,
    ) -> Result<Vec<SessionId>, StoreError> {
        self.write(|state| Ok(state.end_sessions_of_user(user_id, except, end))).await
    }

    async fn end_oldest_sessions(
        &mut self,
        user_id: UserId,
        keep: u32,
        end: End,
    ) -> Result<Vec<SessionId>, StoreError> {
        Ok(self.locked().end_oldest_sessions(user_id, keep, end))
    }

    async fn list_user_sessions(
        &mut self,
        user_id: UserId,
        after: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<Session>, StoreError> {
        Ok(self.read(|state| {
            let of_user = state.sessions.values().filter(|session| session.user_id == user_id);
            page(of_user, |session| session.id, after, limit)
        }))
    }

    async fn end_sessions_started_before(
        &mut self,
        before: Timestamp,
        after: Option<SessionId>,
        end: End,
        limit: u32,
    ) -> Result<Vec<SessionId>, StoreError> {
        let is_meant = move |session: &Session| {
            session.created_at < before && after.is_none_or(|after| session.id > after)
        };
        let ended = self.write(|state| Ok(state.end_where(end, limit, is_meant))).await?;
        Ok(ended.iter().map(|session| session.id).collect())
    }

    async fn end_sessions_of_key(
        &mut self,
        key: &KeyId,
        end: End,
        limit: u32,
    ) -> Result<Vec<Session>, StoreError> {
        let is_meant = |session: &Session| session.refresh_state.key_id == *key;
        self.write(|state| Ok(state.end_where(end, limit, is_meant))).await
    }

    async fn list_active_sessions(
        &mut self,
        user_id: UserId,
        now: Timestamp,
        after: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<Session>, StoreError> {
        let lives = |session: &&Session| session.user_id == user_id && session.end(now).is_none();
        Ok(self.read(|state| {
            page(state.sessions.values().filter(lives), |session| session.id, after, limit)
        }))
    }

    async fn delete_sessions(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.write(|state| Ok(state.delete_sessions(before, limit))).await
    }
}

#[async_trait]
impl KeyRepo for MemoryTx {
    async fn lock_instance(&mut self, proposed: &Instance) -> Result<Instance, StoreError> {
        Ok(self.locked().instance.get_or_insert_with(|| proposed.clone()).clone())
    }

    async fn find_instance(&mut self) -> Result<Option<Instance>, StoreError> {
        Ok(self.read(|state| state.instance.clone()))
    }

    async fn set_issuer(&mut self, issuer: &str) -> Result<(), StoreError> {
        if let Some(instance) = &mut self.locked().instance {
            issuer.clone_into(&mut instance.issuer);
        }
        Ok(())
    }

    async fn insert_key(&mut self, key: &StoredKey) -> Result<(), StoreError> {
        self.write(|state| state.insert_key(key)).await
    }

    async fn update_key(&mut self, key: &StoredKey) -> Result<bool, StoreError> {
        self.write(|state| Ok(state.update_key(key))).await
    }

    async fn list_keys(&mut self) -> Result<Vec<StoredKey>, StoreError> {
        Ok(self.read(|state| state.keys.clone()))
    }
}
