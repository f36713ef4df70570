//! Every other endpoint that takes a secret, and every public request: rows L7, P8 and V1.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gateward_e2e::{Database, PASSWORD, TestResponse, on_both};
use reqwest::Method;
use serde_json::{Value, json};

use super::attack::{BruteForceAttack, GUARDED, HOME, NEW, WRONG, address, request, wait_of};
use crate::support::inbox::{link_token, wait_for_email};
use crate::support::pages::{FORM, encode};
use crate::support::password_reset::forgot;
use crate::support::test_server::TestServer;

on_both!(
    l7_p8_wrong_passwords_within_a_session_are_counted_apart_from_log_ins,
    strangers_of_the_same_network_keep_nobody_from_what_they_do_when_they_are_in,
    l7_wrong_secrets_of_clients_are_stopped_and_right_ones_never,
    l7_thirty_sign_ups_come_from_one_client,
    l7_a_hundred_emails_are_asked_for_by_one_client,
);

/// The IP address of an attacker.
const THIEF: &str = "198.51.100.7";

/// The endpoints that take a password within a session.
fn ways(password: &str) -> [(Method, &'static str, Value); 4] {
    [
        (Method::POST, "/v1/me/reauthenticate", json!({"password": password})),
        (
            Method::POST,
            "/v1/me/password",
            json!({"current_password": password, "new_password": NEW}),
        ),
        (
            Method::POST,
            "/v1/me/email",
            json!({"new_email": "new@example.org", "password": password}),
        ),
        (Method::DELETE, "/v1/me", json!({"password": password})),
    ]
}

/// Calls one of these endpoints from an IP address.
async fn go(
    attack: &BruteForceAttack,
    (session, from): (&TestResponse, &str),
    (method, path, body): &(Method, &'static str, Value),
) -> TestResponse {
    let client = attack.client();
    let request = request(&client, from, method.clone(), path, body);
    client.send(request.bearer_auth(session.access())).await
}

/// Rows L7 and P8: ten for a session, across all endpoints, counted apart from other users.
async fn l7_p8_wrong_passwords_within_a_session_are_counted_apart_from_log_ins(kind: Database) {
    let attack = BruteForceAttack::lay(kind, &[]).await;
    let stolen = attack.begin("ada").await;
    let own = attack.login(HOME, "ada", PASSWORD).await;
    assert_eq!(own.status, 200, "{own:?}");
    // The username cannot log in now.
    attack.wear_out("ada", 10).await;
    wait_of(&attack.login(HOME, "ada", PASSWORD).await);

    for number in 0..10 {
        let from = address(500 + number);
        let way = &ways(WRONG)[number % 4];
        let refused = go(&attack, (&stolen, &from), way).await;
        refused.is(422, "validation_failed");
        assert!(refused.fields()[0].ends_with("password"), "{refused:?}");
    }
    for (number, way) in ways(PASSWORD).iter().enumerate() {
        wait_of(&go(&attack, (&stolen, &address(600 + number)), way).await);
    }
    let [again, ..] = ways(PASSWORD);
    let response = go(&attack, (&own, HOME), &again).await;
    assert_eq!(response.status, 200, "another session of the same user: {response:?}");
}

/// Users who share a network with attackers are delayed only at login.
async fn strangers_of_the_same_network_keep_nobody_from_what_they_do_when_they_are_in(
    kind: Database,
) {
    let attack = BruteForceAttack::lay(kind, &[]).await;
    let own = attack.begin("ada").await;
    for number in 0..100 {
        let response = attack.login(THIEF, &format!("user{number}"), WRONG).await;
        response.is(401, "invalid_credentials");
    }
    wait_of(&attack.login(THIEF, "ada", PASSWORD).await);
    let [right, ..] = ways(PASSWORD);
    assert_eq!(go(&attack, (&own, THIEF), &right).await.status, 200);
}

/// Row L7: client secrets by HTTP Basic.
async fn l7_wrong_secrets_of_clients_are_stopped_and_right_ones_never(kind: Database) {
    let secret = "0123456789abcdef0123456789abcdef";
    let client =
        [("clients.api.secret", secret), ("clients.api.may", "introspect,revoke,revocations")];
    let attack = BruteForceAttack::lay(kind, &client).await;
    let show = async |number: usize, from: &str, (name, secret): (&str, &str)| {
        let client = attack.client();
        let paths = ["/oauth/introspect", "/oauth/revoke", "/v1/revocations"];
        let request = match paths[number % 3] {
            path @ "/v1/revocations" => client.request(Method::GET, path),
            path => {
                let body = encode(&[("token", "x")]);
                client.request(Method::POST, path).header("content-type", FORM).body(body)
            }
        };
        let request = request.header("x-forwarded-for", from).basic_auth(name, Some(secret));
        client.send(request).await
    };
    for number in 0_usize..100 {
        let name = if number.is_multiple_of(2) { "api" } else { "nobody" };
        show(number, THIEF, (name, WRONG)).await.is(401, "invalid_credentials");
    }
    for number in 0..3 {
        wait_of(&show(number, THIEF, ("api", WRONG)).await);
        show(number, HOME, ("api", WRONG)).await.is(401, "invalid_credentials");
        let right = show(number, THIEF, ("api", secret)).await;
        assert_eq!(right.status, 200, "{right:?}");
    }
}

/// Row L7: whether or not an account is created.
async fn l7_thirty_sign_ups_come_from_one_client(kind: Database) {
    let attack = BruteForceAttack::lay(kind, &[]).await;
    for number in 0..30 {
        // Every third username is taken, but all addresses of the network are the same client.
        let name = format!("user{}", number - usize::from(number % 3 == 2));
        let from = format!("2001:db8:1:2::{number:x}");
        let response = attack.signup(&from, &name).await;
        assert_eq!(response.status, if number % 3 == 2 { 409 } else { 201 }, "{response:?}");
    }
    wait_of(&attack.signup("2001:db8:1:2::ffff", "late").await);
    assert_eq!(attack.signup("2001:db8:1:3::ffff", "late").await.status, 201);
}

/// Row L7: of any kind, and to any email address.
async fn l7_a_hundred_emails_are_asked_for_by_one_client(kind: Database) {
    let attack = BruteForceAttack::lay(kind, &[]).await;
    let paths = ["/v1/password/forgot", "/v1/email/resend"];
    for number in 0..100 {
        let body = json!({"email": format!("user{number}@example.org")});
        let response = attack.post(THIEF, paths[number % 2], body).await;
        assert_eq!(response.status, 202, "{response:?}");
    }
    for path in paths {
        let body = json!({"email": "ada@example.org"});
        wait_of(&attack.post(THIEF, path, body.clone()).await);
        assert_eq!(attack.post(HOME, path, body).await.status, 202);
    }
}

/// Bodies with a token of an email.
fn emails(token: &str) -> [(&'static str, Value); 5] {
    [
        ("/v1/password/reset", json!({"token": token, "new_password": NEW})),
        ("/v1/email/confirm", json!({"token": token, "password": PASSWORD})),
        ("/v1/email/undo", json!({"token": token})),
        ("/v1/sessions/not-me", json!({"token": token})),
        ("/v1/invitation/accept", json!({"token": token, "password": NEW})),
    ]
}

/// Rows L7 and V1: for any kind of link, and on the pages behind the links too.
#[tokio::test]
async fn l7_v1_a_client_that_guesses_links_is_stopped_after_a_hundred() {
    let server = TestServer::with(&GUARDED).await;
    let client = &server.client;
    assert_eq!(client.signup("ada").await.status, 201);
    forgot(client, "ada@example.org").await;
    let message = wait_for_email(client, "ada@example.org", "Reset your password", 1).await;
    let link = link_token(&message);
    let say = async |from: &str, (path, body): &(&str, Value)| {
        client.send(request(client, from, Method::POST, path, body)).await
    };
    for number in 0_u8..150 {
        let guess = URL_SAFE_NO_PAD.encode([number; 32]);
        let response = say(THIEF, &emails(&guess)[usize::from(number) % 5]).await;
        if number < 100 {
            response.is(400, "invalid_link");
        } else {
            wait_of(&response);
        }
    }
    let [reset, ..] = emails(link);
    wait_of(&say(THIEF, &reset).await);
    let body = encode(&[("token", link), ("new_password", NEW)]);
    let page = client.request(Method::POST, "/reset-password").header("content-type", FORM);
    let page = client.send(page.header("x-forwarded-for", THIEF).body(body)).await;
    assert_eq!(page.status, 429, "{page:?}");
    assert!(page.header("retry-after").is_some(), "{page:?}");
    // The owner uses another IP address.
    assert_eq!(say(HOME, &reset).await.status, 204);
}

/// Row L7: eight digits are easier to guess than a link. Each code has five attempts, and each
/// client a limited number.
#[tokio::test]
async fn l7_a_client_that_guesses_codes_of_many_emails_is_stopped() {
    let few = ("rate_limit.login_failures_per_ip", "4");
    let server = TestServer::with(&[GUARDED[0], GUARDED[1], few]).await;
    let client = &server.client;
    let guess = async |number: usize| {
        let (path, secret) = if number.is_multiple_of(2) {
            ("/v1/password/reset", "new_password")
        } else {
            ("/v1/email/confirm", "password")
        };
        let email = format!("user{number}@example.org");
        let body = json!({"email": email, "code": "12345678", secret: NEW});
        client.send(request(client, THIEF, Method::POST, path, &body)).await
    };
    for number in 0..4 {
        guess(number).await.is(400, "invalid_link");
    }
    for number in 4..6 {
        wait_of(&guess(number).await);
    }
}
