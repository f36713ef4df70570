//! `FailureFixture`: an account on a store that can fail, and a run of an action for each failure.

use std::fmt::Debug;
use std::net::IpAddr;
use std::sync::Arc;

use gateward_cache::NodeAuthCache;
use gateward_domain::email::EmailTemplate;
use gateward_domain::ports::{AuthCache, NoAuthCache};
use gateward_domain::{Identifier, RequestInfo, RoleName};
use gateward_testkit::MemoryStore;

use super::store::{FailingStore, Failure};
use crate::tests::mailbox::{saying, token};
use crate::tests::test_app::{PASSWORD, TestApp, password, policy, put_access_key, test_app_that};
use crate::{Caller, LoggedIn, Login, NewAlgorithm};

const DAY: i64 = 24 * 3600;

/// How a failing unit of work may end.
pub(super) const FAILURES: [Failure; 3] =
    [Failure::Unavailable, Failure::Busy, Failure::ResponseLost];

/// An account with three sessions, on a store that can fail.
pub(super) struct FailureFixture {
    pub(super) test_app: TestApp,
    pub(super) store: FailingStore,
    pub(super) inner: MemoryStore,
    pub(super) memory: Option<Arc<NodeAuthCache>>,
    pub(super) caller: Caller,
    pub(super) alive: LoggedIn,
    /// Its first refresh token is spent, and its second too.
    pub(super) spent: LoggedIn,
    pub(super) over: LoggedIn,
    /// The secret of the link that reports the login of `spent`.
    pub(super) not_me: String,
}

impl FailureFixture {
    /// Creates a node that follows the feed, or one without a cache.
    pub(super) async fn set(follows: bool) -> Self {
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
    pub(super) fn state(&self) -> (String, usize) {
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
pub(super) type Outcome = Result<(), String>;

/// Accepts any response.
pub(super) fn done<T>(response: Result<T, impl Debug>) -> Outcome {
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
pub(super) async fn with_each_failure(
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
