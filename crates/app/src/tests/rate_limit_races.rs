//! Concurrent wrong passwords, on one node and on several.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gateward_domain::ports::{Access, HashError, PasswordHasher, Task, Tasks};
use gateward_domain::{Password, PasswordHash};
use gateward_testkit::{MemoryStore, PlainHasher, SeededEntropy};
use tokio::sync::{Barrier, Notify};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::attempts::{WRONG, attempt, from, said, with_ada};
use super::test_app::{PASSWORD, TestApp, policy, test_app_with};
use crate::LoginError;

/// A test that takes longer hangs, and fails.
const HANGS: Duration = Duration::from_mins(1);

/// Verifies no password before this many were received.
struct AtOnce(PlainHasher, Barrier);

#[async_trait]
impl PasswordHasher for AtOnce {
    async fn hash(&self, password: &Password) -> Result<PasswordHash, HashError> {
        self.0.hash(password).await
    }

    async fn verify(&self, password: &Password, hash: &PasswordHash) -> Result<bool, HashError> {
        self.1.wait().await;
        self.0.verify(password, hash).await
    }

    fn needs_rehash(&self, hash: &PasswordHash) -> bool {
        self.0.needs_rehash(hash)
    }
}

/// Sends a wrong password this often at once. Returns the responses.
async fn all_at_once(test_app: &mut TestApp, tries: u32, one_client: bool) -> Vec<String> {
    let barrier = Barrier::new(tries as usize);
    test_app.app.ports.hasher = Arc::new(AtOnce(PlainHasher::default(), barrier));
    let mut set = JoinSet::new();
    for number in 0..tries {
        let (app, request_info) = (test_app.app.clone(), from(if one_client { 0 } else { number }));
        set.spawn(async move { said(app.login(attempt("ada", WRONG, request_info)).await) });
    }
    set.join_all().await
}

#[tokio::test]
async fn l1_of_many_who_try_at_once_no_more_are_told_than_are_allowed() {
    for (one_client, allowed) in [(false, 10), (true, 5)] {
        let (mut test_app, _) = with_ada().await;
        let heard = all_at_once(&mut test_app, 60, one_client).await;
        let told = heard.iter().filter(|response| *response == "wrong").count();
        assert!((1..=allowed).contains(&told), "{told}");
    }
}

#[tokio::test]
async fn l2_who_tries_much_at_once_uses_up_no_more_than_one_after_the_other() {
    let (mut test_app, _) = with_ada().await;
    all_at_once(&mut test_app, 60, true).await;
    test_app.app.ports.hasher = Arc::new(PlainHasher::default());
    assert_eq!(test_app.try_at("ada", PASSWORD, from(0)).await, "30", "the first wait");
    assert_eq!(test_app.try_at("ada", PASSWORD, from(99)).await, "in", "another user");
}

#[tokio::test]
async fn l1_a_right_password_counts_for_nothing_once_the_allowance_was_used_up_meanwhile() {
    for (meanwhile, gets_in) in [(9, true), (10, false)] {
        let (test_app, memory) = with_ada().await;
        let right = attempt("ada", PASSWORD, from(99));
        let verified = test_app.app.verify_login(right).await.unwrap();
        test_app.attempt_on_name("ada", meanwhile).await;
        let response = test_app.app.complete_login(verified).await;
        assert_eq!(response.is_ok(), gets_in, "{response:?}");
        assert_eq!(matches!(response, Err(LoginError::RateLimited(_))), !gets_in);
        assert_eq!(memory.sessions().len(), usize::from(gets_in));
    }
}

/// Of two callers that wait for the end of the same wait, only one receives an attempt.
#[tokio::test]
async fn of_those_who_have_waited_one_is_looked_at() {
    let (test_app, _) = with_ada().await;
    test_app.attempt_on_name("ada", 10).await;
    test_app.clock.advance_seconds(30);
    let verified = test_app.app.verify_login(attempt("ada", PASSWORD, from(98))).await.unwrap();
    assert_eq!(test_app.try_at("ada", WRONG, from(99)).await, "wrong");
    let late = test_app.app.complete_login(verified).await;
    assert!(matches!(late, Err(LoginError::RateLimited(_))));
}

/// Another node on the same store that has just started.
async fn node(store: &MemoryStore, first: &TestApp, seed: u64) -> TestApp {
    let mut node = test_app_with(policy(), Arc::new(store.clone())).await;
    node.app.ports.clock = first.clock.clone();
    node.app.ports.entropy = Arc::new(SeededEntropy::new(seed));
    node
}

#[tokio::test]
async fn l8_nodes_count_together_and_a_restart_forgets_nothing() {
    let (first, store) = with_ada().await;
    let second = node(&store, &first, 2).await;
    for number in 0..10 {
        let test_app = if number % 2 == 0 { &first } else { &second };
        assert_eq!(test_app.try_at("ada", WRONG, from(number)).await, "wrong");
    }
    let restarted = node(&store, &first, 3).await;
    for test_app in [&first, &second, &restarted] {
        assert_eq!(test_app.try_at("ada", PASSWORD, from(99)).await, "30");
    }
    first.clock.advance_seconds(30);
    assert_eq!(restarted.try_at("ada", PASSWORD, from(99)).await, "in");
}

/// Runs work as the service does: it continues without its caller. Notifies of its start and end.
#[derive(Clone, Default)]
struct Spawning {
    started: Arc<Notify>,
    finished: Arc<Notify>,
}

impl Tasks for Spawning {
    fn run(&self, task: Task) -> Task {
        let Self { started, finished } = self.clone();
        let task = tokio::spawn(async move {
            started.notify_one();
            task.await;
            finished.notify_one();
        });
        Box::pin(async move { task.await.unwrap() })
    }
}

#[tokio::test]
async fn l1_a_client_that_hangs_up_has_not_tried_for_nothing() {
    let (mut test_app, _) = with_ada().await;
    let spawning = Spawning::default();
    test_app.app.ports.tasks = Arc::new(spawning.clone());
    // Another writer holds the store, so nothing can be counted yet.
    let writer = test_app.store.begin(Access::Write).await.unwrap();
    let has_answer = tokio::select! {
        _ = test_app.app.login(attempt("ada", WRONG, from(1))) => true,
        () = spawning.started.notified() => false,
    };
    assert!(!has_answer, "there is no answer yet");
    drop(writer);
    timeout(HANGS, spawning.finished.notified()).await.expect("the work goes on");
    assert_eq!(test_app.counts().await, 3, "of the name, the client and the two together");
}
