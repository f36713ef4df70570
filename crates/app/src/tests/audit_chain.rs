//! The audit chain: appending, verification, erasure and retention.

use std::sync::{Arc, Mutex};

use gateward_domain::audit::{
    Chain, ChainPosition, Checkpoint, CheckpointKind, Digest, Entry, SignedCheckpoint, next_digest,
};
use gateward_domain::audit_check::Finding;
use gateward_domain::mock::{MockMetrics, MockStore, MockTx};
use gateward_domain::ports::{Access, Metric, StoreError};
use gateward_domain::{Event, EventKind, User};
use gateward_testkit::{MemoryStore, fixtures};

use super::admins::{DESK, by};
use super::attempts::{WRONG, attempt, from};
use super::mailbox::open_test_app;
use super::test_app::{PASSWORD, TestApp, policy, test_app_with};
use crate::{AdminActor, AuditReport, Policy};

const DAY: i64 = 24 * 3600;

/// Writes this many events, each a second after the one before.
async fn write(test_app: &TestApp, seeds: std::ops::Range<u64>) {
    let session = fixtures::session(1, &fixtures::user(1));
    let mut tx = test_app.store.begin(Access::Write).await.unwrap();
    for seed in seeds {
        let made = fixtures::event(seed, EventKind::SessionStarted, &session);
        let (at, entropy) = (test_app.app.now(), gateward_testkit::SeededEntropy::new(seed));
        let event = Event { id: gateward_domain::EventId::new(at, &entropy), at, ..made };
        tx.insert_event(&event).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn checked(test_app: &TestApp) -> AuditReport {
    test_app.app.verify_audit(None, |_, _| ()).await.unwrap()
}

/// Asserts that the chain is valid and no event waits. Returns the number of entries.
async fn sound(test_app: &TestApp) -> u64 {
    let report = checked(test_app).await;
    assert_eq!((report.findings, report.waiting), (Vec::new(), 0));
    report.entries
}

async fn entries(test_app: &TestApp) -> Vec<Entry> {
    test_app.app.audit_page(0, 10_000).await.unwrap()
}

#[tokio::test]
async fn all_events_get_a_place_and_the_checkpoint_of_each_batch_is_signed() {
    let (mut test_app, _) = open_test_app(policy()).await;
    let mut metrics = MockMetrics::new();
    let with_chain = |times: u64| {
        move |what: &Metric, count: &u64| *what == Metric::EventChained && *count == times
    };
    metrics.expect_count().withf(with_chain(450)).times(1).return_const(());
    metrics.expect_count().withf(with_chain(0)).return_const(());
    test_app.app.ports.metrics = Arc::new(metrics);
    assert_eq!(sound(&test_app).await, 0, "a trail that was never begun");
    write(&test_app, 0..450).await;
    assert_eq!(checked(&test_app).await.entries, 0);
    assert!(checked(&test_app).await.waiting > 0);
    assert_eq!(test_app.app.chain_events().await.unwrap(), 450);
    assert_eq!(test_app.app.chain_events().await.unwrap(), 0);
    assert_eq!(sound(&test_app).await, 450);
    let positions: Vec<_> =
        entries(&test_app).await.into_iter().filter_map(|entry| entry.position).collect();
    let signed = positions.iter().filter(|position| position.signature.is_some());
    let signed: Vec<i64> = signed.map(|position| position.seq).collect();
    assert_eq!(signed, [200, 400, 450]);
    assert_eq!(test_app.app.latest_checkpoint().await.unwrap().seq, 450);
}

#[tokio::test]
async fn nodes_that_chain_at_once_make_one_chain() {
    let (first, store) = open_test_app(policy()).await;
    let mut second = test_app_with(policy(), Arc::new(store)).await;
    second.app.ports.entropy = Arc::new(gateward_testkit::SeededEntropy::new(2));
    write(&first, 0..900).await;
    let (one, other) = tokio::join!(first.app.chain_events(), second.app.chain_events());
    assert_eq!(one.unwrap() + other.unwrap(), 900);
    assert_eq!(sound(&first).await, 900);
}

#[tokio::test]
async fn what_is_chained_later_goes_on_with_the_same_chain() {
    let (test_app, _) = open_test_app(policy()).await;
    for part in 0..3 {
        write(&test_app, part * 10..part * 10 + 10).await;
        test_app.app.chain_events().await.unwrap();
        test_app.clock.advance_seconds(1);
    }
    assert_eq!(sound(&test_app).await, 30);
    let kept = test_app.app.latest_checkpoint().await.unwrap();
    assert_eq!(kept.at, test_app.app.now().minus_seconds(1), "the time of the last part");
    write(&test_app, 30..40).await;
    test_app.app.chain_events().await.unwrap();
    let report = test_app.app.verify_audit(Some(kept), |_, _| ()).await.unwrap();
    assert_eq!(report.findings, []);
    let other = Checkpoint { digest: Digest::START, ..kept };
    let report = test_app.app.verify_audit(Some(other), |_, _| ()).await.unwrap();
    assert_eq!(report.findings, [Finding::CheckpointMismatch(30)]);
}

/// An account with many events and failures, from an IP address of its own.
async fn busy(test_app: &TestApp) -> User {
    let ada = test_app.owner("ada", |_| ()).await;
    for number in 0..200 {
        let request_info = from(7);
        let text = if number % 3 == 0 { PASSWORD } else { WRONG };
        let _ = test_app.app.login(attempt("ada", text, request_info)).await;
        test_app.clock.advance_seconds(30);
    }
    ada
}

#[tokio::test]
async fn what_tells_of_a_deleted_account_goes_and_the_chain_holds() {
    for chained_before in [true, false] {
        let (test_app, memory) = open_test_app(Policy { rate_limit: None, ..policy() }).await;
        let ada = busy(&test_app).await;
        test_app.owner("eve", |_| ()).await;
        test_app.app.login(attempt("eve", PASSWORD, from(8))).await.unwrap();
        if chained_before {
            test_app.app.chain_events().await.unwrap();
        }
        test_app.app.delete_user(AdminActor::Operator, ada.id).await.unwrap();
        let count = memory.events().len() as u64;
        assert!(count > 200, "more than one batch: {count}");
        assert!(test_app.app.apply_audit_retention().await.unwrap() > 0);
        assert_eq!(test_app.app.apply_audit_retention().await.unwrap(), 0, "once");
        test_app.app.chain_events().await.unwrap();
        assert_eq!(sound(&test_app).await, count + 1);
        let events = memory.events();
        assert!(events.iter().all(|event| event.ip != from(7).ip));
        assert!(events.iter().any(|event| event.ip == from(8).ip), "others keep theirs");
        let erased = events.iter().filter(|event| event.kind == EventKind::EventsErased);
        assert_eq!(erased.map(|event| event.user_id).collect::<Vec<_>>(), [Some(ada.id)]);
    }
}

/// The IP address of an administrator is not personal data of the deleted user.
#[tokio::test]
async fn what_tells_of_who_deleted_an_account_stays() {
    let (test_app, memory) = open_test_app(policy()).await;
    let ada = test_app.owner("ada", |_| ()).await;
    let grace = test_app.caller_with_roles("grace", &["admin"]).await;
    test_app.app.login(attempt("ada", PASSWORD, from(7))).await.unwrap();
    test_app.app.delete_user(by(&grace), ada.id).await.unwrap();
    test_app.app.apply_audit_retention().await.unwrap();
    test_app.app.chain_events().await.unwrap();
    sound(&test_app).await;
    let events = memory.events();
    let deleted = events.iter().find(|event| event.kind == EventKind::AccountDeleted).unwrap();
    assert_eq!((deleted.ip, deleted.user_id), (DESK.ip, Some(ada.id)));
    assert!(events.iter().all(|event| event.ip != from(7).ip));
}

#[tokio::test]
async fn what_was_kept_long_enough_goes_and_the_rest_is_sound_from_there() {
    let (test_app, memory) = open_test_app(Policy { audit_keep_days: 30, ..policy() }).await;
    write(&test_app, 0..450).await;
    test_app.app.chain_events().await.unwrap();
    test_app.clock.advance_seconds(30 * DAY);
    write(&test_app, 450..460).await;
    test_app.app.chain_events().await.unwrap();
    assert_eq!(test_app.app.apply_audit_retention().await.unwrap(), 0, "not yet");
    let kept = test_app.app.latest_checkpoint().await.unwrap();
    test_app.clock.advance_seconds(1);
    assert_eq!(test_app.app.apply_audit_retention().await.unwrap(), 450);
    test_app.app.chain_events().await.unwrap();
    let told = |event: &&Event| event.kind == EventKind::EventsExpired;
    let expiries = memory.events().iter().filter(told).count() as u64;
    assert_eq!(expiries, 3, "one for each batch");
    let mut bounds: Vec<_> =
        memory.events().iter().filter(told).filter_map(|event| event.detail.clone()).collect();
    bounds.sort();
    assert_eq!(bounds, ["seq=200", "seq=400", "seq=450"]);
    assert_eq!(sound(&test_app).await, 10 + expiries);
    assert_eq!(test_app.app.audit_chain().await.unwrap().retention_boundary.checkpoint.seq, 450);
    let report = test_app.app.verify_audit(Some(kept), |_, _| ()).await.unwrap();
    assert_eq!(report.findings, []);
}

#[tokio::test]
async fn what_has_no_place_yet_is_not_let_go_of() {
    let (test_app, memory) = open_test_app(Policy { audit_keep_days: 1, ..policy() }).await;
    write(&test_app, 0..10).await;
    test_app.clock.advance_seconds(10 * DAY);
    assert_eq!(test_app.app.apply_audit_retention().await.unwrap(), 0);
    assert_eq!(memory.events().len(), 10);
}

async fn with_chain(count: u64) -> (TestApp, MemoryStore) {
    let (test_app, memory) = open_test_app(policy()).await;
    write(&test_app, 0..count).await;
    test_app.app.chain_events().await.unwrap();
    (test_app, memory)
}

#[tokio::test]
async fn a_beginning_that_nobody_has_signed_is_found() {
    let (test_app, _) = with_chain(10).await;
    let cut = entries(&test_app).await[3].position.clone().unwrap();
    let checkpoint = Checkpoint { seq: cut.seq, digest: cut.digest, at: fixtures::NOW };
    // The signature of the latest checkpoint of a batch certifies something else.
    for signature in ["", &test_app.app.audit_chain().await.unwrap().latest.signature] {
        let mut tx = test_app.store.begin(Access::Write).await.unwrap();
        let retention_boundary = SignedCheckpoint { checkpoint, signature: signature.to_owned() };
        tx.truncate_chain(&retention_boundary).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(checked(&test_app).await.findings, [Finding::ForgedRetentionBoundary]);
    }
}

#[tokio::test]
async fn entries_that_are_taken_out_at_the_beginning_are_found() {
    let (test_app, _) = with_chain(10).await;
    let chain = test_app.app.audit_chain().await.unwrap();
    let mut tx = test_app.store.begin(Access::Write).await.unwrap();
    let taken = Checkpoint { seq: 3, ..Checkpoint::START };
    tx.truncate_chain(&SignedCheckpoint { checkpoint: taken, signature: String::new() })
        .await
        .unwrap();
    tx.truncate_chain(&chain.retention_boundary).await.unwrap();
    tx.commit().await.unwrap();
    assert!(checked(&test_app).await.findings.contains(&Finding::Missing(1, 3)));
}

/// Appends an event to a chain of ten, with this signature and the checkpoint that `forge` makes of
/// the latest one and the digest of the new entry.
async fn append_eleventh(
    test_app: &TestApp,
    signature: Option<String>,
    forge: impl FnOnce(SignedCheckpoint, Digest) -> SignedCheckpoint,
) {
    write(test_app, 10..11).await;
    let mut tx = test_app.store.begin(Access::Write).await.unwrap();
    let latest = tx.lock_chain().await.unwrap().latest;
    let entry = tx.list_unchained_events(1).await.unwrap().pop().unwrap();
    let digest = next_digest(&latest.checkpoint.digest, 11, &entry.event, &entry.commitment);
    let position = ChainPosition { seq: 11, digest, signature };
    tx.append_to_chain(&[(entry.event.id, position)], &forge(latest, digest)).await.unwrap();
    tx.commit().await.unwrap();
}

/// An attacker with write access to the database but without the key.
#[tokio::test]
async fn an_entry_that_was_added_without_the_key_is_found() {
    let (test_app, _) = with_chain(10).await;
    let signature = "forged".to_owned();
    append_eleventh(&test_app, Some(signature.clone()), |latest, digest| {
        let checkpoint = Checkpoint { seq: 11, digest, ..latest.checkpoint };
        SignedCheckpoint { checkpoint, signature }
    })
    .await;
    assert!(checked(&test_app).await.findings.contains(&Finding::ForgedCheckpoint(11)));
}

#[tokio::test]
async fn an_entry_beyond_the_checkpoint_is_found() {
    let (test_app, _) = with_chain(10).await;
    append_eleventh(&test_app, None, |latest, _| latest).await;
    assert_eq!(checked(&test_app).await.findings, [Finding::BeyondCheckpoint(11)]);
}

/// Another node may chain events while the chain is checked.
#[tokio::test]
async fn an_entry_that_is_chained_during_a_check_is_not_beyond_the_checkpoint() {
    let (mut test_app, _) = with_chain(10).await;
    let before = test_app.app.audit_chain().await.unwrap();
    write(&test_app, 10..11).await;
    test_app.app.chain_events().await.unwrap();
    let (all, after) = (entries(&test_app).await, test_app.app.audit_chain().await.unwrap());
    let mut looks = vec![after, before];
    let next = move || if looks.len() > 1 { looks.pop().unwrap() } else { looks[0].clone() };
    test_app.app.ports.store = Arc::new(showing(all, next, None));
    let report = checked(&test_app).await;
    assert_eq!((report.entries, report.findings), (10, Vec::new()));
}

#[tokio::test]
async fn a_signature_of_the_chain_is_read_and_no_other() {
    let (test_app, _) = with_chain(10).await;
    let latest = test_app.app.audit_chain().await.unwrap().latest;
    let read = test_app.app.read_audit_checkpoint(&latest.signature);
    assert_eq!(read, Some((CheckpointKind::Latest, latest.checkpoint)));
    assert_eq!(test_app.app.read_audit_checkpoint("forged"), None);
}

#[tokio::test]
async fn a_tail_that_is_cut_off_is_found() {
    let (test_app, _) = with_chain(10).await;
    let kept = test_app.app.latest_checkpoint().await.unwrap();
    let checkpoint = Checkpoint { seq: 12, ..kept };
    let signature =
        test_app.app.ports.audit_keys.sign_checkpoint(CheckpointKind::Latest, &checkpoint);
    let latest = SignedCheckpoint { checkpoint, signature: signature.unwrap() };
    let mut tx = test_app.store.begin(Access::Write).await.unwrap();
    tx.append_to_chain(&[], &latest).await.unwrap();
    tx.commit().await.unwrap();
    let found = checked(&test_app).await.findings;
    assert!(found.contains(&Finding::Truncated { found: 10, expected: 12 }), "{found:?}");
}

#[tokio::test]
async fn an_erasure_without_a_deletion_is_found() {
    let (test_app, _) = with_chain(3).await;
    let user_id = fixtures::user(1).id;
    let mut tx = test_app.store.begin(Access::Write).await.unwrap();
    tx.erase_events(user_id, 100).await.unwrap();
    tx.commit().await.unwrap();
    let found = checked(&test_app).await.findings;
    assert!(found.contains(&Finding::ErasedWithoutDeletion(1, user_id)), "{found:?}");
}

/// Row F37 in part: an entry that cannot be parsed does not hide the others.
#[tokio::test]
async fn f37_an_entry_that_cannot_be_read_is_found_and_the_rest_is_checked() {
    let (mut test_app, _) = with_chain(10).await;
    let (all, chain) = (entries(&test_app).await, test_app.app.audit_chain().await.unwrap());
    test_app.app.ports.store = Arc::new(showing(all, move || chain.clone(), Some(4)));
    let report = checked(&test_app).await;
    assert_eq!(report.findings, [Finding::Unreadable(4)]);
    assert_eq!(report.entries, 9);
}

/// A store with these entries, which cannot parse the one with the number `bad`. `next` gives the
/// ends of the chain each time they are read.
fn showing(
    all: Vec<Entry>,
    next: impl FnMut() -> Chain + Send + 'static,
    bad: Option<i64>,
) -> MockStore {
    let mut store = MockStore::new();
    let next = Arc::new(Mutex::new(next));
    store.expect_begin().returning(move |_| {
        let (all, next) = (all.clone(), Arc::clone(&next));
        let mut tx = MockTx::new();
        tx.expect_find_chain().returning(move || Ok(next.lock().unwrap()()));
        tx.expect_list_unchained_events().returning(|_| Ok(Vec::new()));
        tx.expect_list_chained_events().returning(move |after, limit| {
            let page = all.iter().filter(|entry| entry.position.as_ref().unwrap().seq > after);
            let page: Vec<_> = page.take(limit as usize).cloned().collect();
            if page.iter().any(|entry| Some(entry.position.as_ref().unwrap().seq) == bad) {
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
    let (test_app, _) = with_chain(1500).await;
    let mut heard = Vec::new();
    let report =
        test_app.app.verify_audit(None, |so_far, latest| heard.push((so_far, latest.seq))).await;
    assert_eq!(report.unwrap().entries, 1500);
    assert_eq!(heard, [(1000, 1500), (1500, 1500)]);
}
