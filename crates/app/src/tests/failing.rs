//! Row F29: every call of the store fails in turn, in every use case of sessions.

mod admins;
mod names;
mod store;

use std::fmt::Debug;
use std::net::IpAddr;
use std::sync::Arc;

use gateward_cache::NodeAuthCache;
use gateward_domain::email::EmailTemplate;
use gateward_domain::mock::MockPasswordHasher;
use gateward_domain::ports::{AuthCache, HashError, NoAuthCache};
use gateward_domain::{EndReason, Identifier, RequestInfo, RoleName};
use gateward_testkit::MemoryStore;

use self::store::{FailingStore, Failure};
use super::fakes::{PASSWORD, TestApp, password, policy, put_access_key, test_app_that};
use super::mailbox::{saying, token};
use crate::{
    AuthenticateError, Caller, ChangePassword, ChangePasswordError, LoggedIn, Login, LoginError,
    NewAlgorithm, ReauthenticateError, RefreshError,
};

const DAY: i64 = 24 * 3600;

/// How a failing unit of work may end.
const FAILURES: [Failure; 3] = [Failure::Unavailable, Failure::Busy, Failure::ResponseLost];

/// An account with three sessions, on a store that can fail.
struct FailureFixture {
    test_app: TestApp,
    store: FailingStore,
    inner: MemoryStore,
    memory: Option<Arc<NodeAuthCache>>,
    caller: Caller,
    alive: LoggedIn,
    /// Its first refresh token is spent, and its second too.
    spent: LoggedIn,
    over: LoggedIn,
    /// The secret of the link that reports the login of `spent`.
    not_me: String,
}

impl FailureFixture {
    /// Creates a node that follows the feed, or one without a cache.
    async fn set(follows: bool) -> Self {
        let inner = MemoryStore::new();
        put_access_key(&inner).await;
        let store = FailingStore::new(inner.clone());
        let memory =
            follows.then(|| Arc::new(NodeAuthCache::new(policy().access_ttl_seconds, 100)));
        let auth_cache: Arc<dyn AuthCache> = match &memory {
            Some(memory) => memory.clone(),
            None => Arc::new(NoAuthCache),
        };
        let test_app = test_app_that(policy(), Arc::new(store.clone()), auth_cache).await;
        let admin = |user: &mut gateward_domain::User| user.roles = vec![RoleName::admin()];
        test_app.owner("ada", admin).await;
        test_app.owner("eve", |_| ()).await;
        test_app.clock.advance_seconds(2 * DAY);
        test_app.app.prepare_keys(NewAlgorithm::Begins).await.unwrap();
        let alive = log_in(&test_app, "192.0.2.1").await;
        test_app.post().await;
        let spent = log_in(&test_app, "203.0.113.66").await;
        let not_me = token(&saying(&test_app.post().await, EmailTemplate::NewDevice));
        let second =
            test_app.app.refresh(test_app.refresh(&spent.pair.refresh, None)).await.unwrap();
        test_app.app.refresh(test_app.refresh(&second.pair.refresh, None)).await.unwrap();
        let over = log_in(&test_app, "192.0.2.1").await;
        let access = over.pair.access.text.expose();
        test_app.app.logout_by_access(access, &RequestInfo::default()).await.unwrap();
        test_app.post().await;
        if follows {
            test_app.app.follow_feed(&mut crate::Following::default()).await.unwrap();
        }
        let caller = test_app.app.authenticate(alive.pair.access.text.expose()).await.unwrap();
        Self { test_app, store, inner, memory, caller, alive, spent, over, not_me }
    }

    /// Returns everything that is committed, and the number of ends in the cache.
    fn state(&self) -> (String, usize) {
        let store = &self.inner;
        let accounts = (store.users(), store.sessions(), store.known_devices(), store.links());
        let told = (store.events(), store.outbox_emails(), store.invalidation_events());
        (format!("{accounts:?} {told:?}"), self.memory.as_ref().map_or(0, |memory| memory.ends()))
    }
}

async fn log_in(test_app: &TestApp, ip: &str) -> LoggedIn {
    test_app.clock.advance_seconds(1);
    let ip: IpAddr = ip.parse().unwrap();
    let login = Login {
        identifier: Identifier::parse("ada"),
        password: password(PASSWORD),
        client_name: None,
        known_device_token: None,
        request_info: RequestInfo { ip: Some(ip), user_agent: None },
    };
    test_app.app.login(login).await.unwrap()
}

/// `Ok` if an action succeeds as expected, otherwise the error as text.
type Outcome = Result<(), String>;

/// Accepts any response.
fn done<T>(response: Result<T, impl Debug>) -> Outcome {
    response.map(|_| ()).map_err(|error| format!("{error:?}"))
}

/// Returns whether the error names the store as the cause.
fn blames_the_store(outcome: &Outcome, failure: Failure) -> bool {
    let cause = if failure == Failure::Busy { "Busy" } else { "Unavailable(" };
    outcome.as_ref().is_err_and(|error| error.contains(cause))
}

/// Runs an action on a new fixture for each call of the store, which fails in each way. Asserts
/// that the result is that failure, that nothing was changed or cached, and that the action then
/// succeeds without a failure.
async fn with_each_failure(
    follows: bool,
    calls_min: u32,
    act: impl AsyncFn(&FailureFixture) -> Outcome,
) {
    let fixture = FailureFixture::set(follows).await;
    fixture.store.fail_at(None);
    assert_eq!(act(&fixture).await, Ok(()));
    let (calls, after) = (fixture.store.calls(), fixture.state());
    assert!(calls >= calls_min, "{calls} calls");
    for call in 1..=calls {
        for failure in FAILURES {
            let fixture = FailureFixture::set(follows).await;
            let before = fixture.state();
            fixture.store.fail_at(Some((call, failure)));
            let outcome = act(&fixture).await;
            assert!(fixture.store.has_failed(), "call {call}");
            assert!(blames_the_store(&outcome, failure), "call {call}, {failure:?}: {outcome:?}");
            let (now, known) = fixture.state();
            if now == before.0 {
                fixture.store.fail_at(None);
                assert_eq!(known, before.1, "what did not happen is not known");
                assert_eq!(act(&fixture).await, Ok(()), "call {call}, {failure:?}, once more");
            } else {
                assert_eq!(failure, Failure::ResponseLost, "call {call}: something was changed");
                assert_eq!(now, after.0, "call {call}: all or nothing");
            }
        }
    }
}

/// If a session cannot be checked, the request is refused, and the response does not report the
/// session as ended.
#[tokio::test]
async fn f29_nobody_is_let_in_by_a_store_that_fails_at_any_call() {
    with_each_failure(false, 3, async |fixture| {
        done(fixture.test_app.app.authenticate(fixture.alive.pair.access.text.expose()).await)
    })
    .await;
    with_each_failure(false, 3, async |fixture| {
        let token = fixture.over.pair.access.text.expose();
        match fixture.test_app.app.authenticate(token).await {
            Ok(_) => panic!("let in"),
            Err(AuthenticateError::SessionEnded(EndReason::Logout)) => Ok(()),
            Err(error) => done(Err::<(), _>(error)),
        }
    })
    .await;
    // With a cache of the ended sessions, only the user is read.
    with_each_failure(true, 2, async |fixture| {
        fixture.test_app.app.ports.auth_cache.forget_users();
        done(fixture.test_app.app.authenticate(fixture.alive.pair.access.text.expose()).await)
    })
    .await;
}

#[tokio::test]
async fn f29_no_token_is_said_to_be_good_or_dead_by_a_store_that_fails() {
    for follows in [false, true] {
        with_each_failure(follows, 2, async |fixture| {
            let token = fixture.alive.pair.refresh.expose();
            let found = fixture.test_app.app.introspect(token).await;
            assert!(found.as_ref().map_or(true, Option::is_some), "{found:?}");
            done(found)
        })
        .await;
    }
    with_each_failure(false, 3, async |fixture| {
        let found = fixture.test_app.app.introspect(fixture.over.pair.access.text.expose()).await;
        assert!(found.as_ref().map_or(true, Option::is_none), "{found:?}");
        done(found)
    })
    .await;
}

#[tokio::test]
async fn f29_a_login_or_refresh_that_fails_at_any_call_of_the_store_has_not_happened() {
    for follows in [false, true] {
        with_each_failure(follows, 10, async |fixture| {
            done(fixture.test_app.login("ada", PASSWORD).await)
        })
        .await;
        with_each_failure(follows, 2, async |fixture| {
            let refresh = fixture.test_app.refresh(&fixture.alive.pair.refresh, Some("a-key"));
            done(fixture.test_app.app.refresh(refresh).await)
        })
        .await;
        // A replay: it is not reported before the session has ended.
        with_each_failure(follows, 9, async |fixture| {
            let refresh = fixture.test_app.refresh(&fixture.spent.pair.refresh, None);
            match fixture.test_app.app.refresh(refresh).await {
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
    let request_info = RequestInfo::default();
    for follows in [false, true] {
        with_each_failure(follows, 6, async |fixture| {
            let token = fixture.alive.pair.refresh.expose();
            done(fixture.test_app.app.logout_by_refresh(token, &request_info).await)
        })
        .await;
        with_each_failure(follows, 6, async |fixture| {
            let token = fixture.alive.pair.access.text.expose();
            done(fixture.test_app.app.revoke_token(token, &request_info).await)
        })
        .await;
        with_each_failure(follows, 6, async |fixture| {
            let id = fixture.spent.pair.session_id;
            done(fixture.test_app.app.end_own_session(&fixture.caller, id, &request_info).await)
        })
        .await;
        with_each_failure(follows, 6, async |fixture| {
            done(fixture.test_app.app.logout_all(&fixture.caller, true, &request_info).await)
        })
        .await;
        with_each_failure(follows, 9, async |fixture| {
            let (current, new) = (password(PASSWORD), password("another horse"));
            let change = ChangePassword { current, new, request_info: RequestInfo::default() };
            done(fixture.test_app.app.change_password(&fixture.caller, change).await)
        })
        .await;
        with_each_failure(follows, 14, async |fixture| {
            done(fixture.test_app.app.report_login(&fixture.not_me, &request_info).await)
        })
        .await;
    }
}

#[tokio::test]
async fn f29_nothing_is_told_of_a_session_by_a_store_that_fails() {
    with_each_failure(true, 4, async |fixture| {
        let id = fixture.over.pair.session_id;
        done(fixture.test_app.app.explain_session(&fixture.caller, id).await)
    })
    .await;
    with_each_failure(true, 2, async |fixture| {
        done(fixture.test_app.app.list_own_sessions(&fixture.caller, None, 50).await)
    })
    .await;
    with_each_failure(true, 2, async |fixture| {
        done(fixture.test_app.app.read_feed(None, 100).await)
    })
    .await;
}

/// A cache that was invalidated stays so until the whole feed has been read.
#[tokio::test]
async fn f29_a_node_that_cannot_read_the_feed_does_not_trust_what_it_knows() {
    with_each_failure(true, 2, async |fixture| {
        let memory = fixture.memory.as_ref().unwrap();
        memory.invalidate();
        let followed = fixture.test_app.app.follow_feed(&mut crate::Following::default()).await;
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
        let mut fixture = FailureFixture::set(true).await;
        let before = fixture.state();
        let mut hasher = MockPasswordHasher::new();
        hasher.expect_verify().returning(move |_, _| Err(failure));
        hasher.expect_needs_rehash().return_const(false);
        fixture.test_app.app.ports.hasher = Arc::new(hasher);
        let response = fixture.test_app.login("ada", PASSWORD).await;
        assert!(
            matches!(response, Err(LoginError::Hash(error)) if error == failure),
            "{response:?}"
        );
        let (current, new) = (password(PASSWORD), password("another horse"));
        let change = ChangePassword { current, new, request_info: RequestInfo::default() };
        let response = fixture.test_app.app.change_password(&fixture.caller, change).await;
        let Err(ChangePasswordError::Reauthenticate(ReauthenticateError::Hash(error))) = response
        else {
            panic!("{response:?}");
        };
        assert_eq!(error, failure);
        assert_eq!(fixture.state(), before);
    }
}
