//! Sealing the audit trail, checking it, and letting go of what was kept long enough.
//!
//! Requests write events without a place in the chain and never wait for each other. Whoever seals
//! gives the places afterwards, some hundred at a time, behind a lock that nobody else takes.

use gateward_domain::audit::{
    Chain, ChainPosition, Checkpoint, CheckpointKind, Entry, SignedCheckpoint, next_digest,
};
use gateward_domain::audit_check::{ChainCheck, Finding};
use gateward_domain::ports::{Access, Metric, StoreError, Tx};
use gateward_domain::{Actor, Event, EventKind, Timestamp, TokenError};

use crate::App;

/// How many events one transaction seals, deletes or erases: few enough to hold no lock for long.
const BATCH_SIZE: u32 = 200;

/// How many entries are read at once when the chain is checked.
const VERIFY_PAGE_SIZE: u32 = 1000;

/// How often the chain is walked at most while its beginning moves.
const VERIFY_ATTEMPTS_MAX: u32 = 3;

/// How many entries that cannot be read one walk passes over; more is no chain.
const UNREADABLE_MAX: u32 = 1000;

/// How many batches one cleanup makes at most, so that it ends; the next one goes on.
const BATCHES_MAX: u32 = 100;

/// Seconds in a day.
const DAY_SECONDS: i64 = 24 * 3600;

/// Why the audit trail was not sealed.
#[derive(Debug, thiserror::Error)]
pub enum AuditChainError {
    /// A head could not be signed.
    #[error("the head of the audit trail could not be signed")]
    Token(#[from] TokenError),
    /// The store has failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a check of the audit trail has found.
#[derive(Debug)]
pub struct AuditReport {
    /// How many entries were looked at.
    pub entries: u64,
    /// How far the chain has come.
    pub latest: Checkpoint,
    /// How many events wait for their place in it; at most a page of them is counted.
    pub waiting: usize,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

impl App {
    /// Gives every event its place in the chain that has none, and signs how far it has come; gives
    /// how many. Of nodes that do so at once, each does a part.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn chain_events(&self) -> Result<u64, AuditChainError> {
        let mut total = 0;
        // A read, without the lock: mostly there is nothing to do.
        let mut tx = self.ports.store.begin(Access::Read).await?;
        let has_unchained = !tx.list_unchained_events(1).await?.is_empty();
        tx.commit().await?;
        let mut may_be_more = has_unchained;
        while may_be_more {
            let chained = self.chain_batch().await?;
            total += chained as u64;
            may_be_more = chained == BATCH_SIZE as usize;
        }
        self.ports.metrics.count(Metric::EventChained, total);
        Ok(total)
    }

    async fn chain_batch(&self) -> Result<usize, AuditChainError> {
        // Each batch has its own transaction and signature, and says when that was made.
        let now = self.now();
        let mut tx = self.ports.store.begin(Access::Write).await?;
        let chain = tx.lock_chain().await?;
        let entries = tx.list_unchained_events(BATCH_SIZE).await?;
        if entries.is_empty() {
            return Ok(0);
        }
        let mut checkpoint = Checkpoint { at: now, ..chain.latest.checkpoint };
        let mut positions = Vec::with_capacity(entries.len());
        for entry in &entries {
            checkpoint.seq += 1;
            checkpoint.digest =
                next_digest(&checkpoint.digest, checkpoint.seq, &entry.event, &entry.commitment);
            let position =
                ChainPosition { seq: checkpoint.seq, digest: checkpoint.digest, signature: None };
            positions.push((entry.event.id, position));
        }
        let signature =
            self.ports.audit_keys.sign_checkpoint(CheckpointKind::Latest, &checkpoint)?;
        if let Some((_, last)) = positions.last_mut() {
            last.signature = Some(signature.clone());
        }
        tx.append_to_chain(&positions, &SignedCheckpoint { checkpoint, signature }).await?;
        tx.commit().await?;
        Ok(positions.len())
    }

    /// How far the chain of the audit trail has come.
    pub async fn latest_checkpoint(&self) -> Result<Checkpoint, StoreError> {
        let mut tx = self.ports.store.begin(Access::Read).await?;
        let chain = tx.find_chain().await?;
        tx.commit().await?;
        Ok(chain.latest.checkpoint)
    }

    /// Goes through the whole chain, and tells after each page how far it is. `expected` is a head
    /// that somebody has kept elsewhere.
    pub async fn verify_audit(
        &self,
        expected: Option<Checkpoint>,
        mut progress: impl FnMut(u64, &Checkpoint) + Send,
    ) -> Result<AuditReport, StoreError> {
        for _ in 1..VERIFY_ATTEMPTS_MAX {
            let before = self.audit_chain().await?;
            let report = self.walk_chain(&before, expected, &mut progress).await?;
            // What was kept long enough may have been deleted while the walk was there.
            let has_moved =
                self.audit_chain().await?.retention_boundary != before.retention_boundary;
            if report.findings.is_empty() || !has_moved {
                return Ok(report);
            }
        }
        let chain = self.audit_chain().await?;
        self.walk_chain(&chain, expected, &mut progress).await
    }

    /// Walks from the floor to the tip, and a page beyond.
    async fn walk_chain(
        &self,
        chain: &Chain,
        expected: Option<Checkpoint>,
        progress: &mut (impl FnMut(u64, &Checkpoint) + Send),
    ) -> Result<AuditReport, StoreError> {
        let read_checkpoint =
            |signature: &str| self.ports.audit_keys.read_checkpoint(signature).ok();
        let mut check = ChainCheck::new(&chain.retention_boundary, expected, read_checkpoint);
        let (latest, mut unreadable) = (chain.latest.checkpoint, 0);
        while check.seq() < latest.seq && unreadable < UNREADABLE_MAX {
            let Some(entries) = self.readable_page(check.seq()).await? else {
                check.add_unreadable();
                unreadable += 1;
                continue;
            };
            if entries.is_empty() {
                break;
            }
            // What is sealed while the walk is under way stands behind the tip.
            for entry in entries.iter().filter(|entry| seq(entry) <= latest.seq) {
                check.add(entry);
            }
            progress(check.entries(), &latest);
            if entries.iter().any(|entry| seq(entry) > latest.seq) {
                break;
            }
        }
        let beyond = self.readable_page(latest.seq).await?.unwrap_or_default();
        let mut tx = self.ports.store.begin(Access::Read).await?;
        let waiting = tx.list_unchained_events(BATCH_SIZE).await?;
        let latest_now = tx.find_chain().await?.latest.checkpoint.seq;
        tx.commit().await?;
        for entry in &beyond {
            check.note_deletion(&entry.event);
            // A tip is written with its entries: what is found before the tip is read is not behind
            // it.
            if seq(entry) > latest_now {
                check.add_beyond(seq(entry));
            }
        }
        for entry in &waiting {
            check.note_deletion(&entry.event);
        }
        let entries = check.entries();
        let findings = check.finish(Some(&chain.latest));
        Ok(AuditReport { entries, latest, waiting: waiting.len(), findings })
    }

    /// The next entries of the chain; `None` if the very next one cannot be read.
    async fn readable_page(&self, after: i64) -> Result<Option<Vec<Entry>>, StoreError> {
        for limit in [VERIFY_PAGE_SIZE, 1] {
            match self.audit_page(after, limit).await {
                Err(StoreError::Corrupt { .. }) => {}
                page => return page.map(Some),
            }
        }
        Ok(None)
    }

    /// The next entries of the chain after a number.
    pub async fn audit_page(&self, after: i64, limit: u32) -> Result<Vec<Entry>, StoreError> {
        let mut tx = self.ports.store.begin(Access::Read).await?;
        let entries = tx.list_chained_events(after, limit).await?;
        tx.commit().await?;
        Ok(entries)
    }

    /// Both ends of the chain, signed.
    pub async fn audit_chain(&self) -> Result<Chain, StoreError> {
        let mut tx = self.ports.store.begin(Access::Read).await?;
        let chain = tx.find_chain().await?;
        tx.commit().await?;
        Ok(chain)
    }

    /// Reads a signature of the audit trail.
    #[must_use]
    pub fn read_audit_checkpoint(&self, signature: &str) -> Option<(CheckpointKind, Checkpoint)> {
        self.ports.audit_keys.read_checkpoint(signature).ok()
    }

    /// Takes what tells of a person out of the events of deleted accounts, and deletes entries that
    /// were kept long enough; gives how many rows were changed.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn apply_audit_retention(&self) -> Result<u64, AuditChainError> {
        let mut total = 0;
        for _ in 0..BATCHES_MAX {
            let erased = self.erase_batch().await?;
            total += erased.unwrap_or(0);
            if erased.is_none() {
                break;
            }
        }
        for _ in 0..BATCHES_MAX {
            let deleted = self.expire_batch().await?;
            total += deleted;
            if deleted == 0 {
                break;
            }
        }
        Ok(total)
    }

    /// Erases a part of the events of a deleted account; `None` if there is none to erase.
    async fn erase_batch(&self) -> Result<Option<u64>, StoreError> {
        // Each batch has its own transaction, and its event says when that was.
        let now = self.now();
        let mut tx = self.ports.store.begin(Access::Write).await?;
        let Some(user_id) = tx.find_erasure().await? else { return Ok(None) };
        let erased = tx.erase_events(user_id, BATCH_SIZE).await?;
        if tx.find_erasure().await? != Some(user_id) {
            let event = self.event(EventKind::EventsErased, Actor::Service, now);
            tx.insert_event(&Event { user_id: Some(user_id), ..event }).await?;
        }
        tx.commit().await?;
        Ok(Some(erased))
    }

    /// Deletes the oldest entries of the chain that were kept long enough. Where it begins from
    /// then on is signed.
    async fn expire_batch(&self) -> Result<u64, AuditChainError> {
        // As for `erase_batch`; the signature on the floor says the time, too.
        let now = self.now();
        let before = now.minus_seconds(self.policy.audit_keep_days.saturating_mul(DAY_SECONDS));
        let mut tx = self.ports.store.begin(Access::Read).await?;
        let retention_boundary = tx.find_chain().await?.retention_boundary;
        let oldest = tx.list_chained_events(retention_boundary.checkpoint.seq, 1).await?;
        tx.commit().await?;
        if oldest.first().is_none_or(|entry| entry.event.at >= before) {
            return Ok(0);
        }
        let mut tx = self.ports.store.begin(Access::Write).await?;
        let Some(checkpoint) = expired(&mut *tx, before, now).await? else { return Ok(0) };
        let signature = self
            .ports
            .audit_keys
            .sign_checkpoint(CheckpointKind::RetentionBoundary, &checkpoint)?;
        let deleted = tx.truncate_chain(&SignedCheckpoint { checkpoint, signature }).await?;
        let event = self.event(EventKind::EventsExpired, Actor::Service, now);
        let detail = Some(format!("seq={}", checkpoint.seq));
        tx.insert_event(&Event { detail, ..event }).await?;
        tx.commit().await?;
        Ok(deleted)
    }
}

/// Up to where the oldest entries are older than `before`; `None` if none is. The chain is locked.
async fn expired(
    tx: &mut dyn Tx,
    before: Timestamp,
    now: Timestamp,
) -> Result<Option<Checkpoint>, StoreError> {
    let chain = tx.lock_chain().await?;
    let oldest =
        tx.list_chained_events(chain.retention_boundary.checkpoint.seq, BATCH_SIZE).await?;
    let old = oldest.iter().take_while(|entry| entry.event.at < before);
    let last = old.filter_map(|entry| entry.position.as_ref()).last();
    Ok(last.map(|position| Checkpoint { seq: position.seq, digest: position.digest, at: now }))
}

/// The place of an entry; 0, if it has none.
fn seq(entry: &Entry) -> i64 {
    entry.position.as_ref().map_or(0, |position| position.seq)
}
