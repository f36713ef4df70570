//! The authentication cache: no ended session is accepted, and the store is read as rarely as
//! possible.

use std::sync::Arc;

use gateward_cache::NodeAuthCache;
use gateward_domain::feed::{FeedItem, InvalidationEvent};
use gateward_domain::key::{KeyPurpose, StoredKey};
use gateward_domain::ports::{Access, AuthCache, NoAuthCache, Store};
use gateward_domain::{EndReason, RequestInfo, Session, TokenError, Username};
use gateward_testkit::{MemoryStore, fixtures};

use super::fakes::ACCESS_KEY;
use super::test_app::{
    PASSWORD, TestApp, password, policy, put_access_key, test_app_that, test_app_with,
};
use crate::{AuthenticateError, ChangePassword, Following, Policy};

/// A node that follows the feed of this store, and its cache.
async fn node(store: &MemoryStore) -> (TestApp, Arc<NodeAuthCache>) {
    let memory = Arc::new(NodeAuthCache::new(policy().access_ttl_seconds, 100));
    put_access_key(store).await;
    let test_app = test_app_that(policy(), Arc::new(store.clone()), memory.clone()).await;
    test_app.app.prepare_keys(crate::NewAlgorithm::Begins).await.unwrap();
    follow(&test_app).await;
    (test_app, memory)
}

/// Applies the whole feed.
async fn follow(test_app: &TestApp) {
    let mut following = Following::default();
    while !test_app.app.follow_feed(&mut following).await.unwrap().is_complete {}
}

fn ended_by(response: &Result<crate::Caller, AuthenticateError>) -> Option<EndReason> {
    match response {
        Err(AuthenticateError::SessionEnded(reason)) => Some(*reason),
        _ => None,
    }
}

#[tokio::test]
async fn a_node_knows_at_once_what_it_has_ended_itself() {
    let store = MemoryStore::new();
    let (test_app, memory) = node(&store).await;
    let pair = test_app.logged_in("ada").await.pair;
    let token = pair.access.text.expose();
    assert!(test_app.app.authenticate(token).await.is_ok());
    test_app.app.logout_by_access(token, &RequestInfo::default()).await.unwrap();
    assert!(memory.is_fresh());
    let response = test_app.app.authenticate(token).await;
    assert_eq!(ended_by(&response), Some(EndReason::Logout));
    assert_eq!(memory.ends(), 1);
}

#[tokio::test]
async fn another_node_knows_it_from_the_feed() {
    let store = MemoryStore::new();
    let (here, _) = node(&store).await;
    let (there, _) = node(&store).await;
    let pair = here.logged_in("ada").await.pair;
    let token = pair.access.text.expose();
    assert!(there.app.authenticate(token).await.is_ok());
    here.app.logout_by_access(token, &RequestInfo::default()).await.unwrap();
    follow(&there).await;
    assert_eq!(ended_by(&there.app.authenticate(token).await), Some(EndReason::Logout));
}

#[tokio::test]
async fn a_node_in_doubt_asks_the_store() {
    let store = MemoryStore::new();
    let (here, _) = node(&store).await;
    let (there, memory) = node(&store).await;
    let pair = here.logged_in("ada").await.pair;
    let token = pair.access.text.expose();
    here.app.logout_by_access(token, &RequestInfo::default()).await.unwrap();
    memory.invalidate();
    assert_eq!(ended_by(&there.app.authenticate(token).await), Some(EndReason::Logout));
}

/// Row R11 in part: a change of an account takes effect on the next request.
#[tokio::test]
async fn r11_a_changed_user_is_read_again_everywhere() {
    let store = MemoryStore::new();
    let (here, _) = node(&store).await;
    let (there, memory) = node(&store).await;
    let pair = here.logged_in("ada").await.pair;
    let token = pair.access.text.expose();
    for test_app in [&here, &there] {
        assert_eq!(test_app.app.authenticate(token).await.unwrap().user.username.as_str(), "ada");
    }
    assert!(memory.is_fresh());
    let caller = here.app.authenticate(token).await.unwrap();
    let name = Username::parse("countess").unwrap();
    here.app.change_username(&caller, name.clone(), &RequestInfo::default()).await.unwrap();
    assert_eq!(here.app.authenticate(token).await.unwrap().user.username, name);
    follow(&there).await;
    assert_eq!(there.app.authenticate(token).await.unwrap().user.username, name);
}

#[tokio::test]
async fn every_way_to_end_many_sessions_is_known_at_once() {
    let store = MemoryStore::new();
    let (test_app, _) = node(&store).await;
    let own = test_app.logged_in("ada").await.pair;
    let other = test_app.login("ada", PASSWORD).await.unwrap().pair;
    let caller = test_app.app.authenticate(own.access.text.expose()).await.unwrap();
    let (current, new) = (password(PASSWORD), password("another horse"));
    let change = ChangePassword { current, new, request_info: RequestInfo::default() };
    test_app.app.change_password(&caller, change).await.unwrap();
    let response = test_app.app.authenticate(other.access.text.expose()).await;
    assert_eq!(ended_by(&response), Some(EndReason::PasswordChanged));
    assert!(test_app.app.authenticate(own.access.text.expose()).await.is_ok());

    test_app.clock.advance_seconds(1);
    assert_eq!(test_app.app.end_all_sessions(test_app.app.now(), |_| ()).await.unwrap(), 1);
    let response = test_app.app.authenticate(own.access.text.expose()).await;
    assert_eq!(ended_by(&response), Some(EndReason::EndedByAdmin));
    let late = test_app.login("ada", "another horse").await.unwrap().pair;
    assert!(test_app.app.authenticate(late.access.text.expose()).await.is_ok());
}

/// A token that lives longer than the cache keeps ends is checked in the store.
#[tokio::test]
async fn a_token_that_outlives_what_is_kept_is_looked_up() {
    let store = MemoryStore::new();
    let (short, memory) = node(&store).await;
    let long = Policy { access_ttl_seconds: 7200, ..policy() };
    let test_app = test_app_with(long, Arc::new(store.clone())).await;
    // Both have the same randomness, so their identifiers differ only by their time.
    test_app.clock.advance_seconds(1);
    let pair = test_app.logged_in("ada").await.pair;
    let token = pair.access.text.expose();
    assert!(memory.is_fresh());
    end_silently(&store, pair.session_id).await;
    assert_eq!(ended_by(&short.app.authenticate(token).await), Some(EndReason::Logout));
}

/// Ends a session without an invalidation event, which no node does.
async fn end_silently(store: &MemoryStore, id: gateward_domain::SessionId) {
    let mut tx = store.begin(Access::SingleWrite).await.unwrap();
    let end = gateward_domain::End { at: fixtures::NOW, reason: EndReason::Logout };
    assert!(tx.end_session(id, end).await.unwrap());
    tx.commit().await.unwrap();
}

/// Only a test can end a session without an event. That it stays valid shows that the node does not
/// read the store.
#[tokio::test]
async fn a_node_that_knows_does_not_ask_the_store() {
    let store = MemoryStore::new();
    let (test_app, memory) = node(&store).await;
    let pair = test_app.logged_in("ada").await.pair;
    let token = pair.access.text.expose();
    assert!(test_app.app.authenticate(token).await.is_ok(), "the first time it asks");
    end_silently(&store, pair.session_id).await;
    assert!(memory.is_fresh());
    assert!(test_app.app.authenticate(token).await.is_ok());
    memory.invalidate();
    assert_eq!(ended_by(&test_app.app.authenticate(token).await), Some(EndReason::Logout));
}

/// Row S5 in part: a node with an invalidated cache accepts no key that was revoked meanwhile.
#[tokio::test]
async fn a_node_in_doubt_believes_no_revoked_key() {
    let store = MemoryStore::new();
    put_access_key(&store).await;
    let test_app = test_app_that(policy(), Arc::new(store.clone()), Arc::new(NoAuthCache)).await;
    let pair = test_app.logged_in("ada").await.pair;
    let token = pair.access.text.expose();
    assert!(test_app.app.authenticate(token).await.is_ok());
    let mut tx = store.begin(Access::Write).await.unwrap();
    let keys = tx.list_keys().await.unwrap();
    let key = keys.into_iter().find(|key| key.id.0 == ACCESS_KEY).unwrap();
    assert_eq!(key.purpose, KeyPurpose::Access);
    tx.update_key(&StoredKey { revoked_at: Some(fixtures::NOW), ..key }).await.unwrap();
    tx.commit().await.unwrap();
    let response = test_app.app.authenticate(token).await;
    assert!(matches!(response, Err(AuthenticateError::Token(TokenError::Invalid))));
}

/// Row S7: the session that is ended for a newer one is refused at once.
#[tokio::test]
async fn s7_the_oldest_session_is_out_as_soon_as_a_newer_one_takes_its_place() {
    let store = MemoryStore::new();
    let (test_app, _) = node(&store).await;
    let first = test_app.logged_in("ada").await.pair;
    for _ in 0..3 {
        test_app.clock.advance_seconds(1);
        test_app.login("ada", PASSWORD).await.unwrap();
    }
    let response = test_app.app.authenticate(first.access.text.expose()).await;
    assert_eq!(ended_by(&response), Some(EndReason::SessionLimit));
    let alive = |session: &Session| session.ended.is_none();
    assert_eq!(store.sessions().iter().filter(|session| alive(session)).count(), 3);
}

/// Row INV18 in part: a session that was refreshed until its batch came is refused everywhere, even
/// by those who only follow the feed.
#[tokio::test]
async fn inv18_ending_all_is_told_before_and_after() {
    let store = MemoryStore::new();
    let (test_app, _) = node(&store).await;
    test_app.logged_in("ada").await;
    test_app.clock.advance_seconds(1);
    let before = test_app.app.now();
    test_app.app.end_all_sessions(before, |_| test_app.clock.advance_seconds(100)).await.unwrap();
    let cut_offs: Vec<_> = store
        .invalidation_events()
        .into_iter()
        .filter(|item| matches!(item.invalidation, InvalidationEvent::AllTokensRevoked { .. }))
        .map(|item| item.at.seconds_since(before))
        .collect();
    assert_eq!(cut_offs, [0, 100]);
}

/// Keys that changed without an event are noticed within a minute, and at once if the feed
/// restarts.
#[tokio::test]
async fn a_node_that_cannot_have_the_keys_of_now_knows_nothing() {
    let store = MemoryStore::new();
    let (test_app, memory) = node(&store).await;
    let mut following = Following::default();
    assert!(test_app.app.follow_feed(&mut following).await.unwrap().is_complete);
    // Keys of another issuer are not accepted.
    let mut tx = store.begin(Access::Write).await.unwrap();
    tx.set_issuer("https://other.example.org").await.unwrap();
    let item = FeedItem {
        invalidation: InvalidationEvent::KeysChanged,
        at: fixtures::NOW,
        until: fixtures::NOW,
    };
    tx.insert_invalidation_events(&[item]).await.unwrap();
    tx.commit().await.unwrap();
    memory.invalidate();
    for _ in 0..3 {
        assert!(test_app.app.follow_feed(&mut following).await.is_err());
        assert!(!memory.is_fresh(), "however often it looks");
    }
}
