//! The audit trail: sealed, checked, erased and let go of.

use std::sync::Arc;

use gateward_domain::audit::{Chain, Digest, Entry, Head, Seal, SignedHead, chained};
use gateward_domain::audit_check::Finding;
use gateward_domain::mock::{MockMeter, MockStore, MockTx};
use gateward_domain::ports::{Access, Occurrence, StoreError};
use gateward_domain::{Event, EventKind, User};
use gateward_testkit::{MemoryStore, fixtures};

use super::fakes::{PASSWORD, World, policy, world_with};
use super::mailbox::open_world;
use super::staff::{DESK, by};
use super::throttles::{WRONG, attempt, from};
use crate::{AuditReport, By, Policy};

const DAY: i64 = 24 * 3600;

/// Writes so many events, each a second after the one before.
async fn write(world: &World, seeds: std::ops::Range<u64>) {
    let session = fixtures::session(1, &fixtures::user(1));
    let mut tx = world.store.begin(Access::Write).await.unwrap();
    for seed in seeds {
        let made = fixtures::event(seed, EventKind::SessionBegun, &session);
        let (at, entropy) = (world.app.now(), gateward_testkit::SeededEntropy::new(seed));
        let event = Event { id: gateward_domain::EventId::new(at, &entropy), at, ..made };
        tx.insert_event(&event).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn checked(world: &World) -> AuditReport {
    world.app.verify_audit(None, |_, _| ()).await.unwrap()
}

/// How many entries there are; nothing is wrong with them, and none waits.
async fn sound(world: &World) -> u64 {
    let report = checked(world).await;
    assert_eq!((report.findings, report.waiting), (Vec::new(), 0));
    report.entries
}

async fn entries(world: &World) -> Vec<Entry> {
    world.app.audit_page(0, 10_000).await.unwrap()
}

#[tokio::test]
async fn all_events_get_a_place_and_the_head_of_each_batch_is_signed() {
    let (mut world, _) = open_world(policy()).await;
    let mut meter = MockMeter::new();
    let sealed = |times: u64| {
        move |what: &Occurrence, count: &u64| *what == Occurrence::EventSealed && *count == times
    };
    meter.expect_count().withf(sealed(450)).times(1).return_const(());
    meter.expect_count().withf(sealed(0)).return_const(());
    world.app.ports.meter = Arc::new(meter);
    assert_eq!(sound(&world).await, 0, "a trail that was never begun");
    write(&world, 0..450).await;
    assert_eq!(checked(&world).await.entries, 0);
    assert!(checked(&world).await.waiting > 0);
    assert_eq!(world.app.seal_events().await.unwrap(), 450);
    assert_eq!(world.app.seal_events().await.unwrap(), 0);
    assert_eq!(sound(&world).await, 450);
    let seals: Vec<_> = entries(&world).await.into_iter().filter_map(|entry| entry.seal).collect();
    let signed = seals.iter().filter(|seal| seal.signature.is_some());
    let signed: Vec<i64> = signed.map(|seal| seal.seq).collect();
    assert_eq!(signed, [200, 400, 450]);
    assert_eq!(world.app.audit_tip().await.unwrap().seq, 450);
}

#[tokio::test]
async fn nodes_that_seal_at_once_make_one_chain() {
    let (first, store) = open_world(policy()).await;
    let mut second = world_with(policy(), Arc::new(store)).await;
    second.app.ports.entropy = Arc::new(gateward_testkit::SeededEntropy::new(2));
    write(&first, 0..900).await;
    let (one, other) = tokio::join!(first.app.seal_events(), second.app.seal_events());
    assert_eq!(one.unwrap() + other.unwrap(), 900);
    assert_eq!(sound(&first).await, 900);
}

#[tokio::test]
async fn what_is_sealed_later_goes_on_with_the_same_chain() {
    let (world, _) = open_world(policy()).await;
    for part in 0..3 {
        write(&world, part * 10..part * 10 + 10).await;
        world.app.seal_events().await.unwrap();
        world.clock.advance_seconds(1);
    }
    assert_eq!(sound(&world).await, 30);
    let kept = world.app.audit_tip().await.unwrap();
    write(&world, 30..40).await;
    world.app.seal_events().await.unwrap();
    let report = world.app.verify_audit(Some(kept), |_, _| ()).await.unwrap();
    assert_eq!(report.findings, []);
    let other = Head { digest: Digest::START, ..kept };
    let report = world.app.verify_audit(Some(other), |_, _| ()).await.unwrap();
    assert_eq!(report.findings, [Finding::NotAsKept(30)]);
}

/// An account that has done much and failed often, from an address of its own.
async fn busy(world: &World) -> User {
    let ada = world.owner("ada", |_| ()).await;
    for number in 0..200 {
        let origin = from(7);
        let text = if number % 3 == 0 { PASSWORD } else { WRONG };
        let _ = world.app.login(attempt("ada", text, origin)).await;
        world.clock.advance_seconds(30);
    }
    ada
}

#[tokio::test]
async fn what_tells_of_a_deleted_account_goes_and_the_chain_holds() {
    for sealed_before in [true, false] {
        let (world, memory) = open_world(Policy { throttle: None, ..policy() }).await;
        let ada = busy(&world).await;
        world.owner("eve", |_| ()).await;
        world.app.login(attempt("eve", PASSWORD, from(8))).await.unwrap();
        if sealed_before {
            world.app.seal_events().await.unwrap();
        }
        world.app.delete_user(By::Operator, ada.id).await.unwrap();
        let count = memory.events().len() as u64;
        assert!(count > 200, "more than one batch: {count}");
        assert!(world.app.sweep_audit().await.unwrap() > 0);
        assert_eq!(world.app.sweep_audit().await.unwrap(), 0, "once");
        world.app.seal_events().await.unwrap();
        assert_eq!(sound(&world).await, count + 1);
        let events = memory.events();
        assert!(events.iter().all(|event| event.ip != from(7).ip));
        assert!(events.iter().any(|event| event.ip == from(8).ip), "others keep theirs");
        let erased = events.iter().filter(|event| event.kind == EventKind::EventsErased);
        assert_eq!(erased.map(|event| event.user_id).collect::<Vec<_>>(), [Some(ada.id)]);
    }
}

/// Where an administrator was is not about the person who is gone.
#[tokio::test]
async fn what_tells_of_who_deleted_an_account_stays() {
    let (world, memory) = open_world(policy()).await;
    let ada = world.owner("ada", |_| ()).await;
    let grace = world.staff("grace", &["admin"]).await;
    world.app.login(attempt("ada", PASSWORD, from(7))).await.unwrap();
    world.app.delete_user(by(&grace), ada.id).await.unwrap();
    world.app.sweep_audit().await.unwrap();
    world.app.seal_events().await.unwrap();
    sound(&world).await;
    let events = memory.events();
    let deleted = events.iter().find(|event| event.kind == EventKind::AccountDeleted).unwrap();
    assert_eq!((deleted.ip, deleted.user_id), (DESK.ip, Some(ada.id)));
    assert!(events.iter().all(|event| event.ip != from(7).ip));
}

#[tokio::test]
async fn what_was_kept_long_enough_goes_and_the_rest_is_sound_from_there() {
    let (world, memory) = open_world(Policy { audit_keep_days: 30, ..policy() }).await;
    write(&world, 0..450).await;
    world.app.seal_events().await.unwrap();
    world.clock.advance_seconds(30 * DAY);
    write(&world, 450..460).await;
    world.app.seal_events().await.unwrap();
    assert_eq!(world.app.sweep_audit().await.unwrap(), 0, "not yet");
    let kept = world.app.audit_tip().await.unwrap();
    world.clock.advance_seconds(1);
    assert_eq!(world.app.sweep_audit().await.unwrap(), 450);
    world.app.seal_events().await.unwrap();
    let told = |event: &&Event| event.kind == EventKind::EventsExpired;
    let expiries = memory.events().iter().filter(told).count() as u64;
    assert_eq!(expiries, 3, "one for each batch");
    assert_eq!(sound(&world).await, 10 + expiries);
    assert_eq!(world.app.audit_chain().await.unwrap().floor.head.seq, 450);
    let report = world.app.verify_audit(Some(kept), |_, _| ()).await.unwrap();
    assert_eq!(report.findings, []);
}

#[tokio::test]
async fn what_has_no_place_yet_is_not_let_go_of() {
    let (world, memory) = open_world(Policy { audit_keep_days: 1, ..policy() }).await;
    write(&world, 0..10).await;
    world.clock.advance_seconds(10 * DAY);
    assert_eq!(world.app.sweep_audit().await.unwrap(), 0);
    assert_eq!(memory.events().len(), 10);
}

async fn sealed(count: u64) -> (World, MemoryStore) {
    let (world, memory) = open_world(policy()).await;
    write(&world, 0..count).await;
    world.app.seal_events().await.unwrap();
    (world, memory)
}

#[tokio::test]
async fn a_beginning_that_nobody_has_signed_is_found() {
    let (world, _) = sealed(10).await;
    let cut = entries(&world).await[3].seal.clone().unwrap();
    let head = Head { seq: cut.seq, digest: cut.digest, at: fixtures::NOW };
    // The tip of a batch was signed, and says something else.
    for signature in ["", &world.app.audit_chain().await.unwrap().tip.signature] {
        let mut tx = world.store.begin(Access::Write).await.unwrap();
        let floor = SignedHead { head, signature: signature.to_owned() };
        tx.cut_chain(&floor).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(checked(&world).await.findings, [Finding::ForgedFloor]);
    }
}

#[tokio::test]
async fn entries_that_are_taken_out_at_the_beginning_are_found() {
    let (world, _) = sealed(10).await;
    let chain = world.app.audit_chain().await.unwrap();
    let mut tx = world.store.begin(Access::Write).await.unwrap();
    let taken = Head { seq: 3, ..Head::START };
    tx.cut_chain(&SignedHead { head: taken, signature: String::new() }).await.unwrap();
    tx.cut_chain(&chain.floor).await.unwrap();
    tx.commit().await.unwrap();
    assert!(checked(&world).await.findings.contains(&Finding::Missing(1, 3)));
}

/// Somebody who can write the database and has no key.
#[tokio::test]
async fn an_entry_that_was_added_without_the_key_is_found() {
    let (world, _) = sealed(10).await;
    write(&world, 10..11).await;
    let mut tx = world.store.begin(Access::Write).await.unwrap();
    let tip = tx.lock_chain().await.unwrap().tip;
    let entry = tx.list_unsealed_events(1).await.unwrap().pop().unwrap();
    let digest = chained(&tip.head.digest, 11, &entry.event, &entry.commitment);
    let seal = Seal { seq: 11, digest, signature: Some("forged".to_owned()) };
    let head = Head { seq: 11, digest, ..tip.head };
    let forged = SignedHead { head, signature: "forged".to_owned() };
    tx.seal_events(&[(entry.event.id, seal)], &forged).await.unwrap();
    tx.commit().await.unwrap();
    assert!(checked(&world).await.findings.contains(&Finding::ForgedHead(11)));
}

#[tokio::test]
async fn a_tail_that_is_cut_off_is_found() {
    let (world, _) = sealed(10).await;
    let kept = world.app.audit_tip().await.unwrap();
    let head = Head { seq: 12, ..kept };
    let signature =
        world.app.ports.audit_keys.sign_head(gateward_domain::audit::HeadKind::Tip, &head);
    let tip = SignedHead { head, signature: signature.unwrap() };
    let mut tx = world.store.begin(Access::Write).await.unwrap();
    tx.seal_events(&[], &tip).await.unwrap();
    tx.commit().await.unwrap();
    let found = checked(&world).await.findings;
    assert!(found.contains(&Finding::CutTail { found: 10, expected: 12 }), "{found:?}");
}

#[tokio::test]
async fn an_erasure_without_a_deletion_is_found() {
    let (world, _) = sealed(3).await;
    let user_id = fixtures::user(1).id;
    let mut tx = world.store.begin(Access::Write).await.unwrap();
    tx.erase_events(user_id, 100).await.unwrap();
    tx.commit().await.unwrap();
    let found = checked(&world).await.findings;
    assert!(found.contains(&Finding::ErasedWithoutDeletion(1, user_id)), "{found:?}");
}

/// Row F37 in part: an entry that cannot be read does not hide the others.
#[tokio::test]
async fn f37_an_entry_that_cannot_be_read_is_found_and_the_rest_is_checked() {
    let (mut world, _) = sealed(10).await;
    let (all, chain) = (entries(&world).await, world.app.audit_chain().await.unwrap());
    world.app.ports.store = Arc::new(unreadable(all, chain, 4));
    let report = checked(&world).await;
    assert_eq!(report.findings, [Finding::Unreadable(4)]);
    assert_eq!(report.entries, 9);
}

/// A store that cannot read the entry of this number.
fn unreadable(all: Vec<Entry>, chain: Chain, bad: i64) -> MockStore {
    let mut store = MockStore::new();
    store.expect_begin().returning(move |_| {
        let (all, chain) = (all.clone(), chain.clone());
        let mut tx = MockTx::new();
        tx.expect_find_chain().returning(move || Ok(chain.clone()));
        tx.expect_list_unsealed_events().returning(|_| Ok(Vec::new()));
        tx.expect_list_sealed_events().returning(move |after, limit| {
            let page = all.iter().filter(|entry| entry.seal.as_ref().unwrap().seq > after);
            let page: Vec<_> = page.take(limit as usize).cloned().collect();
            if page.iter().any(|entry| entry.seal.as_ref().unwrap().seq == bad) {
                return Err(StoreError::Corrupt { table: "events", column: "kind" });
            }
            Ok(page)
        });
        tx.expect_commit().returning(|| Ok(()));
        Ok(Box::new(tx))
    });
    store
}

#[tokio::test]
async fn a_check_tells_how_far_it_is() {
    let (world, _) = sealed(1500).await;
    let mut heard = Vec::new();
    let report = world.app.verify_audit(None, |so_far, tip| heard.push((so_far, tip.seq))).await;
    assert_eq!(report.unwrap().entries, 1500);
    assert_eq!(heard, [(1000, 1500), (1500, 1500)]);
}
