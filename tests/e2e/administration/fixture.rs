//! `AdminFixture`: two nodes with an administrator, and requests to them.

use std::time::Duration;

use gateward_e2e::{Client, Database, PASSWORD, TestResponse, eventually};
use serde_json::{Value, json};

use crate::support::commands::{create, said};
use crate::support::inbox::emails;
use crate::support::pair::Pair;

/// How long an invalidation event may take to reach the other node, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long an email may take to reach an inbox, on a busy machine.
const MAIL_PATIENCE: Duration = Duration::from_secs(20);

/// An identifier that does not exist.
pub(super) const UNKNOWN: &str = "00000000-0000-7000-8000-000000000001";

/// Two nodes on one database, and Grace, who administers.
pub(super) struct AdminFixture {
    pub(super) pair: Pair,
    pub(super) one: Client,
    pub(super) other: Client,
    pub(super) grace: TestResponse,
}

impl AdminFixture {
    pub(super) async fn start(kind: Database) -> Self {
        Self::start_with(kind, &[]).await
    }

    pub(super) async fn start_with(
        kind: Database,
        settings: &[(&'static str, &'static str)],
    ) -> Self {
        let pair = Pair::start(kind, settings).await;
        let [one, other] = pair.clients();
        said(&create(&pair.plan, ("grace", "grace@example.org"), PASSWORD));
        let grace = login(&one, "grace").await;
        Self { pair, one, other, grace }
    }

    /// Another administrator, created from the command line.
    pub(super) async fn administrator(&self, name: &str) -> TestResponse {
        said(&create(&self.pair.plan, (name, &format!("{name}@example.org")), PASSWORD));
        login(&self.other, name).await
    }

    /// A user with a role of their own, of the same name, that grants these permissions.
    pub(super) async fn holder(&self, name: &str, permissions: &[&str]) -> TestResponse {
        let role = json!({ "permissions": permissions });
        let made = self.tell(&self.grace, "PUT", &format!("/roles/{name}"), &role).await;
        assert_eq!(made.status, 201, "{made:?}");
        let somebody = self.one.begin(name).await;
        self.grant(&somebody, &[name]).await;
        somebody
    }

    /// Has Grace set exactly these roles of a user.
    pub(super) async fn grant(&self, to: &TestResponse, roles: &[&str]) {
        let path = format!("/users/{}/roles", id(to));
        let granted = self.tell(&self.grace, "PUT", &path, &json!({ "roles": roles })).await;
        assert_eq!(granted.status, 200, "{granted:?}");
    }

    /// Sends a request without a body to the first node.
    pub(super) async fn ask(&self, who: &TestResponse, method: &str, path: &str) -> TestResponse {
        ask(&self.one, who, method, path).await
    }

    /// Sends a request with a body to the first node.
    pub(super) async fn tell(
        &self,
        who: &TestResponse,
        method: &str,
        path: &str,
        body: &Value,
    ) -> TestResponse {
        tell(&self.one, who, (method, path), body).await
    }

    /// Waits until the nodes have sent this many emails with this title to a user, and returns the
    /// newest.
    pub(super) async fn email(&self, name: &str, title: &str, count: usize) -> Value {
        let to = format!("{name}@example.org");
        eventually(MAIL_PATIENCE, async || {
            let mut meant = [emails(&self.one).await, emails(&self.other).await].concat();
            meant.retain(|message| {
                message["to"] == to && message["text"].as_str().unwrap().starts_with(title)
            });
            meant.sort_by_key(|message| message["sent_at"].as_str().unwrap().to_owned());
            if meant.len() >= count {
                return Ok(meant.pop().unwrap());
            }
            Err(format!("no {title:?} to {name}: {meant:#?}"))
        })
        .await
    }
}

/// Sends a request without a body.
pub(super) async fn ask(
    client: &Client,
    who: &TestResponse,
    method: &str,
    path: &str,
) -> TestResponse {
    let request = client.request(method.parse().unwrap(), &format!("/v1{path}"));
    client.send(request.bearer_auth(who.access())).await
}

/// Sends a request with a body.
pub(super) async fn tell(
    client: &Client,
    who: &TestResponse,
    (method, path): (&str, &str),
    body: &Value,
) -> TestResponse {
    let request = client.request(method.parse().unwrap(), &format!("/v1{path}"));
    client.send(request.bearer_auth(who.access()).json(body)).await
}

/// Repeats a request until the response has this status, for as long as an invalidation event may
/// take.
pub(super) async fn soon(
    client: &Client,
    who: &TestResponse,
    path: &str,
    status: u16,
) -> TestResponse {
    eventually(PATIENCE, async || {
        let response = ask(client, who, "GET", path).await;
        if response.status == status { Ok(response) } else { Err(format!("{path}: {response:?}")) }
    })
    .await
}

pub(super) async fn login(client: &Client, name: &str) -> TestResponse {
    let pair = client.login(name, PASSWORD).await;
    assert_eq!(pair.status, 200, "{pair:?}");
    pair
}

/// The identifier of the logged-in user.
pub(super) fn id(pair: &TestResponse) -> &str {
    pair.body["user"]["id"].as_str().unwrap()
}

/// The path of a user's account.
pub(super) fn path(pair: &TestResponse) -> String {
    format!("/users/{}", id(pair))
}
