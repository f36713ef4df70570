//! Changes keys: by age, by command, at once if one is compromised, and under another master key.

use gateward_domain::feed::InvalidationEvent;
use gateward_domain::key::{KeyId, KeyPurpose, KeyState, StoredKey, signing_key};
use gateward_domain::ports::{Access, Instance, StoreError, Tx};
use gateward_domain::{Actor, End, EndReason, Event, EventKind, Timestamp};

use crate::after_commit::AfterCommit;
use crate::keys::about_key;
use crate::{App, KeysError};

/// Number of seconds in a day.
const DAY_SECONDS: i64 = 24 * 3600;

/// Number of sessions or links of a compromised key that one transaction ends.
const BATCH: u32 = 100;

/// The result of a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotated {
    /// New keys are published and sign from this time on, UTC.
    From(Timestamp),
    /// Keys created before are already published and sign from this time on, UTC. No more were
    /// created.
    WaitingUntil(Timestamp),
}

/// The result of retiring a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retired {
    /// Another key signs from this time on, UTC. Signatures of the retired key are accepted until
    /// they expire.
    SuccessorFrom(Timestamp),
    /// The key had signed nothing yet, and never will.
    Withdrawn,
    /// The key was no longer signing.
    Already,
    /// Signatures of the key are no longer accepted, and these sessions and links ended with it.
    Compromised {
        /// Number of ended sessions.
        sessions: u64,
        /// Number of deleted links.
        links: u64,
    },
}

impl Retired {
    /// Combines the results of two calls.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (
                Self::Compromised { sessions, links },
                Self::Compromised { sessions: more_sessions, links: more_links },
            ) => {
                Self::Compromised { sessions: sessions + more_sessions, links: links + more_links }
            }
            (_, other) => other,
        }
    }
}

/// Why a key was not retired.
#[derive(Debug, thiserror::Error)]
pub enum RetireError {
    /// The key does not exist.
    #[error("there is no key with this ID")]
    NoSuchKey,
    /// A key could not be created, or the store failed.
    #[error(transparent)]
    Keys(#[from] KeysError),
}

impl From<StoreError> for RetireError {
    fn from(error: StoreError) -> Self {
        Self::Keys(error.into())
    }
}

impl App {
    /// Creates the next keys. They are published now, and sign once every verifier can know them.
    pub async fn rotate_keys(&self) -> Result<Rotated, KeysError> {
        let now = self.now();
        self.make_next(&KeyPurpose::ALL, Actor::Operator, now).await
    }

    /// Creates the next key for each purpose whose key is old enough. Returns whether any was
    /// created. Concurrent nodes create one.
    pub async fn rotate_old_keys(&self) -> Result<bool, KeysError> {
        let now = self.now();
        let keys = self.list_keys().await?;
        let old = self.old_purposes(&keys, now);
        if old.is_empty() {
            return Ok(false);
        }
        Ok(matches!(self.make_next(&old, Actor::Service, now).await?, Rotated::From(_)))
    }

    /// Returns the purposes whose newest key exceeds the maximum age, less the time for which its
    /// successor is published first.
    fn old_purposes(&self, keys: &[StoredKey], now: Timestamp) -> Vec<KeyPurpose> {
        let age_seconds = self.policy.rotate_after_days.saturating_mul(DAY_SECONDS);
        let is_old = |purpose: &KeyPurpose| {
            let active = keys.iter().filter(|key| key.revoked_at.is_none());
            let newest = active.filter(|key| key.purpose == *purpose).map(|key| key.active_from);
            newest
                .max()
                .is_none_or(|from| from.plus_seconds(age_seconds) <= self.publish_until(now))
        };
        KeyPurpose::ALL.into_iter().filter(is_old).collect()
    }

    /// Creates the next key for those of these purposes that have none yet.
    async fn make_next(
        &self,
        purposes: &[KeyPurpose],
        actor: Actor,
        now: Timestamp,
    ) -> Result<Rotated, KeysError> {
        let active_from = self.publish_until(now);
        let mut made = Vec::new();
        for (purpose, algorithm) in self.wanted() {
            if purposes.contains(&purpose) {
                made.push(self.ports.key_maker.make_key(purpose, algorithm, now, active_from)?);
            }
        }
        let (mut tx, keys) = self.lock_keys().await?;
        let next_of = |purpose: KeyPurpose| {
            let is_next = move |key: &&StoredKey| {
                key.purpose == purpose && key.active_from > now && key.revoked_at.is_none()
            };
            keys.iter().find(is_next)
        };
        // Another node may have created them meanwhile, and they may already sign.
        let old = self.old_purposes(&keys, now);
        made.retain(|key| {
            let is_due = actor == Actor::Operator || old.contains(&key.purpose);
            is_due && next_of(key.purpose).is_none()
        });
        if made.is_empty() {
            let waiting = purposes.iter().find_map(|purpose| next_of(*purpose));
            return Ok(Rotated::WaitingUntil(waiting.map_or(now, |next| next.active_from)));
        }
        for key in &made {
            self.insert_key(&mut *tx, key, actor, now).await?;
        }
        self.commit_and_publish(
            tx,
            AfterCommit::default().invalidate(InvalidationEvent::KeysChanged),
            now,
        )
        .await?;
        Ok(Rotated::From(active_from))
    }

    /// Retires a key: creates its successor, which signs once every verifier can know it. A key
    /// that does not sign yet is withdrawn.
    pub async fn retire_key(&self, id: &KeyId) -> Result<Retired, RetireError> {
        let now = self.now();
        let keys = self.list_keys().await?;
        let key = keys.iter().find(|key| key.id == *id).ok_or(RetireError::NoSuchKey)?;
        match self.key_state(key, &keys, now) {
            KeyState::Signing => {
                match self.make_next(&[key.purpose], Actor::Operator, now).await? {
                    Rotated::From(at) | Rotated::WaitingUntil(at) => Ok(Retired::SuccessorFrom(at)),
                }
            }
            KeyState::Next => {
                self.revoke(key, EventKind::KeyWithdrawn, now).await?;
                Ok(Retired::Withdrawn)
            }
            KeyState::Retiring | KeyState::Retired => Ok(Retired::Already),
        }
    }

    /// Revokes a key as compromised. From now on, no node accepts its signatures. Sessions whose
    /// refresh tokens it signed end, and links derived from it are deleted.
    pub async fn revoke_key(&self, id: &KeyId) -> Result<Retired, RetireError> {
        let now = self.now();
        let keys = self.list_keys().await?;
        let key = keys.iter().find(|key| key.id == *id).ok_or(RetireError::NoSuchKey)?;
        // Even if it was only withdrawn: verifiers with cached keys know it.
        self.revoke(key, EventKind::KeyRevoked, now).await?;
        let mut ended = (0, 0);
        match key.purpose {
            KeyPurpose::Access | KeyPurpose::Audit => {}
            KeyPurpose::Refresh => ended.0 = self.end_sessions_of_key(id, now).await?,
            KeyPurpose::Link => ended.1 = self.delete_links_of_key(id).await?,
        }
        Ok(Retired::Compromised { sessions: ended.0, links: ended.1 })
    }

    /// Takes a key out of use, and ensures that another one signs.
    async fn revoke(
        &self,
        key: &StoredKey,
        kind: EventKind,
        now: Timestamp,
    ) -> Result<(), KeysError> {
        let wanted = self.wanted().into_iter().find(|(purpose, _)| *purpose == key.purpose);
        let (purpose, algorithm) = wanted.unwrap_or((key.purpose, key.algorithm));
        // Created before the transaction, which would block every writer meanwhile.
        let spare = self.ports.key_maker.make_key(purpose, algorithm, now, now)?;
        let (mut tx, mut keys) = self.lock_keys().await?;
        // Read again: another command may have changed it meanwhile.
        let Some(revoked) = keys.iter_mut().find(|other| other.id == key.id) else {
            return Ok(());
        };
        if revoked.revoked_at.is_some() && !revoked.never_signs() {
            return Ok(());
        }
        revoked.revoked_at.get_or_insert(now);
        tx.update_key(revoked).await?;
        let event = self.event(kind, Actor::Operator, now);
        tx.insert_event(&Event { detail: Some(about_key(key)), ..event }).await?;
        if signing_key(&keys, key.purpose, now).is_none() {
            self.replace_at_once(&mut *tx, &keys, &spare, now).await?;
        }
        let mut after_commit = AfterCommit::default().invalidate(InvalidationEvent::KeysChanged);
        if kind == EventKind::KeyRevoked {
            after_commit =
                after_commit.invalidate(InvalidationEvent::KeyRevoked { id: key.id.clone() });
        }
        Ok(self.commit_and_publish(tx, after_commit, now).await?)
    }

    /// Makes a key sign from now on: the next one if verifiers already know it, a new one
    /// otherwise.
    async fn replace_at_once(
        &self,
        tx: &mut dyn Tx,
        keys: &[StoredKey],
        spare: &StoredKey,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let is_next = |key: &&StoredKey| {
            key.purpose == spare.purpose && key.active_from > now && key.revoked_at.is_none()
        };
        match keys.iter().filter(is_next).min_by_key(|key| key.active_from) {
            Some(next) => {
                tx.update_key(&StoredKey { active_from: now, ..next.clone() }).await?;
                Ok(())
            }
            None => self.insert_key(tx, spare, Actor::Service, now).await,
        }
    }

    /// Ends the sessions whose current refresh token this key signed, in small batches.
    async fn end_sessions_of_key(&self, id: &KeyId, now: Timestamp) -> Result<u64, StoreError> {
        let reason = EndReason::KeyCompromised;
        let mut total = 0;
        loop {
            let mut tx = self.ports.store.begin(Access::Write).await?;
            let ended = tx.end_sessions_of_key(id, End { at: now, reason }, BATCH).await?;
            let mut after_commit = AfterCommit::default();
            for session in &ended {
                let event = self.event(EventKind::SessionEnded(reason), Actor::Operator, now);
                let (user_id, session_id) = (Some(session.user_id), Some(session.id));
                tx.insert_event(&Event { user_id, session_id, ..event }).await?;
                after_commit = after_commit.session_ended(session.id, reason);
            }
            self.commit_and_publish(tx, after_commit, now).await?;
            total += ended.len() as u64;
            if ended.is_empty() {
                return Ok(total);
            }
        }
    }

    async fn delete_links_of_key(&self, id: &KeyId) -> Result<u64, StoreError> {
        let mut total = 0;
        loop {
            let mut tx = self.ports.store.begin(Access::SingleWrite).await?;
            let deleted = tx.delete_links_of_key(id, BATCH).await?;
            tx.commit().await?;
            total += deleted;
            if deleted == 0 {
                return Ok(total);
            }
        }
    }

    /// Wraps every key with the current master key and returns their number. Nodes that only have
    /// the previous master key continue with the keys they have loaded, and report that they are
    /// not ready.
    pub async fn rewrap_keys(&self) -> Result<usize, KeysError> {
        let now = self.now();
        let (mut tx, keys) = self.lock_keys().await?;
        for key in &keys {
            tx.update_key(&self.ports.key_maker.rewrap_key(key)?).await?;
        }
        let event = self.event(EventKind::KeysRewrapped, Actor::Operator, now);
        tx.insert_event(&event).await?;
        self.commit_and_publish(
            tx,
            AfterCommit::default().invalidate(InvalidationEvent::KeysChanged),
            now,
        )
        .await?;
        Ok(keys.len())
    }

    /// Returns all keys, in a transaction that excludes every other change of keys.
    async fn lock_keys(&self) -> Result<(Box<dyn Tx>, Vec<StoredKey>), KeysError> {
        let mut tx = self.ports.store.begin(Access::Write).await?;
        let instance: Instance = tx.find_instance().await?.ok_or(KeysError::NoInstance)?;
        self.check_issuer(&tx.lock_instance(&instance).await?)?;
        let keys = tx.list_keys().await?;
        // A node that cannot unwrap them would create a key that the others cannot unwrap.
        self.ports.key_maker.check_keys(&keys)?;
        Ok((tx, keys))
    }
}
