//! SQL injection, and databases that fail: rows W12 and W15.

use gateward_e2e::{Client, Database, PASSWORD, Plan, TestDatabase, TestResponse, on_both, run};
use reqwest::Method;
use reqwest::header::HeaderValue;
use serde_json::json;

use crate::support::api::{Operation, operations, percent_encode};
use crate::support::commands::said;
use crate::support::responses::are_safe;

on_both!(w12_statements_are_only_text);

/// Texts that would break a statement, on one database or the other.
const TEXTS: [&str; 24] = [
    "'",
    "''",
    "\"",
    "`",
    "\\",
    "\\'",
    "ada'--",
    "ada'/*",
    "ada\" --",
    "' OR '1'='1",
    "' OR 1=1--",
    "') OR ('1'='1",
    "ada' AND '1'='1",
    "ada@example.org' OR '1'='1",
    "'; DROP TABLE users; --",
    "'||(SELECT version())||'",
    "' UNION SELECT NULL,NULL,NULL--",
    "1; SELECT pg_sleep(9)",
    "'; SELECT pg_sleep(9)--",
    "' AND randomblob(1000000000)--",
    "$1",
    "%' OR username LIKE '%",
    "$$; DROP TABLE users; $$",
    "x'); ATTACH DATABASE '/tmp/evil.db' AS evil; --",
];

/// Texts that only a database error contains.
const LEAKS: [&str; 16] = [
    "sql",
    "syntax error",
    "sqlite",
    "postgres",
    "diesel",
    "select",
    "insert",
    "relation",
    "column",
    "constraint",
    "/work",
    "/tmp",
    ".rs",
    "panicked",
    "backtrace",
    "connection",
];

/// Asserts that a response reveals nothing about the database or the software.
fn leaks_nothing(response: &TestResponse, sent: &str) {
    let text = response.text.replace(sent, "").to_lowercase();
    for leak in LEAKS {
        assert!(!text.contains(leak), "{leak:?} after {sent:?}: {response:?}");
    }
}

/// Rows W12 and 1.2.4: a piece of SQL is plain text in every field.
async fn w12_statements_are_only_text(kind: Database) {
    let database = TestDatabase::new(kind).await;
    let plan = Plan::on(&database);
    let node = plan.start().await;
    let client = node.client();
    let pair = client.begin("ada").await;
    // A user with all permissions reaches every statement.
    said(&run(&plan, &["user", "grant", "ada", "admin"], ""));
    client.until_role(pair.access(), "admin").await;
    let before = client.me(pair.access()).await.body;
    let started = std::time::Instant::now();
    for text in TEXTS {
        nobody_is_found_by(&client, pair.access(), text).await;
        for response in everywhere(&client, pair.access(), text).await {
            assert!(response.status.is_client_error(), "{text:?}: {response:?}");
            response.is_problem();
            leaks_nothing(&response, text);
        }
    }
    // No statement has slept, and no login has succeeded.
    assert!(started.elapsed().as_secs() < 60);
    assert_eq!(client.me(pair.access()).await.body, before);
    // As a password, it works.
    for (number, text) in TEXTS.into_iter().enumerate() {
        let (name, password) = (format!("user{number}"), format!("{text} and some more of it"));
        let email = format!("{name}@example.org");
        let body = json!({"username": name, "email": email, "password": password});
        assert_eq!(client.send(client.post("/v1/signup", &body)).await.status, 201, "{text:?}");
        let login = client.login(&name, &password).await;
        assert_eq!(login.body["user"]["username"], *name, "{text:?}");
    }
    // It is the secret of no sign-up.
    for text in TEXTS {
        let body = json!({"email": "ada@example.org", "signup_id": text});
        let response = client.send(client.post("/v1/email/resend", &body)).await;
        assert_eq!(response.status, 202, "{text:?}: {response:?}");
        let body = json!({"token": text, "signup_id": text});
        client.send(client.post("/v1/email/confirm", &body)).await.is(400, "invalid_link");
    }
    let body = json!({"identifier": "ada", "password": PASSWORD, "client_name": TEXTS[14]});
    assert_eq!(client.send(client.post("/v1/login", &body)).await.status, 200);
    assert_eq!(client.refresh(pair.refresh_token(), None).await.status, 200);
}

/// A search text is literal: it matches no account, and has no wildcards.
async fn nobody_is_found_by(client: &Client, token: &str, text: &str) {
    for wanted in [text, "%", "_", "ad_", "*", "a%@"] {
        let path = format!("/v1/users?q={}", percent_encode(wanted));
        let response = client.send(client.request(Method::GET, &path).bearer_auth(token)).await;
        assert_eq!(response.status, 200, "{wanted:?}: {response:?}");
        let nobody = json!({"items": [], "next_cursor": null});
        assert_eq!(response.body, nobody, "{wanted:?}");
    }
}

/// The fields that accept any string; they are tried one at a time.
fn may_be_anything(operation: &Operation, name: &str) -> bool {
    let is_resend = operation.path.ends_with("/email/resend");
    ["client_name", "new_password"].contains(&name) || is_resend && name == "signup_id"
}

/// Sends a text in every field of every body, and in every part of the head that is read. Returns
/// the responses of those requests that cannot succeed.
async fn everywhere(client: &Client, token: &str, text: &str) -> Vec<TestResponse> {
    let mut responses = Vec::new();
    let encoded = percent_encode(text);
    for operation in operations(client).await {
        for name in operation.members().keys().filter(|name| !may_be_anything(&operation, name)) {
            let mut body = operation.valid_body();
            let is_list = body[name].is_array();
            body[name] = if is_list { json!([text]) } else { json!(text) };
            let request = operation.request(client, token).json(&body);
            responses.push(client.send(request).await);
        }
        // A search accepts any string.
        for name in operation.query.iter().filter(|name| *name != "q") {
            let query = format!("?{name}={encoded}");
            responses.push(client.send(operation.request_with(client, token, &query)).await);
        }
        if operation.path.contains('{') {
            let path = operation.path_to(&encoded);
            let request = client.request(operation.method.clone(), &path).bearer_auth(token);
            responses.push(client.send(operation.with_body(request)).await);
        }
    }
    responses.push(client.get(&format!("/v1/{encoded}")).await);
    responses.push(client.get(&format!("/docs/{encoded}")).await);
    responses.push(client.get(&format!("/v1/me?{encoded}={encoded}")).await);
    let me = || client.request(Method::GET, "/v1/me");
    let header = HeaderValue::from_str(text).unwrap();
    for name in ["user-agent", "x-forwarded-for", "cookie", "origin", "accept", "x-request-id"] {
        responses.push(client.send(me().header(name, &header)).await);
    }
    responses.push(client.me(&format!("{}.{}.x", token.split('.').next().unwrap(), encoded)).await);
    let wrong = json!({"identifier": "ada", "password": "wrong"});
    let login = client.post("/v1/login", &wrong).header("user-agent", &header);
    responses.push(client.send(login).await);
    let refresh = client.refresh_request("garbage", None).header("idempotency-key", &header);
    responses.push(client.send(refresh).await);
    responses
}

/// Rows W15, 16.5.1 and 16.5.2: a missing or broken database causes an error without internals.
/// Requests that need no database work, and all others work once it is back.
#[tokio::test]
async fn w15_a_failing_database_is_not_described() {
    let database = TestDatabase::new(Database::Postgres).await;
    let node = Plan::on(&database).with("log.level", "debug").start().await;
    let client = node.client();
    let pair = client.begin("ada").await;
    let (inside, beside) = (database.postgres().await, database.beside().await);
    let name: String =
        inside.query_one("SELECT current_database()::text", &[]).await.unwrap().get(0);

    for (breaks, mends) in [
        (
            "ALTER TABLE users RENAME TO gone".to_owned(),
            "ALTER TABLE gone RENAME TO users".to_owned(),
        ),
        (
            format!(
                "ALTER DATABASE {name} ALLOW_CONNECTIONS false; \
                 SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                 WHERE datname = '{name}' AND pid <> pg_backend_pid()"
            ),
            format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true"),
        ),
    ] {
        let sql = if breaks.contains(&name) { &beside } else { &inside };
        sql.batch_execute(&breaks).await.unwrap();
        let login = client.login("ada", PASSWORD).await;
        let signup = client.signup("eve").await;
        for response in [login, signup, client.me(pair.access()).await] {
            assert!(response.status.is_server_error(), "{breaks}: {response:?}");
            assert!(["unavailable", "internal", "overloaded"].contains(&response.code()));
            response.is_problem();
            are_safe(&response.headers, false);
            leaks_nothing(&response, "");
        }
        assert_eq!(client.get("/health/live").await.status, 200);
        assert_eq!(client.get("/.well-known/jwks.json").await.status, 200);
        client.me("garbage").await.is(401, "invalid_token");
        sql.batch_execute(&mends).await.unwrap();
        let mended = async {
            while client.login("ada", PASSWORD).await.status != 200 {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(5), mended).await.expect("it recovers");
    }
    assert_eq!(client.me(pair.access()).await.status, 200);
    // The cause is in the log, for the operator.
    assert!(node.log().contains("the store is unavailable"), "{}", node.log());
}

/// Row W15: numbers and strings outside every range.
#[tokio::test]
async fn w15_values_that_nothing_can_hold_are_refused_without_detail() {
    let database = TestDatabase::new(Database::Sqlite).await;
    let node = Plan::on(&database).start().await;
    for value in [
        "1e400",
        "-1e400",
        "123456789012345678901234567890",
        "-0",
        "1E-400",
        "0.1e1",
        "\"\\ud83d\"",
        "\"\\u0000\"",
        "[[[[[[[[]]]]]]]]",
    ] {
        for body in [
            format!("{{\"identifier\":{value},\"password\":{value}}}"),
            format!("{{\"identifier\":\"ada\",\"password\":\"x\",\"transport\":{value}}}"),
        ] {
            let request = node.client().request(Method::POST, "/v1/login");
            let request = request.header("content-type", "application/json").body(body);
            let response = node.client().send(request).await;
            assert!(response.status.is_client_error(), "{value}: {response:?}");
            response.is_problem();
            leaks_nothing(&response, value);
        }
    }
    let deep = format!("{}{}", "[".repeat(8000), "]".repeat(8000));
    let request = node.client().request(Method::POST, "/v1/login");
    let request = request.header("content-type", "application/json").body(deep);
    node.client().send(request).await.is(400, "malformed_request");
}
