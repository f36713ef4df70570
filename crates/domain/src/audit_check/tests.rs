//! A chain that was tampered with in every way is found out.

use uuid::Uuid;

use super::*;
use crate::{EventId, EventSalt, Timestamp};

/// Signs by writing down what is signed.
fn sign(kind: HeadKind, head: &Head) -> String {
    format!("{kind:?} {} {}", head.seq, head.digest)
}

fn read(signature: &str) -> Option<(HeadKind, Head)> {
    let mut parts = signature.split(' ');
    let kind = if parts.next()? == "Tip" { HeadKind::Tip } else { HeadKind::Floor };
    let (seq, digest) = (parts.next()?.parse().ok()?, Digest::from_hex(parts.next()?)?);
    Some((kind, Head { seq, digest, at: Timestamp::from_seconds(0) }))
}

fn signed(kind: HeadKind, head: Head) -> SignedHead {
    SignedHead { signature: sign(kind, &head), head }
}

fn user(number: u128) -> UserId {
    UserId::from_uuid(Uuid::from_u128(number))
}

/// Ten entries and their tip; the eighth tells that account 1 was deleted.
fn chain() -> (Vec<Entry>, SignedHead) {
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
        digest = chained(&digest, seq, &event, &commitment);
        let head = Head { seq, digest, at: Timestamp::from_seconds(0) };
        let signature = (seq % 5 == 0).then(|| sign(HeadKind::Tip, &head));
        entries.push(Entry { event, commitment, seal: Some(Seal { seq, digest, signature }) });
    }
    let head = Head { seq: 10, digest, at: Timestamp::from_seconds(0) };
    (entries, signed(HeadKind::Tip, head))
}

fn check(entries: &[Entry], tip: &SignedHead) -> Vec<Finding> {
    let mut check = ChainCheck::new(&SignedHead::start(), None, read);
    for entry in entries {
        check.add(entry);
    }
    check.finish(Some(tip))
}

fn erase(entry: &mut Entry) {
    (entry.event.ip, entry.event.salt) = (None, None);
}

#[test]
fn an_untouched_chain_is_well() {
    let (entries, tip) = chain();
    assert_eq!(check(&entries, &tip), []);
    assert_eq!(check(&[], &SignedHead::start()), []);
}

#[test]
fn an_altered_entry_is_found() {
    let (mut entries, tip) = chain();
    entries[3].event.user_id = Some(user(9));
    assert_eq!(check(&entries, &tip), [Finding::Altered(4)]);
    let (mut entries, tip) = chain();
    entries[3].event.ip = Some([192, 0, 2, 2].into());
    assert_eq!(check(&entries, &tip), [Finding::AddressAltered(4)]);
}

#[test]
fn a_removed_entry_is_found() {
    let (mut entries, tip) = chain();
    entries.remove(3);
    assert_eq!(check(&entries, &tip), [Finding::Missing(4, 4)]);
}

#[test]
fn two_swapped_entries_are_found() {
    let (mut entries, tip) = chain();
    let (third, fourth) = (entries[2].event.clone(), entries[3].event.clone());
    (entries[2].event, entries[3].event) = (fourth, third);
    assert_eq!(check(&entries, &tip), [Finding::Altered(3), Finding::Altered(4)]);
}

#[test]
fn a_cut_tail_is_found() {
    let (mut entries, tip) = chain();
    entries.truncate(7);
    let cut = Finding::CutTail { found: 7, expected: 10 };
    assert_eq!(check(&entries, &tip), [cut]);
}

/// Whoever sets back the tip as well is found by a head that was kept elsewhere.
#[test]
fn a_tail_that_is_cut_with_its_tip_is_found_by_a_kept_head() {
    let (mut entries, tip) = chain();
    entries.truncate(5);
    let seal = entries[4].seal.clone().unwrap();
    let head = Head { seq: 5, digest: seal.digest, at: Timestamp::from_seconds(0) };
    let back = signed(HeadKind::Tip, head);
    assert_eq!(check(&entries, &back), []);
    let mut check = ChainCheck::new(&SignedHead::start(), Some(tip.head), read);
    for entry in &entries {
        check.add(entry);
    }
    let cut = Finding::CutTail { found: 5, expected: 10 };
    assert_eq!(check.finish(Some(&back)), [cut]);
}

#[test]
fn a_chain_that_was_made_anew_is_found_by_its_heads() {
    let (mut entries, mut tip) = chain();
    let (mut digest, at) = (Digest::START, Timestamp::from_seconds(0));
    entries[0].event.user_id = Some(user(9));
    for entry in &mut entries {
        let seal = entry.seal.as_mut().unwrap();
        seal.digest = chained(&digest, seal.seq, &entry.event, &entry.commitment);
        digest = seal.digest;
    }
    tip.head = Head { seq: 10, digest, at };
    let forged = [5, 10, 10].map(Finding::ForgedHead);
    assert_eq!(check(&entries, &tip), forged[..2]);
}

#[test]
fn a_forged_head_is_found() {
    let (mut entries, tip) = chain();
    entries[4].seal.as_mut().unwrap().signature = Some("Tip 5 ff".to_owned());
    assert_eq!(check(&entries, &tip), [Finding::ForgedHead(5)]);
    let (entries, tip) = chain();
    let forged = SignedHead { signature: sign(HeadKind::Floor, &tip.head), ..tip };
    assert_eq!(check(&entries, &forged), [Finding::ForgedHead(10)]);
}

#[test]
fn an_erasure_is_well_if_the_account_was_deleted() {
    let (mut entries, tip) = chain();
    erase(&mut entries[1]);
    erase(&mut entries[8]);
    assert_eq!(check(&entries, &tip), []);
    erase(&mut entries[2]);
    assert_eq!(check(&entries, &tip), [Finding::ErasedWithoutDeletion(3, user(2))]);
}

#[test]
fn an_entry_from_before_the_trail_is_well_without_a_salt() {
    let (mut digest, mut entries) = (Digest::START, chain().0);
    for entry in &mut entries {
        (entry.event.salt, entry.commitment) = (None, Digest::START);
        let seal = entry.seal.as_mut().unwrap();
        digest = chained(&digest, seal.seq, &entry.event, &entry.commitment);
        (seal.digest, seal.signature) = (digest, None);
    }
    let head = Head { seq: 10, digest, at: Timestamp::from_seconds(0) };
    assert_eq!(check(&entries, &signed(HeadKind::Tip, head)), []);
}

#[test]
fn a_chain_goes_on_from_a_floor_that_is_signed() {
    let (entries, tip) = chain();
    let seal = entries[3].seal.clone().unwrap();
    let head = Head { seq: 4, digest: seal.digest, at: Timestamp::from_seconds(0) };
    let from = |floor: &SignedHead| {
        let mut check = ChainCheck::new(floor, None, read);
        for entry in &entries[4..] {
            check.add(entry);
        }
        check.finish(Some(&tip))
    };
    assert_eq!(from(&signed(HeadKind::Floor, head)), []);
    assert_eq!(from(&signed(HeadKind::Tip, head)), [Finding::ForgedFloor]);
}

#[test]
fn an_entry_that_cannot_be_read_hides_none_behind_it() {
    let (mut entries, tip) = chain();
    entries[6].event.detail = Some("changed".to_owned());
    let mut check = ChainCheck::new(&SignedHead::start(), None, read);
    for entry in &entries[..3] {
        check.add(entry);
    }
    check.add_unreadable();
    for entry in &entries[4..] {
        check.add(entry);
    }
    assert_eq!(check.finish(Some(&tip)), [Finding::Unreadable(4), Finding::Altered(7)]);
}
