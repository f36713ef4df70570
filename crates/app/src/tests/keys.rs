//! Keys, readiness and cleanup.

use std::sync::Arc;

use gateward_domain::key::{Algorithm, KeyPurpose, KeyState, signing_key};
use gateward_domain::ports::{Access, NoAuthCache};
use gateward_testkit::MemoryStore;

use super::test_app::{policy, test_app, test_app_that, test_app_with};
use crate::{KeysError, NewAlgorithm, NotReady, Policy, Rotated};

#[tokio::test]
async fn the_first_start_makes_one_key_for_each_purpose_and_the_second_none() {
    let test_app = test_app().await;
    assert!(matches!(test_app.app.ready().await, Err(NotReady::OtherIssuer)));
    for _ in 0..2 {
        test_app.app.prepare_keys(NewAlgorithm::Begins).await.unwrap();
        let keys = test_app.app.list_keys().await.unwrap();
        for purpose in KeyPurpose::ALL {
            let of_purpose = keys.iter().filter(|key| key.purpose == purpose);
            assert_eq!(of_purpose.count(), 1, "{purpose:?}");
        }
        assert_eq!(keys.len(), KeyPurpose::ALL.len());
    }
    test_app.app.ready().await.unwrap();
}

/// Row J25 in part: a new key is published before it signs, the old one stays until all its tokens
/// have expired.
#[tokio::test]
async fn j25_a_rotation_publishes_before_it_signs() {
    let test_app = test_app().await;
    test_app.app.prepare_keys(NewAlgorithm::Begins).await.unwrap();
    let Rotated::From(from) = test_app.app.rotate_keys().await.unwrap() else {
        panic!("nothing was waiting");
    };
    assert!(from.seconds_since(test_app.app.now()) >= 600);
    assert_eq!(test_app.app.rotate_keys().await.unwrap(), Rotated::WaitingUntil(from));

    let states = async || {
        let keys = test_app.app.list_keys().await.unwrap();
        let of_access = keys.iter().filter(|key| key.purpose == KeyPurpose::Access);
        let now = test_app.app.now();
        of_access.map(|key| test_app.app.key_state(key, &keys, now)).collect::<Vec<_>>()
    };
    assert_eq!(states().await, [KeyState::Signing, KeyState::Next]);
    test_app.clock.advance_seconds(from.seconds_since(test_app.app.now()) + 1);
    assert_eq!(states().await, [KeyState::Retiring, KeyState::Signing]);
    test_app.clock.advance_seconds(910);
    assert_eq!(states().await, [KeyState::Retired, KeyState::Signing]);
}

#[tokio::test]
async fn another_algorithm_begins_once_verifiers_know_its_key() {
    let store = Arc::new(MemoryStore::new());
    let eddsa = Policy { key_algorithm: Algorithm::EdDsa, ..policy() };
    let before = test_app_that(eddsa, store.clone(), Arc::new(NoAuthCache)).await;
    before.app.prepare_keys(NewAlgorithm::Begins).await.unwrap();
    // An installation that was started with EdDSA and now names no algorithm switches to the
    // default.
    let test_app = test_app_with(policy(), store).await;
    test_app.clock.advance_seconds(1);
    test_app.app.prepare_keys(NewAlgorithm::Waits).await.unwrap();
    assert_eq!(test_app.app.list_keys().await.unwrap().len(), KeyPurpose::ALL.len());
    test_app.app.prepare_keys(NewAlgorithm::Begins).await.unwrap();
    let keys = test_app.app.list_keys().await.unwrap();
    let new = keys.iter().find(|key| key.algorithm == Algorithm::Es256).unwrap();
    assert!(new.active_from.seconds_since(test_app.app.now()) >= 600);
    let signing = signing_key(&keys, KeyPurpose::Access, test_app.app.now()).unwrap();
    assert_eq!(signing.algorithm, Algorithm::EdDsa, "until verifiers know the new key");
}

#[tokio::test]
async fn a_store_belongs_to_one_issuer() {
    let store = Arc::new(MemoryStore::new());
    test_app_with(policy(), store.clone())
        .await
        .app
        .prepare_keys(NewAlgorithm::Begins)
        .await
        .unwrap();
    let other = Policy { issuer: "https://other.example.org".to_owned(), ..policy() };
    let test_app = test_app_with(other, store).await;
    assert!(matches!(
        test_app.app.prepare_keys(NewAlgorithm::Begins).await,
        Err(KeysError::OtherIssuer { .. })
    ));
    assert!(matches!(test_app.app.ready().await, Err(NotReady::OtherIssuer)));
}

#[tokio::test]
async fn sessions_are_cleaned_up_an_hour_after_their_longest_life() {
    let test_app = test_app().await;
    let id = test_app.logged_in("ada").await.pair.session_id;
    test_app.clock.advance_seconds(30 * 24 * 3600 + 3599);
    assert_eq!(test_app.app.clean_up().await.unwrap(), 0);
    test_app.clock.advance_seconds(2);
    assert_eq!(test_app.app.clean_up().await.unwrap(), 1);
    let mut tx = test_app.store.begin(Access::Read).await.unwrap();
    assert_eq!(tx.find_session(id).await.unwrap(), None);
}
