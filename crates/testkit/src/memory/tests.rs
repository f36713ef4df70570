//! How an in-memory store treats a unit of work that violates its access. The suite covers the
//! rest.

use gateward_domain::email::EmailKind;

use super::*;
use crate::fixtures;

#[tokio::test]
#[should_panic(expected = "a unit with Access::Read writes nothing")]
async fn a_read_that_writes_panics() {
    let mut tx = MemoryStore::new().begin(Access::Read).await.unwrap();
    let _ = tx.insert_user(&fixtures::user(1)).await;
}

#[tokio::test]
#[should_panic(expected = "a unit with Access::SingleWrite calls one method")]
async fn a_single_write_that_writes_twice_panics() {
    let mut tx = MemoryStore::new().begin(Access::SingleWrite).await.unwrap();
    tx.insert_user(&fixtures::user(1)).await.unwrap();
    let _ = tx.insert_user(&fixtures::user(2)).await;
}

#[tokio::test]
#[should_panic(expected = "only Access::Write can hold a lock")]
async fn a_lock_outside_of_a_write_panics() {
    let mut tx = MemoryStore::new().begin(Access::SingleWrite).await.unwrap();
    let _ = tx.lock_user(fixtures::user(1).id).await;
}

#[tokio::test]
async fn whoever_waits_too_long_for_a_writer_is_told_that_the_store_is_busy() {
    let store = MemoryStore::new();
    let _held = store.begin(Access::Write).await.unwrap();
    let refused = store.begin(Access::Write).await;
    assert!(matches!(refused.err(), Some(StoreError::Busy)));
}

#[tokio::test]
async fn a_test_can_look_at_what_is_committed() {
    let store = MemoryStore::new();
    let user = fixtures::user(1);
    let mut tx = store.begin(Access::Write).await.unwrap();
    tx.insert_user(&user).await.unwrap();
    assert!(store.users().is_empty());
    tx.commit().await.unwrap();
    assert_eq!(store.users(), [user]);
    assert!(store.sessions().is_empty() && store.events().is_empty());
}

#[tokio::test]
async fn a_test_can_look_at_the_mail_that_is_committed() {
    let store = MemoryStore::new();
    let signup = fixtures::signup(1);
    let link = fixtures::signup_link(2, &signup);
    let message = fixtures::outbox_email(3, EmailKind::Signup, &signup.email);
    let mut tx = store.begin(Access::Write).await.unwrap();
    tx.insert_signup(&signup).await.unwrap();
    tx.put_link(&link).await.unwrap();
    tx.insert_outbox_email(&message).await.unwrap();
    assert!(
        store.signups().is_empty() && store.links().is_empty() && store.outbox_emails().is_empty()
    );
    tx.commit().await.unwrap();
    assert_eq!(store.signups(), [signup]);
    assert_eq!(store.links(), [link]);
    assert_eq!(store.outbox_emails(), [message]);
}

#[tokio::test]
async fn a_test_can_look_at_the_keys_clients_and_invalidation_events_that_are_committed() {
    let store = MemoryStore::new();
    let user = fixtures::user(1);
    let (key, known_device, invalidation_events) =
        (fixtures::key(1), fixtures::known_device(2, &user), fixtures::invalidation(3));
    let mut tx = store.begin(Access::Write).await.unwrap();
    tx.insert_user(&user).await.unwrap();
    tx.insert_key(&key).await.unwrap();
    tx.insert_known_device(&known_device).await.unwrap();
    tx.insert_invalidation_events(std::slice::from_ref(&invalidation_events)).await.unwrap();
    assert!(
        store.keys().is_empty()
            && store.known_devices().is_empty()
            && store.invalidation_events().is_empty()
    );
    tx.commit().await.unwrap();
    assert_eq!(store.keys(), [key]);
    assert_eq!(store.known_devices(), [known_device]);
    assert_eq!(store.invalidation_events(), [invalidation_events]);
}

#[tokio::test]
async fn a_cursor_of_a_store_that_came_further_begins_anew() {
    let (further, store) = (MemoryStore::new(), MemoryStore::new());
    for (store, items) in [(&further, 2), (&store, 1)] {
        let items: Vec<_> = (0..items).map(fixtures::invalidation).collect();
        store
            .begin(Access::SingleWrite)
            .await
            .unwrap()
            .insert_invalidation_events(&items)
            .await
            .unwrap();
    }
    let mut entries = further
        .begin(Access::Read)
        .await
        .unwrap()
        .list_invalidation_events(None, 9)
        .await
        .unwrap()
        .entries;
    let last = entries.pop().unwrap().cursor;
    let page = store
        .begin(Access::Read)
        .await
        .unwrap()
        .list_invalidation_events(Some(last), 9)
        .await
        .unwrap();
    assert!(page.is_restart);
    assert_eq!(page.entries.len(), 1);
}

#[tokio::test]
async fn a_snapshot_is_restored_as_often_as_needed() {
    let store = MemoryStore::new();
    let snapshot = store.snapshot();
    for seed in [1, 2] {
        let mut tx = store.begin(Access::Write).await.unwrap();
        tx.insert_user(&fixtures::user(seed)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(store.users().len(), 1);
        store.restore(&snapshot);
        assert!(store.users().is_empty() && snapshot.users().is_empty());
    }
}
