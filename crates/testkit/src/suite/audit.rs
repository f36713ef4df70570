//! Promises about the audit trail: every event gets one place in one chain, and keeps it.

use gateward_domain::audit::{Chain, Digest, Entry, EventRange, Head, Seal, SignedHead, chained};
use gateward_domain::ports::Tx;
use gateward_domain::{Actor, Event, EventId, EventKind, User, UserId};

use super::Stage;
use super::stage::{after, race};
use crate::{SeededEntropy, fixtures};

/// An event of the account, so many seconds after the others; it is stored.
async fn written(stage: &Stage, user: &User, seconds: i64) -> Event {
    let session = stage.draft(user);
    let id = EventId::new(after(seconds), &SeededEntropy::new(stage.seed()));
    let plain = fixtures::event(stage.seed(), EventKind::EmailChanged, &session);
    // Of two orders that are alike, one would hide the other.
    let ip = Some([192, 0, 2, 7].into());
    let event = Event { id, at: after(-seconds), ip, ..plain };
    stage.single().await.insert_event(&event).await.unwrap();
    event
}

/// So many events, in the order of their identifiers; they are stored.
async fn some(stage: &Stage, count: i64) -> Vec<Event> {
    let user = stage.stranger();
    let mut events = Vec::new();
    for seconds in (0..count).rev() {
        events.push(written(stage, &user, seconds).await);
    }
    events.sort_by_key(|event| event.id);
    events
}

/// The entry of an event without a place.
fn unsealed(event: &Event) -> Entry {
    Entry { event: event.clone(), commitment: event.commitment().unwrap(), seal: None }
}

/// A head with something in the place of its signature.
fn signed(seq: i64, digest: Digest) -> SignedHead {
    let head = Head { seq, digest, at: after(seq) };
    SignedHead { head, signature: format!("signature of {seq}") }
}

/// Where an entry stands after this head, and the head after it.
fn next(head: Head, entry: &Entry) -> (Seal, Head) {
    let seq = head.seq + 1;
    let digest = chained(&head.digest, seq, &entry.event, &entry.commitment);
    (Seal { seq, digest, signature: None }, Head { seq, digest, ..head })
}

/// Gives a place to at most `limit` events, as the sealer does; gives how far the chain has come.
async fn seal_in(tx: &mut dyn Tx, limit: u32) -> SignedHead {
    let mut tip = tx.lock_chain().await.unwrap().tip;
    let mut seals = Vec::new();
    for entry in tx.list_unsealed_events(limit).await.unwrap() {
        let (seal, head) = next(tip.head, &entry);
        seals.push((entry.event.id, seal));
        tip = signed(head.seq, head.digest);
    }
    if let Some((_, seal)) = seals.last_mut() {
        seal.signature = Some(tip.signature.clone());
    }
    tx.seal_events(&seals, &tip).await.unwrap();
    tip
}

/// The same in a unit of its own.
async fn seal(stage: &Stage, limit: u32) -> SignedHead {
    let mut tx = stage.write().await;
    let tip = seal_in(tx.as_mut(), limit).await;
    tx.commit().await.unwrap();
    tip
}

/// The entries of the chain after a place.
async fn sealed_after(stage: &Stage, after: i64) -> Vec<Entry> {
    stage.read().await.list_sealed_events(after, 100).await.unwrap()
}

/// The events without a place.
async fn list_unsealed(stage: &Stage) -> Vec<Entry> {
    stage.read().await.list_unsealed_events(100).await.unwrap()
}

/// The ends of the chain.
async fn chain(stage: &Stage) -> Chain {
    stage.read().await.find_chain().await.unwrap()
}

/// The numbers of entries.
fn numbers(entries: &[Entry]) -> Vec<i64> {
    entries.iter().map(|entry| entry.seal.as_ref().unwrap().seq).collect()
}

/// Deletes the chain up to one of its entries; gives the new floor.
async fn cut_in(tx: &mut dyn Tx, seq: i64) -> SignedHead {
    tx.lock_chain().await.unwrap();
    let last = tx.list_sealed_events(seq - 1, 1).await.unwrap().remove(0).seal.unwrap();
    let floor = SignedHead { signature: "floor".to_owned(), ..signed(seq, last.digest) };
    assert_eq!(tx.cut_chain(&floor).await.unwrap(), 3);
    floor
}

/// Notes that an account's events are to be erased.
async fn request(stage: &Stage, id: UserId, seconds: i64) {
    stage.single().await.request_erasure(id, after(seconds)).await.unwrap();
}

/// The account whose events are to be erased first.
async fn find_erasure(stage: &Stage) -> Option<UserId> {
    stage.read().await.find_erasure().await.unwrap()
}

/// Erases events of an account; gives how many.
async fn erase(stage: &Stage, id: UserId, limit: u32) -> u64 {
    stage.single().await.erase_events(id, limit).await.unwrap()
}

promises! {
    __promises_audit;


    async fn an_event_is_written_without_a_place(stage: Stage) {
        let events = some(&stage, 5).await;
        let expected: Vec<_> = events.iter().map(unsealed).collect();
        for (limit, count) in [(0, 0), (2, 2), (5, 5), (100, 5)] {
            let listed = stage.read().await.list_unsealed_events(limit).await.unwrap();
            assert_eq!(Some(listed.as_slice()), expected.get(..count), "the first {limit}");
        }
        assert!(sealed_after(&stage, 0).await.is_empty());
    }

    async fn a_chain_that_was_never_begun_has_no_entries(stage: Stage) {
        assert_eq!(chain(&stage).await, Chain::start());
        assert_eq!(stage.write().await.lock_chain().await.unwrap(), Chain::start());
        assert!(sealed_after(&stage, 0).await.is_empty());
    }

    async fn events_that_are_sealed_have_their_places(stage: Stage) {
        let events = some(&stage, 5).await;
        let (mut head, mut expected) = (Head::START, Vec::new());
        for (limit, upto) in [(2, 2), (1, 3), (9, 5)] {
            let tip = seal(&stage, limit).await;
            assert_eq!(chain(&stage).await, Chain { tip: tip.clone(), ..Chain::start() });
            for event in events.iter().take(upto).skip(expected.len()) {
                let entry = unsealed(event);
                let (seal, next) = next(head, &entry);
                head = next;
                expected.push(Entry { seal: Some(seal), ..entry });
            }
            let last = expected.last_mut().and_then(|entry| entry.seal.as_mut()).unwrap();
            last.signature = Some(tip.signature);
            assert_eq!(sealed_after(&stage, 0).await, expected);
            let left: Vec<_> = events.iter().skip(upto).map(unsealed).collect();
            assert_eq!(list_unsealed(&stage).await, left);
        }
        assert_eq!(stage.write().await.lock_chain().await.unwrap(), chain(&stage).await);
    }

    async fn the_chain_is_listed_page_by_page(stage: Stage) {
        // Older than what is sealed already, it comes after it all the same.
        let user = stage.stranger();
        for seconds in [50, 40, 30, 20, 10] {
            written(&stage, &user, seconds).await;
            seal(&stage, 1).await;
        }
        for (after, limit, expected) in [
            (0, 2, vec![1, 2]),
            (2, 2, vec![3, 4]),
            (4, 2, vec![5]),
            (5, 2, vec![]),
            (0, 0, vec![]),
            (1, 100, vec![2, 3, 4, 5]),
        ] {
            let page = stage.read().await.list_sealed_events(after, limit).await.unwrap();
            assert_eq!(numbers(&page), expected, "{limit} after {after}");
        }
    }

    async fn racing_sealers_make_one_chain(stage: Stage) {
        let events = some(&stage, 20).await;
        let later = stage.stranger();
        race(12, |index| {
            let (stage, later) = (stage.clone(), later.clone());
            async move {
                if index < 4 {
                    written(&stage, &later, 100).await;
                } else {
                    seal(&stage, 3).await;
                }
            }
        })
        .await;
        seal(&stage, 100).await;
        let entries = sealed_after(&stage, 0).await;
        assert_eq!(numbers(&entries), (1..=24).collect::<Vec<_>>());
        assert!(list_unsealed(&stage).await.is_empty());
        let mut head = Head::START;
        for entry in &entries {
            let (seal, after) = next(head, entry);
            assert_eq!(entry.seal.as_ref().map(|seal| seal.digest), Some(seal.digest));
            head = after;
        }
        assert_eq!(chain(&stage).await.tip.head.digest, head.digest);
        let is_in = |event: &Event| entries.iter().any(|entry| entry.event == *event);
        assert!(events.iter().all(is_in));
    }

    async fn a_unit_that_is_undone_seals_nothing(stage: Stage) {
        let events = some(&stage, 3).await;
        let begun = seal(&stage, 1).await;
        let mut tx = stage.write().await;
        seal_in(tx.as_mut(), 10).await;
        assert!(tx.list_unsealed_events(10).await.unwrap().is_empty());
        drop(tx);
        let left: Vec<_> = events.iter().skip(1).map(unsealed).collect();
        assert_eq!(list_unsealed(&stage).await, left);
        assert_eq!(chain(&stage).await.tip, begun);
        assert_eq!(numbers(&sealed_after(&stage, 0).await), [1]);
    }

    async fn a_chain_is_cut_from_its_beginning(stage: Stage) {
        let events = some(&stage, 6).await;
        let tip = seal(&stage, 5).await;
        let before = sealed_after(&stage, 3).await;
        let mut tx = stage.write().await;
        cut_in(tx.as_mut(), 3).await;
        drop(tx);
        assert_eq!(chain(&stage).await, Chain { tip: tip.clone(), ..Chain::start() }, "undone");
        assert_eq!(sealed_after(&stage, 0).await.len(), 5, "undone");
        let mut tx = stage.write().await;
        let floor = cut_in(tx.as_mut(), 3).await;
        tx.commit().await.unwrap();
        assert_eq!(chain(&stage).await, Chain { floor: floor.clone(), tip });
        assert_eq!(sealed_after(&stage, 0).await, before);
        let left: Vec<_> = events.iter().skip(5).map(unsealed).collect();
        assert_eq!(list_unsealed(&stage).await, left);
        let mut tx = stage.read().await;
        let listed = tx.list_events(EventRange::All, None, None, 10).await.unwrap();
        assert!(listed.iter().eq(events.iter().skip(3).rev()));
        let tip = seal(&stage, 10).await;
        assert_eq!((tip.head.seq, chain(&stage).await), (6, Chain { floor, tip }));
        assert_eq!(numbers(&sealed_after(&stage, 0).await), [4, 5, 6]);
    }

    async fn what_is_personal_is_erased_and_the_chain_stays_as_it_is(stage: Stage) {
        let (user, other) = (stage.user().await, stage.user().await);
        for seconds in [10, 30] {
            written(&stage, &user, seconds).await;
            written(&stage, &other, seconds + 10).await;
        }
        let by_user = fixtures::event(stage.seed(), EventKind::RolesChanged, &stage.draft(&other));
        let by_user = Event { actor: Actor::User(user.id), ..by_user };
        stage.single().await.insert_event(&by_user).await.unwrap();
        seal(&stage, 3).await;
        let before = (sealed_after(&stage, 0).await, list_unsealed(&stage).await);
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

        request(&stage, user.id, 60).await;
        assert_eq!(erase(&stage, user.id, 2).await, 2);
        assert_eq!(find_erasure(&stage).await, Some(user.id), "one is left");
        assert_eq!(erase(&stage, user.id, 2).await, 1);
        assert_eq!(find_erasure(&stage).await, None);
        assert_eq!((sealed_after(&stage, 0).await, list_unsealed(&stage).await), after);
        let mut tx = stage.read().await;
        let listed = tx.list_user_events(user.id, None, 10).await.unwrap();
        assert!(listed.iter().all(|event| event.ip.is_none() && event.salt.is_none()));
        assert_eq!(seal(&stage, 10).await.head.seq, 5, "what is erased gets its place too");
    }

    async fn accounts_are_erased_in_the_order_in_which_they_were_noted(stage: Stage) {
        let (one, two) = (stage.stranger(), stage.stranger());
        assert_eq!(find_erasure(&stage).await, None);
        for (user, seconds) in [(&one, 10), (&two, 20), (&one, 30)] {
            request(&stage, user.id, seconds).await;
        }
        written(&stage, &one, 0).await;
        assert_eq!(find_erasure(&stage).await, Some(one.id), "noted twice is noted once");
        assert_eq!(erase(&stage, one.id, 10).await, 1);
        assert_eq!(find_erasure(&stage).await, Some(two.id));
        assert_eq!(erase(&stage, two.id, 10).await, 0);
        assert_eq!(find_erasure(&stage).await, None);
        assert_eq!(erase(&stage, one.id, 10).await, 0, "nothing is erased twice");
    }

    async fn an_erasure_is_undone_with_its_unit(stage: Stage) {
        let user = stage.stranger();
        let event = written(&stage, &user, 0).await;
        request(&stage, user.id, 10).await;
        let mut tx = stage.write().await;
        assert_eq!(tx.erase_events(user.id, 10).await.unwrap(), 1);
        tx.request_erasure(stage.stranger().id, after(5)).await.unwrap();
        drop(tx);
        assert_eq!(find_erasure(&stage).await, Some(user.id));
        assert_eq!(list_unsealed(&stage).await, [unsealed(&event)]);
    }
}
