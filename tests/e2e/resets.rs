//! Forgotten passwords: rows E3, V4, V5 and V8.

mod soak;

use std::time::Instant;

use futures_util::StreamExt;
use gateward_e2e::{Database, PASSWORD, ShiftedClock, on_both};
use serde_json::{Value, json};

use crate::support::pair::together;
use crate::support::post::{OTHER, Post, address, code, subject, token, wrong_code};
use crate::support::responses::are_alike;

on_both!(
    e3_asking_for_an_email_tells_nothing,
    v4_of_many_resets_with_one_link_one_succeeds,
    v5_links_are_good_until_their_time_and_no_longer,
    v8_a_reset_ends_all_else_and_is_told,
    a_weak_password_uses_nothing_up,
    a_code_is_tried_five_times_and_its_link_stays,
);

/// The body of a reset.
fn reset(token: &str, password: &str) -> Value {
    json!({"token": token, "new_password": password})
}

/// Row E3: known, unknown and disabled: only the known one gets an email.
async fn e3_asking_for_an_email_tells_nothing(kind: Database) {
    let Some(post) = Post::start(kind, &[]).await else { return };
    for name in ["ada", "gone"] {
        post.confirmed(name).await;
    }
    post.command(&["user", "disable", "gone"]);
    for path in ["password/forgot", "email/resend"] {
        let ask = async |name: &str| post.say(path, json!({"email": address(name)})).await;
        let unknown = ask("nobody").await;
        assert_eq!(unknown.status, 202, "{unknown:?}");
        for name in ["ada", "gone", "ADA"] {
            are_alike(&ask(name).await, &unknown);
        }
    }
    let told = [subject::CONFIRM, subject::RESET, subject::RESET];
    assert_eq!(post.all_subjects(&address("ada")).await, told);
    assert_eq!(post.all_subjects(&address("gone")).await, [subject::CONFIRM]);
    assert_eq!(post.server.emails_to(&address("nobody")).len(), 0);
}

/// Row V4: 50 at once with one link and different passwords.
async fn v4_of_many_resets_with_one_link_one_succeeds(kind: Database) {
    const COUNT: usize = 50;
    let Some(post) = Post::start(kind, &[]).await else { return };
    post.confirmed("ada").await;
    let mail = post.forgot(&address("ada"), 0).await;
    let password = |number: usize| format!("password of number {number}");
    let resets = together((0..COUNT).map(|number| {
        // Two of them use the code.
        let mut body = reset(&token(&mail), &password(number));
        if number < 2 {
            body = json!({"email": address("ada"), "code": code(&mail)});
            body["new_password"] = json!(password(number));
        }
        let client = post.client.clone();
        async move { (number, client.send(client.post("/v1/password/reset", &body)).await) }
    }));
    let (good, bad): (Vec<_>, Vec<_>) =
        resets.await.into_iter().partition(|(_, response)| response.status == 204);
    assert_eq!(good.len(), 1, "{good:?}");
    for (_, response) in &bad {
        response.is(400, "invalid_link");
    }
    let logins = together((0..COUNT).map(|number| {
        let (client, password) = (post.client.clone(), password(number));
        async move { (number, client.login("ada", &password).await) }
    }));
    for (number, response) in logins.await {
        if number == good[0].0 {
            assert_eq!(response.status, 200, "{response:?}");
        } else {
            response.is(401, "invalid_credentials");
        }
    }
    post.client.login("ada", PASSWORD).await.is(401, "invalid_credentials");
    post.wait_until_sent().await;
    assert_eq!(post.emails(&address("ada"), subject::WAS_RESET, 1).await.len(), 1);
}

/// Row V5: ten minutes for a reset, a day for a confirmation, seven days for undoing a change.
async fn v5_links_are_good_until_their_time_and_no_longer(kind: Database) {
    let Some(clock) = ShiftedClock::new() else { return };
    let Some(post) = Post::process(kind, clock.environment()).await else { return };
    let passed = |since: Instant| i64::try_from(since.elapsed().as_secs()).unwrap();
    // Time only moves forward, as in reality.
    let mut ahead = 0;
    for (purpose, path, life) in [
        ("reset", "password/reset", 600),
        ("confirm", "email/confirm", 24 * 3600),
        ("undo", "email/undo", 7 * 24 * 3600),
    ] {
        let started = Instant::now();
        let mut bodies = Vec::new();
        for turn in ["early", "late"] {
            let (name, email) =
                (format!("{purpose}.{turn}"), address(&format!("{purpose}.{turn}")));
            let pair = post.client.begin(&name).await;
            let confirm = post.email(&email, subject::CONFIRM).await;
            bodies.push(match purpose {
                "reset" => reset(&token(&post.forgot(&email, 0).await), OTHER),
                "confirm" => json!({"token": token(&confirm), "password": PASSWORD}),
                _ => {
                    let new = address(&format!("new.{turn}"));
                    assert_eq!(post.change(&pair, &new).await.status, 202);
                    json!({"token": token(&post.email(&email, subject::UNDO).await)})
                }
            });
        }
        let (ended, late) = (Instant::now(), bodies.pop().unwrap());
        // The links were created between these two moments. Ten seconds are for a busy machine.
        clock.set(ahead + life - passed(started) - 10);
        let early = post.say(path, bodies.pop().unwrap()).await;
        assert_eq!(early.status, 204, "{purpose}: {early:?}");
        ahead += life - passed(ended) + 1;
        clock.set(ahead);
        post.say(path, late).await.is(400, "invalid_link");
    }
}

/// Row V8: sessions, links, and the notification email.
async fn v8_a_reset_ends_all_else_and_is_told(kind: Database) {
    let Some(post) = Post::start(kind, &[]).await else { return };
    let ada = address("ada");
    let pairs = [post.client.begin("ada").await, post.login("ada", PASSWORD).await];
    let third = post.login("ada", PASSWORD).await;
    let bystander = post.client.begin("bob").await;
    let confirm = token(&post.email(&ada, subject::CONFIRM).await);
    assert_eq!(post.change(&third, &address("new")).await.status, 202);
    let change = token(&post.email(&address("new"), subject::CONFIRM_NEW).await);
    let older = token(&post.forgot(&ada, 0).await);
    let newer = post.forgot(&ada, 1).await;
    // A newer email replaces an older one.
    post.say("password/reset", reset(&older, OTHER)).await.is(400, "invalid_link");
    let response = post.say("password/reset", reset(&token(&newer), OTHER)).await;
    assert_eq!((response.status.as_u16(), response.text.as_str()), (204, ""), "no token in it");
    assert!(response.headers.get("set-cookie").is_none());

    for pair in pairs.iter().chain([&third]) {
        post.has_ended(pair, "password_reset").await;
    }
    assert_eq!(post.client.me(bystander.access()).await.status, 200);
    post.client.login("ada", PASSWORD).await.is(401, "invalid_credentials");
    for body in [reset(&token(&newer), PASSWORD), reset(&older, PASSWORD)] {
        post.say("password/reset", body).await.is(400, "invalid_link");
    }
    let by_code = json!({"email": ada, "code": code(&newer), "new_password": PASSWORD});
    post.say("password/reset", by_code).await.is(400, "invalid_link");
    for link in [confirm, change] {
        let body = json!({"token": link, "password": OTHER});
        post.say("email/confirm", body).await.is(400, "invalid_link");
    }
    assert_eq!(post.login("ada", OTHER).await.body["user"]["email_verified"], true);
    post.wait_until_sent().await;
    assert_eq!(post.emails(&ada, subject::WAS_RESET, 1).await.len(), 1);
}

/// Too short, too common, or made of the account's own words.
async fn a_weak_password_uses_nothing_up(kind: Database) {
    let Some(post) = Post::start(kind, &[]).await else { return };
    assert_eq!(post.client.signup("ada.lovelace").await.status, 201);
    let link = token(&post.forgot(&address("ada.lovelace"), 0).await);
    for weak in
        ["short", "password123", "ada.lovelace", "Ada.Lovelace1", "ada.lovelace@example.org"]
    {
        let response = post.say("password/reset", reset(&link, weak)).await;
        response.is(422, "validation_failed");
        assert_eq!(response.fields(), ["new_password"], "{weak}");
    }
    post.login("ada.lovelace", PASSWORD).await;
    assert_eq!(post.say("password/reset", reset(&link, OTHER)).await.status, 204);
}

/// Whether the attempts are sequential or concurrent.
async fn a_code_is_tried_five_times_and_its_link_stays(kind: Database) {
    let Some(post) = Post::start(kind, &[]).await else { return };
    for (name, count, at_once) in [("ada", 4, false), ("bob", 5, false), ("cyd", 30, true)] {
        let email = address(name);
        assert_eq!(post.client.signup(name).await.status, 201);
        let mail = post.forgot(&email, 0).await;
        let body = |code: String| json!({"email": email, "code": code, "new_password": OTHER});
        let tries = (1..=count).map(|by| {
            let (client, body) = (post.client.clone(), body(wrong_code(&mail, by)));
            async move { client.send(client.post("/v1/password/reset", &body)).await }
        });
        let responses = if at_once {
            together(tries).await
        } else {
            futures_util::stream::iter(tries).then(|one| one).collect().await
        };
        for response in &responses {
            response.is(400, "invalid_link");
        }
        let right = post.say("password/reset", body(code(&mail))).await;
        if count < 5 {
            assert_eq!(right.status, 204, "{right:?}");
            continue;
        }
        right.is(400, "invalid_link");
        assert_eq!(post.say("password/reset", reset(&token(&mail), OTHER)).await.status, 204);
        post.login(name, OTHER).await;
    }
}
