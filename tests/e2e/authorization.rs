//! The authorization table, asked of the running program.

use std::time::Duration;

use gateward_e2e::{Answer, Database, PASSWORD, Plan, TestDatabase};
use regex::Regex;
use reqwest::Method;
use serde_json::json;

use crate::stage::Stage;

/// Row 8.2.1 in part: every operation that wants a caller refuses whoever is none.
#[tokio::test(flavor = "multi_thread")]
async fn operations_want_the_credentials_that_the_table_says() {
    let database = TestDatabase::new(Database::Sqlite).await;
    let node = Plan::on(&database).with("http.docs", true).start().await;
    let client = node.client();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/authorization.md");
    let table = std::fs::read_to_string(path).unwrap();
    let row = Regex::new(r"(?m)^\| `([A-Z]+) ([^`]+)` \| (anyone|caller|holder) \|").unwrap();
    let mut callers = 0;
    for row in row.captures_iter(&table) {
        let (method, path, who) = (&row[1], row[2].replace("{asset}", "start.js"), &row[3]);
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = || client.request(method.clone(), &path);
        let bare = client.send(request()).await;
        let forged = client.send(request().bearer_auth("e30.e30.e30")).await;
        match who {
            "caller" => {
                callers += 1;
                bare.is(401, "missing_token");
                forged.is(401, "invalid_token");
                assert_eq!(bare.headers["www-authenticate"], r#"Bearer realm="gateward""#);
            }
            "holder" if path.ends_with("/logout") => bare.is(401, "missing_token"),
            // Without a body, and with a token that nobody looks at.
            _ if method == Method::POST => {
                bare.is(415, "unsupported_media_type");
                forged.is(415, "unsupported_media_type");
            }
            _ => {}
        }
        if who == "anyone" && method == Method::GET {
            assert_eq!(bare.status, 200, "{path}");
            assert_eq!(forged.status, 200, "{path}: the header is not looked at");
        }
    }
    assert!(callers >= 8, "the table was read");
}

/// Row 8.2.2 in part: what a caller does to "their own account" is done to no other.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_caller_exports_and_deletes_is_their_own() {
    let stage = Stage::new().await;
    let client = &stage.client;
    let [ada, bob] = [client.begin("ada").await, client.begin("bob").await];
    let ask = |method: Method, path: &str, pair: &Answer| {
        client.request(method, path).bearer_auth(pair.access())
    };
    let export = client.send(ask(Method::GET, "/v1/me/export", &ada)).await;
    assert_eq!(export.status, 200, "{export:?}");
    assert_eq!(export.body["user"], client.me(ada.access()).await.body);
    let bobs = client.me(bob.access()).await.body;
    for theirs in ["bob", bobs["id"].as_str().unwrap(), bob.text_of("session_id")] {
        assert!(!export.text.contains(theirs), "{theirs}: {export:?}");
    }
    // Nobody is named by the body.
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
    stage.works("bob").await;
}

/// Row 7.5.3 in part: what the table allows "shortly after the password was given" is refused later,
/// until it is given again.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_password_opens_neither_the_export_nor_the_end_of_an_account() {
    let stage = Stage::with(&[("tokens.reauthentication_seconds", "3")]).await;
    let client = &stage.client;
    let pair = client.begin("ada").await;
    let send = async |method: Method, path: &str, pair: &Answer| {
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
