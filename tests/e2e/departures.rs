//! Exporting one's own data, and deleting one's account: row S6.

use std::time::Duration;

use gateward_e2e::{Database, PASSWORD, TestResponse, claims, on_both};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::pair::together;
use crate::support::post::{OTHER, Post, address, code, subject, token};

on_both!(
    s6_a_deleted_account_is_gone_and_its_address_is_free,
    leaving_takes_the_password_or_that_it_was_given_lately,
    the_last_administrator_stays,
    an_export_holds_everything_and_no_secret,
);

/// Deletes the account of a session.
async fn leave(post: &Post, pair: &TestResponse, body: Option<Value>) -> TestResponse {
    let request = post.client.request(Method::DELETE, "/v1/me").bearer_auth(pair.access());
    let request = match &body {
        Some(body) => request.json(body),
        None => request,
    };
    post.client.send(request).await
}

/// The export of the owner of a session.
async fn export(post: &Post, pair: &TestResponse) -> TestResponse {
    let request = post.client.request(Method::GET, "/v1/me/export").bearer_auth(pair.access());
    post.client.send(request).await
}

/// Row S6: its tokens and links are invalid, and a later owner of the username is a different
/// account.
async fn s6_a_deleted_account_is_gone_and_its_address_is_free(kind: Database) {
    let Some(post) = Post::start(kind, &[]).await else { return };
    let ada = address("ada");
    let pair = post.client.begin("ada").await;
    let other = post.login("ada", PASSWORD).await;
    let confirm = token(&post.email(&ada, subject::CONFIRM).await);
    let reset = token(&post.forgot(&ada, 0).await);
    assert_eq!(post.change(&pair, &address("new")).await.status, 202);
    let change = token(&post.email(&address("new"), subject::CONFIRM_NEW).await);
    let undo = token(&post.email(&ada, subject::UNDO).await);
    let response = leave(&post, &pair, Some(json!({"password": PASSWORD}))).await;
    assert_eq!((response.status.as_u16(), response.text.as_str()), (204, ""));
    let dead = async || {
        for pair in [&pair, &other] {
            post.has_ended(pair, "account_deleted").await;
        }
        for (path, body) in [
            ("email/confirm", json!({"token": confirm, "password": PASSWORD})),
            ("email/confirm", json!({"token": change, "password": PASSWORD})),
            ("email/undo", json!({"token": undo})),
            ("password/reset", json!({"token": reset, "new_password": OTHER})),
        ] {
            post.say(path, body).await.is(400, "invalid_link");
        }
    };
    dead().await;
    post.client.login("ada", PASSWORD).await.is(401, "invalid_credentials");
    post.email(&ada, subject::DELETED).await;

    let again = post.client.begin("ada").await;
    dead().await;
    assert_ne!(claims(again.access())["sub"], claims(pair.access())["sub"]);
    let user = &again.body["user"];
    assert_eq!((&user["roles"], &user["email_verified"]), (&json!(["user"]), &json!(false)));
    let old = export(&post, &again).await;
    for session in old.body["sessions"].as_array().unwrap() {
        assert_eq!(session["id"], again.body["session_id"], "{old:?}");
    }
}

async fn leaving_takes_the_password_or_that_it_was_given_lately(kind: Database) {
    let settings = [("tokens.reauthentication_seconds", "2")];
    let Some(post) = Post::start(kind, &settings).await else { return };
    let [ada, bob] = [post.client.begin("ada").await, post.client.begin("bob").await];
    for body in [json!({"password": OTHER}), json!({"password": ""}), json!({"really": true})] {
        leave(&post, &ada, Some(body)).await.is(422, "validation_failed");
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    // A refreshed token says nothing about the password.
    let next = post.client.refresh(ada.refresh_token(), None).await;
    for pair in [&ada, &next] {
        leave(&post, pair, None).await.is(403, "reauthentication_required");
        leave(&post, pair, Some(json!({}))).await.is(403, "reauthentication_required");
        export(&post, pair).await.is(403, "reauthentication_required");
    }
    // The password is enough, however old the session is.
    assert_eq!(leave(&post, &bob, Some(json!({"password": PASSWORD}))).await.status, 204);
    let body = json!({"password": PASSWORD});
    let again = post.say_as(&next, "me/reauthenticate", body).await;
    assert_eq!(again.status, 200);
    // The new token carries the password confirmation; the one before does not.
    export(&post, &next).await.is(403, "reauthentication_required");
    assert_eq!(export(&post, &again).await.status, 200);
    assert_eq!(leave(&post, &again, None).await.status, 204);
    post.client.login("ada", PASSWORD).await.is(401, "invalid_credentials");
    let request = post.client.request(Method::DELETE, "/v1/me");
    post.client.send(request).await.is(401, "missing_token");
}

/// Also when all of them leave at once.
async fn the_last_administrator_stays(kind: Database) {
    let Some(post) = Post::start(kind, &[]).await else { return };
    let mut pairs = Vec::new();
    for name in ["ada", "bob", "cyd"] {
        let email = address(name);
        let create = ["user", "create", "--username", name, "--email", &email];
        post.command(&[create.as_slice(), &["--admin", "--password-stdin"]].concat());
        pairs.push(post.login(name, PASSWORD).await);
    }
    let left = together(pairs.iter().map(|pair| {
        let client = post.client.clone();
        let request = client.request(Method::DELETE, "/v1/me").bearer_auth(pair.access());
        async move { client.send(request.json(&json!({"password": PASSWORD}))).await }
    }));
    let (gone, stays): (Vec<_>, Vec<_>) =
        left.await.into_iter().partition(|response| response.status == 204);
    assert_eq!((gone.len(), stays.len()), (2, 1), "{stays:?}");
    stays[0].is(409, "last_admin");
    for pair in &pairs {
        if post.client.me(pair.access()).await.status == 200 {
            leave(&post, pair, None).await.is(409, "last_admin");
        }
    }
    post.wait_until_sent().await;
    let emails = post.server.emails();
    assert_eq!(emails.iter().filter(|mail| mail.subject == subject::DELETED).count(), 2);
}

async fn an_export_holds_everything_and_no_secret(kind: Database) {
    let Some(post) = Post::start(kind, &[]).await else { return };
    let ada = address("ada");
    let pair = post.confirmed("ada").await;
    let ended = post.login("ada", PASSWORD).await;
    assert_eq!(post.client.logout(ended.refresh_token()).await.status, 204);
    assert_eq!(post.change(&pair, &address("new")).await.status, 202);
    let emails = [
        post.email(&ada, subject::UNDO).await,
        post.email(&address("new"), subject::CONFIRM_NEW).await,
        post.forgot(&ada, 0).await,
    ];
    let stranger = post.confirmed("bob").await;
    post.wait_until_sent().await;
    let all = export(&post, &pair).await;
    assert_eq!(all.status, 200, "{all:?}");
    assert_eq!(all.header("cache-control"), Some("no-store"));
    assert_eq!(all.body["user"], post.client.me(pair.access()).await.body);
    let texts = |list: &str, member: &str| -> Vec<String> {
        let items = all.body[list].as_array().unwrap().iter();
        let mut texts: Vec<String> = items.map(|item| item[member].to_string()).collect();
        texts.sort();
        texts
    };
    let sessions = texts("sessions", "id");
    assert_eq!(sessions.len(), 2);
    for own in [&pair, &ended] {
        assert!(sessions.contains(&own.body["session_id"].to_string()), "{all:?}");
    }
    assert_eq!(texts("sessions", "end_reason"), ["\"logout\"", "null"]);
    assert_eq!(
        texts("known_devices", "ip"),
        ["\"127.0.0.1\"", "\"127.0.0.1\""],
        "one for each login"
    );
    let links = ["\"change_email\"", "\"reset_password\"", "\"undo_email\""];
    assert_eq!(texts("links", "purpose"), links);
    let kinds =
        ["\"change_email\"", "\"confirm_email\"", "\"email_change\"", "\"forgot_password\""];
    assert_eq!(texts("emails", "kind"), kinds);
    let events = texts("events", "event");
    for event in ["account_created", "email_confirmed", "session_started", "email_change_requested"]
    {
        assert!(events.contains(&format!("\"{event}\"")), "{event} of {events:?}");
    }
    // No hashes, no secrets, and nothing about others.
    for word in ["argon2", "password_hash", "secret", "salt", "token\"", "key_id", "code", "bob"] {
        assert!(!all.text.contains(word), "{word}: {}", all.text);
    }
    for mail in &emails {
        assert!(!all.text.contains(&token(mail)), "{}", all.text);
    }
    assert!(emails[1..].iter().all(|mail| !all.text.contains(&code(mail))));
    assert!(!all.text.contains(pair.refresh_token()) && !all.text.contains(pair.access()));
    for own in [&pair, &ended] {
        let secret = own.text_of("known_device_token");
        assert!(!all.text.contains(secret), "{}", all.text);
    }
    assert!(!all.text.contains(stranger.text_of("session_id")));
    let request = post.client.request(Method::GET, "/v1/me/export?id=1");
    post.client.send(request.bearer_auth(pair.access())).await.is(422, "validation_failed");
}
