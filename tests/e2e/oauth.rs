//! Token introspection (RFC 7662) and revocation (RFC 7009) by services. Row S5.

use gateward_e2e::{Client, Database, PASSWORD, TestResponse, claims, on_both};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::pages::{FORM, encode};
use crate::support::pair::Pair;
use crate::support::test_server::TestServer;

on_both!(
    an_active_token_is_told_of_and_every_other_text_is_inactive,
    what_ends_a_session_makes_its_tokens_inactive_everywhere,
    s5_the_tokens_of_a_disabled_account_are_inactive_at_once,
    a_token_that_is_taken_back_ends_its_session_on_every_node,
);

/// The settings of three clients: one may do both, two may do one each.
const CLIENTS: [(&str, &str); 6] = [
    ("clients.api.secret", "0123456789abcdef0123456789abcdef"),
    ("clients.api.may", "introspect,revoke"),
    ("clients.asks.secret", "a secret: with / signs + spaces % in it"),
    ("clients.asks.may", "introspect"),
    ("clients.takes.secret", "fedcba9876543210fedcba9876543210"),
    ("clients.takes.may", "revoke,revocations"),
];

/// The client that may both.
const API: (&str, &str) = ("api", CLIENTS[0].1);

/// The whole response for a token that cannot be used.
const INACTIVE: &str = "{\"active\":false}";

fn form(client: &Client, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
    client.request(Method::POST, path).header("content-type", FORM).body(encode(fields))
}

async fn introspect(client: &Client, token: &str) -> TestResponse {
    let request = form(client, "/oauth/introspect", &[("token", token)]);
    let response = client.send(request.basic_auth(API.0, Some(API.1))).await;
    assert_eq!(response.status, 200, "{response:?}");
    assert_eq!(response.header("content-type"), Some("application/json"));
    assert_eq!(response.header("cache-control"), Some("no-store"));
    response
}

async fn revoke(client: &Client, token: &str) -> TestResponse {
    let request = form(client, "/oauth/revoke", &[("token", token)]);
    client.send(request.basic_auth(API.0, Some(API.1))).await
}

async fn is_active(client: &Client, token: &str) -> bool {
    let response = introspect(client, token).await;
    let is_active = response.body["active"] == true;
    assert!(is_active || response.text == INACTIVE, "{response:?}");
    is_active
}

/// Waits until both nodes know that these tokens are inactive.
async fn become_inactive(pair: &Pair, tokens: &[&str]) {
    let started = std::time::Instant::now();
    for client in pair.clients() {
        for token in tokens {
            while is_active(&client, token).await {
                assert!(started.elapsed().as_secs() < 5, "{} does not hear of it", client.url);
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        }
    }
}

/// RFC 7662, section 2.2.
async fn an_active_token_is_told_of_and_every_other_text_is_inactive(kind: Database) {
    let pair = Pair::start(kind, &CLIENTS).await;
    let [one, other] = pair.clients();
    let first = one.begin("ada").await;
    let next = other.refresh(first.refresh_token(), None).await;
    assert_eq!(next.status, 200, "{next:?}");
    for client in [&one, &other] {
        let access = introspect(client, next.access()).await.body;
        let said = claims(next.access());
        let mut expected = json!({"active": true, "token_type": "Bearer"});
        for member in [
            "client_id",
            "username",
            "sub",
            "aud",
            "iss",
            "exp",
            "iat",
            "nbf",
            "jti",
            "sid",
            "email",
            "email_verified",
            "roles",
            "permissions",
            "auth_time",
        ] {
            expected[member] = said[member].clone();
        }
        assert_eq!(access, expected, "what it says, and no more");
        assert_eq!(access["username"], "ada");

        let refresh = introspect(client, next.refresh_token()).await.body;
        assert_eq!(refresh["active"], true, "{refresh}");
        assert_eq!(refresh["exp"], claims(next.refresh_token())["exp"]);
        for member in ["sub", "sid", "iss", "username", "auth_time"] {
            assert_eq!(refresh[member], access[member], "{member}");
        }
        // The response also says that this is not an access token, for services that only check
        // `active`.
        assert_eq!((&refresh["token_type"], &refresh["jti"]), (&Value::Null, &Value::Null));

        for hint in ["access_token", "refresh_token", "saml2", ""] {
            for token in [next.access(), next.refresh_token()] {
                let fields = [("token_type_hint", hint), ("token", token), ("resource", "x")];
                let request = form(client, "/oauth/introspect", &fields);
                let response = client.send(request.basic_auth(API.0, Some(API.1))).await;
                assert_eq!(response.body["active"], true, "{hint}: {response:?}");
            }
        }
        assert!(is_active(client, first.access()).await, "its time is not over");
        assert!(!is_active(client, first.refresh_token()).await, "spent");
        let (head, _) = next.access().rsplit_once('.').unwrap();
        let (_, foreign) = first.access().rsplit_once('.').unwrap();
        let long = "x".repeat(8_000);
        for text in [
            &format!("{head}.{foreign}"),
            head,
            &format!(" {}", next.access()),
            "x",
            "a.b.c",
            first.text_of("known_device_token"),
            first.text_of("session_id"),
            long.as_str(),
            "\u{0}",
            "é",
        ] {
            assert_eq!(introspect(client, text).await.text, INACTIVE, "{text}");
        }
    }
    // Introspection does not use the token.
    assert_eq!(one.refresh(next.refresh_token(), None).await.status, 200);
}

async fn what_ends_a_session_makes_its_tokens_inactive_everywhere(kind: Database) {
    let pair = Pair::start(kind, &CLIENTS).await;
    let [one, other] = pair.clients();
    let bob = one.begin("bob").await;
    let (gone, replayed) = (one.begin("ada").await, one.login("ada", PASSWORD).await);
    assert_eq!(one.logout(gone.refresh_token()).await.status, 204);
    let next = other.refresh(replayed.refresh_token(), Some("a-key")).await;
    one.refresh(replayed.refresh_token(), Some("another")).await.is(401, "refresh_token_reused");
    let dead = [&gone, &replayed, &next].map(|pair| [pair.access(), pair.refresh_token()]);
    become_inactive(&pair, dead.as_flattened()).await;
    for client in [&one, &other] {
        for token in [bob.access(), bob.refresh_token()] {
            assert!(is_active(client, token).await);
        }
    }
}

/// Row S5: introspection is one of the ways to use a token.
async fn s5_the_tokens_of_a_disabled_account_are_inactive_at_once(kind: Database) {
    let pair = Pair::start(kind, &CLIENTS).await;
    let [one, other] = pair.clients();
    let ada = one.begin("ada").await;
    let bob = other.begin("bob").await;
    for client in [&one, &other] {
        assert!(is_active(client, ada.access()).await && is_active(client, bob.access()).await);
    }
    pair.command(&["user", "disable", "ada"]).await;
    become_inactive(&pair, &[ada.access(), ada.refresh_token()]).await;
    pair.command(&["user", "enable", "ada"]).await;
    let new = one.login("ada", PASSWORD).await;
    for client in [&one, &other] {
        assert!(is_active(client, new.refresh_token()).await);
        assert!(
            is_active(client, bob.access()).await && is_active(client, bob.refresh_token()).await
        );
        assert!(
            !is_active(client, ada.access()).await && !is_active(client, ada.refresh_token()).await
        );
    }
}

/// RFC 7009: a token of either type ends the session with all its tokens. An invalid token counts
/// as revoked.
async fn a_token_that_is_taken_back_ends_its_session_on_every_node(kind: Database) {
    let pair = Pair::start(kind, &CLIENTS).await;
    let [one, other] = pair.clients();
    let bob = one.begin("bob").await;
    assert_eq!(one.signup("ada").await.status, 201);
    for (way, hint) in [
        ("access", "access_token"),
        ("refresh", "refresh_token"),
        ("access", "refresh_token"),
        ("refresh", "access_token"),
        ("spent", "none"),
    ] {
        let first = one.login("ada", PASSWORD).await;
        let next = other.refresh(first.refresh_token(), Some("a-key")).await;
        let token = match way {
            "access" => next.access(),
            "refresh" => next.refresh_token(),
            _ => first.refresh_token(),
        };
        let fields = [("token", token), ("token_type_hint", hint)];
        let request = form(&one, "/oauth/revoke", &fields);
        let done = one.send(request.basic_auth(API.0, Some(API.1))).await;
        assert_eq!((done.status.as_u16(), done.text.as_str()), (200, ""), "{way}: {done:?}");
        // The node that ended it knows before it responds.
        one.me(next.access()).await.is(401, "session_ended");
        assert!(!is_active(&one, next.access()).await);
        pair.has_ended("logout", &[&first, &next]).await;
        become_inactive(&pair, &[next.access(), next.refresh_token()]).await;
        let again = revoke(&other, token).await;
        assert_eq!(again.status, 200, "the second time is no error: {again:?}");
    }
    let (head, _) = bob.access().rsplit_once('.').unwrap();
    for unknown in ["x", "a.b.c", &format!("{head}.AAAA"), bob.text_of("known_device_token")] {
        let done = revoke(&one, unknown).await;
        assert_eq!((done.status.as_u16(), done.text.as_str()), (200, ""), "{done:?}");
    }
    pair.is_alive(&bob).await;
    assert_eq!(other.refresh(bob.refresh_token(), None).await.status, 200);
}

/// Asserts an error: a problem, with its OAuth error code (RFC 6749, section 5.2).
#[track_caller]
fn is_refused(response: &TestResponse, status: u16, code: &str, error: &str) {
    response.is(status, code);
    assert_eq!(response.body["error"], error, "{response:?}");
    let challenge = response.header("www-authenticate");
    assert_eq!(challenge, (status == 401).then_some("Basic realm=\"gateward\""), "{response:?}");
}

/// Authentication is checked first, then permissions, then the body.
#[tokio::test]
async fn a_client_shows_who_it_is_and_does_what_it_may() {
    let server = TestServer::process(Database::Sqlite, &CLIENTS).await;
    let client = &server.client;
    let ada = client.begin("ada").await;
    for path in ["/oauth/introspect", "/oauth/revoke"] {
        let bare = || form(client, path, &[("token", ada.access())]);
        let wrong_kind = bare().bearer_auth(ada.access());
        for request in [bare(), wrong_kind, client.request(Method::POST, path).body("garbage")] {
            let refused = client.send(request).await;
            is_refused(&refused, 401, "missing_token", "invalid_client");
        }
        for (name, secret) in [
            ("api", "0123456789abcdef0123456789abcdeF"),
            ("api", ""),
            ("", API.1),
            ("API", API.1),
            ("nobody", API.1),
            ("takes", API.1),
            ("asks", API.1),
            ("api", "api"),
            ("ada", PASSWORD),
        ] {
            let refused = client.send(bare().basic_auth(name, Some(secret))).await;
            is_refused(&refused, 401, "invalid_credentials", "invalid_client");
            assert!(secret.is_empty() || !refused.text.contains(secret));
        }
        for broken in ["Basic", "Basic ", "Basic !!!", "Basic YXBp", "basic OnNlY3JldA=="] {
            let refused = client.send(bare().header("authorization", broken)).await;
            assert_eq!(refused.status, 401, "{broken}: {refused:?}");
            assert_eq!(refused.header("www-authenticate"), Some("Basic realm=\"gateward\""));
        }
        // Secrets in the body or in the URL are ignored.
        let fields = [("token", ada.access()), ("client_id", "api"), ("client_secret", API.1)];
        let refused = client.send(form(client, path, &fields)).await;
        is_refused(&refused, 401, "missing_token", "invalid_client");
    }
    let asks = ("asks", CLIENTS[2].1);
    let takes = ("takes", CLIENTS[4].1);
    for (path, (name, secret)) in [("/oauth/introspect", takes), ("/oauth/revoke", asks)] {
        for request in
            [form(client, path, &[("token", ada.access())]), client.post(path, &json!(1))]
        {
            let refused = client.send(request.basic_auth(name, Some(secret))).await;
            is_refused(&refused, 403, "forbidden", "unauthorized_client");
        }
    }
    let spaced = form(client, "/oauth/introspect", &[("token", ada.access())]);
    let response = client.send(spaced.basic_auth(asks.0, Some(asks.1))).await;
    assert_eq!(response.body["active"], true, "{response:?}");
    // A client has no session, so it cannot use endpoints for users.
    let me = client.request(Method::GET, "/v1/me").basic_auth(API.0, Some(API.1));
    client.send(me).await.is(401, "missing_token");
    assert_eq!(client.me(ada.access()).await.status, 200);
    let log = server.node.log();
    for (option, secret) in CLIENTS {
        assert!(option.ends_with("may") || !log.contains(secret), "{option} is in the log");
    }
}

/// Row W11: anything but a form with one token is refused by name, and has no effect.
#[tokio::test]
async fn w11_what_cannot_be_read_is_an_invalid_request() {
    let server = TestServer::with(&CLIENTS).await;
    let client = &server.client;
    let ada = client.begin("ada").await;
    let token = ada.access();
    for path in ["/oauth/introspect", "/oauth/revoke"] {
        let post = |kind: &str, body: String| {
            let request = client.request(Method::POST, path).basic_auth(API.0, Some(API.1));
            request.header("content-type", kind).body(body)
        };
        let form = FORM;
        for body in [
            String::new(),
            "token=".to_owned(),
            "Token=x".to_owned(),
            token.to_owned(),
            format!("token={token}&token={token}"),
            format!("token={token}&a=1&a=2"),
        ] {
            let refused = client.send(post(form, body.clone())).await;
            is_refused(&refused, 400, "malformed_request", "invalid_request");
            assert!(!refused.text.contains(token), "{body}");
        }
        for kind in ["application/json", "text/plain", "multipart/form-data; boundary=x", ""] {
            let refused = client.send(post(kind, json!({"token": token}).to_string())).await;
            is_refused(&refused, 415, "unsupported_media_type", "invalid_request");
            assert!(refused.body["detail"].as_str().unwrap().contains(form), "{refused:?}");
        }
        let large = client.send(post(form, format!("token={}", "x".repeat(17_000)))).await;
        is_refused(&large, 413, "body_too_large", "invalid_request");
        let fine = client.send(post(&format!("{form}; charset=UTF-8"), "token=x".into())).await;
        assert_eq!(fine.status, 200, "{fine:?}");
        let get = client.request(Method::GET, &format!("{path}?token={token}"));
        let refused = client.send(get.basic_auth(API.0, Some(API.1))).await;
        refused.is(405, "method_not_allowed");
    }
    assert_eq!(client.me(token).await.status, 200, "nothing was taken back");
    let metadata = client.get("/.well-known/oauth-authorization-server").await.body;
    for (member, path) in
        [("introspection_endpoint", "/oauth/introspect"), ("revocation_endpoint", "/oauth/revoke")]
    {
        assert_eq!(metadata[member], format!("http://127.0.0.1:8080{path}"));
        let methods = format!("{member}_auth_methods_supported");
        assert_eq!(metadata[methods], json!(["client_secret_basic"]));
    }
}
