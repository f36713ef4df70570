//! The format of emails as the SMTP server receives them, and who is notified: rows H2, H3 and V3.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gateward_e2e::{Client, Database, PASSWORD, TestResponse, on_both};
use reqwest::Method;
use serde_json::json;

use crate::support::emails::is_whole;
use crate::support::pair::together;
use crate::support::post::{OTHER, Post, address, subject, token};
use crate::support::stolen_database::{StolenDatabase, sha256, unhex};

on_both!(
    h2_h3_every_email_has_one_recipient_and_nothing_that_somebody_typed,
    v3_neither_link_nor_code_nor_sign_up_is_in_the_database,
    every_change_is_told_once,
);

/// User input that tries to get into an email.
const BAIT: &str = "<a href=\"http://evil.example\">evil.example</a>";

/// A login with bait in every string field.
async fn baited_login(post: &Post, name: &str) -> TestResponse {
    let body = json!({"identifier": name, "password": PASSWORD, "client_name": BAIT});
    let request = post.client.post("/v1/login", &body).header("user-agent", BAIT);
    let pair = post.client.send(request).await;
    assert_eq!(pair.status, 200, "{pair:?}");
    pair
}

/// Rows H2 and H3, for every kind of email.
async fn h2_h3_every_email_has_one_recipient_and_nothing_that_somebody_typed(kind: Database) {
    let Some(post) = Post::start(kind, &[]).await else { return };
    let strict = post.beside("signup.email_verification", "required").await;
    let [ada, bob, new] = ["ada", "bob", "new"].map(address);

    // With a username that looks like a link: an account, and a pending sign-up.
    let signup = async |client: &Client, name: &str, email: &str| {
        let body = json!({"username": name, "email": email, "password": PASSWORD});
        client.send(client.post("/v1/signup", &body).header("user-agent", BAIT)).await.status
    };
    assert_eq!(signup(&post.client, "www.evil.example", &ada).await, 201);
    assert_eq!(signup(&strict.client(), "http.evil.example", &bob).await, 202);
    assert_eq!(signup(&strict.client(), "ftp.evil.example", &ada).await, 202);
    // The confirmation below discards the sign-ups of the email address, and their queued emails.
    post.email(&ada, subject::EXISTS).await;
    let first = baited_login(&post, "www.evil.example").await;
    let confirm = token(&post.email(&ada, subject::CONFIRM).await);
    let confirmed = post.say_as(&first, "email/confirm", json!({"token": confirm})).await;
    assert_eq!(confirmed.status, 204, "{confirmed:?}");
    assert_eq!(signup(&post.client, "other.evil.example", "other@example.org").await, 201);

    // Every change of an account that causes an email.
    let rename = post.client.request(Method::PATCH, "/v1/me").bearer_auth(first.access());
    let rename = rename.header("user-agent", BAIT).json(&json!({"username": "evil.example"}));
    assert_eq!(post.client.send(rename).await.status, 200);
    let spent = baited_login(&post, &ada).await;
    let next = post.client.refresh(spent.refresh_token(), None).await;
    assert_eq!(post.client.refresh(next.refresh_token(), None).await.status, 200);
    post.client.refresh(spent.refresh_token(), None).await.is(401, "refresh_token_reused");
    let passwords = json!({"current_password": PASSWORD, "new_password": OTHER});
    assert_eq!(post.say_as(&first, "me/password", passwords).await.status, 204);
    let reset = json!({"token": token(&post.forgot(&ada, 0).await), "new_password": PASSWORD});
    assert_eq!(post.say("password/reset", reset).await.status, 204);
    let pair = baited_login(&post, &ada).await;
    assert_eq!(post.change(&pair, "other@example.org").await.status, 202);
    post.email("other@example.org", subject::IN_USE).await;
    post.changed(&pair, &ada, &new).await;
    let leave = post.client.request(Method::DELETE, "/v1/me").bearer_auth(pair.access());
    assert_eq!(post.client.send(leave.json(&json!({"password": PASSWORD}))).await.status, 204);

    let guest = address("guest");
    assert_eq!(invite(&post, "www.evil.guest", &guest).await.status, 201);
    let carol = post.confirmed("carol").await;
    let undo = post.changed(&carol, &address("carol"), &address("back")).await;
    assert_eq!(post.say("email/undo", json!({"token": token(&undo)})).await.status, 204);

    post.wait_until_sent().await;
    for (to, subject, link, code) in [
        (&bob, subject::CONFIRM, true, true),
        (&ada, subject::EXISTS, false, false),
        (&ada, subject::CONFIRM, true, true),
        (&new, subject::CONFIRM_NEW, true, true),
        (&address("other"), subject::IN_USE, false, false),
        (&ada, subject::RESET, true, true),
        (&ada, subject::UNDO, true, false),
        (&ada, subject::CHANGED, false, false),
        (&ada, subject::NEW_PASSWORD, false, false),
        (&ada, subject::WAS_RESET, false, false),
        (&ada, subject::RENAMED, false, false),
        (&ada, subject::REUSED, false, false),
        (&new, subject::DELETED, false, false),
        // The email address that could have undone the change is notified, too.
        (&ada, subject::DELETED, false, false),
        (&address("back"), subject::CHANGED_BACK, false, false),
        (&guest, subject::INVITED, true, false),
    ] {
        let mail = post.email(to, subject).await;
        assert_eq!((mail.links.len(), mail.code.is_some()), (usize::from(link), code), "{mail:#?}");
    }
    for mail in post.server.emails() {
        is_whole(&mail, &mail.to[0]);
    }
    // Markup is no valid username.
    for name in ["<b>evil</b>", "<a href=//evil>", "evil.example/", "http://evil", "a\u{2028}b"] {
        post.signup(name, "eve@example.org", PASSWORD).await.is(422, "validation_failed");
    }
}

/// Has an administrator create an account for a user.
async fn invite(post: &Post, name: &str, email: &str) -> TestResponse {
    post.command(&[
        "user",
        "create",
        "--username=grace",
        "--email=grace@example.org",
        "--password-stdin",
        "--admin",
    ]);
    let pair = post.login("grace", PASSWORD).await;
    post.say_as(&pair, "users", json!({"username": name, "email": email})).await
}

/// Row V3: the emails with a link or a code, before and after they are sent.
async fn v3_neither_link_nor_code_nor_sign_up_is_in_the_database(kind: Database) {
    let Some(post) = Post::required(kind).await else { return };
    let [ada, bob] = ["ada", "bob"].map(address);
    let create = ["user", "create", "--username", "ada", "--email", &ada, "--password-stdin"];
    post.command(&create);
    post.server.mode("temporary");
    let signup = post.signup("bob", &bob, OTHER).await;
    assert_eq!(signup.status, 202, "{signup:?}");
    let forgot = post.say("password/forgot", json!({"email": ada})).await;
    assert_eq!(forgot.status, 202);
    let pair = post.login("ada", PASSWORD).await;
    assert_eq!(post.change(&pair, "new@example.org").await.status, 202);
    let guest = address("guest");
    assert_eq!(invite(&post, "guest", &guest).await.status, 201);
    // Each email was rendered and refused, so its link exists.
    while post.server.refusals().len() < 5 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let before = StolenDatabase::of(&post.database).await;
    post.server.mode("ok");
    let emails = [
        post.email(&bob, subject::CONFIRM).await,
        post.email(&ada, subject::RESET).await,
        post.email("new@example.org", subject::CONFIRM_NEW).await,
        post.email(&ada, subject::UNDO).await,
        post.email(&guest, subject::INVITED).await,
    ];
    post.wait_until_sent().await;
    let after = StolenDatabase::of(&post.database).await;
    for stolen in [before, after] {
        let signup_id = signup.text_of("signup_id");
        assert!(!stolen.tells(signup_id.as_bytes()) && !stolen.tells(&unhex(signup_id)));
        assert!(stolen.has(bob.as_bytes()) && stolen.has(&sha256(signup_id.as_bytes())));
        for mail in &emails {
            let token = token(mail);
            assert!(stolen.has(&sha256(token.as_bytes())), "the link is not there: {mail:#?}");
            assert!(!stolen.tells(token.as_bytes()) && !stolen.tells(mail.link().as_bytes()));
            assert!(!stolen.tells(&URL_SAFE_NO_PAD.decode(&token).unwrap()), "{mail:#?}");
            let Some(code) = &mail.code else { continue };
            assert!(!stolen.tells(code.as_bytes()), "{mail:#?}");
            assert!(!stolen.tells(&sha256(code.as_bytes())), "a code is guessed from its hash");
        }
    }
}

/// A change of password or username, and a replay.
async fn every_change_is_told_once(kind: Database) {
    let Some(post) = Post::start(kind, &[]).await else { return };
    let pair = post.confirmed("ada").await;
    let passwords = json!({"current_password": PASSWORD, "new_password": OTHER});
    assert_eq!(post.say_as(&pair, "me/password", passwords.clone()).await.status, 204);
    post.say_as(&pair, "me/password", passwords).await.is(422, "validation_failed");
    let rename = post.client.request(Method::PATCH, "/v1/me").bearer_auth(pair.access());
    let renamed = post.client.send(rename.json(&json!({"username": "countess"}))).await;
    assert_eq!(renamed.status, 200, "{renamed:?}");
    let next = post.client.refresh(pair.refresh_token(), None).await;
    assert_eq!(post.client.refresh(next.refresh_token(), None).await.status, 200);
    let spent = pair.refresh_token().to_owned();
    let replays = together((0..10).map(|_| {
        let (client, spent) = (post.client.clone(), spent.clone());
        async move { client.refresh(&spent, None).await }
    }));
    let replays = replays.await;
    let reused =
        replays.iter().filter(|response| response.code() == "refresh_token_reused").count();
    assert_eq!(reused, 1, "{replays:?}");
    let mut told = vec![subject::CONFIRM, subject::NEW_PASSWORD, subject::RENAMED, subject::REUSED];
    told.sort_unstable();
    assert_eq!(post.all_subjects(&address("ada")).await, told);
}
