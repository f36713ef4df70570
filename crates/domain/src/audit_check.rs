//! Checks the chain of the audit trail for altered, removed, truncated and forged entries.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::audit::{
    ChainPosition, Checkpoint, CheckpointKind, Digest, Entry, SignedCheckpoint, next_digest,
};
use crate::{Actor, Event, EventKind, UserId};

/// A defect in the audit trail.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Finding {
    /// Entries are missing: the first and the last sequence number.
    Missing(i64, i64),
    /// An entry differs from the one that was appended, or is at another entry's position.
    Altered(i64),
    /// The IP address of an entry differs from the one that was appended.
    AddressAltered(i64),
    /// An entry cannot be parsed.
    Unreadable(i64),
    /// The personal part about this user was erased from an entry, but the account was not deleted.
    ErasedWithoutDeletion(i64, UserId),
    /// The checkpoint at this entry was not signed by this installation, or not for this position.
    ForgedCheckpoint(i64),
    /// The retention boundary was not signed by this installation.
    ForgedRetentionBoundary,
    /// The chain ends before its latest checkpoint.
    Truncated {
        /// Sequence number of the last entry found.
        found: i64,
        /// Sequence number of the latest checkpoint.
        expected: i64,
    },
    /// An entry lies beyond the latest checkpoint.
    BeyondCheckpoint(i64),
    /// The chain does not contain the checkpoint that was kept outside the store.
    CheckpointMismatch(i64),
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(from, to) if from == to => write!(formatter, "entry {from} is missing"),
            Self::Missing(from, to) => write!(formatter, "entries {from} to {to} are missing"),
            Self::Altered(seq) => {
                write!(formatter, "entry {seq} was altered or moved")
            }
            Self::AddressAltered(seq) => {
                write!(formatter, "entry {seq} has a different IP address")
            }
            Self::Unreadable(seq) => write!(formatter, "entry {seq} cannot be read"),
            Self::ErasedWithoutDeletion(seq, id) => {
                write!(formatter, "entry {seq} was erased, but account {id} was not deleted")
            }
            Self::ForgedCheckpoint(seq) => {
                write!(formatter, "the signature at entry {seq} is forged")
            }
            Self::ForgedRetentionBoundary => {
                formatter.write_str("the signature of the retention boundary is forged")
            }
            Self::Truncated { found, expected } => {
                write!(
                    formatter,
                    "the trail is truncated: it reached entry {expected}, but entry {found} is the last"
                )
            }
            Self::BeyondCheckpoint(seq) => {
                write!(formatter, "entry {seq} lies beyond the latest checkpoint")
            }
            Self::CheckpointMismatch(seq) => {
                write!(formatter, "the chain does not match the expected checkpoint at entry {seq}")
            }
        }
    }
}

/// Upper bound on the findings in one report. An attacker who alters every entry must not exhaust
/// the memory.
const FINDINGS_MAX: usize = 1000;

/// A check that reads the entries of a chain one after the other.
pub struct ChainCheck<R> {
    read_checkpoint: R,
    /// Sequence number of the last entry.
    seq: i64,
    /// Digest up to the last entry. `None` if it cannot be computed.
    digest: Option<Digest>,
    entries: u64,
    expected: Option<Checkpoint>,
    /// Accounts with erased personal parts, each with its first erased entry.
    erased: BTreeMap<UserId, i64>,
    deleted: BTreeSet<UserId>,
    findings: Vec<Finding>,
}

impl<R: Fn(&str) -> Option<(CheckpointKind, Checkpoint)>> ChainCheck<R> {
    /// Starts a check at the retention boundary. `expected` is a checkpoint that was kept outside
    /// the store; `read_checkpoint` verifies a signature.
    pub fn new(
        retention_boundary: &SignedCheckpoint,
        expected: Option<Checkpoint>,
        read_checkpoint: R,
    ) -> Self {
        let mut findings = Vec::new();
        let says = || read_checkpoint(&retention_boundary.signature);
        let is_start = retention_boundary.checkpoint.seq == 0
            && retention_boundary.checkpoint.digest == Digest::START;
        if !is_start
            && says() != Some((CheckpointKind::RetentionBoundary, retention_boundary.checkpoint))
        {
            findings.push(Finding::ForgedRetentionBoundary);
        }
        Self {
            read_checkpoint,
            seq: retention_boundary.checkpoint.seq,
            digest: Some(retention_boundary.checkpoint.digest),
            entries: 0,
            expected: expected
                .filter(|checkpoint| checkpoint.seq > retention_boundary.checkpoint.seq),
            erased: BTreeMap::new(),
            deleted: BTreeSet::new(),
            findings,
        }
    }

    /// Returns the sequence number of the last entry that was checked.
    pub const fn seq(&self) -> i64 {
        self.seq
    }

    /// Returns the number of entries that were checked.
    pub const fn entries(&self) -> u64 {
        self.entries
    }

    /// Checks the next entry.
    pub fn add(&mut self, entry: &Entry) {
        let Some(position) = &entry.position else { return };
        self.entries += 1;
        let next = self.seq.saturating_add(1);
        if position.seq < next {
            // The entry is at another entry's position, whatever it contains.
            return self.find(Finding::Altered(position.seq));
        }
        if position.seq > next {
            self.find(Finding::Missing(next, position.seq.saturating_sub(1)));
            self.digest = None;
        }
        self.check_digest(entry, position);
        self.check_person(entry, position.seq);
        self.check_signature(position);
        if self.expected.is_some_and(|checkpoint| {
            checkpoint.seq == position.seq && checkpoint.digest != position.digest
        }) {
            self.find(Finding::CheckpointMismatch(position.seq));
        }
        self.seq = position.seq;
        self.digest = Some(position.digest);
    }

    /// Skips an entry that cannot be parsed.
    pub fn add_unreadable(&mut self) {
        self.seq = self.seq.saturating_add(1);
        self.digest = None;
        self.find(Finding::Unreadable(self.seq));
    }

    /// Ends the check at the latest checkpoint. `None` means that the end of the chain is unknown.
    pub fn finish(mut self, latest: Option<&SignedCheckpoint>) -> Vec<Finding> {
        let checkpoint_seq = latest.map_or(0, |latest| latest.checkpoint.seq);
        let reached = checkpoint_seq.max(self.expected.map_or(0, |checkpoint| checkpoint.seq));
        if self.seq < reached {
            self.find(Finding::Truncated { found: self.seq, expected: reached });
        }
        if let Some(latest) = latest {
            self.check_latest(latest);
        }
        for (user, seq) in std::mem::take(&mut self.erased) {
            if !self.deleted.contains(&user) {
                self.find(Finding::ErasedWithoutDeletion(seq, user));
            }
        }
        self.findings.dedup();
        self.findings
    }

    /// Records an event that may report a deletion. It need not have a position in the chain yet.
    pub fn note_deletion(&mut self, event: &Event) {
        if let (EventKind::AccountDeleted, Some(id)) = (event.kind, event.user_id) {
            self.deleted.insert(id);
        }
    }

    /// Records an entry beyond the latest checkpoint.
    pub fn add_beyond(&mut self, seq: i64) {
        self.find(Finding::BeyondCheckpoint(seq));
    }

    fn check_latest(&mut self, latest: &SignedCheckpoint) {
        let is_start = latest.checkpoint.seq == 0 && self.entries == 0;
        if !is_start
            && (self.read_checkpoint)(&latest.signature)
                != Some((CheckpointKind::Latest, latest.checkpoint))
        {
            self.find(Finding::ForgedCheckpoint(latest.checkpoint.seq));
        }
        // The checkpoint of another chain carries a valid signature, but does not match the last
        // entry.
        if self.seq == latest.checkpoint.seq
            && self.digest.is_some_and(|digest| digest != latest.checkpoint.digest)
        {
            self.find(Finding::ForgedCheckpoint(latest.checkpoint.seq));
        }
    }

    fn check_digest(&mut self, entry: &Entry, position: &ChainPosition) {
        // If the previous digest is unknown, that defect was already reported.
        let Some(before) = &self.digest else { return };
        if next_digest(before, position.seq, &entry.event, &entry.commitment) != position.digest {
            self.find(Finding::Altered(position.seq));
        }
    }

    fn check_person(&mut self, entry: &Entry, seq: i64) {
        let event = &entry.event;
        self.note_deletion(event);
        match event.commitment() {
            Some(commitment) if commitment != entry.commitment => {
                self.find(Finding::AddressAltered(seq));
            }
            // The event predates the audit trail: the chain does not cover its IP address.
            None if entry.commitment == Digest::START => {}
            None if event.ip.is_some() => self.find(Finding::AddressAltered(seq)),
            None => self.note_erased(entry, seq),
            Some(_) => {}
        }
    }

    /// Erasure removes only the personal part of the acting user or, if no user acted, of the user
    /// acted upon.
    fn note_erased(&mut self, entry: &Entry, seq: i64) {
        let whose = match entry.event.actor {
            Actor::User(id) => Some(id),
            Actor::Operator | Actor::Service => entry.event.user_id,
        };
        match whose {
            Some(id) => {
                self.erased.entry(id).or_insert(seq);
            }
            None => self.find(Finding::Altered(seq)),
        }
    }

    fn check_signature(&mut self, position: &ChainPosition) {
        let Some(signature) = &position.signature else { return };
        let says = (self.read_checkpoint)(signature);
        let fits = says.is_some_and(|(kind, checkpoint)| {
            kind == CheckpointKind::Latest
                && checkpoint.seq == position.seq
                && checkpoint.digest == position.digest
        });
        if !fits {
            self.find(Finding::ForgedCheckpoint(position.seq));
        }
    }

    fn find(&mut self, finding: Finding) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        }
    }
}

#[cfg(test)]
mod tests;
