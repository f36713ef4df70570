//! Changing the email address of an account, and undoing it: rows A7, A8 and E5.

use gateward_e2e::{Database, PASSWORD, TestResponse, on_both};
use serde_json::json;

use crate::support::post::{OTHER, Post, address, code, subject, token, wrong_code};
use crate::support::responses::are_alike;

on_both!(
    a7_a_change_takes_both_mailboxes,
    a8_a_change_takes_the_password,
    e5_a_change_to_a_taken_address_looks_like_any_other,
    a_change_is_undone_before_it_is_confirmed,
    a_change_is_undone_after_it_was_confirmed,
    an_undone_change_takes_the_later_ones_with_it,
    an_address_that_can_come_back_is_nobody_elses,
    of_two_who_want_one_address_one_gets_it,
);

/// The current email address of the account, and whether it is confirmed.
async fn has(post: &Post, pair: &TestResponse, email: &str, verified: bool) {
    let me = post.client.me(pair.access()).await;
    assert_eq!((&me.body["email"], &me.body["email_verified"]), (&json!(email), &json!(verified)));
}

/// Row A7: the new email address confirms the change. The old one is notified at once, and can undo
/// it.
async fn a7_a_change_takes_both_mailboxes(kind: Database) {
    let Some(post) = Post::start(kind, &[]).await else { return };
    let pair = post.confirmed("ada").await;
    let [old, new] = ["ada", "new"].map(address);
    let asked = post.change(&pair, "New@Example.org").await;
    assert_eq!((asked.status.as_u16(), asked.text_of("status")), (202, "confirmation_sent"));
    let undo = post.email(&old, subject::UNDO).await;
    assert!(undo.code.is_none() && undo.link().contains("/undo-email-change#token="));
    let mail = post.email(&new, subject::CONFIRM_NEW).await;
    // Until then nothing has changed, and the mailbox alone changes nothing.
    has(&post, &pair, &old, true).await;
    post.client.login(&new, PASSWORD).await.is(401, "invalid_credentials");
    for body in [
        json!({"token": token(&mail)}),
        json!({"token": token(&mail), "password": OTHER}),
        json!({"email": new, "code": wrong_code(&mail, 1), "password": PASSWORD}),
        json!({"email": old, "code": code(&mail), "password": PASSWORD}),
        json!({"token": token(&undo), "password": PASSWORD}),
    ] {
        post.say("email/confirm", body).await.is(400, "invalid_link");
    }
    let body = json!({"email": new, "code": code(&mail)});
    assert_eq!(post.say_as(&pair, "email/confirm", body).await.status, 204);
    has(&post, &pair, &new, true).await;
    post.email(&old, subject::CHANGED).await;
    post.login(&new, PASSWORD).await;
    post.client.login(&old, PASSWORD).await.is(401, "invalid_credentials");
    // A second change replaces the first. The current email address is no valid new one.
    for name in ["third", "fourth"] {
        assert_eq!(post.change(&pair, &address(name)).await.status, 202);
        post.email(&address(name), subject::CONFIRM_NEW).await;
    }
    let third = token(&post.email(&address("third"), subject::CONFIRM_NEW).await);
    let body = json!({"token": third, "password": PASSWORD});
    post.say("email/confirm", body).await.is(400, "invalid_link");
    post.change(&pair, "NEW@example.org").await.is(422, "validation_failed");
}

/// Row A8: a stolen token cannot change the email address.
async fn a8_a_change_takes_the_password(kind: Database) {
    let Some(post) = Post::start(kind, &[]).await else { return };
    let pair = post.confirmed("ada").await;
    for (body, field) in [
        (json!({"new_email": "eve@example.org"}), "password"),
        (json!({"new_email": "eve@example.org", "password": OTHER}), "password"),
        (json!({"new_email": "eve@example.org", "password": ""}), "password"),
        (json!({"new_email": "eve", "password": PASSWORD}), "new_email"),
        (json!({"password": PASSWORD}), "new_email"),
    ] {
        let response = post.say_as(&pair, "me/email", body).await;
        response.is(422, "validation_failed");
        assert_eq!(response.fields(), [field]);
    }
    let body = json!({"new_email": "eve@example.org", "password": PASSWORD});
    post.say("me/email", body).await.is(401, "missing_token");
    assert_eq!(post.all_subjects(&address("ada")).await, [subject::CONFIRM]);
    assert!(post.server.emails_to("eve@example.org").is_empty());
}

/// Row E5: the response is the same as for a free one. Its owner is notified, and nothing can be
/// confirmed.
async fn e5_a_change_to_a_taken_address_looks_like_any_other(kind: Database) {
    let Some(post) = Post::start(kind, &[]).await else { return };
    let [ada, bob] = [post.confirmed("ada").await, post.confirmed("bob").await];
    let free = post.change(&ada, &address("free")).await;
    let first = token(&post.email(&address("free"), subject::CONFIRM_NEW).await);
    are_alike(&post.change(&ada, &address("bob")).await, &free);
    let told = post.email(&address("bob"), subject::IN_USE).await;
    assert!(told.links.is_empty() && told.code.is_none(), "{told:#?}");
    let warned = post.emails(&address("ada"), subject::UNDO, 2).await;
    assert_eq!(warned.len(), 2);
    has(&post, &ada, &address("ada"), true).await;
    has(&post, &bob, &address("bob"), true).await;
    post.wait_until_sent().await;
    assert_eq!(post.server.emails_to(&address("bob")).len(), 2, "that, and the first of all");
    // This change has replaced the one before.
    let body = json!({"token": first, "password": PASSWORD});
    post.say("email/confirm", body).await.is(400, "invalid_link");
}

/// The state after an undo: all sessions have ended, the old email address is confirmed, and a
/// reset email to it lets its owner choose a password.
async fn is_undone(post: &Post, pairs: &[&TestResponse]) {
    for pair in pairs {
        post.has_ended(pair, "email_changed").await;
    }
    post.client.login(&address("ada"), PASSWORD).await.is(401, "invalid_credentials");
    let reset = token(&post.email(&address("ada"), subject::RESET).await);
    let body = json!({"token": reset, "new_password": OTHER});
    assert_eq!(post.say("password/reset", body).await.status, 204);
    let login = post.login(&address("ada"), OTHER).await;
    has(post, &login, &address("ada"), true).await;
}

async fn a_change_is_undone_before_it_is_confirmed(kind: Database) {
    let Some(post) = Post::start(kind, &[]).await else { return };
    let pair = post.confirmed("ada").await;
    let other = post.login("ada", PASSWORD).await;
    assert_eq!(post.change(&pair, &address("new")).await.status, 202);
    let mail = post.email(&address("new"), subject::CONFIRM_NEW).await;
    let undo = json!({"token": token(&post.email(&address("ada"), subject::UNDO).await)});
    assert_eq!(post.say("email/undo", undo.clone()).await.status, 204);
    post.say("email/undo", undo).await.is(400, "invalid_link");
    let body = json!({"token": token(&mail), "password": PASSWORD});
    post.say("email/confirm", body).await.is(400, "invalid_link");
    is_undone(&post, &[&pair, &other]).await;
    post.wait_until_sent().await;
    assert_eq!(post.server.emails_to(&address("new")).len(), 1, "it never was the account's");
}

async fn a_change_is_undone_after_it_was_confirmed(kind: Database) {
    let Some(post) = Post::start(kind, &[]).await else { return };
    let pair = post.confirmed("ada").await;
    let undo = post.changed(&pair, &address("ada"), &address("new")).await;
    // A reset from the new mailbox does not stop the old one from undoing the change.
    let reset = token(&post.forgot(&address("new"), 0).await);
    let body = json!({"token": reset, "new_password": PASSWORD});
    assert_eq!(post.say("password/reset", body).await.status, 204);
    let thief = post.login(&address("new"), PASSWORD).await;
    let reset = token(&post.forgot(&address("new"), 1).await);
    let undo = json!({"token": token(&undo)});
    assert_eq!(post.say("email/undo", undo.clone()).await.status, 204);
    post.say("email/undo", undo).await.is(400, "invalid_link");
    let body = json!({"token": reset, "new_password": PASSWORD});
    post.say("password/reset", body).await.is(400, "invalid_link");
    is_undone(&post, &[&thief]).await;
    post.client.login(&address("new"), OTHER).await.is(401, "invalid_credentials");
    // The mailbox of the new email address learns that the account no longer uses it.
    post.email(&address("new"), subject::CHANGED_BACK).await;
}

async fn an_undone_change_takes_the_later_ones_with_it(kind: Database) {
    let Some(post) = Post::start(kind, &[]).await else { return };
    let pair = post.confirmed("ada").await;
    let first = post.changed(&pair, &address("ada"), &address("second")).await;
    let second = post.changed(&pair, &address("second"), &address("third")).await;
    has(&post, &pair, &address("third"), true).await;
    // Of two concurrent undos, the owner of the earlier email address wins in the end.
    let body = json!({"token": token(&first)});
    assert_eq!(post.say("email/undo", body).await.status, 204);
    let body = json!({"token": token(&second)});
    post.say("email/undo", body).await.is(400, "invalid_link");
    is_undone(&post, &[&pair]).await;
}

/// For seven days if it was confirmed. If not, its owner can take it.
async fn an_address_that_can_come_back_is_nobody_elses(kind: Database) {
    let Some(post) = Post::start(kind, &[]).await else { return };
    let ada = post.confirmed("ada").await;
    post.changed(&ada, &address("ada"), &address("new")).await;
    post.signup("eve", &address("ada"), PASSWORD).await.is(409, "email_taken");
    let eve = post.confirmed("eve").await;
    assert_eq!(post.change(&eve, &address("ada")).await.status, 202);
    post.email(&address("ada"), subject::IN_USE).await;
    // Where email addresses are confirmed first, the owner is notified of the sign-up, which has no
    // effect.
    let strict = post.beside("signup.email_verification", "required").await;
    let body = json!({"username": "mallory", "email": address("ada"), "password": PASSWORD});
    let request = post.client.http.post(format!("{}/v1/signup", strict.url)).json(&body);
    assert_eq!(post.client.send(request).await.status, 202);
    post.email(&address("ada"), subject::EXISTS).await;
    // Its owner may change back to it.
    assert_eq!(post.change(&ada, &address("ada")).await.status, 202);
    let back = token(&post.email(&address("ada"), subject::CONFIRM_NEW).await);
    assert_eq!(post.say_as(&ada, "email/confirm", json!({"token": back})).await.status, 204);
    has(&post, &ada, &address("ada"), true).await;

    let bob = post.client.begin("bob").await;
    let undo = post.changed(&bob, &address("bob"), &address("bobby")).await;
    assert_eq!(post.signup("robert", &address("bob"), PASSWORD).await.status, 201);
    post.say("email/undo", json!({"token": token(&undo)})).await.is(400, "invalid_link");
    has(&post, &bob, &address("bobby"), true).await;
}

/// Two changes and a sign-up, confirmed at once.
async fn of_two_who_want_one_address_one_gets_it(kind: Database) {
    let Some(post) = Post::start(kind, &[]).await else { return };
    let pairs = [post.confirmed("ada").await, post.confirmed("bob").await];
    let (wanted, mut bodies) = (address("wanted"), Vec::new());
    for (number, pair) in pairs.iter().enumerate() {
        assert_eq!(post.change(pair, &wanted).await.status, 202);
        let mail = post.nth_email(&wanted, subject::CONFIRM_NEW, number).await;
        bodies.push(json!({"token": token(&mail)}));
    }
    let (one, other, third) = tokio::join!(
        post.say_as(&pairs[0], "email/confirm", bodies[0].clone()),
        post.say_as(&pairs[1], "email/confirm", bodies[1].clone()),
        post.signup("cyd", &wanted, PASSWORD),
    );
    let good = [&one, &other, &third].into_iter().filter(|response| response.status.is_success());
    assert_eq!(good.count(), 1, "{one:?} {other:?} {third:?}");
    let codes = [(&one, "invalid_link"), (&other, "invalid_link"), (&third, "email_taken")];
    for (response, code) in codes.into_iter().filter(|(response, _)| !response.status.is_success())
    {
        assert_eq!(response.code(), code, "{response:?}");
    }
}
