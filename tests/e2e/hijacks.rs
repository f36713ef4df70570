//! Pre-hijacking: accounts created for another person's email address: rows A1, A3 and A4.

use std::time::Duration;

use gateward_e2e::{Database, PASSWORD, TestResponse, on_both};
use serde_json::json;

use crate::support::pair::together;
use crate::support::post::{OTHER, Post, address, code, subject, token};

on_both!(
    a1_of_many_sign_ups_of_one_address_one_becomes_an_account,
    a3_a_strangers_click_confirms_no_squatter,
    a3_a_strangers_sign_up_is_not_mixed_up_with_the_squatters,
    a3_a4_a_reset_leaves_the_squatter_nothing,
    a4_a_change_that_was_prepared_is_gone_after_the_reset,
);

/// The email address of the victim.
const VICTIM: &str = "victim@example.org";

/// The attacker's password.
const SQUATTED: &str = "the squatter was here";

/// Row A1: 50 at once, and then all links of that mailbox are opened at once.
async fn a1_of_many_sign_ups_of_one_address_one_becomes_an_account(kind: Database) {
    const COUNT: usize = 50;
    let Some(post) = Post::required(kind).await else { return };
    let password = |number: usize| format!("password of number {number}");
    let signups = together((0..COUNT).map(|number| {
        let (client, password) = (post.client.clone(), password(number));
        async move {
            let name = format!("user{number}");
            let body = json!({"username": name, "email": VICTIM, "password": password});
            (number, client.send(client.post("/v1/signup", &body)).await)
        }
    }));
    let signups = signups.await;
    assert!(signups.iter().all(|(_, response)| response.status == 202), "{signups:?}");
    let emails = post.emails(VICTIM, subject::CONFIRM, COUNT).await;
    let tokens: Vec<String> = emails.iter().map(token).collect();

    // An email does not say which sign-up it belongs to, so ten of them try every link.
    let tries = signups.iter().take(10).flat_map(|(number, response)| {
        let id = response.text_of("signup_id");
        tokens.iter().map(move |token| (*number, json!({"token": token, "signup_id": id})))
    });
    let tries: Vec<_> = tries.collect();
    let confirmed = together(tries.into_iter().map(|(number, body)| {
        let client = post.client.clone();
        async move { (number, client.send(client.post("/v1/email/confirm", &body)).await) }
    }));
    let (good, bad): (Vec<_>, Vec<_>) =
        confirmed.await.into_iter().partition(|(_, response)| response.status == 204);
    assert_eq!(good.len(), 1, "{good:?}");
    for (_, response) in &bad {
        response.is(400, "invalid_link");
    }

    let owner = good[0].0;
    let login = post.login(VICTIM, &password(owner)).await;
    assert_eq!(login.body["user"]["username"], format!("user{owner}"));
    let guesses = together((0..COUNT).filter(|number| *number != owner).map(|number| {
        let (client, password) = (post.client.clone(), password(number));
        async move {
            client.login(&format!("user{number}"), &password).await.is(401, "invalid_credentials");
            client.login(VICTIM, &password).await.is(401, "invalid_credentials");
        }
    }));
    guesses.await;
    // The others' links are invalid, even with the right secret.
    for (number, response) in &signups {
        let body = json!({"token": tokens[*number], "signup_id": response.body["signup_id"]});
        post.say("email/confirm", body).await.is(400, "invalid_link");
        let body = json!({"token": tokens[*number], "password": password(owner)});
        post.say("email/confirm", body).await.is(400, "invalid_link");
    }
}

/// Row A3: the owner of the mailbox proves nothing about the account, and the attacker nothing
/// about the mailbox.
async fn a3_a_strangers_click_confirms_no_squatter(kind: Database) {
    let Some(post) = Post::start(kind, &[]).await else { return };
    assert_eq!(post.signup("squatter", VICTIM, SQUATTED).await.status, 201);
    let pair = post.login("squatter", SQUATTED).await;
    let mail = post.email(VICTIM, subject::CONFIRM).await;
    for body in [json!({"token": token(&mail)}), json!({"email": VICTIM, "code": code(&mail)})] {
        post.say("email/confirm", body.clone()).await.is(400, "invalid_link");
        // Nor does another password help.
        let mut body = body;
        body["password"] = json!(PASSWORD);
        post.say("email/confirm", body).await.is(400, "invalid_link");
    }
    for body in [json!({"token": "0".repeat(64)}), json!({"email": VICTIM, "code": "00000000"})] {
        post.say_as(&pair, "email/confirm", body).await.is(400, "invalid_link");
    }
    assert_eq!(post.client.me(pair.access()).await.body["email_verified"], false);
}

/// Row A3: both sign up, and the victim opens the wrong email.
async fn a3_a_strangers_sign_up_is_not_mixed_up_with_the_squatters(kind: Database) {
    let Some(post) = Post::required(kind).await else { return };
    let squatter = post.signup("squatter", VICTIM, SQUATTED).await;
    let theirs = post.email(VICTIM, subject::CONFIRM).await;
    let victim = post.signup("victim", VICTIM, PASSWORD).await;
    let own = post.nth_email(VICTIM, subject::CONFIRM, 1).await;
    for (mail, second) in [
        (&theirs, json!({"signup_id": victim.body["signup_id"]})),
        (&theirs, json!({"password": PASSWORD})),
        (&theirs, json!({})),
        (&own, json!({"signup_id": squatter.body["signup_id"]})),
        (&own, json!({"password": SQUATTED})),
    ] {
        let mut body = second;
        body["token"] = json!(token(mail));
        post.say("email/confirm", body).await.is(400, "invalid_link");
    }
    // The code of the other email works with her own secret only.
    let mut body = json!({"email": VICTIM, "code": code(&theirs)});
    body["signup_id"] = victim.body["signup_id"].clone();
    post.say("email/confirm", body.clone()).await.is(400, "invalid_link");
    body["code"] = json!(code(&own));
    assert_eq!(post.say("email/confirm", body).await.status, 204);
    post.login(VICTIM, PASSWORD).await;
    post.client.login(VICTIM, SQUATTED).await.is(401, "invalid_credentials");
    post.client.login("squatter", SQUATTED).await.is(401, "invalid_credentials");
    let body = json!({"token": token(&theirs), "signup_id": squatter.body["signup_id"]});
    post.say("email/confirm", body).await.is(400, "invalid_link");
}

/// An attacker's account with the victim's email address: a password, active sessions, and a
/// pending change.
async fn squat(post: &Post, name: &str, victim: &str) -> [TestResponse; 3] {
    assert_eq!(post.signup(name, victim, SQUATTED).await.status, 201);
    let first = post.login(name, SQUATTED).await;
    let second = post.login(victim, SQUATTED).await;
    let next = post.client.refresh(second.refresh_token(), None).await;
    assert_eq!(next.status, 200, "{next:?}");
    let body = json!({"new_email": address(name), "password": SQUATTED});
    assert_eq!(post.say_as(&first, "me/email", body).await.status, 202);
    [first, second, next]
}

/// Rows A3 and A4: the owner of the mailbox takes the account over.
async fn a3_a4_a_reset_leaves_the_squatter_nothing(kind: Database) {
    let Some(post) = Post::start(kind, &[]).await else { return };
    let pairs = squat(&post, "squatter", VICTIM).await;
    let confirm = token(&post.email(VICTIM, subject::CONFIRM).await);
    let change = post.email(&address("squatter"), subject::CONFIRM_NEW).await;
    // She cannot sign up, so she requests a password reset.
    post.signup("victim", VICTIM, PASSWORD).await.is(409, "email_taken");
    let reset = json!({"token": token(&post.forgot(VICTIM, 0).await), "new_password": OTHER});
    assert_eq!(post.say("password/reset", reset).await.status, 204);

    for pair in &pairs {
        post.has_ended(pair, "password_reset").await;
    }
    for who in ["squatter", VICTIM] {
        post.client.login(who, SQUATTED).await.is(401, "invalid_credentials");
    }
    for body in [
        json!({"token": token(&change), "password": SQUATTED}),
        json!({"token": token(&change), "password": OTHER}),
        json!({"email": address("squatter"), "code": code(&change), "password": SQUATTED}),
        json!({"email": address("squatter"), "code": code(&change), "password": OTHER}),
        json!({"token": confirm, "password": SQUATTED}),
    ] {
        post.say("email/confirm", body).await.is(400, "invalid_link");
    }
    let login = post.login(VICTIM, OTHER).await;
    let user = &login.body["user"];
    assert_eq!((&user["email"], &user["email_verified"]), (&json!(VICTIM), &json!(true)));
    assert_eq!(
        post.say("password/forgot", json!({"email": address("squatter")})).await.status,
        202
    );
    post.wait_until_sent().await;
    let emails = post.server.emails_to(&address("squatter"));
    assert_eq!(emails.len(), 1, "the one for the change: {emails:#?}");
}

/// Row A4: the change is confirmed while the reset runs, sooner or later. Either way the account
/// ends up with one owner.
async fn a4_a_change_that_was_prepared_is_gone_after_the_reset(kind: Database) {
    let Some(post) = Post::start(kind, &[]).await else { return };
    for delay in [0, 10, 30, 100] {
        let (name, victim) = (format!("squatter{delay}"), format!("victim{delay}@example.org"));
        let pairs = squat(&post, &name, &victim).await;
        let change = token(&post.email(&address(&name), subject::CONFIRM_NEW).await);
        let reset = token(&post.forgot(&victim, 0).await);
        let undo = token(&post.email(&victim, subject::UNDO).await);
        let later = async {
            tokio::time::sleep(Duration::from_millis(delay)).await;
            post.say("email/confirm", json!({"token": change, "password": SQUATTED})).await
        };
        let body = json!({"token": reset, "new_password": OTHER});
        let (reset, change) = tokio::join!(post.say("password/reset", body), later);
        assert!((reset.status == 204) ^ (change.status == 204), "{reset:?} {change:?}");
        if change.status == 204 {
            // The attacker was first; the email to the victim undoes it.
            reset.is(400, "invalid_link");
            assert_eq!(post.say("email/undo", json!({"token": undo})).await.status, 204);
            let again = token(&post.nth_email(&victim, subject::RESET, 1).await);
            let again = json!({"token": again, "new_password": OTHER});
            assert_eq!(post.say("password/reset", again).await.status, 204);
        } else {
            change.is(400, "invalid_link");
        }
        for pair in &pairs {
            post.client.me(pair.access()).await.is(401, "session_ended");
            post.client.refresh(pair.refresh_token(), None).await.is(401, "session_ended");
        }
        assert_eq!(post.login(&victim, OTHER).await.body["user"]["email"], victim);
    }
}
