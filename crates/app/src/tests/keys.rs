//! Keys, readiness and sweeping.

use std::sync::Arc;

use gateward_domain::key::{Algorithm, KeyPurpose, KeyState, signing_key};
use gateward_domain::ports::{Access, NoKnowledge};
use gateward_testkit::MemoryStore;

use super::fakes::{policy, world, world_that, world_with};
use crate::{KeysError, NewAlgorithm, NotReady, Policy, Rotated};

#[tokio::test]
async fn the_first_start_makes_one_key_for_each_purpose_and_the_second_none() {
    let world = world().await;
    assert!(matches!(world.app.ready().await, Err(NotReady::OtherIssuer)));
    for _ in 0..2 {
        world.app.prepare_keys(NewAlgorithm::Begins).await.unwrap();
        let keys = world.app.list_keys().await.unwrap();
        for purpose in KeyPurpose::ALL {
            let of_purpose = keys.iter().filter(|key| key.purpose == purpose);
            assert_eq!(of_purpose.count(), 1, "{purpose:?}");
        }
        assert_eq!(keys.len(), KeyPurpose::ALL.len());
    }
    world.app.ready().await.unwrap();
}

/// Row J25 in part: a new key is published before it signs, the old one stays until all is dead.
#[tokio::test]
async fn j25_a_rotation_publishes_before_it_signs() {
    let world = world().await;
    world.app.prepare_keys(NewAlgorithm::Begins).await.unwrap();
    let Rotated::From(from) = world.app.rotate_keys().await.unwrap() else {
        panic!("nothing was waiting");
    };
    assert!(from.seconds_since(world.app.now()) >= 600);
    assert_eq!(world.app.rotate_keys().await.unwrap(), Rotated::WaitingUntil(from));

    let states = async || {
        let keys = world.app.list_keys().await.unwrap();
        let of_access = keys.iter().filter(|key| key.purpose == KeyPurpose::Access);
        let now = world.app.now();
        of_access.map(|key| world.app.key_state(key, &keys, now)).collect::<Vec<_>>()
    };
    assert_eq!(states().await, [KeyState::Signing, KeyState::Next]);
    world.clock.advance_seconds(from.seconds_since(world.app.now()) + 1);
    assert_eq!(states().await, [KeyState::Retiring, KeyState::Signing]);
    world.clock.advance_seconds(910);
    assert_eq!(states().await, [KeyState::Retired, KeyState::Signing]);
}

#[tokio::test]
async fn another_algorithm_begins_once_verifiers_know_its_key() {
    let store = Arc::new(MemoryStore::new());
    let eddsa = Policy { key_algorithm: Algorithm::EdDsa, ..policy() };
    let before = world_that(eddsa, store.clone(), Arc::new(NoKnowledge)).await;
    before.app.prepare_keys(NewAlgorithm::Begins).await.unwrap();
    // An installation that was started with EdDSA and names no algorithm goes over to the default.
    let world = world_with(policy(), store).await;
    world.clock.advance_seconds(1);
    world.app.prepare_keys(NewAlgorithm::Waits).await.unwrap();
    assert_eq!(world.app.list_keys().await.unwrap().len(), KeyPurpose::ALL.len());
    world.app.prepare_keys(NewAlgorithm::Begins).await.unwrap();
    let keys = world.app.list_keys().await.unwrap();
    let new = keys.iter().find(|key| key.algorithm == Algorithm::Es256).unwrap();
    assert!(new.active_from.seconds_since(world.app.now()) >= 600);
    let signing = signing_key(&keys, KeyPurpose::Access, world.app.now()).unwrap();
    assert_eq!(signing.algorithm, Algorithm::EdDsa, "until verifiers know the new key");
}

#[tokio::test]
async fn a_store_belongs_to_one_issuer() {
    let store = Arc::new(MemoryStore::new());
    world_with(policy(), store.clone()).await.app.prepare_keys(NewAlgorithm::Begins).await.unwrap();
    let other = Policy { issuer: "https://other.example.org".to_owned(), ..policy() };
    let world = world_with(other, store).await;
    assert!(matches!(
        world.app.prepare_keys(NewAlgorithm::Begins).await,
        Err(KeysError::OtherIssuer { .. })
    ));
    assert!(matches!(world.app.ready().await, Err(NotReady::OtherIssuer)));
}

#[tokio::test]
async fn sessions_are_swept_away_an_hour_after_their_longest_life() {
    let world = world().await;
    let id = world.logged_in("ada").await.pair.session_id;
    world.clock.advance_seconds(30 * 24 * 3600 + 3599);
    assert_eq!(world.app.sweep().await.unwrap(), 0);
    world.clock.advance_seconds(2);
    assert_eq!(world.app.sweep().await.unwrap(), 1);
    let mut tx = world.store.begin(Access::Read).await.unwrap();
    assert_eq!(tx.find_session(id).await.unwrap(), None);
}
