//! Storms: ten times the logins that can be served, and all clients at once after an outage.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use gateward_e2e::{
    Client, Database, Node, PASSWORD, Plan, TestDatabase, TestResponse, claims, median, on_both,
};
use tokio::sync::Barrier;
use tokio::task::JoinHandle;

use crate::support::own_server::OwnServer;
use crate::support::pair::together;

on_both!(f27_ten_times_the_logins_are_shed_at_once_while_everybody_else_is_served);

/// How many logins one node can run: one is hashed, and three wait.
const PLACES: usize = 4;

/// How long the tenfold load lasts.
const STORM: Duration = Duration::from_secs(3);

/// Longer than any request that waits for nothing, shorter than a hash that waits its turn. It
/// separates the two on a busy machine.
const NOT_WAITING: Duration = Duration::from_millis(20);

/// The median duration of a request.
#[derive(Clone, Copy, Debug)]
struct Medians {
    me: Duration,
    refresh: Duration,
}

/// Reads the user and refreshes, repeatedly, until it is `over`.
async fn go_on(client: &Client, pair: &mut TestResponse, over: impl Fn() -> bool) -> Medians {
    let (mut me, mut refresh) = (Vec::new(), Vec::new());
    while !over() || me.len() < 20 {
        let started = Instant::now();
        assert_eq!(client.me(pair.access()).await.status, 200);
        me.push(started.elapsed());
        let started = Instant::now();
        let next = client.refresh(pair.refresh_token(), None).await;
        refresh.push(started.elapsed());
        assert_eq!(next.status, 200, "{next:?}");
        *pair = next;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Medians { me: median(&me), refresh: median(&refresh) }
}

/// A client that logs in repeatedly. Returns each response and how long it took.
fn log_in_on(client: Client, over: Arc<AtomicBool>) -> JoinHandle<Vec<(TestResponse, Duration)>> {
    tokio::spawn(async move {
        let mut responses = Vec::new();
        while !over.load(Ordering::Relaxed) {
            let started = Instant::now();
            responses.push((client.login("eve", PASSWORD).await, started.elapsed()));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        responses
    })
}

/// Row F27: logins beyond the queue are refused at once with a retry time. Other requests hardly
/// slow down, and afterwards no effect remains.
async fn f27_ten_times_the_logins_are_shed_at_once_while_everybody_else_is_served(kind: Database) {
    let database = TestDatabase::new(kind).await;
    let cheap = Plan::on(&database);
    let mut pair = cheap.start().await.client().begin("ada").await;
    let node = cheap
        .with("password.argon2_memory_kib", 65_536)
        .with("password.argon2_iterations", 2)
        .with("password.hash_threads", 1)
        .with("password.hash_queue_max", PLACES - 1)
        .with("tokens.sessions_per_user_max", 10)
        .start()
        .await;
    let client = node.client();
    assert_eq!(client.signup("eve").await.status, 201, "her hash is slow");
    let started = Instant::now();
    assert_eq!(client.login("eve", PASSWORD).await.status, 200);
    let alone = started.elapsed();
    let before = go_on(&client, &mut pair, || true).await;

    let over = Arc::<AtomicBool>::default();
    let callers = (0..10 * PLACES).map(|_| log_in_on(Client::new(&node.url), Arc::clone(&over)));
    let callers: Vec<_> = callers.collect();
    let started = Instant::now();
    let during = go_on(&client, &mut pair, || started.elapsed() > STORM).await;
    over.store(true, Ordering::Relaxed);
    let responses: Vec<_> = join_all(callers).await.into_iter().flat_map(Result::unwrap).collect();
    let lasted = started.elapsed();
    let (served, shed): (Vec<_>, Vec<_>) =
        responses.into_iter().partition(|(response, _)| response.status == 200);
    for (response, _) in &shed {
        response.is(503, "overloaded");
        let seconds: u32 = response.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=60).contains(&seconds), "{seconds}");
    }
    let count = shed.len();
    let refused = median(&shed.into_iter().map(|(_, took)| took).collect::<Vec<_>>());
    let _ = writeln!(
        std::io::stderr(),
        "{kind:?}: a login takes {alone:?}; {} served and {count} shed in {refused:?} during \
         {lasted:?}; others took {before:?} before, {during:?} meanwhile",
        served.len(),
    );
    assert!(count > 10 * served.len(), "{} served, {count} shed", served.len());
    // The hasher was never idle for long.
    let served = u32::try_from(served.len()).unwrap();
    assert!(alone * served * 4 > lasted, "{served} served in {lasted:?}");
    for (took, calm) in
        [(refused, before.me), (during.me, before.me), (during.refresh, before.refresh)]
    {
        assert!(took < NOT_WAITING.max(calm * 10), "{took:?}, and {calm:?} before");
    }

    let started = Instant::now();
    assert_eq!(client.login("eve", PASSWORD).await.status, 200, "the storm has ended");
    let later = started.elapsed();
    assert!(later < alone * 5 + Duration::from_secs(1), "{later:?}, {alone:?} before the storm");
    let after = go_on(&client, &mut pair, || true).await;
    assert!(after.me < NOT_WAITING.max(before.me * 10), "{after:?}");
}

/// How many sessions are refreshed at the same moment.
const SESSIONS: usize = 100;

/// How long the database is down: less than the leeway of clients without keys.
const OUTAGE: Duration = Duration::from_secs(4);

/// The time within which all clients are served again, on a busy machine.
const DRAINED: Duration = Duration::from_secs(10);

/// Refreshes until there is a response. Returns it, and the number of tries.
async fn insist(clients: [Client; 2], token: String, key: Option<String>) -> (TestResponse, usize) {
    for tries in 1.. {
        let client = &clients[tries % 2];
        let request = client.refresh_request(&token, key.as_deref());
        match client.try_send(request.timeout(Duration::from_secs(8))).await {
            Ok(response) if response.status != 503 => return (response, tries),
            Ok(response) => response.is(503, response.code()),
            Err(error) => assert!(error.is_timeout(), "{error:?}"),
        }
        assert!(tries < 1000, "there is no answer");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    unreachable!("it ends by an answer");
}

/// Row F28: all clients refresh as the database dies, half of them without a key, and retry until
/// it is back. No client is logged out, and no session has two successors.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f28_everybody_who_refreshed_as_the_database_died_is_in_again_soon_after_it_is_back() {
    let Some(mut server) = OwnServer::start(&[]).await else { return };
    let plan = server.plan().with("database.pool_size", 8);
    let nodes = [plan.start().await, plan.start().await];
    let clients = nodes.each_ref().map(Node::client);
    let mut pairs = vec![clients[0].begin("ada").await];
    while pairs.len() < SESSIONS {
        pairs.push(clients[pairs.len() % 2].login("ada", PASSWORD).await);
    }
    let barrier = Arc::new(Barrier::new(SESSIONS + 1));
    let storm = pairs.iter().enumerate().map(|(number, pair)| {
        let (clients, barrier) = (clients.clone(), Arc::clone(&barrier));
        let token = pair.refresh_token().to_owned();
        let key = number.is_multiple_of(2).then(|| format!("the-key-of-{number}"));
        async move {
            barrier.wait().await;
            let response = insist(clients, token, key).await;
            (response, Instant::now())
        }
    });
    let storm = tokio::spawn(together(storm.collect::<Vec<_>>()));
    barrier.wait().await;
    server.stop().await;
    tokio::time::sleep(OUTAGE).await;
    server.go_on().await;
    let back = Instant::now();
    let responses = storm.await.unwrap();

    let drained = responses.iter().map(|(_, at)| at.saturating_duration_since(back)).max().unwrap();
    let tries: usize = responses.iter().map(|((_, tries), _)| tries).sum();
    println!("{tries} tries of {SESSIONS} sessions; all are in {drained:?} after the database is");
    assert!(tries > SESSIONS, "no client noticed the storm");
    assert!(drained < DRAINED, "{drained:?}");
    for ((next, tries), _) in &responses {
        assert_eq!(next.status, 200, "after {tries} tries: {next:?}");
        assert_eq!(claims(next.refresh_token())["gen"], 2);
        for client in &clients {
            assert_eq!(client.me(next.access()).await.status, 200);
        }
    }
    let after = join_all(responses.iter().enumerate().map(async |(number, ((next, _), _))| {
        clients[number % 2].refresh(next.refresh_token(), Some("the-next-key")).await
    }));
    for next in after.await {
        assert_eq!(next.status, 200, "{next:?}");
        assert_eq!(claims(next.refresh_token())["gen"], 3);
    }
    let database = tokio_postgres::connect(&server.url, tokio_postgres::NoTls).await.unwrap();
    let (database, connection) = database;
    tokio::spawn(connection);
    let sql = "SELECT count(*) FROM sessions WHERE ended_at IS NULL AND generation = 3";
    let rows = database.query_one(sql, &[]).await.unwrap();
    assert_eq!(rows.get::<_, i64>(0), i64::try_from(SESSIONS).unwrap());
}
