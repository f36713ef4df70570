//! Checking the chain of the audit trail: what was changed, taken out, cut off or forged.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::audit::{
    ChainPosition, Checkpoint, CheckpointKind, Digest, Entry, SignedCheckpoint, next_digest,
};
use crate::{Actor, Event, EventKind, UserId};

/// Something that is wrong with the audit trail.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Finding {
    /// These entries are not there, the first and the last of them.
    Missing(i64, i64),
    /// An entry is not what it was when it was sealed, or stands in the place of another.
    Altered(i64),
    /// The address that an entry tells is not the one that it told.
    AddressAltered(i64),
    /// An entry cannot be read at all.
    Unreadable(i64),
    /// What tells of this person was taken out of an entry, though their account was not deleted.
    ErasedWithoutDeletion(i64, UserId),
    /// A head at this entry was not signed by this installation, or not for this place.
    ForgedCheckpoint(i64),
    /// Where the chain begins was not signed by this installation.
    ForgedRetentionBoundary,
    /// The chain ends before the entry that it had come to.
    Truncated {
        /// The last entry that is there.
        found: i64,
        /// The last entry that was.
        expected: i64,
    },
    /// An entry stands behind the end of the chain.
    BeyondCheckpoint(i64),
    /// The chain does not have the head that was kept elsewhere.
    CheckpointMismatch(i64),
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(from, to) if from == to => write!(formatter, "entry {from} is missing"),
            Self::Missing(from, to) => write!(formatter, "entries {from} to {to} are missing"),
            Self::Altered(seq) => {
                write!(formatter, "entry {seq} is altered, or in the place of another")
            }
            Self::AddressAltered(seq) => write!(formatter, "entry {seq} tells another address"),
            Self::Unreadable(seq) => write!(formatter, "entry {seq} cannot be read"),
            Self::ErasedWithoutDeletion(seq, id) => {
                write!(formatter, "entry {seq} was erased, but account {id} was not deleted")
            }
            Self::ForgedCheckpoint(seq) => {
                write!(formatter, "the signature at entry {seq} is forged")
            }
            Self::ForgedRetentionBoundary => {
                formatter.write_str("the signature on the beginning is forged")
            }
            Self::Truncated { found, expected } => {
                write!(formatter, "the end is cut off: {expected} was reached, {found} is the last")
            }
            Self::BeyondCheckpoint(seq) => write!(formatter, "entry {seq} stands behind the end"),
            Self::CheckpointMismatch(seq) => {
                write!(formatter, "the chain does not have the head that was kept at {seq}")
            }
        }
    }
}

/// What is wrong is listed up to so many; whoever has altered all has altered enough.
const FINDINGS_MAX: usize = 1000;

/// A check that is given the entries one after the other.
pub struct ChainCheck<R> {
    read_checkpoint: R,
    /// The number of the last entry.
    seq: i64,
    /// The digest up to it; `None` where it cannot be known.
    digest: Option<Digest>,
    entries: u64,
    expected: Option<Checkpoint>,
    /// Accounts of whom something was erased, each with the first entry.
    erased: BTreeMap<UserId, i64>,
    deleted: BTreeSet<UserId>,
    findings: Vec<Finding>,
}

impl<R: Fn(&str) -> Option<(CheckpointKind, Checkpoint)>> ChainCheck<R> {
    /// Begins at the floor. `expected` is a head that was kept elsewhere; `read_checkpoint` reads a
    /// signature.
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

    /// The number of the last entry that was looked at.
    pub const fn seq(&self) -> i64 {
        self.seq
    }

    /// How many entries were looked at.
    pub const fn entries(&self) -> u64 {
        self.entries
    }

    /// Looks at the next entry.
    pub fn add(&mut self, entry: &Entry) {
        let Some(position) = &entry.position else { return };
        self.entries += 1;
        let next = self.seq.saturating_add(1);
        if position.seq < next {
            // In the place of another, whatever it says.
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

    /// Passes over an entry that cannot be read.
    pub fn add_unreadable(&mut self) {
        self.seq = self.seq.saturating_add(1);
        self.digest = None;
        self.find(Finding::Unreadable(self.seq));
    }

    /// Ends at the tip; `None` where nobody knows how far the chain came.
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

    /// Takes note of an event that may tell of a deletion, wherever it stands: it may have no place
    /// yet.
    pub fn note_deletion(&mut self, event: &Event) {
        if let (EventKind::AccountDeleted, Some(id)) = (event.kind, event.user_id) {
            self.deleted.insert(id);
        }
    }

    /// Says that an entry stands behind the end of the chain.
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
        // A tip of another chain fits its own signature, but not the last entry.
        if self.seq == latest.checkpoint.seq
            && self.digest.is_some_and(|digest| digest != latest.checkpoint.digest)
        {
            self.find(Finding::ForgedCheckpoint(latest.checkpoint.seq));
        }
    }

    fn check_digest(&mut self, entry: &Entry, position: &ChainPosition) {
        // Where the one before is not known, it was found already.
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
            // Written before there was a trail: its address is not covered.
            None if entry.commitment == Digest::START => {}
            None if event.ip.is_some() => self.find(Finding::AddressAltered(seq)),
            None => self.note_erased(entry, seq),
            Some(_) => {}
        }
    }

    /// Only what tells of the one who has acted is erased, or, where no user has, of the one acted
    /// on.
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
