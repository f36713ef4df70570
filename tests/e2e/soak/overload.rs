//! More logins than the machine can hash.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use gateward_e2e::{Database, PASSWORD, Plan, TestDatabase, on_both};

on_both!(too_many_logins_are_refused_at_once_and_hold_up_nobody_else);

/// How many logins arrive at once: many more than two hash threads and two slots in each queue.
const LOGINS: usize = 60;

/// Longer than a refusal or a lookup, shorter than a queue of sixty slow hashes. It separates
/// waiting from not waiting, on a busy machine.
const NOT_WAITING: Duration = Duration::from_secs(2);

/// Row 15.2.2, and part of F27: the queue is bounded, and requests without a hash do not wait in
/// it.
async fn too_many_logins_are_refused_at_once_and_hold_up_nobody_else(kind: Database) {
    let database = TestDatabase::new(kind).await;
    let cheap = Plan::on(&database);
    let pair = cheap.start().await.client().begin("ada").await;
    let slow = cheap
        .with("password.argon2_memory_kib", 131_072)
        .with("password.argon2_iterations", 4)
        .with("password.hash_threads", 2)
        .with("password.hash_queue_max", 1);
    let node = slow.start().await;
    let client = node.client();
    let mut refresh_token = pair.refresh_token().to_owned();
    assert_eq!(client.signup("eve").await.status, 201, "her hash is slow");

    let logins = join_all((0..LOGINS).map(|_| async {
        let started = Instant::now();
        (client.login("eve", PASSWORD).await, started.elapsed())
    }));
    let others = async {
        let mut slowest = Duration::ZERO;
        for _ in 0..20 {
            let started = Instant::now();
            assert_eq!(client.me(pair.access()).await.status, 200);
            assert_eq!(client.get("/.well-known/jwks.json").await.status, 200);
            let next = client.refresh(&refresh_token, None).await;
            assert_eq!(next.status, 200, "{next:?}");
            next.refresh_token().clone_into(&mut refresh_token);
            slowest = slowest.max(started.elapsed());
        }
        slowest
    };
    let (logins, slowest) = tokio::join!(logins, others);

    assert!(slowest < NOT_WAITING, "others took {slowest:?}");
    let (served, refused): (Vec<_>, Vec<_>) =
        logins.into_iter().partition(|(response, _)| response.status == 200);
    assert!(served.len() >= 2, "the queue is served");
    assert!(refused.len() >= LOGINS / 2, "only {} were refused", refused.len());
    for (response, took) in &refused {
        response.is(503, "overloaded");
        let seconds: u32 = response.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=60).contains(&seconds), "{seconds}");
        assert!(*took < NOT_WAITING, "refused only after {took:?}");
    }
    assert_eq!(client.login("eve", PASSWORD).await.status, 200, "the rush has ended");
}

/// Clients that disconnect leave the queue, so that the others are served.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_goes_away_holds_up_nobody_behind() {
    let database = TestDatabase::new(Database::Sqlite).await;
    let slow = Plan::on(&database)
        .with("password.argon2_memory_kib", 131_072)
        .with("password.argon2_iterations", 4)
        .with("password.hash_threads", 1);
    let node = slow.start().await;
    let client = node.client();
    client.begin("ada").await;
    let started = Instant::now();
    assert_eq!(client.login("ada", PASSWORD).await.status, 200);
    let alone = started.elapsed();

    // Twenty logins, whose clients disconnect while the first is being hashed.
    let callers = join_all((0..20).map(|_| client.login("ada", PASSWORD)));
    let gone = tokio::time::timeout(alone / 2, callers).await;
    assert!(gone.is_err(), "they were waiting");
    let started = Instant::now();
    assert_eq!(client.login("ada", PASSWORD).await.status, 200);
    let behind = started.elapsed();
    assert!(behind < alone * 10, "{behind:?} behind those who left, {alone:?} alone");
}
