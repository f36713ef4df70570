//! Row W14: no secret ever appears in the log; rows 16.2.1 and 16.4.1: the fields of a line.

use gateward_e2e::{
    Client, Database, MASTER_KEY, Node, Plan, TestDatabase, TestResponse, on_both, run,
};
use regex::Regex;
use reqwest::{Method, RequestBuilder};
use serde_json::{Map, Value, json};

use crate::support::api::{Operation, form, operations};
use crate::support::canaries::{NEW_PASSWORD, PASSWORD, WRONG_PASSWORD, is_not_in, whole_lines};
use crate::support::commands::said;
use crate::support::stolen_database::StolenDatabase;

on_both!(w14_no_secret_stands_in_the_log, a16_2_1_a_line_tells_who_what_when_from_where);

const KEY: &str = "canary-Zwitscher-idempotency";
const BASIC: &str = "Y2FuYXJ5Olp3aXRzY2hlcg";
const GARBAGE: &str = "canary-Zwitscher.garbage.token";
const CLIENT_SECRET: &str = "canary-Zwitscher-of-a-service-that-asks";
const WRONG_SECRET: &str = "canary-Zwitscher-of-a-service-that-guesses";
const DATABASE_PASSWORD: &str = "canary-Zwitscher-database";

/// The secrets that must not be found, with their names.
type Canaries = Vec<(&'static str, String)>;

/// Row W14: through every route, valid and invalid, at the most verbose level, in both formats.
async fn w14_no_secret_stands_in_the_log(kind: Database) {
    for format in ["json", "pretty"] {
        let database = TestDatabase::new(kind).await;
        let url = database.url.replace("gateward@", &format!("gateward:{DATABASE_PASSWORD}@"));
        let plan = Plan::on(&database)
            .with("database.url", url)
            .with("log.level", "trace")
            .with("log.format", format)
            .with("clients.api.secret", CLIENT_SECRET)
            .with("clients.api.may", "introspect,revoke,revocations");
        let mut node = start(&plan).await;
        let client = node.client();
        let operations = operations(&client).await;
        let mut canaries = fixed();
        let live = walk(&client, &mut canaries).await;
        walk_as_admin(&plan, &client, &live).await;
        walk_by_cookie(&client, &mut canaries).await;
        walk_as_service(&client, &mut canaries).await;
        canaries.extend(hash(&database).await);
        everywhere(&client, &operations, &live).await;
        if kind == Database::Postgres {
            // An error of the database must not contain what it was sent.
            let sql = "ALTER TABLE users RENAME TO gone; ALTER TABLE sessions RENAME TO gone_too";
            database.postgres().await.batch_execute(sql).await.unwrap();
            client.login("ada", NEW_PASSWORD).await.is_problem();
            everywhere(&client, &operations, &live).await;
            node.wait_for_text("the store is unavailable").await;
        }
        // Lines are written aside, in order: this one is the last.
        let last = client.get("/nothing").await;
        let log = node.wait_for_text(last.header("x-request-id").unwrap()).await;
        assert!(log.matches("request completed").count() > 200, "{log}");
        assert!(log.contains("TRACE") || log.contains("DEBUG"), "the log is not talkative");
        for (name, canary) in &canaries {
            is_not_in(&log, name, canary);
        }
        whole_lines(&log, format);
    }
}

/// Starts a node, perhaps with the text log format.
async fn start(plan: &Plan) -> Node {
    let mut node = plan.launch();
    let log = node.wait_for_text("listening").await;
    node.wait_for_text("ready").await;
    let address = Regex::new(r#"[^_]address"?[=:]"?(127\.0\.0\.1:\d+)"#).unwrap();
    node.url = format!("http://{}", &address.captures(&log).expect("an address")[1]);
    node
}

fn fixed() -> Canaries {
    let fixed = [
        ("the password", PASSWORD),
        ("a wrong password", WRONG_PASSWORD),
        ("the new password", NEW_PASSWORD),
        ("an idempotency key", KEY),
        ("credentials of another scheme", BASIC),
        ("a token that is none", GARBAGE),
        ("the database's password", DATABASE_PASSWORD),
        ("the secret of a service", CLIENT_SECRET),
        ("a wrong secret of a service", WRONG_SECRET),
        ("the master key", MASTER_KEY),
    ];
    fixed.map(|(name, text)| (name, text.to_owned())).into()
}

/// The main flow with valid and invalid credentials. Returns a response with active tokens.
async fn walk(client: &Client, canaries: &mut Canaries) -> TestResponse {
    let account = json!({"username": "ada", "email": "ada@example.org", "password": PASSWORD});
    assert_eq!(client.send(client.post("/v1/signup", &account)).await.status, 201);
    client.login("ada", WRONG_PASSWORD).await.is(401, "invalid_credentials");
    let first = client.login("ada", PASSWORD).await;
    let second = client.refresh(first.refresh_token(), Some(KEY)).await;
    let again = client.refresh(first.refresh_token(), Some(KEY)).await;
    assert_eq!(again.refresh_token(), second.refresh_token());
    let third = client.refresh(second.refresh_token(), None).await;
    client.refresh(first.refresh_token(), None).await.is(401, "refresh_token_reused");
    client.me(third.access()).await.is(401, "session_ended");

    let live = client.login("ada", PASSWORD).await;
    let reauthenticate = |password| json!({"password": password});
    for password in [PASSWORD, WRONG_PASSWORD] {
        client.post_as(live.access(), "/v1/me/reauthenticate", &reauthenticate(password)).await;
    }
    for (current, status) in [(WRONG_PASSWORD, 422), (PASSWORD, 204)] {
        let body = json!({"current_password": current, "new_password": NEW_PASSWORD});
        let response = client.post_as(live.access(), "/v1/me/password", &body).await;
        assert_eq!(response.status, status, "{response:?}");
    }
    let over = client.login("ada", NEW_PASSWORD).await;
    assert_eq!(client.logout(over.refresh_token()).await.status, 204);
    for response in [&first, &live, &over] {
        canaries.push(("a device token", response.text_of("known_device_token").to_owned()));
    }
    let known = json!({
        "identifier": "ada",
        "password": NEW_PASSWORD,
        "known_device_token": first.text_of("known_device_token"),
    });
    let known = client.send(client.post("/v1/login", &known)).await;
    for response in [&first, &second, &again, &third, &live, &over, &known] {
        keep_tokens(canaries, &[response.access(), response.refresh_token()]);
    }
    // One session ends itself, and fails to look up another.
    let session = |response: &TestResponse| response.text_of("session_id").to_owned();
    for (method, path) in [
        (Method::GET, "/v1/me/sessions".to_owned()),
        (Method::GET, format!("/v1/sessions/{}/explain", session(&live))),
        (Method::DELETE, format!("/v1/me/sessions/{}", session(&known))),
    ] {
        client.send(client.request(method, &path).bearer_auth(known.access())).await;
    }
    client.me(known.access()).await.is(401, "session_ended");
    live
}

/// Makes her an administrator, who then uses every operation on others that needs no email.
async fn walk_as_admin(plan: &Plan, client: &Client, live: &TestResponse) {
    said(&run(plan, &["user", "grant", "ada", "admin"], ""));
    client.until_role(live.access(), "admin").await;
    let bob = client.signup("bob").await.text_of("id").to_owned();
    let [role, roles] = [json!({"permissions": ["audit:read"]}), json!({"roles": ["audits"]})];
    for (method, path, body) in [
        (Method::PUT, "/v1/roles/audits".to_owned(), role),
        (Method::PUT, format!("/v1/users/{bob}/roles"), roles),
        (Method::PATCH, format!("/v1/users/{bob}"), json!({"username": "robert"})),
        (Method::POST, format!("/v1/users/{bob}/reset-password"), json!({})),
        (Method::POST, format!("/v1/users/{bob}/disable"), json!({})),
        (Method::POST, format!("/v1/users/{bob}/enable"), json!({})),
    ] {
        let request = client.request(method, &path).bearer_auth(live.access()).json(&body);
        let response = client.send(request).await;
        assert!(response.status.is_success(), "{path}: {response:?}");
    }
    let path = format!("/v1/users/{bob}");
    let deleted = client.request(Method::DELETE, &path).bearer_auth(live.access());
    assert_eq!(client.send(deleted).await.status, 204);
}

fn keep_tokens(canaries: &mut Canaries, tokens: &[&str]) {
    for token in tokens {
        let (_, signature) = token.rsplit_once('.').unwrap();
        canaries.push(("a token", (*token).to_owned()));
        canaries.push(("a token's signature", signature.to_owned()));
    }
}

/// The same with the tokens in cookies, and with the CSRF token.
async fn walk_by_cookie(client: &Client, canaries: &mut Canaries) {
    let login = json!({"identifier": "ada", "password": NEW_PASSWORD, "transport": "cookie"});
    let login = client.send(client.post("/v1/login", &login)).await;
    let csrf = login.text_of("csrf_token").to_owned();
    let cookie_jar = cookies(&login);
    let send = async |path: &str, body: &Value, csrf: Option<&str>| {
        let request = client.post(path, body).header("Cookie", &cookie_jar);
        let request =
            csrf.into_iter().fold(request, |request, csrf| request.header("X-CSRF-Token", csrf));
        client.send(request).await
    };
    let password = json!({"password": NEW_PASSWORD});
    let path = "/v1/me/reauthenticate";
    let again = send(path, &password, Some(&csrf)).await;
    assert_eq!(again.status, 200, "{again:?}");
    for wrong in [None, Some(GARBAGE), Some(&cookie_jar)] {
        send(path, &password, wrong).await.is(403, "csrf_failed");
    }
    let refreshed = send("/v1/refresh", &json!({}), Some(&csrf)).await;
    assert_eq!(refreshed.status, 200, "{refreshed:?}");
    let out = send("/v1/logout", &json!({}), Some(&csrf)).await;
    assert_eq!(out.status, 204, "{out:?}");
    canaries.push(("a CSRF token", csrf));
    for response in [&login, &again, &refreshed] {
        for cookie in cookies(response).split("; ") {
            let (name, value) = cookie.split_once('=').unwrap();
            match name {
                "__Host-gateward-access" | "__Secure-gateward-refresh" => {
                    keep_tokens(canaries, &[value]);
                }
                _ => canaries.push(("a cookie", value.to_owned())),
            }
        }
    }
}

/// The cookies that a browser sends back after a response.
fn cookies(response: &TestResponse) -> String {
    let cookies = response.headers.get_all("set-cookie").iter();
    let pairs = cookies.map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap());
    pairs.collect::<Vec<_>>().join("; ")
}

/// A service that introspects tokens, with its secret and with a wrong one.
async fn walk_as_service(client: &Client, canaries: &mut Canaries) {
    let pair = client.login("ada", NEW_PASSWORD).await;
    keep_tokens(canaries, &[pair.access(), pair.refresh_token()]);
    for (secret, status) in [(WRONG_SECRET, 401), (CLIENT_SECRET, 200)] {
        for token in [pair.access(), pair.refresh_token(), GARBAGE] {
            for path in ["/oauth/introspect", "/oauth/revoke"] {
                let request = client.request(Method::POST, path);
                let request = request.basic_auth("api", Some(secret));
                let response = client.send(form(request, [("token", token)].into_iter())).await;
                assert_eq!(response.status, status, "{response:?}");
            }
        }
        for path in ["/v1/revocations", "/v1/revocations/stream"] {
            // A stream is logged when it starts, not when it ends.
            let request = client.request(Method::GET, path).basic_auth("api", Some(secret));
            assert_eq!(request.send().await.unwrap().status(), status, "{path}");
        }
    }
    client.me(pair.access()).await.is(401, "session_ended");
}

/// The salts and hashes of passwords, as they are stored.
async fn hash(database: &TestDatabase) -> Canaries {
    let bytes = StolenDatabase::of(database).await.bytes;
    let hash = regex::bytes::Regex::new(r"\$argon2id\$[^$]+\$[^$]+\$([A-Za-z0-9+/]{20,43})");
    let found = hash.unwrap();
    let found: Canaries = found
        .captures_iter(&bytes)
        .map(|hash| ("a hash", String::from_utf8(hash[1].to_vec()).unwrap()))
        .collect();
    assert!(!found.is_empty());
    found
}

/// Every operation, with secrets in all places, especially in unexpected ones.
async fn everywhere(client: &Client, operations: &[Operation], live: &TestResponse) {
    for operation in operations {
        for number in 0..VARIANTS {
            let request = variant(number, client, operation, live);
            client.send(request.header("Idempotency-Key", KEY)).await;
        }
    }
}

const VARIANTS: usize = 13;

fn variant(
    number: usize,
    client: &Client,
    operation: &Operation,
    live: &TestResponse,
) -> RequestBuilder {
    let (access, refresh) = (live.access(), live.refresh_token());
    let path = operation.path_to(GARBAGE);
    let at = |path: &str| client.request(operation.method.clone(), path);
    let body = secrets(operation, refresh);
    let members = operation.form.iter().map(|name| (name.as_str(), refresh));
    match number {
        0 => at(&path).json(&body),
        1 => form(at(&path), members).bearer_auth(refresh),
        2 => at(&path).json(&body).header("Authorization", format!("Basic {BASIC}")),
        3 => at(&path).json(&body).bearer_auth(GARBAGE),
        4 => at(&format!("{path}?access_token={access}&refresh_token={refresh}")).json(&body),
        5 => at(&format!("{path}/{access}/{PASSWORD}")).json(&body),
        6 => at(&format!("/{refresh}")).header(access, refresh),
        7 => at(&path).bearer_auth(access).body(format!("{{\"password\": {PASSWORD}")),
        8 => at(&path).bearer_auth(access).json(&json!([PASSWORD, refresh])),
        9 => at(&path).bearer_auth(access).json(&json!({PASSWORD: PASSWORD, access: [refresh]})),
        10 => at(&path).bearer_auth(access).json(&json!({"password": PASSWORD.repeat(1000)})),
        11 => at(&path)
            .header("Authorization", access)
            .header("Authorization", format!("Bearer {refresh}"))
            .header("Cookie", format!("__Host-gateward-access={access}; x={refresh}"))
            .header("X-CSRF-Token", GARBAGE)
            .header("Content-Type", PASSWORD),
        _ => at(&path).bearer_auth(format!("{access} ")).json(&body),
    }
}

/// A body with a secret in each field.
fn secrets(operation: &Operation, token: &str) -> Value {
    let members = operation.members().into_keys().map(|name| {
        let secret = if name.contains("password") { WRONG_PASSWORD } else { token };
        (name, json!(secret))
    });
    Value::Object(members.collect::<Map<_, _>>())
}

/// Rows 16.2.1, 16.2.2 and 16.2.4: one line for each request, with all its known fields; row
/// 16.4.1: and nothing that a client has made up.
async fn a16_2_1_a_line_tells_who_what_when_from_where(kind: Database) {
    let database = TestDatabase::new(kind).await;
    let mut node = Plan::on(&database).with("log.level", "debug").start().await;
    let client = node.client();
    let pair = client.begin("ada").await;
    let me = client.me(pair.access()).await;
    let forged = "x\r\n{\"level\":\"ERROR\",\"message\":\"FORGED\"}\r\n\u{1b}[31mFORGED";
    client.login(forged, "FORGED FORGED").await.is_problem();
    let body = json!({"username": "ada", "password": "no", "client_name": forged});
    client.send(client.post("/v1/login", &body)).await.is_problem();
    let method = Method::from_bytes(b"FORGED").unwrap();
    let request =
        client.request(method, "/v1/%0D%0AFORGED%1B[31m").header("User-Agent", "FORGED\t");
    let lost = client.send(request).await;
    lost.is_problem();

    // Lines are written aside, in order: this one is the last.
    node.wait_for_text(lost.header("x-request-id").unwrap()).await;
    assert!(!node.log().contains("FORGED"), "{}", node.log());
    whole_lines(&node.log(), "json");
    let lines = node.lines("request completed");
    let line_of = |response: &TestResponse| {
        let id = response.header("x-request-id").unwrap();
        let line = lines.iter().find(|line| line["request_id"] == id);
        line.unwrap_or_else(|| panic!("no line of {id}: {}", node.log())).clone()
    };
    let line = line_of(&me);
    assert_eq!(line["user_id"], me.body["id"]);
    assert_eq!(line["session_id"], pair.body["session_id"]);
    assert_eq!([&line["method"], &line["route"]], ["GET", "/v1/me"]);
    assert_eq!([&line["client_ip"], &line["outcome"]], ["127.0.0.1", "ok"]);
    assert!(line["timestamp"].as_str().unwrap().ends_with('Z') && line["micros"].is_u64());
    let line = line_of(&lost);
    assert_eq!([&line["code"], &line["outcome"]], [&lost.body["code"], &json!("refused")]);
    for line in &lines {
        for member in ["request_id", "method", "route", "client_ip", "outcome"] {
            assert!(line[member].is_string(), "{line}");
        }
        assert!(line["status"].is_u64(), "{line}");
    }
    // The log line of a use case belongs to its request.
    let started = &node.lines("session started")[0];
    assert_eq!(started["request_id"], line_of(&pair)["request_id"]);
    assert_eq!(started["user_id"], me.body["id"]);
    assert_eq!([&started["route"], &started["client_ip"]], ["/v1/login", "127.0.0.1"]);
}
