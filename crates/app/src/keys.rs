//! Signing keys: created at the first start, rotated without a restart.

use gateward_domain::feed::InvalidationEvent;
use gateward_domain::key::{
    Algorithm, CLOCK_SKEW_SECONDS, KeyPurpose, KeyState, StoredKey, key_state,
};
use gateward_domain::link::LINK_SECONDS_MAX;
use gateward_domain::ports::{Access, Instance, KeyError, StoreError, Tx};
use gateward_domain::{Actor, Event, EventKind, Timestamp};

use crate::App;
use crate::after_commit::AfterCommit;

/// Number of seconds within which every node notices a new key. Nodes poll more often than that.
const SPREAD_SECONDS: i64 = 10;

/// Why the keys could not be prepared.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The store belongs to an installation with another issuer.
    #[error("the database belongs to the issuer {stored}, but the settings have {configured}")]
    OtherIssuer {
        /// The issuer in the store.
        stored: String,
        /// The issuer in the settings.
        configured: String,
    },
    /// The store was never used.
    #[error("the database has no keys yet; the first start of a node creates them")]
    NoInstance,
    /// A key could not be created or unwrapped.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What to do if the configured algorithm differs from that of the newest key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewAlgorithm {
    /// Create a key for it, which signs once verifiers can know it.
    Begins,
    /// Do nothing until the service itself starts with it.
    Waits,
}

impl App {
    /// Checks that the store belongs to this issuer and holds keys, and installs them.
    ///
    /// Nodes that start together create one set of keys.
    pub async fn prepare_keys(&self, new_algorithm: NewAlgorithm) -> Result<(), KeysError> {
        let now = self.now();
        // Created before the transaction, which would block every writer meanwhile.
        let mut made = Vec::new();
        for (purpose, algorithm, active_from) in
            self.missing_keys(&self.stored_keys().await?, new_algorithm, now)
        {
            made.push(self.ports.key_maker.make_key(purpose, algorithm, now, active_from)?);
        }
        let mut tx = self.ports.store.begin(Access::Write).await?;
        let proposed = Instance { issuer: self.policy.issuer.clone(), created_at: now };
        self.check_issuer(&tx.lock_instance(&proposed).await?)?;
        let mut keys = tx.list_keys().await?;
        // Another node may have created them meanwhile.
        let missing = self.missing_keys(&keys, new_algorithm, now);
        made.retain(|key| missing.contains(&(key.purpose, key.algorithm, key.active_from)));
        let mut made_any = false;
        for key in made {
            self.insert_key(&mut *tx, &key, Actor::Service, now).await?;
            keys.push(key);
            made_any = true;
        }
        let after_commit = AfterCommit::default();
        let after_commit = if made_any {
            after_commit.invalidate(InvalidationEvent::KeysChanged)
        } else {
            after_commit
        };
        self.commit_and_publish(tx, after_commit, now).await?;
        Ok(self.ports.key_maker.install_keys(&keys)?)
    }

    /// Installs the keys of the store, including those that another node or a command has created.
    pub async fn reload_keys(&self) -> Result<(), KeysError> {
        let keys = self.list_keys().await?;
        Ok(self.ports.key_maker.install_keys(&keys)?)
    }

    /// Returns the keys to create: purpose, algorithm, and the time from which they sign.
    fn missing_keys(
        &self,
        keys: &[StoredKey],
        new_algorithm: NewAlgorithm,
        now: Timestamp,
    ) -> Vec<(KeyPurpose, Algorithm, Timestamp)> {
        let mut missing = Vec::new();
        for (purpose, algorithm) in self.wanted() {
            let active = |key: &&StoredKey| key.purpose == purpose && key.revoked_at.is_none();
            match keys.iter().rfind(active) {
                // Valid on every node from the start, even if its clock is behind.
                None => missing.push((purpose, algorithm, now.minus_seconds(CLOCK_SKEW_SECONDS))),
                // It signs once verifiers know the key.
                Some(newest)
                    if newest.algorithm != algorithm && new_algorithm == NewAlgorithm::Begins =>
                {
                    missing.push((purpose, algorithm, self.publish_until(now)));
                }
                Some(_) => {}
            }
        }
        missing
    }

    /// Returns all keys of the store, without a check of the issuer.
    async fn stored_keys(&self) -> Result<Vec<StoredKey>, StoreError> {
        let mut tx = self.ports.store.begin(Access::Read).await?;
        let keys = tx.list_keys().await?;
        tx.commit().await?;
        Ok(keys)
    }

    /// Returns all keys of the store.
    pub async fn list_keys(&self) -> Result<Vec<StoredKey>, KeysError> {
        let mut tx = self.ports.store.begin(Access::Read).await?;
        let instance = tx.find_instance().await?;
        let keys = tx.list_keys().await?;
        tx.commit().await?;
        self.check_issuer(&instance.ok_or(KeysError::NoInstance)?)?;
        Ok(keys)
    }

    /// Returns the stage of a key's life cycle.
    #[must_use]
    pub fn key_state(&self, key: &StoredKey, keys: &[StoredKey], now: Timestamp) -> KeyState {
        let life_seconds = match key.purpose {
            KeyPurpose::Access => self.policy.access_ttl_seconds,
            KeyPurpose::Refresh => self.policy.session_max_seconds,
            KeyPurpose::Link => LINK_SECONDS_MAX,
            // The checkpoints that it signed are as old as the audit trail.
            KeyPurpose::Audit => i64::MAX / 4_000_000,
        };
        key_state(key, keys, life_seconds, now)
    }

    /// Returns the required keys. Only the issuer verifies refresh tokens and links, so the
    /// operator does not choose their algorithm.
    pub(crate) const fn wanted(&self) -> [(KeyPurpose, Algorithm); 4] {
        [
            (KeyPurpose::Access, self.policy.key_algorithm),
            (KeyPurpose::Refresh, Algorithm::Hs256),
            (KeyPurpose::Link, Algorithm::Hs256),
            (KeyPurpose::Audit, Algorithm::EdDsa),
        ]
    }

    /// Returns the time from which a key created now may sign: a verifier that has just fetched the
    /// keys caches them for the cache time.
    pub(crate) fn publish_until(&self, now: Timestamp) -> Timestamp {
        now.plus_seconds(self.policy.jwks_cache_seconds + SPREAD_SECONDS + CLOCK_SKEW_SECONDS)
    }

    /// Stores a key and writes the event.
    pub(crate) async fn insert_key(
        &self,
        tx: &mut dyn Tx,
        key: &StoredKey,
        actor: Actor,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        tx.insert_key(key).await?;
        let event = self.event(EventKind::KeyCreated, actor, now);
        tx.insert_event(&Event { detail: Some(about_key(key)), ..event }).await
    }

    /// Checks that the store belongs to this issuer.
    pub(crate) fn check_issuer(&self, instance: &Instance) -> Result<(), KeysError> {
        if instance.issuer == self.policy.issuer {
            return Ok(());
        }
        Err(KeysError::OtherIssuer {
            stored: instance.issuer.clone(),
            configured: self.policy.issuer.clone(),
        })
    }
}

/// Returns the description of a key for its event.
pub(crate) fn about_key(key: &StoredKey) -> String {
    format!("key={} purpose={}", key.id, key.purpose.as_str())
}
