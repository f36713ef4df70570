//! The authorization table, checked against the running program.

mod matrix;

use std::collections::BTreeMap;
use std::time::Duration;

use gateward_e2e::{PASSWORD, TestResponse, root};
use regex::Regex;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::json;

use crate::support::api::{CLIENT_SECRET, NO_SESSION, Operation, operations};
use crate::support::test_server::TestServer;

/// The permissions of a client. Each is also the name of the client that has only this permission.
const RIGHTS: [&str; 3] = ["introspect", "revoke", "revocations"];

/// One operation with its row in the table.
struct Row {
    operation: Operation,
    who: String,
    on_what: String,
}

/// The rows of the table: exactly one for each operation.
fn rows(operations: Vec<Operation>) -> Result<Vec<Row>, String> {
    let table = std::fs::read_to_string(root().join("docs/authorization.md")).unwrap();
    let row = Regex::new(r"(?m)^\| `([A-Z]+ /[^`]*)` \| ([^|]*) \|([^|]*)\|$").unwrap();
    let mut cells: BTreeMap<String, (String, String)> = row
        .captures_iter(&table)
        .map(|row| (row[1].to_owned(), (row[2].to_owned(), row[3].to_owned())))
        .collect();
    let rows = operations.into_iter().map(|operation| {
        let (who, on_what) = cells.remove(&operation.name()).ok_or_else(|| operation.name())?;
        Ok(Row { operation, who, on_what })
    });
    let rows = rows.collect::<Result<Vec<_>, String>>()?;
    if cells.is_empty() { Ok(rows) } else { Err(format!("rows of nothing: {cells:?}")) }
}

/// A node with an administrator, a user, and for each permission a client with only that one.
struct Doors {
    server: TestServer,
    user: TestResponse,
    admin: TestResponse,
}

impl Doors {
    async fn new() -> Self {
        let clients = RIGHTS.map(|right| {
            let name = |setting: &str| format!("clients.{right}.{setting}");
            [(name("secret"), CLIENT_SECRET), (name("may"), right)]
        });
        let mut settings = vec![("http.docs", "true")];
        settings.extend(clients.iter().flatten().map(|(name, value)| (name.as_str(), *value)));
        let server = TestServer::with(&settings).await;
        let admin = server.admin("grace").await;
        Self { user: server.client.begin("ada").await, admin, server }
    }

    fn request(&self, row: &Row) -> RequestBuilder {
        let path = row.operation.path_to(NO_SESSION);
        self.server.client.request(row.operation.method.clone(), &path)
    }

    /// Authenticates by HTTP Basic. The response may be endless, so only its status is read.
    async fn status_for(&self, row: &Row, name: &str) -> StatusCode {
        let request = self.request(row).basic_auth(name, Some(CLIENT_SECRET));
        request.send().await.unwrap().status()
    }

    async fn anyone_may(&self, row: &Row) {
        let name = row.operation.name();
        for request in [self.request(row), self.request(row).bearer_auth("e30.e30.e30")] {
            let response = self.server.client.send(request).await;
            if row.operation.method == Method::GET {
                assert_eq!(response.status, 200, "{name}: {response:?}");
            } else {
                // It has no body; the caller was not checked.
                response.is(415, "unsupported_media_type");
            }
        }
    }

    async fn callers_alone_may(&self, row: &Row) {
        let bare = self.server.client.send(self.request(row)).await;
        bare.is(401, "missing_token");
        assert_eq!(bare.headers["www-authenticate"], r#"Bearer realm="gateward""#);
        let forged = self.request(row).bearer_auth("e30.e30.e30");
        self.server.client.send(forged).await.is(401, "invalid_token");
        for name in RIGHTS {
            let as_client = self.request(row).basic_auth(name, Some(CLIENT_SECRET));
            self.server.client.send(as_client).await.is(401, "missing_token");
        }
    }

    async fn clients_alone_may(&self, row: &Row) {
        let request = || self.request(row);
        for (request, code) in [
            (request(), "missing_token"),
            (request().bearer_auth(self.user.access()), "missing_token"),
            (request().bearer_auth(self.admin.access()), "missing_token"),
            (request().basic_auth("ada", Some(PASSWORD)), "invalid_credentials"),
            (request().basic_auth(RIGHTS[0], Some("another")), "invalid_credentials"),
        ] {
            let response = self.server.client.send(request).await;
            response.is(401, code);
            assert_eq!(response.headers["www-authenticate"], r#"Basic realm="gateward""#);
        }
        let right = Regex::new("`may` contains `([a-z]+)`").unwrap();
        let right = right.captures(&row.on_what).expect(&row.on_what)[1].to_owned();
        assert!(RIGHTS.contains(&right.as_str()), "{right}");
        for name in RIGHTS.into_iter().filter(|name| *name != right) {
            let other = request().basic_auth(name, Some(CLIENT_SECRET));
            self.server.client.send(other).await.is(403, "forbidden");
        }
        // The operation next requires a form, where it takes one.
        let wanted = if row.operation.form.is_empty() { 200 } else { 415 };
        assert_eq!(self.status_for(row, &right).await, wanted, "{}", row.operation.name());
    }
}

/// Row 8.2.1: every operation requires exactly the kind of credentials that the table names.
#[tokio::test(flavor = "multi_thread")]
async fn a8_2_1_operations_want_the_credentials_that_the_table_says() {
    let doors = Doors::new().await;
    let rows = rows(operations(&doors.server.client).await).unwrap();
    for row in &rows {
        match row.who.as_str() {
            "caller" => doors.callers_alone_may(row).await,
            "client" => doors.clients_alone_may(row).await,
            // Without a body, the access token is checked.
            "holder" if row.operation.path.ends_with("/logout") => {
                let bare = doors.server.client.send(doors.request(row)).await;
                bare.is(401, "missing_token");
            }
            "anyone" | "holder" => doors.anyone_may(row).await,
            permission if permission.starts_with('`') => {
                doors.callers_alone_may(row).await;
            }
            unknown => panic!("teach this test who {unknown} is"),
        }
    }
    // What is in the document agrees with the table.
    for Row { operation, who, .. } in &rows {
        assert_eq!(operation.by_client, who == "client", "{}", operation.name());
        let wants_caller = who == "caller" || who.starts_with('`');
        assert_eq!(operation.secured, wants_caller, "{}", operation.name());
    }
}

/// Row B4: no operation exists without a row that says who may use it.
#[tokio::test]
async fn b4_an_operation_without_a_row_and_a_row_without_an_operation_are_noticed() {
    let server = TestServer::new().await;
    let all = operations(&server.client).await;
    assert!(all.len() > 45 && rows(all.clone()).is_ok());
    let extra = Operation { path: "/v1/weather".to_owned(), ..all[0].clone() };
    let missing = rows([all.clone(), vec![extra.clone()]].concat()).err();
    assert_eq!(missing, Some(extra.name()));
    let idle = rows(all[1..].to_vec()).err().unwrap();
    assert!(idle.contains(&all[0].name()), "{idle}");
}

/// Row 8.2.2 in part: an operation on "their own account" affects no other.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_caller_exports_and_deletes_is_their_own() {
    let server = TestServer::new().await;
    let client = &server.client;
    let [ada, bob] = [client.begin("ada").await, client.begin("bob").await];
    let ask = |method: Method, path: &str, pair: &TestResponse| {
        client.request(method, path).bearer_auth(pair.access())
    };
    let export = client.send(ask(Method::GET, "/v1/me/export", &ada)).await;
    assert_eq!(export.status, 200, "{export:?}");
    assert_eq!(export.body["user"], client.me(ada.access()).await.body);
    let bobs = client.me(bob.access()).await.body;
    for theirs in ["bob", bobs["id"].as_str().unwrap(), bob.text_of("session_id")] {
        assert!(!export.text.contains(theirs), "{theirs}: {export:?}");
    }
    // The identity in the body is ignored.
    let named = json!({"id": bobs["id"], "username": "bob", "password": PASSWORD});
    client
        .send(ask(Method::DELETE, "/v1/me", &ada).json(&named))
        .await
        .is(422, "validation_failed");
    let wrong = json!({"password": "not the password"});
    client
        .send(ask(Method::DELETE, "/v1/me", &ada).json(&wrong))
        .await
        .is(422, "validation_failed");
    assert_eq!(client.me(ada.access()).await.status, 200);

    let right = json!({"password": PASSWORD});
    let deleted = client.send(ask(Method::DELETE, "/v1/me", &ada).json(&right)).await;
    assert_eq!(deleted.status, 204, "{deleted:?}");
    client.me(ada.access()).await.is(401, "session_ended");
    client.login("ada", PASSWORD).await.is(401, "invalid_credentials");
    assert_eq!(client.me(bob.access()).await.body, bobs);
    server.works("bob").await;
}

/// Row 7.5.3 in part: what the table allows "with a recent password" is refused
/// later, until it is given again.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_password_opens_neither_the_export_nor_the_end_of_an_account() {
    let server = TestServer::with(&[("tokens.reauthentication_seconds", "3")]).await;
    let client = &server.client;
    let pair = client.begin("ada").await;
    let send = async |method: Method, path: &str, pair: &TestResponse| {
        client.send(client.request(method, path).bearer_auth(pair.access())).await
    };
    assert_eq!(send(Method::GET, "/v1/me/export", &pair).await.status, 200);
    tokio::time::sleep(Duration::from_millis(4100)).await;
    let refreshed = client.refresh(pair.refresh_token(), None).await;
    for pair in [&pair, &refreshed] {
        for (method, path) in [(Method::GET, "/v1/me/export"), (Method::DELETE, "/v1/me")] {
            send(method, path, pair).await.is(403, "reauthentication_required");
        }
    }
    let again = json!({"password": PASSWORD});
    let pair = client.post_as(refreshed.access(), "/v1/me/reauthenticate", &again).await;
    assert_eq!(send(Method::GET, "/v1/me/export", &pair).await.status, 200);
    assert_eq!(send(Method::DELETE, "/v1/me", &pair).await.status, 204);
    client.login("ada", PASSWORD).await.is(401, "invalid_credentials");
}
