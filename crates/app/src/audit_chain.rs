//! The audit chain: appends events, verifies the chain, and applies retention.
//!
//! Requests write events without a position in the chain and never wait for each other. A job
//! assigns the positions afterwards, some hundred at a time, behind a lock that no request takes.

use gateward_domain::audit::{
    Chain, ChainPosition, Checkpoint, CheckpointKind, Entry, SignedCheckpoint, next_digest,
};
use gateward_domain::audit_check::{ChainCheck, Finding};
use gateward_domain::ports::{Access, Metric, StoreError, Tx};
use gateward_domain::{Actor, Event, EventKind, Timestamp, TokenError};

use crate::App;

/// Number of events that one transaction appends, deletes or erases: few enough to keep locks
/// short.
const BATCH_SIZE: u32 = 200;

/// Number of entries read at once during verification.
const VERIFY_PAGE_SIZE: u32 = 1000;

/// Maximum number of walks through the chain while its retention boundary moves.
const VERIFY_ATTEMPTS_MAX: u32 = 3;

/// Maximum number of unparsable entries that one walk skips. A table with more is not a chain.
const UNREADABLE_MAX: u32 = 1000;

/// Maximum number of batches in one cleanup, so that it ends. The next one continues.
const BATCHES_MAX: u32 = 100;

/// Number of seconds in a day.
const DAY_SECONDS: i64 = 24 * 3600;

/// Why the audit chain could not be extended or trimmed.
#[derive(Debug, thiserror::Error)]
pub enum AuditChainError {
    /// A checkpoint could not be signed.
    #[error("the checkpoint of the audit chain could not be signed")]
    Token(#[from] TokenError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The result of an audit verification.
#[derive(Debug)]
pub struct AuditReport {
    /// Number of verified entries.
    pub entries: u64,
    /// The latest checkpoint of the chain.
    pub latest: Checkpoint,
    /// Number of events not yet in the chain, up to one page.
    pub waiting: usize,
    /// The defects found.
    pub findings: Vec<Finding>,
}

impl App {
    /// Appends every waiting event to the chain and signs the latest checkpoint. Returns the number
    /// of events. If several nodes run it at once, each appends a part.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn chain_events(&self) -> Result<u64, AuditChainError> {
        let mut total = 0;
        // A read without the lock: usually nothing is waiting.
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
        // Each batch has its own transaction and its own signed time.
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

    /// Returns the latest checkpoint of the audit trail.
    pub async fn latest_checkpoint(&self) -> Result<Checkpoint, StoreError> {
        let mut tx = self.ports.store.begin(Access::Read).await?;
        let chain = tx.find_chain().await?;
        tx.commit().await?;
        Ok(chain.latest.checkpoint)
    }

    /// Verifies the whole chain and reports progress after each page. `expected` is a checkpoint
    /// that was kept outside the store.
    pub async fn verify_audit(
        &self,
        expected: Option<Checkpoint>,
        mut progress: impl FnMut(u64, &Checkpoint) + Send,
    ) -> Result<AuditReport, StoreError> {
        for _ in 1..VERIFY_ATTEMPTS_MAX {
            let before = self.audit_chain().await?;
            let report = self.walk_chain(&before, expected, &mut progress).await?;
            // Retention may have deleted entries during the walk.
            let has_moved =
                self.audit_chain().await?.retention_boundary != before.retention_boundary;
            if report.findings.is_empty() || !has_moved {
                return Ok(report);
            }
        }
        let chain = self.audit_chain().await?;
        self.walk_chain(&chain, expected, &mut progress).await
    }

    /// Walks from the retention boundary to the latest checkpoint, and one page beyond.
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
            // Entries appended during the walk lie beyond the checkpoint.
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
            // A checkpoint is written with its entries: an entry found before the checkpoint is
            // read does not lie beyond it.
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

    /// Returns the next entries of the chain. `None` if the very next one cannot be parsed.
    async fn readable_page(&self, after: i64) -> Result<Option<Vec<Entry>>, StoreError> {
        for limit in [VERIFY_PAGE_SIZE, 1] {
            match self.audit_page(after, limit).await {
                Err(StoreError::Corrupt { .. }) => {}
                page => return page.map(Some),
            }
        }
        Ok(None)
    }

    /// Returns the entries of the chain after a sequence number.
    pub async fn audit_page(&self, after: i64, limit: u32) -> Result<Vec<Entry>, StoreError> {
        let mut tx = self.ports.store.begin(Access::Read).await?;
        let entries = tx.list_chained_events(after, limit).await?;
        tx.commit().await?;
        Ok(entries)
    }

    /// Returns both signed ends of the chain.
    pub async fn audit_chain(&self) -> Result<Chain, StoreError> {
        let mut tx = self.ports.store.begin(Access::Read).await?;
        let chain = tx.find_chain().await?;
        tx.commit().await?;
        Ok(chain)
    }

    /// Verifies a signature of the audit trail.
    #[must_use]
    pub fn read_audit_checkpoint(&self, signature: &str) -> Option<(CheckpointKind, Checkpoint)> {
        self.ports.audit_keys.read_checkpoint(signature).ok()
    }

    /// Erases the personal data of deleted accounts from the events, and deletes entries at the end
    /// of their retention period. Returns the number of changed rows.
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

    /// Erases a batch of events of a deleted account. `None` if none is left to erase.
    async fn erase_batch(&self) -> Result<Option<u64>, StoreError> {
        // Each batch has its own transaction, and its event carries that time.
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

    /// Deletes the oldest entries of the chain at the end of their retention period, and signs the
    /// new retention boundary.
    async fn expire_batch(&self) -> Result<u64, AuditChainError> {
        // As in `erase_batch`. The signature on the retention boundary also contains the time.
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

/// Returns the end of the entries older than `before`. `None` if there are none. The chain is
/// locked.
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

/// Returns the sequence number of an entry, or 0 if it has none.
fn seq(entry: &Entry) -> i64 {
    entry.position.as_ref().map_or(0, |position| position.seq)
}
