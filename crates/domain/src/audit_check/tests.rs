//! Every kind of tampering with a chain is detected.

use uuid::Uuid;

use super::*;
use crate::{EventId, EventSalt, Timestamp};

/// Returns the signed data in place of a signature.
fn sign(kind: CheckpointKind, checkpoint: &Checkpoint) -> String {
    format!("{kind:?} {} {}", checkpoint.seq, checkpoint.digest)
}

fn read(signature: &str) -> Option<(CheckpointKind, Checkpoint)> {
    let mut parts = signature.split(' ');
    let kind = if parts.next()? == "Latest" {
        CheckpointKind::Latest
    } else {
        CheckpointKind::RetentionBoundary
    };
    let (seq, digest) = (parts.next()?.parse().ok()?, Digest::from_hex(parts.next()?)?);
    Some((kind, Checkpoint { seq, digest, at: Timestamp::from_seconds(0) }))
}

fn signed(kind: CheckpointKind, checkpoint: Checkpoint) -> SignedCheckpoint {
    SignedCheckpoint { signature: sign(kind, &checkpoint), checkpoint }
}

fn user(number: u128) -> UserId {
    UserId::from_uuid(Uuid::from_u128(number))
}

/// Ten entries and their latest checkpoint. The eighth reports the deletion of account 1.
fn chain() -> (Vec<Entry>, SignedCheckpoint) {
    let (mut digest, mut entries) = (Digest::START, Vec::new());
    for seq in 1..=10_i64 {
        let kind = if seq == 8 { EventKind::AccountDeleted } else { EventKind::PasswordChanged };
        let event = Event {
            id: EventId::from_uuid(Uuid::from_u64_pair(0, seq.unsigned_abs())),
            at: Timestamp::from_seconds(seq),
            kind,
            actor: Actor::Operator,
            actor_session_id: None,
            user_id: Some(user(if seq == 3 { 2 } else { 1 })),
            session_id: None,
            detail: None,
            ip: Some([192, 0, 2, 1].into()),
            salt: Some(EventSalt([7; 16])),
        };
        let commitment = event.commitment().unwrap();
        digest = next_digest(&digest, seq, &event, &commitment);
        let checkpoint = Checkpoint { seq, digest, at: Timestamp::from_seconds(0) };
        let signature = (seq % 5 == 0).then(|| sign(CheckpointKind::Latest, &checkpoint));
        entries.push(Entry {
            event,
            commitment,
            position: Some(ChainPosition { seq, digest, signature }),
        });
    }
    let checkpoint = Checkpoint { seq: 10, digest, at: Timestamp::from_seconds(0) };
    (entries, signed(CheckpointKind::Latest, checkpoint))
}

fn check(entries: &[Entry], latest: &SignedCheckpoint) -> Vec<Finding> {
    let mut check = ChainCheck::new(&SignedCheckpoint::start(), None, read);
    for entry in entries {
        check.add(entry);
    }
    check.finish(Some(latest))
}

fn erase(entry: &mut Entry) {
    (entry.event.ip, entry.event.salt) = (None, None);
}

#[test]
fn an_untouched_chain_is_well() {
    let (entries, latest) = chain();
    assert_eq!(check(&entries, &latest), []);
    assert_eq!(check(&[], &SignedCheckpoint::start()), []);
}

#[test]
fn an_altered_entry_is_found() {
    let (mut entries, latest) = chain();
    entries[3].event.user_id = Some(user(9));
    assert_eq!(check(&entries, &latest), [Finding::Altered(4)]);
    let (mut entries, latest) = chain();
    entries[3].event.ip = Some([192, 0, 2, 2].into());
    assert_eq!(check(&entries, &latest), [Finding::AddressAltered(4)]);
}

#[test]
fn a_removed_entry_is_found() {
    let (mut entries, latest) = chain();
    entries.remove(3);
    assert_eq!(check(&entries, &latest), [Finding::Missing(4, 4)]);
}

#[test]
fn two_swapped_entries_are_found() {
    let (mut entries, latest) = chain();
    let (third, fourth) = (entries[2].event.clone(), entries[3].event.clone());
    (entries[2].event, entries[3].event) = (fourth, third);
    assert_eq!(check(&entries, &latest), [Finding::Altered(3), Finding::Altered(4)]);
}

#[test]
fn a_cut_tail_is_found() {
    let (mut entries, latest) = chain();
    entries.truncate(7);
    let cut = Finding::Truncated { found: 7, expected: 10 };
    assert_eq!(check(&entries, &latest), [cut]);
}

/// An attacker who also resets the latest checkpoint is detected by a checkpoint kept elsewhere.
#[test]
fn a_tail_that_is_cut_with_its_latest_checkpoint_is_found_by_a_kept_checkpoint() {
    let (mut entries, latest) = chain();
    entries.truncate(5);
    let position = entries[4].position.clone().unwrap();
    let checkpoint = Checkpoint { seq: 5, digest: position.digest, at: Timestamp::from_seconds(0) };
    let back = signed(CheckpointKind::Latest, checkpoint);
    assert_eq!(check(&entries, &back), []);
    let mut check = ChainCheck::new(&SignedCheckpoint::start(), Some(latest.checkpoint), read);
    for entry in &entries {
        check.add(entry);
    }
    let cut = Finding::Truncated { found: 5, expected: 10 };
    assert_eq!(check.finish(Some(&back)), [cut]);
}

#[test]
fn a_chain_that_was_made_anew_is_found_by_its_checkpoints() {
    let (mut entries, mut latest) = chain();
    let (mut digest, at) = (Digest::START, Timestamp::from_seconds(0));
    entries[0].event.user_id = Some(user(9));
    for entry in &mut entries {
        let position = entry.position.as_mut().unwrap();
        position.digest = next_digest(&digest, position.seq, &entry.event, &entry.commitment);
        digest = position.digest;
    }
    latest.checkpoint = Checkpoint { seq: 10, digest, at };
    let forged = [5, 10, 10].map(Finding::ForgedCheckpoint);
    assert_eq!(check(&entries, &latest), forged[..2]);
}

#[test]
fn a_forged_checkpoint_is_found() {
    let (mut entries, latest) = chain();
    entries[4].position.as_mut().unwrap().signature = Some("Latest 5 ff".to_owned());
    assert_eq!(check(&entries, &latest), [Finding::ForgedCheckpoint(5)]);
    let (entries, latest) = chain();
    let forged = SignedCheckpoint {
        signature: sign(CheckpointKind::RetentionBoundary, &latest.checkpoint),
        ..latest
    };
    assert_eq!(check(&entries, &forged), [Finding::ForgedCheckpoint(10)]);
}

#[test]
fn an_erasure_is_well_if_the_account_was_deleted() {
    let (mut entries, latest) = chain();
    erase(&mut entries[1]);
    erase(&mut entries[8]);
    assert_eq!(check(&entries, &latest), []);
    erase(&mut entries[2]);
    assert_eq!(check(&entries, &latest), [Finding::ErasedWithoutDeletion(3, user(2))]);
}

#[test]
fn an_entry_from_before_the_trail_is_well_without_a_salt() {
    let (mut digest, mut entries) = (Digest::START, chain().0);
    for entry in &mut entries {
        (entry.event.salt, entry.commitment) = (None, Digest::START);
        let position = entry.position.as_mut().unwrap();
        digest = next_digest(&digest, position.seq, &entry.event, &entry.commitment);
        (position.digest, position.signature) = (digest, None);
    }
    let checkpoint = Checkpoint { seq: 10, digest, at: Timestamp::from_seconds(0) };
    assert_eq!(check(&entries, &signed(CheckpointKind::Latest, checkpoint)), []);
}

#[test]
fn a_chain_goes_on_from_a_retention_boundary_that_is_signed() {
    let (entries, latest) = chain();
    let position = entries[3].position.clone().unwrap();
    let checkpoint = Checkpoint { seq: 4, digest: position.digest, at: Timestamp::from_seconds(0) };
    let from = |retention_boundary: &SignedCheckpoint| {
        let mut check = ChainCheck::new(retention_boundary, None, read);
        for entry in &entries[4..] {
            check.add(entry);
        }
        check.finish(Some(&latest))
    };
    assert_eq!(from(&signed(CheckpointKind::RetentionBoundary, checkpoint)), []);
    assert_eq!(
        from(&signed(CheckpointKind::Latest, checkpoint)),
        [Finding::ForgedRetentionBoundary]
    );
}

#[test]
fn an_entry_that_cannot_be_read_hides_none_behind_it() {
    let (mut entries, latest) = chain();
    entries[6].event.detail = Some("changed".to_owned());
    let mut check = ChainCheck::new(&SignedCheckpoint::start(), None, read);
    for entry in &entries[..3] {
        check.add(entry);
    }
    check.add_unreadable();
    for entry in &entries[4..] {
        check.add(entry);
    }
    assert_eq!(check.finish(Some(&latest)), [Finding::Unreadable(4), Finding::Altered(7)]);
}
