//! Row F29: every call of the store fails in turn, under every use case of sessions.

mod names;
mod staff;
mod store;

use std::fmt::Debug;
use std::net::IpAddr;
use std::sync::Arc;

use gateward_domain::mail::LetterText;
use gateward_domain::mock::MockPasswordHasher;
use gateward_domain::ports::{HashError, Knowledge, NoKnowledge};
use gateward_domain::{EndReason, Identifier, Origin, RoleName};
use gateward_memory::NodeMemory;
use gateward_testkit::MemoryStore;

use self::store::{FailingStore, Failure};
use super::fakes::{PASSWORD, World, password, policy, put_access_key, world_that};
use super::mailbox::{saying, token};
use crate::{
    AuthenticateError, Caller, ChangePassword, ChangePasswordError, LoggedIn, Login, LoginError,
    NewAlgorithm, ReauthenticateError, RefreshError,
};

const DAY: i64 = 24 * 3600;

/// How a unit of work may end that goes wrong.
const FAILURES: [Failure; 3] = [Failure::Unavailable, Failure::Busy, Failure::AnswerLost];

/// An account with three sessions, on a store that can fail.
struct Scene {
    world: World,
    store: FailingStore,
    inner: MemoryStore,
    memory: Option<Arc<NodeMemory>>,
    caller: Caller,
    alive: LoggedIn,
    /// Its first refresh token is spent, and its second too.
    spent: LoggedIn,
    over: LoggedIn,
    /// The secret of the link that says that the login of `spent` was somebody else's.
    not_me: String,
}

impl Scene {
    /// A node that follows the feed, or one that knows nothing and asks each time.
    async fn set(follows: bool) -> Self {
        let inner = MemoryStore::new();
        put_access_key(&inner).await;
        let store = FailingStore::new(inner.clone());
        let memory = follows.then(|| Arc::new(NodeMemory::new(policy().access_ttl_seconds, 100)));
        let knowledge: Arc<dyn Knowledge> = match &memory {
            Some(memory) => memory.clone(),
            None => Arc::new(NoKnowledge),
        };
        let world = world_that(policy(), Arc::new(store.clone()), knowledge).await;
        let admin = |user: &mut gateward_domain::User| user.roles = vec![RoleName::admin()];
        world.owner("ada", admin).await;
        world.owner("eve", |_| ()).await;
        world.clock.advance_seconds(2 * DAY);
        world.app.prepare_keys(NewAlgorithm::Begins).await.unwrap();
        let alive = log_in(&world, "192.0.2.1").await;
        world.post().await;
        let spent = log_in(&world, "203.0.113.66").await;
        let not_me = token(&saying(&world.post().await, LetterText::NewClient));
        let second = world.app.refresh(world.refresh(&spent.pair.refresh, None)).await.unwrap();
        world.app.refresh(world.refresh(&second.pair.refresh, None)).await.unwrap();
        let over = log_in(&world, "192.0.2.1").await;
        let access = over.pair.access.text.expose();
        world.app.logout_by_access(access, &Origin::default()).await.unwrap();
        world.post().await;
        if follows {
            world.app.follow_feed(&mut crate::Following::default()).await.unwrap();
        }
        let caller = world.app.authenticate(alive.pair.access.text.expose()).await.unwrap();
        Self { world, store, inner, memory, caller, alive, spent, over, not_me }
    }

    /// Everything that is committed, and what the node knows of ends.
    fn state(&self) -> (String, usize) {
        let store = &self.inner;
        let accounts = (store.users(), store.sessions(), store.clients(), store.links());
        let told = (store.events(), store.letters(), store.news());
        (format!("{accounts:?} {told:?}"), self.memory.as_ref().map_or(0, |memory| memory.ends()))
    }
}

async fn log_in(world: &World, ip: &str) -> LoggedIn {
    world.clock.advance_seconds(1);
    let ip: IpAddr = ip.parse().unwrap();
    let login = Login {
        identifier: Identifier::parse("ada"),
        password: password(PASSWORD),
        client_name: None,
        device_token: None,
        origin: Origin { ip: Some(ip), user_agent: None },
    };
    world.app.login(login).await.unwrap()
}

/// What an act says when it goes as it should, and otherwise the error in words.
type Outcome = Result<(), String>;

/// Any answer is as it should be.
fn done<T>(answer: Result<T, impl Debug>) -> Outcome {
    answer.map(|_| ()).map_err(|error| format!("{error:?}"))
}

/// Whether the store is named as the cause.
fn blames_the_store(outcome: &Outcome, failure: Failure) -> bool {
    let cause = if failure == Failure::Busy { "Busy" } else { "Unavailable(" };
    outcome.as_ref().is_err_and(|error| error.contains(cause))
}

/// Acts in a scene of its own for each call of the store, which fails in each way. The outcome is
/// that failure, nothing was changed or learned, and the same act goes well when nothing fails.
async fn with_each_failure(follows: bool, calls_min: u32, act: impl AsyncFn(&Scene) -> Outcome) {
    let scene = Scene::set(follows).await;
    scene.store.fail_at(None);
    assert_eq!(act(&scene).await, Ok(()));
    let (calls, after) = (scene.store.calls(), scene.state());
    assert!(calls >= calls_min, "{calls} calls");
    for call in 1..=calls {
        for failure in FAILURES {
            let scene = Scene::set(follows).await;
            let before = scene.state();
            scene.store.fail_at(Some((call, failure)));
            let outcome = act(&scene).await;
            assert!(scene.store.has_failed(), "call {call}");
            assert!(blames_the_store(&outcome, failure), "call {call}, {failure:?}: {outcome:?}");
            let (now, known) = scene.state();
            if now == before.0 {
                scene.store.fail_at(None);
                assert_eq!(known, before.1, "what did not happen is not known");
                assert_eq!(act(&scene).await, Ok(()), "call {call}, {failure:?}, once more");
            } else {
                assert_eq!(failure, Failure::AnswerLost, "call {call}: something was changed");
                assert_eq!(now, after.0, "call {call}: all or nothing");
            }
        }
    }
}

/// Nobody is let in whose session cannot be looked up, nor told that it is over.
#[tokio::test]
async fn f29_nobody_is_let_in_by_a_store_that_fails_at_any_call() {
    with_each_failure(false, 3, async |scene| {
        done(scene.world.app.authenticate(scene.alive.pair.access.text.expose()).await)
    })
    .await;
    with_each_failure(false, 3, async |scene| {
        let token = scene.over.pair.access.text.expose();
        match scene.world.app.authenticate(token).await {
            Ok(_) => panic!("let in"),
            Err(AuthenticateError::SessionEnded(EndReason::Logout)) => Ok(()),
            Err(error) => done(Err::<(), _>(error)),
        }
    })
    .await;
    // Who knows which sessions are over asks for the user alone.
    with_each_failure(true, 2, async |scene| {
        scene.world.app.ports.knowledge.forget_users();
        done(scene.world.app.authenticate(scene.alive.pair.access.text.expose()).await)
    })
    .await;
}

#[tokio::test]
async fn f29_no_token_is_said_to_be_good_or_dead_by_a_store_that_fails() {
    for follows in [false, true] {
        with_each_failure(follows, 2, async |scene| {
            let token = scene.alive.pair.refresh.expose();
            let found = scene.world.app.introspect(token).await;
            assert!(found.as_ref().map_or(true, Option::is_some), "{found:?}");
            done(found)
        })
        .await;
    }
    with_each_failure(false, 3, async |scene| {
        let found = scene.world.app.introspect(scene.over.pair.access.text.expose()).await;
        assert!(found.as_ref().map_or(true, Option::is_none), "{found:?}");
        done(found)
    })
    .await;
}

#[tokio::test]
async fn f29_a_login_or_refresh_that_fails_at_any_call_of_the_store_has_not_happened() {
    for follows in [false, true] {
        with_each_failure(follows, 10, async |scene| {
            done(scene.world.login("ada", PASSWORD).await)
        })
        .await;
        with_each_failure(follows, 2, async |scene| {
            let refresh = scene.world.refresh(&scene.alive.pair.refresh, Some("a-key"));
            done(scene.world.app.refresh(refresh).await)
        })
        .await;
        // A replay: nobody hears of it before the session is over.
        with_each_failure(follows, 9, async |scene| {
            let refresh = scene.world.refresh(&scene.spent.pair.refresh, None);
            match scene.world.app.refresh(refresh).await {
                Ok(_) => panic!("a spent token was good"),
                Err(RefreshError::Reused) => Ok(()),
                Err(error) => done(Err::<(), _>(error)),
            }
        })
        .await;
    }
}

#[tokio::test]
async fn f29_an_end_that_fails_at_any_call_of_the_store_has_not_happened() {
    let origin = Origin::default();
    for follows in [false, true] {
        with_each_failure(follows, 6, async |scene| {
            let token = scene.alive.pair.refresh.expose();
            done(scene.world.app.logout_by_refresh(token, &origin).await)
        })
        .await;
        with_each_failure(follows, 6, async |scene| {
            let token = scene.alive.pair.access.text.expose();
            done(scene.world.app.revoke_token(token, &origin).await)
        })
        .await;
        with_each_failure(follows, 6, async |scene| {
            let id = scene.spent.pair.session_id;
            done(scene.world.app.end_own_session(&scene.caller, id, &origin).await)
        })
        .await;
        with_each_failure(follows, 6, async |scene| {
            done(scene.world.app.logout_all(&scene.caller, true, &origin).await)
        })
        .await;
        with_each_failure(follows, 9, async |scene| {
            let (current, new) = (password(PASSWORD), password("another horse"));
            let change = ChangePassword { current, new, origin: Origin::default() };
            done(scene.world.app.change_password(&scene.caller, change).await)
        })
        .await;
        with_each_failure(follows, 14, async |scene| {
            done(scene.world.app.disown_login(&scene.not_me, &origin).await)
        })
        .await;
    }
}

#[tokio::test]
async fn f29_nothing_is_told_of_a_session_by_a_store_that_fails() {
    with_each_failure(true, 4, async |scene| {
        let id = scene.over.pair.session_id;
        done(scene.world.app.explain_session(&scene.caller, id).await)
    })
    .await;
    with_each_failure(true, 2, async |scene| {
        done(scene.world.app.list_own_sessions(&scene.caller, None, 50).await)
    })
    .await;
    with_each_failure(true, 2, async |scene| done(scene.world.app.read_feed(None, 100).await))
        .await;
}

/// A node in doubt stays in doubt until it has read all of the feed.
#[tokio::test]
async fn f29_a_node_that_cannot_read_the_feed_does_not_trust_what_it_knows() {
    with_each_failure(true, 2, async |scene| {
        let memory = scene.memory.as_ref().unwrap();
        memory.doubt();
        let followed = scene.world.app.follow_feed(&mut crate::Following::default()).await;
        assert_eq!(memory.is_fresh(), followed.is_ok());
        done(followed)
    })
    .await;
}

/// Row F29: the other dependency of a login.
#[tokio::test]
async fn f29_a_hasher_that_fails_lets_nobody_in_and_changes_nothing() {
    let overloaded = HashError::Overloaded { retry_after_seconds: 1 };
    for failure in [HashError::Failed, HashError::Malformed, overloaded] {
        let mut scene = Scene::set(true).await;
        let before = scene.state();
        let mut hasher = MockPasswordHasher::new();
        hasher.expect_verify().returning(move |_, _| Err(failure));
        hasher.expect_is_outdated().return_const(false);
        scene.world.app.ports.hasher = Arc::new(hasher);
        let answer = scene.world.login("ada", PASSWORD).await;
        assert!(matches!(answer, Err(LoginError::Hash(error)) if error == failure), "{answer:?}");
        let (current, new) = (password(PASSWORD), password("another horse"));
        let change = ChangePassword { current, new, origin: Origin::default() };
        let answer = scene.world.app.change_password(&scene.caller, change).await;
        let Err(ChangePasswordError::Reauthenticate(ReauthenticateError::Hash(error))) = answer
        else {
            panic!("{answer:?}");
        };
        assert_eq!(error, failure);
        assert_eq!(scene.state(), before);
    }
}
