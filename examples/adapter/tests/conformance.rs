//! The store passes the conformance suite, and keeps its further promises.
#![expect(clippy::unwrap_used, reason = "a test fails by a panic, in its helpers too")]

use gateward_domain::User;
use gateward_domain::ports::{Access, Store, StoreError, Taken};
use gateward_example_adapter::RedbStore;
use gateward_testkit::{Subject, fixtures};
use tempfile::{TempDir, tempdir};

/// An empty store in a folder of its own, which is deleted at the end of the test.
async fn fresh() -> Subject {
    let (store, folder) = store().await;
    Subject::guarded(store, folder)
}

gateward_testkit::conformance!(fresh().await);

async fn store() -> (RedbStore, TempDir) {
    let folder = tempdir().unwrap();
    let store = RedbStore::open(folder.path().join("gateward.redb")).await.unwrap();
    (store, folder)
}

#[tokio::test]
async fn what_was_answered_is_there_after_a_restart() {
    let (store, folder) = store().await;
    let user = fixtures::user(1);
    store.begin(Access::SingleWrite).await.unwrap().insert_user(&user).await.unwrap();
    let mut unfinished = store.begin(Access::Write).await.unwrap();
    unfinished.insert_user(&fixtures::user(2)).await.unwrap();
    drop((unfinished, store));

    let store = loop {
        // The dropped unit is rolled back on another thread, which holds the file until then.
        match RedbStore::open(folder.path().join("gateward.redb")).await {
            Ok(store) => break store,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    let mut tx = store.begin(Access::Read).await.unwrap();
    assert_eq!(tx.find_user(user.id).await.unwrap(), Some(user));
    assert_eq!(tx.find_user(fixtures::user(2).id).await.unwrap(), None);
}

#[tokio::test]
async fn a_file_is_open_once_and_private() {
    use std::os::unix::fs::PermissionsExt;

    let (_store, folder) = store().await;
    let path = folder.path().join("gateward.redb");
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = RedbStore::open(path).await;
    assert!(matches!(again.err(), Some(StoreError::Unavailable(_))));
}

#[tokio::test]
async fn a_unit_does_only_what_its_access_allows() {
    let (store, _folder) = store().await;
    let (user, other) = (fixtures::user(1), fixtures::user(2));
    let mut tx = store.begin(Access::Read).await.unwrap();
    assert!(tx.insert_user(&user).await.is_err());
    let mut tx = store.begin(Access::SingleWrite).await.unwrap();
    assert!(tx.lock_user(user.id).await.is_err());
    let mut tx = store.begin(Access::SingleWrite).await.unwrap();
    assert!(tx.find_user(user.id).await.is_err());
    let mut tx = store.begin(Access::SingleWrite).await.unwrap();
    tx.insert_user(&user).await.unwrap();
    assert!(tx.insert_user(&other).await.is_err());
    let mut tx = store.begin(Access::Read).await.unwrap();
    assert_eq!(tx.find_user(other.id).await.unwrap(), None);
}

#[tokio::test]
async fn a_unit_that_has_failed_cannot_be_committed() {
    let (store, _folder) = store().await;
    let owner = fixtures::user(1);
    store.begin(Access::SingleWrite).await.unwrap().insert_user(&owner).await.unwrap();
    let mut tx = store.begin(Access::Write).await.unwrap();
    tx.insert_user(&fixtures::user(2)).await.unwrap();
    let rival = User { email: owner.email.clone(), ..fixtures::user(3) };
    assert!(matches!(tx.insert_user(&rival).await, Err(StoreError::Taken(Taken::Email))));
    assert!(tx.commit().await.is_err());
    let mut tx = store.begin(Access::Read).await.unwrap();
    assert_eq!(tx.find_user(fixtures::user(2).id).await.unwrap(), None);
    assert_eq!(tx.find_user(owner.id).await.unwrap(), Some(owner));
}
