//! Checking the chain of the audit trail: what was changed, taken out, cut off or forged.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::audit::{Digest, Entry, Head, HeadKind, Seal, SignedHead, chained};
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
    ForgedHead(i64),
    /// Where the chain begins was not signed by this installation.
    ForgedFloor,
    /// The chain ends before the entry that it had come to.
    CutTail {
        /// The last entry that is there.
        found: i64,
        /// The last entry that was.
        expected: i64,
    },
    /// An entry stands behind the end of the chain.
    BeyondTip(i64),
    /// The chain does not have the head that was kept elsewhere.
    NotAsKept(i64),
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
            Self::ForgedHead(seq) => write!(formatter, "the signature at entry {seq} is forged"),
            Self::ForgedFloor => formatter.write_str("the signature on the beginning is forged"),
            Self::CutTail { found, expected } => {
                write!(formatter, "the end is cut off: {expected} was reached, {found} is the last")
            }
            Self::BeyondTip(seq) => write!(formatter, "entry {seq} stands behind the end"),
            Self::NotAsKept(seq) => {
                write!(formatter, "the chain does not have the head that was kept at {seq}")
            }
        }
    }
}

/// What is wrong is listed up to so many; whoever has altered all has altered enough.
const FINDINGS_MAX: usize = 1000;

/// A check that is given the entries one after the other.
pub struct ChainCheck<R> {
    read_head: R,
    /// The number of the last entry.
    seq: i64,
    /// The digest up to it; `None` where it cannot be known.
    digest: Option<Digest>,
    entries: u64,
    expected: Option<Head>,
    /// Accounts of whom something was erased, each with the first entry.
    erased: BTreeMap<UserId, i64>,
    deleted: BTreeSet<UserId>,
    findings: Vec<Finding>,
}

impl<R: Fn(&str) -> Option<(HeadKind, Head)>> ChainCheck<R> {
    /// Begins at the floor. `expected` is a head that was kept elsewhere; `read_head` reads a signature.
    pub fn new(floor: &SignedHead, expected: Option<Head>, read_head: R) -> Self {
        let mut findings = Vec::new();
        let says = || read_head(&floor.signature);
        let is_start = floor.head.seq == 0 && floor.head.digest == Digest::START;
        if !is_start && says() != Some((HeadKind::Floor, floor.head)) {
            findings.push(Finding::ForgedFloor);
        }
        Self {
            read_head,
            seq: floor.head.seq,
            digest: Some(floor.head.digest),
            entries: 0,
            expected: expected.filter(|head| head.seq > floor.head.seq),
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
        let Some(seal) = &entry.seal else { return };
        self.entries += 1;
        let next = self.seq.saturating_add(1);
        if seal.seq < next {
            // In the place of another, whatever it says.
            return self.find(Finding::Altered(seal.seq));
        }
        if seal.seq > next {
            self.find(Finding::Missing(next, seal.seq.saturating_sub(1)));
            self.digest = None;
        }
        self.check_digest(entry, seal);
        self.check_person(entry, seal.seq);
        self.check_signature(seal);
        if self.expected.is_some_and(|head| head.seq == seal.seq && head.digest != seal.digest) {
            self.find(Finding::NotAsKept(seal.seq));
        }
        self.seq = seal.seq;
        self.digest = Some(seal.digest);
    }

    /// Passes over an entry that cannot be read.
    pub fn add_unreadable(&mut self) {
        self.seq = self.seq.saturating_add(1);
        self.digest = None;
        self.find(Finding::Unreadable(self.seq));
    }

    /// Ends at the tip; `None` where nobody knows how far the chain came.
    pub fn finish(mut self, tip: Option<&SignedHead>) -> Vec<Finding> {
        let tip_seq = tip.map_or(0, |tip| tip.head.seq);
        let reached = tip_seq.max(self.expected.map_or(0, |head| head.seq));
        if self.seq < reached {
            self.find(Finding::CutTail { found: self.seq, expected: reached });
        }
        if let Some(tip) = tip {
            self.check_tip(tip);
        }
        for (user, seq) in std::mem::take(&mut self.erased) {
            if !self.deleted.contains(&user) {
                self.find(Finding::ErasedWithoutDeletion(seq, user));
            }
        }
        self.findings.dedup();
        self.findings
    }

    /// Takes note of an event that may tell of a deletion, wherever it stands: it may have no place yet.
    pub fn note_deletion(&mut self, event: &Event) {
        if let (EventKind::AccountDeleted, Some(id)) = (event.kind, event.user_id) {
            self.deleted.insert(id);
        }
    }

    /// Says that an entry stands behind the end of the chain.
    pub fn add_beyond(&mut self, seq: i64) {
        self.find(Finding::BeyondTip(seq));
    }

    fn check_tip(&mut self, tip: &SignedHead) {
        let is_start = tip.head.seq == 0 && self.entries == 0;
        if !is_start && (self.read_head)(&tip.signature) != Some((HeadKind::Tip, tip.head)) {
            self.find(Finding::ForgedHead(tip.head.seq));
        }
        // A tip of another chain fits its own signature, but not the last entry.
        if self.seq == tip.head.seq && self.digest.is_some_and(|digest| digest != tip.head.digest) {
            self.find(Finding::ForgedHead(tip.head.seq));
        }
    }

    fn check_digest(&mut self, entry: &Entry, seal: &Seal) {
        // Where the one before is not known, it was found already.
        let Some(before) = &self.digest else { return };
        if chained(before, seal.seq, &entry.event, &entry.commitment) != seal.digest {
            self.find(Finding::Altered(seal.seq));
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

    /// Only what tells of the one who has acted is erased, or, where no user has, of the one acted on.
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

    fn check_signature(&mut self, seal: &Seal) {
        let Some(signature) = &seal.signature else { return };
        let says = (self.read_head)(signature);
        let fits = says.is_some_and(|(kind, head)| {
            kind == HeadKind::Tip && head.seq == seal.seq && head.digest == seal.digest
        });
        if !fits {
            self.find(Finding::ForgedHead(seal.seq));
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
