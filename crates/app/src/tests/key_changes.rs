//! Key changes: by age, one by one, at once, and under another master key.

use std::sync::Arc;

use gateward_domain::key::{KeyId, KeyPurpose, KeyState, StoredKey};
use gateward_domain::{EndReason, EventKind};
use gateward_testkit::MemoryStore;

use super::mailbox::{by_token, reset};
use super::test_app::{PASSWORD, TestApp, policy, test_app_with};
use crate::{
    NewAlgorithm, Policy, RefreshError, ResetPasswordError, RetireError, Retired, Rotated,
};

const DAY: i64 = 24 * 3600;

/// A fixture with keys, a day after they were created.
async fn with_keys() -> (TestApp, MemoryStore) {
    let store = MemoryStore::new();
    let test_app = test_app_with(policy(), Arc::new(store.clone())).await;
    test_app.app.prepare_keys(NewAlgorithm::Begins).await.unwrap();
    test_app.clock.advance_seconds(DAY);
    (test_app, store)
}

impl TestApp {
    async fn keys(&self, purpose: KeyPurpose) -> Vec<(StoredKey, KeyState)> {
        let keys = self.app.list_keys().await.unwrap();
        let now = self.app.now();
        let of_purpose = keys.iter().filter(|key| key.purpose == purpose);
        of_purpose.map(|key| (key.clone(), self.app.key_state(key, &keys, now))).collect()
    }

    async fn states(&self, purpose: KeyPurpose) -> Vec<KeyState> {
        self.keys(purpose).await.into_iter().map(|(_, state)| state).collect()
    }

    async fn signing(&self, purpose: KeyPurpose) -> KeyId {
        let keys = self.keys(purpose).await;
        let signs =
            |(key, state): (StoredKey, KeyState)| (state == KeyState::Signing).then_some(key.id);
        keys.into_iter().find_map(signs).unwrap()
    }
}

/// Row 13.3.4: keys have a maximum age, and the next ones exist in time.
#[tokio::test]
async fn a13_3_4_the_next_key_is_made_in_time_for_the_age_of_the_last() {
    let (test_app, _) = with_keys().await;
    assert!(!test_app.app.rotate_old_keys().await.unwrap());
    test_app.clock.advance_seconds(88 * DAY);
    assert!(!test_app.app.rotate_old_keys().await.unwrap(), "89 days old");
    test_app.clock.advance_seconds(DAY - 600);
    assert!(
        test_app.app.rotate_old_keys().await.unwrap(),
        "as old as it may be once it has signed"
    );
    assert!(!test_app.app.rotate_old_keys().await.unwrap(), "once");
    for purpose in KeyPurpose::ALL {
        assert_eq!(test_app.states(purpose).await, [KeyState::Signing, KeyState::Next]);
    }
    test_app.clock.advance_seconds(620);
    for purpose in KeyPurpose::ALL {
        assert_eq!(test_app.states(purpose).await, [KeyState::Retiring, KeyState::Signing]);
    }
}

#[tokio::test]
async fn another_age_is_another_rotation() {
    let store = Arc::new(MemoryStore::new());
    let daily = Policy { rotate_after_days: 1, ..policy() };
    let test_app = test_app_with(daily, store).await;
    test_app.app.prepare_keys(NewAlgorithm::Begins).await.unwrap();
    for _ in 0..5 {
        test_app.clock.advance_seconds(DAY);
        assert!(test_app.app.rotate_old_keys().await.unwrap());
    }
    assert_eq!(test_app.states(KeyPurpose::Access).await.len(), 6);
}

#[tokio::test]
async fn a_retired_key_signs_until_its_successor_is_known() {
    let (test_app, _) = with_keys().await;
    let key = test_app.signing(KeyPurpose::Access).await;
    let Retired::SuccessorFrom(from) = test_app.app.retire_key(&key).await.unwrap() else {
        panic!("it signs");
    };
    assert!(from.seconds_since(test_app.app.now()) >= 600);
    assert_eq!(test_app.app.retire_key(&key).await.unwrap(), Retired::SuccessorFrom(from), "once");
    assert_eq!(test_app.states(KeyPurpose::Access).await, [KeyState::Signing, KeyState::Next]);
    assert_eq!(test_app.states(KeyPurpose::Refresh).await, [KeyState::Signing], "no other one");

    let (next, _) = test_app.keys(KeyPurpose::Access).await.pop().unwrap();
    assert_eq!(test_app.app.retire_key(&next.id).await.unwrap(), Retired::Withdrawn);
    assert_eq!(test_app.states(KeyPurpose::Access).await, [KeyState::Signing, KeyState::Retired]);
    assert_eq!(test_app.app.retire_key(&next.id).await.unwrap(), Retired::Already);
    let unknown = test_app.app.retire_key(&KeyId("nobody".to_owned())).await;
    assert!(matches!(unknown, Err(RetireError::NoSuchKey)));
}

#[tokio::test]
async fn a_compromised_key_is_replaced_at_once() {
    let (test_app, _) = with_keys().await;
    let bad = test_app.signing(KeyPurpose::Access).await;
    let none = Retired::Compromised { sessions: 0, links: 0 };
    assert_eq!(test_app.app.revoke_key(&bad).await.unwrap(), none);
    assert_eq!(test_app.states(KeyPurpose::Access).await, [KeyState::Retired, KeyState::Signing]);
    assert_ne!(test_app.signing(KeyPurpose::Access).await, bad);
    assert_eq!(test_app.app.revoke_key(&bad).await.unwrap(), none, "a second time is no error");
    assert_eq!(test_app.keys(KeyPurpose::Access).await.len(), 2);
}

#[tokio::test]
async fn a_next_key_that_verifiers_know_takes_the_place_of_a_compromised_one() {
    let (test_app, _) = with_keys().await;
    let Rotated::From(_) = test_app.app.rotate_keys().await.unwrap() else { panic!("none waits") };
    let (next, _) = test_app.keys(KeyPurpose::Access).await.pop().unwrap();
    test_app.clock.advance_seconds(60);
    test_app.app.revoke_key(&test_app.signing(KeyPurpose::Access).await).await.unwrap();
    assert_eq!(test_app.signing(KeyPurpose::Access).await, next.id);
    assert_eq!(test_app.keys(KeyPurpose::Access).await.len(), 2, "none was made for it");
}

/// The fake signer signs with one key, whatever is stored, so its identifier is put into the store.
#[tokio::test]
async fn what_a_compromised_key_signed_ends_with_it() {
    let (test_app, store) = with_keys().await;
    test_app.owner("ada", |_| ()).await;
    let pair = test_app.login("ada", PASSWORD).await.unwrap().pair;
    let message = test_app.forgotten("ada").await;
    for (name, purpose) in [("refresh", KeyPurpose::Refresh), ("link", KeyPurpose::Link)] {
        let (made, _) = test_app.keys(purpose).await.remove(0);
        let key = StoredKey { id: KeyId(name.to_owned()), ..made };
        let mut tx =
            test_app.store.begin(gateward_domain::ports::Access::SingleWrite).await.unwrap();
        tx.insert_key(&key).await.unwrap();
        tx.commit().await.unwrap();
    }
    let done = test_app.app.revoke_key(&KeyId("refresh".to_owned())).await.unwrap();
    assert_eq!(done, Retired::Compromised { sessions: 1, links: 0 });
    let ended = EventKind::SessionEnded(EndReason::KeyCompromised);
    let events = store.events();
    let told = events.iter().find(|event| event.kind == ended).unwrap();
    let session = &store.sessions()[0];
    assert_eq!((told.user_id, told.session_id), (Some(session.user_id), Some(session.id)));
    let over = test_app.app.refresh(test_app.refresh(&pair.refresh, None)).await;
    assert!(matches!(over, Err(RefreshError::SessionEnded(EndReason::KeyCompromised))));

    let done = test_app.app.revoke_key(&KeyId("link".to_owned())).await.unwrap();
    assert_eq!(done, Retired::Compromised { sessions: 0, links: 2 });
    assert!(store.links().is_empty());
    let refused = test_app.app.reset_password(reset(by_token(&message), "another horse")).await;
    assert!(matches!(refused, Err(ResetPasswordError::InvalidLink)));
}

#[tokio::test]
async fn all_keys_are_wrapped_anew_and_stay_the_same_keys() {
    let (test_app, _) = with_keys().await;
    let before = test_app.app.list_keys().await.unwrap();
    assert_eq!(test_app.app.rewrap_keys().await.unwrap(), before.len());
    let after = test_app.app.list_keys().await.unwrap();
    for (old, new) in before.iter().zip(&after) {
        assert_eq!(new.wrapped, [b"sealed", old.wrapped.as_slice()].concat());
        assert_eq!(StoredKey { wrapped: old.wrapped.clone(), ..new.clone() }, *old);
    }
}

#[tokio::test]
async fn a_rotation_makes_the_next_key_where_none_waits() {
    let (test_app, store) = with_keys().await;
    let key = test_app.signing(KeyPurpose::Access).await;
    let Retired::SuccessorFrom(_) = test_app.app.retire_key(&key).await.unwrap() else {
        panic!("it signs");
    };
    assert!(matches!(test_app.app.rotate_keys().await.unwrap(), Rotated::From(_)));
    for purpose in KeyPurpose::ALL {
        assert_eq!(
            test_app.states(purpose).await,
            [KeyState::Signing, KeyState::Next],
            "{purpose:?}"
        );
    }
    assert_eq!(store.keys().len(), 2 * KeyPurpose::ALL.len());
}

/// A command that runs twice revokes the key once.
#[tokio::test]
async fn a_key_is_revoked_once_and_a_withdrawn_one_once_more() {
    let (test_app, store) = with_keys().await;
    let told = |kind: EventKind| store.events().iter().filter(|event| event.kind == kind).count();
    let bad = test_app.signing(KeyPurpose::Access).await;
    for _ in 0..2 {
        test_app.app.revoke_key(&bad).await.unwrap();
    }
    assert_eq!(told(EventKind::KeyRevoked), 1);
    test_app.app.rotate_keys().await.unwrap();
    let (next, _) = test_app.keys(KeyPurpose::Access).await.pop().unwrap();
    test_app.app.retire_key(&next.id).await.unwrap();
    test_app.app.revoke_key(&next.id).await.unwrap();
    assert_eq!((told(EventKind::KeyWithdrawn), told(EventKind::KeyRevoked)), (1, 2));
    let events = store.events();
    let details = |kind| events.iter().filter(move |event| event.kind == kind);
    for (kind, id) in [
        (EventKind::KeyCreated, &next.id),
        (EventKind::KeyRevoked, &bad),
        (EventKind::KeyWithdrawn, &next.id),
    ] {
        let wanted = Some(format!("key={id} purpose=access"));
        assert!(details(kind).any(|event| event.detail == wanted), "{kind:?} of {id}");
    }
}

/// The checkpoints that it signed are as old as the audit trail.
#[tokio::test]
async fn a_key_of_the_audit_trail_is_never_retired_by_its_age() {
    let (test_app, _) = with_keys().await;
    test_app.app.rotate_keys().await.unwrap();
    test_app.clock.advance_seconds(100 * 365 * DAY);
    assert_eq!(test_app.states(KeyPurpose::Audit).await, [KeyState::Retiring, KeyState::Signing]);
    assert_eq!(test_app.states(KeyPurpose::Link).await, [KeyState::Retired, KeyState::Signing]);
}
