//! `Honest`: a client that stores token and key together and retries on the other node.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use gateward_e2e::{Client, Node, PASSWORD, TestResponse};
use reqwest::RequestBuilder;
use serde_json::json;
use tokio::task::JoinSet;

/// The current URLs of the nodes.
pub(crate) type Addresses = Arc<RwLock<[String; 2]>>;

/// How long a client retries before it counts as failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// A client with a session, and everything that was acknowledged to it.
pub(crate) struct Honest {
    pub(crate) name: String,
    /// Its current token pair.
    pub(crate) pair: TestResponse,
    /// The usernames of its acknowledged accounts.
    pub(crate) signed_up: Vec<String>,
    /// The refresh tokens of sessions that it has ended.
    pub(crate) logged_out: Vec<String>,
    /// The number of its refreshes.
    pub(crate) refreshes: u32,
    /// The most tries of any request.
    pub(crate) attempts_max: u32,
    client: Client,
    addresses: Addresses,
    turn: usize,
}

impl Honest {
    /// Signs up and logs in.
    pub(crate) async fn begin(name: String, addresses: &Addresses) -> Self {
        let client = Client::new(&addresses.read().unwrap()[0]);
        let pair = client.begin(&name).await;
        Self {
            name,
            pair,
            signed_up: Vec::new(),
            logged_out: Vec::new(),
            refreshes: 0,
            attempts_max: 0,
            client,
            addresses: Arc::clone(addresses),
            turn: 0,
        }
    }

    /// Sends a request to both nodes in turn until one responds. Returns the response and the
    /// number of tries.
    async fn insist(&mut self, request: impl Fn(&Client) -> RequestBuilder) -> (TestResponse, u32) {
        let (started, mut tries) = (Instant::now(), 0);
        loop {
            self.turn += 1;
            tries += 1;
            self.client.url.clone_from(&self.addresses.read().unwrap()[self.turn % 2]);
            match self.client.try_send(request(&self.client)).await {
                Ok(response) if response.status != 503 => {
                    self.attempts_max = self.attempts_max.max(tries);
                    return (response, tries);
                }
                failed => assert!(started.elapsed() < PATIENCE, "{}: {failed:?}", self.name),
            }
            if tries > 1 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }

    /// Refreshes with a new key. Sometimes it treats the response as lost, and repeats the request.
    pub(crate) async fn refresh(&mut self) {
        let token = self.pair.refresh_token().to_owned();
        let key = format!("the-key-of-{}-{}", self.name, self.refreshes);
        let (next, _) = self.insist(|client| client.refresh_request(&token, Some(&key))).await;
        assert_eq!(next.status, 200, "{}: {next:?}", self.name);
        if self.refreshes.is_multiple_of(4) {
            let (again, _) = self.insist(|client| client.refresh_request(&token, Some(&key))).await;
            assert_eq!(again.status, 200, "{}: {again:?}", self.name);
            assert_eq!(next.refresh_token(), again.refresh_token(), "two successors");
        }
        self.refreshes += 1;
        self.pair = next;
    }

    pub(crate) async fn sign_up(&mut self) {
        let name = format!("{}-{}", self.name, self.signed_up.len());
        let body = json!({
            "username": name, "email": format!("{name}@example.org"), "password": PASSWORD,
        });
        let (response, tries) = self.insist(|client| client.post("/v1/signup", &body)).await;
        // The first try may have created the account although its response was lost.
        assert!(response.status == 201 || (response.status == 409 && tries > 1), "{response:?}");
        self.signed_up.push(name);
    }

    /// Starts another session and ends it.
    pub(crate) async fn log_in_and_out(&mut self) {
        let body = json!({"identifier": self.name, "password": PASSWORD});
        let (pair, _) = self.insist(|client| client.post("/v1/login", &body)).await;
        assert_eq!(pair.status, 200, "{}: {pair:?}", self.name);
        let token = pair.refresh_token().to_owned();
        let body = json!({"refresh_token": token});
        let (response, _) = self.insist(|client| client.post("/v1/logout", &body)).await;
        assert_eq!(response.status, 204, "{}: {response:?}", self.name);
        self.logged_out.push(token);
    }

    /// Reads its own account.
    pub(crate) async fn me(&mut self) {
        let access = self.pair.access().to_owned();
        let (response, _) = self
            .insist(|client| client.request(reqwest::Method::GET, "/v1/me").bearer_auth(&access))
            .await;
        assert_eq!(response.status, 200, "{}: {response:?}", self.name);
    }

    /// Does all of these in turn.
    pub(crate) async fn act(&mut self, round: u32) {
        self.refresh().await;
        match round % 6 {
            1 => self.sign_up().await,
            3 => self.log_in_and_out().await,
            _ => self.me().await,
        }
    }

    /// Asserts that everything acknowledged still holds, on both nodes.
    pub(crate) async fn check(&mut self, clients: &[Client; 2]) {
        for client in clients {
            let me = client.me(self.pair.access()).await;
            assert_eq!(me.status, 200, "{}: {me:?}", self.name);
            for token in &self.logged_out {
                let refused = client.refresh(token, None).await;
                refused.is(401, "session_ended");
                assert_eq!(refused.body["reason"], "logout");
            }
        }
        for (number, name) in self.signed_up.iter().enumerate() {
            let response = clients[number % 2].login(name, PASSWORD).await;
            assert_eq!(response.status, 200, "{response:?}");
        }
        let generation = gateward_e2e::claims(self.pair.refresh_token())["gen"].clone();
        assert_eq!(generation, self.refreshes + 1, "each refresh counts once");
        self.refresh().await;
    }
}

/// Clients at work on two nodes.
pub(crate) struct Load {
    addresses: Addresses,
    over: Arc<AtomicBool>,
    clients: JoinSet<Honest>,
}

impl Load {
    pub(crate) async fn begin(nodes: &[Node; 2], count: usize) -> Self {
        let addresses: Addresses =
            Arc::new(RwLock::new(nodes.each_ref().map(|node| node.url.clone())));
        let over = Arc::new(AtomicBool::new(false));
        let mut clients = JoinSet::new();
        for number in 0..count {
            let mut client = Honest::begin(format!("client{number}"), &addresses).await;
            let over = Arc::clone(&over);
            clients.spawn(async move {
                let mut round = 0;
                while !over.load(Ordering::Relaxed) {
                    client.act(round).await;
                    round += 1;
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                client
            });
        }
        Self { addresses, over, clients }
    }

    /// Updates the URL of a node for all clients.
    pub(crate) fn moved(&self, number: usize, url: &str) {
        url.clone_into(&mut self.addresses.write().unwrap()[number]);
    }

    /// Waits until all have finished their current step, and returns them.
    pub(crate) async fn end(self) -> Vec<Honest> {
        self.over.store(true, Ordering::Relaxed);
        self.clients.join_all().await
    }
}
