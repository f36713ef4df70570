//! Promises about the audit trail: every event gets one position in one chain, and keeps it.

use gateward_domain::audit::{
    Chain, ChainPosition, Checkpoint, Digest, Entry, EventRange, SignedCheckpoint, next_digest,
};
use gateward_domain::ports::Tx;
use gateward_domain::{Actor, Event, EventId, EventKind, User, UserId};

use super::StoreFixture;
use super::fixture::{after, race};
use crate::{SeededEntropy, fixtures};

/// Stores an event of the account, `seconds` after the fixtures' time.
async fn written(fixture: &StoreFixture, user: &User, seconds: i64) -> Event {
    let session = fixture.draft(user);
    let id = EventId::new(after(seconds), &SeededEntropy::new(fixture.seed()));
    let plain = fixtures::event(fixture.seed(), EventKind::EmailChanged, &session);
    // If both orders were the same, a wrong one would pass.
    let ip = Some([192, 0, 2, 7].into());
    let event = Event { id, at: after(-seconds), ip, ..plain };
    fixture.single().await.insert_event(&event).await.unwrap();
    event
}

/// Stores this many events, and returns them ordered by identifier.
async fn some(fixture: &StoreFixture, count: i64) -> Vec<Event> {
    let user = fixture.stranger();
    let mut events = Vec::new();
    for seconds in (0..count).rev() {
        events.push(written(fixture, &user, seconds).await);
    }
    events.sort_by_key(|event| event.id);
    events
}

fn unchained(event: &Event) -> Entry {
    Entry { event: event.clone(), commitment: event.commitment().unwrap(), position: None }
}

/// Returns a checkpoint with a placeholder signature.
fn signed(seq: i64, digest: Digest) -> SignedCheckpoint {
    let checkpoint = Checkpoint { seq, digest, at: after(seq) };
    SignedCheckpoint { checkpoint, signature: format!("signature of {seq}") }
}

/// Returns the position of an entry after this checkpoint, and the checkpoint after it.
fn next(checkpoint: Checkpoint, entry: &Entry) -> (ChainPosition, Checkpoint) {
    let seq = checkpoint.seq + 1;
    let digest = next_digest(&checkpoint.digest, seq, &entry.event, &entry.commitment);
    (ChainPosition { seq, digest, signature: None }, Checkpoint { seq, digest, ..checkpoint })
}

/// Appends at most `limit` events to the chain, as the background job does. Returns the latest
/// checkpoint.
async fn chain_in(tx: &mut dyn Tx, limit: u32) -> SignedCheckpoint {
    let mut latest = tx.lock_chain().await.unwrap().latest;
    let mut positions = Vec::new();
    for entry in tx.list_unchained_events(limit).await.unwrap() {
        let (position, checkpoint) = next(latest.checkpoint, &entry);
        positions.push((entry.event.id, position));
        latest = signed(checkpoint.seq, checkpoint.digest);
    }
    if let Some((_, position)) = positions.last_mut() {
        position.signature = Some(latest.signature.clone());
    }
    tx.append_to_chain(&positions, &latest).await.unwrap();
    latest
}

/// Like `chain_in`, in a unit of its own.
async fn append(fixture: &StoreFixture, limit: u32) -> SignedCheckpoint {
    let mut tx = fixture.write().await;
    let latest = chain_in(tx.as_mut(), limit).await;
    tx.commit().await.unwrap();
    latest
}

async fn chained_after(fixture: &StoreFixture, after: i64) -> Vec<Entry> {
    fixture.read().await.list_chained_events(after, 100).await.unwrap()
}

async fn list_unchained(fixture: &StoreFixture) -> Vec<Entry> {
    fixture.read().await.list_unchained_events(100).await.unwrap()
}

async fn chain(fixture: &StoreFixture) -> Chain {
    fixture.read().await.find_chain().await.unwrap()
}

fn numbers(entries: &[Entry]) -> Vec<i64> {
    entries.iter().map(|entry| entry.position.as_ref().unwrap().seq).collect()
}

/// Deletes the chain up to one of its entries. Returns the new retention boundary.
async fn cut_in(tx: &mut dyn Tx, seq: i64) -> SignedCheckpoint {
    tx.lock_chain().await.unwrap();
    let last = tx.list_chained_events(seq - 1, 1).await.unwrap().remove(0).position.unwrap();
    let retention_boundary =
        SignedCheckpoint { signature: "retention_boundary".to_owned(), ..signed(seq, last.digest) };
    assert_eq!(tx.truncate_chain(&retention_boundary).await.unwrap(), 3);
    retention_boundary
}

/// Requests the erasure of an account's events.
async fn request(fixture: &StoreFixture, id: UserId, seconds: i64) {
    fixture.single().await.request_erasure(id, after(seconds)).await.unwrap();
}

async fn find_erasure(fixture: &StoreFixture) -> Option<UserId> {
    fixture.read().await.find_erasure().await.unwrap()
}

async fn erase(fixture: &StoreFixture, id: UserId, limit: u32) -> u64 {
    fixture.single().await.erase_events(id, limit).await.unwrap()
}

promises! {
    __promises_audit;


    async fn an_event_is_written_without_a_place(fixture: StoreFixture) {
        let events = some(&fixture, 5).await;
        let expected: Vec<_> = events.iter().map(unchained).collect();
        for (limit, count) in [(0, 0), (2, 2), (5, 5), (100, 5)] {
            let listed = fixture.read().await.list_unchained_events(limit).await.unwrap();
            assert_eq!(Some(listed.as_slice()), expected.get(..count), "the first {limit}");
        }
        assert!(chained_after(&fixture, 0).await.is_empty());
    }

    async fn a_chain_that_was_never_started_has_no_entries(fixture: StoreFixture) {
        assert_eq!(chain(&fixture).await, Chain::start());
        assert_eq!(fixture.write().await.lock_chain().await.unwrap(), Chain::start());
        assert!(chained_after(&fixture, 0).await.is_empty());
    }

    async fn events_that_are_chained_have_their_places(fixture: StoreFixture) {
        let events = some(&fixture, 5).await;
        let (mut checkpoint, mut expected) = (Checkpoint::START, Vec::new());
        for (limit, upto) in [(2, 2), (1, 3), (9, 5)] {
            let latest = append(&fixture, limit).await;
            assert_eq!(chain(&fixture).await, Chain { latest: latest.clone(), ..Chain::start() });
            for event in events.iter().take(upto).skip(expected.len()) {
                let entry = unchained(event);
                let (position, next) = next(checkpoint, &entry);
                checkpoint = next;
                expected.push(Entry { position: Some(position), ..entry });
            }
            let last = expected.last_mut().and_then(|entry| entry.position.as_mut()).unwrap();
            last.signature = Some(latest.signature);
            assert_eq!(chained_after(&fixture, 0).await, expected);
            let left: Vec<_> = events.iter().skip(upto).map(unchained).collect();
            assert_eq!(list_unchained(&fixture).await, left);
        }
        assert_eq!(fixture.write().await.lock_chain().await.unwrap(), chain(&fixture).await);
    }

    async fn the_chain_is_listed_page_by_page(fixture: StoreFixture) {
        // Older than the chained events, it still comes after them.
        let user = fixture.stranger();
        for seconds in [50, 40, 30, 20, 10] {
            written(&fixture, &user, seconds).await;
            append(&fixture, 1).await;
        }
        for (after, limit, expected) in [
            (0, 2, vec![1, 2]),
            (2, 2, vec![3, 4]),
            (4, 2, vec![5]),
            (5, 2, vec![]),
            (0, 0, vec![]),
            (1, 100, vec![2, 3, 4, 5]),
        ] {
            let page = fixture.read().await.list_chained_events(after, limit).await.unwrap();
            assert_eq!(numbers(&page), expected, "{limit} after {after}");
        }
    }

    async fn racing_chainers_make_one_chain(fixture: StoreFixture) {
        let events = some(&fixture, 20).await;
        let later = fixture.stranger();
        race(12, |index| {
            let (fixture, later) = (fixture.clone(), later.clone());
            async move {
                if index < 4 {
                    written(&fixture, &later, 100).await;
                } else {
                    append(&fixture, 3).await;
                }
            }
        })
        .await;
        append(&fixture, 100).await;
        let entries = chained_after(&fixture, 0).await;
        assert_eq!(numbers(&entries), (1..=24).collect::<Vec<_>>());
        assert!(list_unchained(&fixture).await.is_empty());
        let mut checkpoint = Checkpoint::START;
        for entry in &entries {
            let (position, after) = next(checkpoint, entry);
            assert_eq!(entry.position.as_ref().map(|position| position.digest), Some(position.digest));
            checkpoint = after;
        }
        assert_eq!(chain(&fixture).await.latest.checkpoint.digest, checkpoint.digest);
        let is_in = |event: &Event| entries.iter().any(|entry| entry.event == *event);
        assert!(events.iter().all(is_in));
    }

    async fn a_unit_that_is_undone_chains_nothing(fixture: StoreFixture) {
        let events = some(&fixture, 3).await;
        let started = append(&fixture, 1).await;
        let mut tx = fixture.write().await;
        chain_in(tx.as_mut(), 10).await;
        assert!(tx.list_unchained_events(10).await.unwrap().is_empty());
        drop(tx);
        let left: Vec<_> = events.iter().skip(1).map(unchained).collect();
        assert_eq!(list_unchained(&fixture).await, left);
        assert_eq!(chain(&fixture).await.latest, started);
        assert_eq!(numbers(&chained_after(&fixture, 0).await), [1]);
    }

    async fn a_chain_is_cut_from_its_beginning(fixture: StoreFixture) {
        let events = some(&fixture, 6).await;
        let latest = append(&fixture, 5).await;
        let before = chained_after(&fixture, 3).await;
        let mut tx = fixture.write().await;
        cut_in(tx.as_mut(), 3).await;
        drop(tx);
        assert_eq!(chain(&fixture).await, Chain { latest: latest.clone(), ..Chain::start() }, "undone");
        assert_eq!(chained_after(&fixture, 0).await.len(), 5, "undone");
        let mut tx = fixture.write().await;
        let retention_boundary = cut_in(tx.as_mut(), 3).await;
        tx.commit().await.unwrap();
        assert_eq!(chain(&fixture).await, Chain { retention_boundary: retention_boundary.clone(), latest });
        assert_eq!(chained_after(&fixture, 0).await, before);
        let left: Vec<_> = events.iter().skip(5).map(unchained).collect();
        assert_eq!(list_unchained(&fixture).await, left);
        let mut tx = fixture.read().await;
        let listed = tx.list_events(EventRange::All, None, None, 10).await.unwrap();
        assert!(listed.iter().eq(events.iter().skip(3).rev()));
        let latest = append(&fixture, 10).await;
        assert_eq!((latest.checkpoint.seq, chain(&fixture).await), (6, Chain { retention_boundary, latest }));
        assert_eq!(numbers(&chained_after(&fixture, 0).await), [4, 5, 6]);
    }

    async fn what_is_personal_is_erased_and_the_chain_stays_as_it_is(fixture: StoreFixture) {
        let (user, other) = (fixture.user().await, fixture.user().await);
        for seconds in [10, 30] {
            written(&fixture, &user, seconds).await;
            written(&fixture, &other, seconds + 10).await;
        }
        let by_user = fixtures::event(fixture.seed(), EventKind::RolesChanged, &fixture.draft(&other));
        let by_user = Event { actor: Actor::User(user.id), ..by_user };
        fixture.single().await.insert_event(&by_user).await.unwrap();
        append(&fixture, 3).await;
        let before = (chained_after(&fixture, 0).await, list_unchained(&fixture).await);
        let erased = |entry: &Entry| {
            let event = entry.event.clone();
            let is_theirs = match event.actor {
                Actor::User(id) => id == user.id,
                Actor::Operator | Actor::Service => event.user_id == Some(user.id),
            };
            let erased = Event { ip: None, salt: None, ..event.clone() };
            Entry { event: if is_theirs { erased } else { event }, ..entry.clone() }
        };
        let after: (Vec<_>, Vec<_>) =
            (before.0.iter().map(erased).collect(), before.1.iter().map(erased).collect());

        request(&fixture, user.id, 60).await;
        assert_eq!(erase(&fixture, user.id, 2).await, 2);
        assert_eq!(find_erasure(&fixture).await, Some(user.id), "one is left");
        assert_eq!(erase(&fixture, user.id, 2).await, 1);
        assert_eq!(find_erasure(&fixture).await, None);
        assert_eq!((chained_after(&fixture, 0).await, list_unchained(&fixture).await), after);
        let mut tx = fixture.read().await;
        let listed = tx.list_user_events(user.id, None, 10).await.unwrap();
        assert!(listed.iter().all(|event| event.ip.is_none() && event.salt.is_none()));
        assert_eq!(append(&fixture, 10).await.checkpoint.seq, 5, "what is erased gets its place too");
    }

    async fn accounts_are_erased_in_the_order_in_which_they_were_noted(fixture: StoreFixture) {
        let (one, two) = (fixture.stranger(), fixture.stranger());
        assert_eq!(find_erasure(&fixture).await, None);
        for (user, seconds) in [(&one, 10), (&two, 20), (&one, 30)] {
            request(&fixture, user.id, seconds).await;
        }
        written(&fixture, &one, 0).await;
        assert_eq!(find_erasure(&fixture).await, Some(one.id), "noted twice is noted once");
        assert_eq!(erase(&fixture, one.id, 10).await, 1);
        assert_eq!(find_erasure(&fixture).await, Some(two.id));
        assert_eq!(erase(&fixture, two.id, 10).await, 0);
        assert_eq!(find_erasure(&fixture).await, None);
        assert_eq!(erase(&fixture, one.id, 10).await, 0, "nothing is erased twice");
    }

    async fn an_erasure_is_undone_with_its_unit(fixture: StoreFixture) {
        let user = fixture.stranger();
        let event = written(&fixture, &user, 0).await;
        request(&fixture, user.id, 10).await;
        let mut tx = fixture.write().await;
        assert_eq!(tx.erase_events(user.id, 10).await.unwrap(), 1);
        tx.request_erasure(fixture.stranger().id, after(5)).await.unwrap();
        drop(tx);
        assert_eq!(find_erasure(&fixture).await, Some(user.id));
        assert_eq!(list_unchained(&fixture).await, [unchained(&event)]);
    }
}
