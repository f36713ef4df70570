//! What a node knows: nobody is let in who is out, and the store is asked as seldom as can be.

use std::sync::Arc;

use gateward_domain::feed::{FeedItem, News};
use gateward_domain::key::{KeyPurpose, StoredKey};
use gateward_domain::ports::{Access, Knowledge, NoKnowledge, Store};
use gateward_domain::{EndReason, Origin, Session, TokenError, Username};
use gateward_memory::NodeMemory;
use gateward_testkit::{MemoryStore, fixtures};

use super::fakes::{
    ACCESS_KEY, PASSWORD, World, password, policy, put_access_key, world_that, world_with,
};
use crate::{AuthenticateError, ChangePassword, Following, Policy};

/// A node that follows the feed of this store, and what it knows.
async fn node(store: &MemoryStore) -> (World, Arc<NodeMemory>) {
    let memory = Arc::new(NodeMemory::new(policy().access_ttl_seconds, 100));
    put_access_key(store).await;
    let world = world_that(policy(), Arc::new(store.clone()), memory.clone()).await;
    world.app.prepare_keys(crate::NewAlgorithm::Begins).await.unwrap();
    follow(&world).await;
    (world, memory)
}

/// Learns all there is.
async fn follow(world: &World) {
    let mut following = Following::default();
    while !world.app.follow_feed(&mut following).await.unwrap().is_complete {}
}

fn ended_by(answer: &Result<crate::Caller, AuthenticateError>) -> Option<EndReason> {
    match answer {
        Err(AuthenticateError::SessionEnded(reason)) => Some(*reason),
        _ => None,
    }
}

#[tokio::test]
async fn a_node_knows_at_once_what_it_has_ended_itself() {
    let store = MemoryStore::new();
    let (world, memory) = node(&store).await;
    let pair = world.logged_in("ada").await.pair;
    let token = pair.access.text.expose();
    assert!(world.app.authenticate(token).await.is_ok());
    world.app.logout_by_access(token, &Origin::default()).await.unwrap();
    assert!(memory.is_fresh());
    let answer = world.app.authenticate(token).await;
    assert_eq!(ended_by(&answer), Some(EndReason::Logout));
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
    here.app.logout_by_access(token, &Origin::default()).await.unwrap();
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
    here.app.logout_by_access(token, &Origin::default()).await.unwrap();
    memory.doubt();
    assert_eq!(ended_by(&there.app.authenticate(token).await), Some(EndReason::Logout));
}

/// Row R11 in part: a changed account is another one on the next request.
#[tokio::test]
async fn r11_a_changed_user_is_read_again_everywhere() {
    let store = MemoryStore::new();
    let (here, _) = node(&store).await;
    let (there, memory) = node(&store).await;
    let pair = here.logged_in("ada").await.pair;
    let token = pair.access.text.expose();
    for world in [&here, &there] {
        assert_eq!(world.app.authenticate(token).await.unwrap().user.username.as_str(), "ada");
    }
    assert!(memory.is_fresh());
    let caller = here.app.authenticate(token).await.unwrap();
    let name = Username::parse("countess").unwrap();
    here.app.change_username(&caller, name.clone(), &Origin::default()).await.unwrap();
    assert_eq!(here.app.authenticate(token).await.unwrap().user.username, name);
    follow(&there).await;
    assert_eq!(there.app.authenticate(token).await.unwrap().user.username, name);
}

#[tokio::test]
async fn every_way_to_end_many_sessions_is_known_at_once() {
    let store = MemoryStore::new();
    let (world, _) = node(&store).await;
    let own = world.logged_in("ada").await.pair;
    let other = world.login("ada", PASSWORD).await.unwrap().pair;
    let caller = world.app.authenticate(own.access.text.expose()).await.unwrap();
    let (current, new) = (password(PASSWORD), password("another horse"));
    let change = ChangePassword { current, new, origin: Origin::default() };
    world.app.change_password(&caller, change).await.unwrap();
    let answer = world.app.authenticate(other.access.text.expose()).await;
    assert_eq!(ended_by(&answer), Some(EndReason::PasswordChanged));
    assert!(world.app.authenticate(own.access.text.expose()).await.is_ok());

    world.clock.advance_seconds(1);
    assert_eq!(world.app.end_all_sessions(world.app.now(), |_| ()).await.unwrap(), 1);
    let answer = world.app.authenticate(own.access.text.expose()).await;
    assert_eq!(ended_by(&answer), Some(EndReason::EndedByAdmin));
    let late = world.login("ada", "another horse").await.unwrap().pair;
    assert!(world.app.authenticate(late.access.text.expose()).await.is_ok());
}

/// A token whose life is longer than what is kept of ends is looked up.
#[tokio::test]
async fn a_token_that_outlives_what_is_kept_is_looked_up() {
    let store = MemoryStore::new();
    let (short, memory) = node(&store).await;
    let long = Policy { access_ttl_seconds: 7200, ..policy() };
    let world = world_with(long, Arc::new(store.clone())).await;
    // Both have the same chance, so what they make differs by its time alone.
    world.clock.advance_seconds(1);
    let pair = world.logged_in("ada").await.pair;
    let token = pair.access.text.expose();
    assert!(memory.is_fresh());
    end_silently(&store, pair.session_id).await;
    assert_eq!(ended_by(&short.app.authenticate(token).await), Some(EndReason::Logout));
}

/// Ends a session as a node would that forgets to tell.
async fn end_silently(store: &MemoryStore, id: gateward_domain::SessionId) {
    let mut tx = store.begin(Access::SingleWrite).await.unwrap();
    let end = gateward_domain::End { at: fixtures::NOW, reason: EndReason::Logout };
    assert!(tx.end_session(id, end).await.unwrap());
    tx.commit().await.unwrap();
}

/// What is told shows that the node does not look: only a test can end a session in silence.
#[tokio::test]
async fn a_node_that_knows_does_not_ask_the_store() {
    let store = MemoryStore::new();
    let (world, memory) = node(&store).await;
    let pair = world.logged_in("ada").await.pair;
    let token = pair.access.text.expose();
    assert!(world.app.authenticate(token).await.is_ok(), "the first time it asks");
    end_silently(&store, pair.session_id).await;
    assert!(memory.is_fresh());
    assert!(world.app.authenticate(token).await.is_ok());
    memory.doubt();
    assert_eq!(ended_by(&world.app.authenticate(token).await), Some(EndReason::Logout));
}

/// Row S5 in part: a node in doubt believes no key that was revoked meanwhile.
#[tokio::test]
async fn a_node_in_doubt_believes_no_revoked_key() {
    let store = MemoryStore::new();
    put_access_key(&store).await;
    let world = world_that(policy(), Arc::new(store.clone()), Arc::new(NoKnowledge)).await;
    let pair = world.logged_in("ada").await.pair;
    let token = pair.access.text.expose();
    assert!(world.app.authenticate(token).await.is_ok());
    let mut tx = store.begin(Access::Write).await.unwrap();
    let keys = tx.list_keys().await.unwrap();
    let key = keys.into_iter().find(|key| key.id.0 == ACCESS_KEY).unwrap();
    assert_eq!(key.purpose, KeyPurpose::Access);
    tx.update_key(&StoredKey { revoked_at: Some(fixtures::NOW), ..key }).await.unwrap();
    tx.commit().await.unwrap();
    let answer = world.app.authenticate(token).await;
    assert!(matches!(answer, Err(AuthenticateError::Token(TokenError::Invalid))));
}

/// Row S7: the session that makes room is out at once.
#[tokio::test]
async fn s7_the_oldest_session_is_out_as_soon_as_a_newer_one_takes_its_place() {
    let store = MemoryStore::new();
    let (world, _) = node(&store).await;
    let first = world.logged_in("ada").await.pair;
    for _ in 0..3 {
        world.clock.advance_seconds(1);
        world.login("ada", PASSWORD).await.unwrap();
    }
    let answer = world.app.authenticate(first.access.text.expose()).await;
    assert_eq!(ended_by(&answer), Some(EndReason::SessionLimit));
    let alive = |session: &Session| session.ended.is_none();
    assert_eq!(store.sessions().iter().filter(|session| alive(session)).count(), 3);
}

/// Row INV18 in part: a session that was refreshed until its turn came is over for everybody, also for
/// those who go by the feed alone.
#[tokio::test]
async fn inv18_ending_all_is_told_before_and_after() {
    let store = MemoryStore::new();
    let (world, _) = node(&store).await;
    world.logged_in("ada").await;
    world.clock.advance_seconds(1);
    let before = world.app.now();
    world.app.end_all_sessions(before, |_| world.clock.advance_seconds(100)).await.unwrap();
    let cut_offs: Vec<_> = store
        .news()
        .into_iter()
        .filter(|item| matches!(item.news, News::AllCutOff { .. }))
        .map(|item| item.at.seconds_since(before))
        .collect();
    assert_eq!(cut_offs, [0, 100]);
}

/// Keys that changed in silence are noticed within a minute, and at once where the feed begins anew.
#[tokio::test]
async fn a_node_that_cannot_have_the_keys_of_now_knows_nothing() {
    let store = MemoryStore::new();
    let (world, memory) = node(&store).await;
    let mut following = Following::default();
    assert!(world.app.follow_feed(&mut following).await.unwrap().is_complete);
    // Another issuer's keys are none of ours.
    let mut tx = store.begin(Access::Write).await.unwrap();
    tx.set_issuer("https://other.example.org").await.unwrap();
    let item = FeedItem { news: News::KeysChanged, at: fixtures::NOW, until: fixtures::NOW };
    tx.insert_news(&[item]).await.unwrap();
    tx.commit().await.unwrap();
    memory.doubt();
    for _ in 0..3 {
        assert!(world.app.follow_feed(&mut following).await.is_err());
        assert!(!memory.is_fresh(), "however often it looks");
    }
}
