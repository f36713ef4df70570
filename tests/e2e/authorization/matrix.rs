//! Every operation, for every kind of caller: rows 8.2.1, B4 and B10.

use std::collections::BTreeSet;
use std::time::Duration;

use gateward_e2e::{Client, Node, PASSWORD, TestResponse, claims};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::{Row, rows};
use crate::support::api::{NO_SESSION, operations};
use crate::support::test_server::TestServer;

/// How long a token may take to expire, with the leeway for clocks, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// The permissions of a moderator.
const MODERATES: [&str; 2] = ["sessions:read", "users:read"];

/// The table's words for an action that always requires a recent password.
const RECENT: &str = "with a recent password";

/// One kind of caller.
struct Asker {
    name: &'static str,
    access: Option<String>,
    refresh: Option<String>,
    /// The error code for their credentials, if they are refused.
    refused: Option<&'static str>,
    permissions: BTreeSet<String>,
}

impl Asker {
    fn with(name: &'static str, pair: &TestResponse) -> Self {
        let permissions = claims(pair.access())["permissions"].clone();
        Self {
            name,
            access: Some(pair.access().to_owned()),
            refresh: Some(pair.refresh_token().to_owned()),
            refused: None,
            permissions: serde_json::from_value(permissions).unwrap(),
        }
    }

    fn refused(self, code: &'static str) -> Self {
        Self { refused: Some(code), ..self }
    }

    fn signs(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.access {
            Some(access) => request.bearer_auth(access),
            None => request,
        }
    }

    /// The error code by the table; `None` if the caller is authorized.
    fn refusal(&self, row: &Row) -> Option<(u16, &'static str)> {
        match (row.who.as_str(), self.refused) {
            ("anyone", _) => None,
            ("client", _) => Some((401, "missing_token")),
            (_, Some(code)) => Some((401, code)),
            (who, None) => {
                let may = who == "caller" || self.permissions.contains(who.trim_matches('`'));
                (!may).then_some((403, "forbidden"))
            }
        }
    }
}

/// Two nodes on one database. On one of them, tokens and password confirmations expire soon.
struct Callers {
    hasty: Client,
    /// Killed before the database is dropped.
    _hasty: Node,
    server: TestServer,
    admin: TestResponse,
}

impl Callers {
    async fn new() -> Self {
        let server = TestServer::with(&[("http.docs", "true")]).await;
        let admin = server.admin("grace").await;
        let hasty = server.plan.clone().with("tokens.access_ttl_seconds", 1);
        let hasty = hasty.with("tokens.reauthentication_seconds", 1).serve().await;
        Self { hasty: hasty.client(), _hasty: hasty, server, admin }
    }

    async fn admin(&self, method: Method, path: &str, body: &Value) {
        let request = self.server.client.request(method, path).bearer_auth(self.admin.access());
        let response = self.server.client.send(request.json(body)).await;
        assert!(response.status.is_success(), "{path}: {response:?}");
    }

    /// All kinds of callers.
    async fn askers(&self) -> [Asker; 7] {
        let user = self.server.client.begin("ada").await;
        let late = self.expired().await;
        let nobody = Asker {
            name: "anonymous",
            access: None,
            refresh: None,
            refused: Some("missing_token"),
            permissions: BTreeSet::new(),
        };
        let forge = |token: &str| {
            let (said, signature) = token.rsplit_once('.').unwrap();
            Some(format!("{said}.{}", signature.chars().rev().collect::<String>()))
        };
        let forged = Asker::with("forged", &self.admin).refused("invalid_token");
        [
            nobody,
            Asker {
                access: forge(self.admin.access()),
                refresh: forge(self.admin.refresh_token()),
                ..forged
            },
            Asker::with("expired", &late).refused("token_expired"),
            Asker::with("user", &user),
            Asker::with("moderator", &self.moderator().await),
            Asker::with("admin", &self.admin),
            Asker::with("disabled", &self.disabled().await).refused("session_ended"),
        ]
    }

    /// An administrator whose access token has expired.
    async fn expired(&self) -> TestResponse {
        let late = self.hasty.login("grace", PASSWORD).await;
        self.server.client.until_refused(late.access(), PATIENCE).await;
        late
    }

    async fn moderator(&self) -> TestResponse {
        let role = json!({ "permissions": MODERATES });
        self.admin(Method::PUT, "/v1/roles/moderator", &role).await;
        let id = self.server.client.signup("mia").await.text_of("id").to_owned();
        let roles = json!({"roles": ["moderator"]});
        self.admin(Method::PUT, &format!("/v1/users/{id}/roles"), &roles).await;
        self.server.client.login("mia", PASSWORD).await
    }

    /// A former administrator whose account is disabled.
    async fn disabled(&self) -> TestResponse {
        let pair = self.server.client.begin("dan").await;
        let path = format!("/v1/users/{}", pair.body["user"]["id"].as_str().unwrap());
        let roles = json!({"roles": ["admin"]});
        self.admin(Method::PUT, &format!("{path}/roles"), &roles).await;
        let pair = self.server.client.refresh(pair.refresh_token(), None).await;
        self.admin(Method::POST, &format!("{path}/disable"), &json!({})).await;
        pair
    }

    /// A request without query and body.
    fn plain(row: &Row, client: &Client) -> RequestBuilder {
        client.request(row.operation.method.clone(), &row.operation.path_to(NO_SESSION))
    }

    /// A request with an unreadable query and body. An authorized caller gets a validation error;
    /// an unauthorized one is refused before that.
    fn bent(row: &Row, client: &Client) -> RequestBuilder {
        let path = row.operation.path_to(NO_SESSION);
        let request = client.request(row.operation.method.clone(), &format!("{path}?weather=1"));
        request.header("content-type", "application/json").body("{")
    }
}

/// Rows B4 and 8.2.1: seven callers, every operation, and the decision of the table for each.
#[tokio::test(flavor = "multi_thread")]
async fn b4_every_operation_lets_in_whom_the_table_names_and_refuses_all_others() {
    let callers = Callers::new().await;
    let client = &callers.server.client;
    let askers = callers.askers().await;
    let permissions: Vec<usize> = askers.iter().map(|asker| asker.permissions.len()).collect();
    assert_eq!(permissions, [0, 8, 8, 0, 2, 8, 8], "nothing but permissions differs");
    let mut asked = 0;
    for row in &rows(operations(client).await).unwrap() {
        let name = row.operation.name();
        if row.who == "holder" {
            continue;
        }
        let stranger = client.send(Callers::bent(row, client)).await.status;
        for asker in &askers {
            let bent = client.send(asker.signs(Callers::bent(row, client))).await;
            asked += 1;
            let Some((status, code)) = asker.refusal(row) else {
                let is_told = bent.status.is_client_error() || row.who == "anyone";
                assert!(is_told && !matches!(bent.status.as_u16(), 401 | 403), "{name}: {bent:?}");
                // Where credentials are not read, they make no difference.
                assert!(row.who != "anyone" || bent.status == stranger, "{name}: {bent:?}");
                if row.who != "anyone" && row.operation.method == Method::GET {
                    let plain = client.send(asker.signs(Callers::plain(row, client))).await;
                    let is_shown = matches!(plain.status.as_u16(), 200 | 404);
                    assert!(is_shown, "{} asks {name}: {plain:?}", asker.name);
                }
                continue;
            };
            let plain = client.send(asker.signs(Callers::plain(row, client))).await;
            for response in [&bent, &plain] {
                let found = (response.status.as_u16(), response.code());
                assert_eq!(found, (status, code), "{} asks {name}: {response:?}", asker.name);
                response.is_problem();
                if code == "forbidden" {
                    assert!(response.text_of("detail").contains(row.who.trim_matches('`')));
                    let challenge = r#"Bearer realm="gateward", error="insufficient_scope""#;
                    assert_eq!(response.headers["www-authenticate"], challenge, "{name}");
                }
                if code == "session_ended" {
                    assert_eq!(response.body["reason"], "account_disabled", "{name}");
                }
            }
        }
    }
    assert!(asked > 300, "only {asked} were asked");
    // None of this has changed anything.
    for pair in askers.iter().filter(|asker| asker.refused.is_none()) {
        assert_eq!(client.me(pair.access.as_ref().unwrap()).await.status, 200);
    }
    holders_alone_refresh_and_log_out(client, &askers).await;
}

/// The other rows of B4: the token decides, not the role.
async fn holders_alone_refresh_and_log_out(client: &Client, askers: &[Asker]) {
    for asker in askers {
        let log_out = || client.send(asker.signs(client.request(Method::POST, "/v1/logout")));
        let Some(refresh) = &asker.refresh else {
            log_out().await.is(401, "missing_token");
            continue;
        };
        let refreshed = client.refresh(refresh, None).await;
        match asker.refused {
            Some(code @ "invalid_token") => {
                refreshed.is(401, code);
                log_out().await.is(401, code);
            }
            // The refresh token outlives the access token beside it.
            Some(code @ "token_expired") => {
                assert_eq!(refreshed.status, 200, "{refreshed:?}");
                log_out().await.is(401, code);
            }
            // Logging out of an ended session succeeds.
            Some(code) => {
                refreshed.is(401, code);
                assert_eq!(log_out().await.status, 204);
            }
            None => {
                assert_eq!(refreshed.status, 200, "{}: {refreshed:?}", asker.name);
                assert_eq!(log_out().await.status, 204);
                client.refresh(refreshed.refresh_token(), None).await.is(401, "session_ended");
            }
        }
    }
}

/// Row B10: what the table allows "with a recent password" is refused later, before
/// any other check, and nothing else is.
#[tokio::test(flavor = "multi_thread")]
async fn b10_acts_that_the_table_names_want_a_recent_password() {
    let callers = Callers::new().await;
    let hasty = &callers.hasty;
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    let mut wanted = BTreeSet::new();
    for row in &rows(operations(hasty).await).unwrap() {
        // For an invitation it depends on the roles.
        let is_administered = row.who.starts_with('`') && row.operation.name() != "POST /v1/users";
        if !is_administered {
            continue;
        }
        let bent = hasty.send(Callers::bent(row, hasty).bearer_auth(callers.admin.access())).await;
        let is_refused = bent.code() == "reauthentication_required";
        assert_eq!(is_refused, row.on_what.contains(RECENT), "{}: {bent:?}", row.operation.name());
        if is_refused {
            bent.is(403, "reauthentication_required");
            wanted.insert(row.operation.name());
        }
    }
    let expected = [
        "DELETE /v1/roles/{name}",
        "DELETE /v1/users/{id}",
        "DELETE /v1/users/{id}/sessions",
        "DELETE /v1/users/{id}/sessions/{sid}",
        "POST /v1/users/{id}/disable",
        "PUT /v1/roles/{name}",
        "PUT /v1/users/{id}/roles",
    ];
    assert_eq!(wanted, expected.map(ToOwned::to_owned).into());
}
