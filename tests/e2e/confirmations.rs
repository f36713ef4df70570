//! Confirming an email address before the account exists: rows E1, E2, E7 and A9.

use gateward_e2e::{Database, PASSWORD, TestResponse, on_both};
use serde_json::{Value, json};

use crate::support::post::{OTHER, Post, address, code, subject, token, wrong_code};
use crate::support::responses::are_alike;

on_both!(
    e1_a_sign_up_tells_nothing_of_an_address,
    e2_a_sign_up_that_waits_is_nobody,
    e7_a_name_is_held_by_a_confirmed_account_alone,
    an_address_is_confirmed_by_two_proofs,
    a9_one_proof_or_the_wrong_one_uses_nothing_up,
    a9_nobody_confirms_the_account_of_another,
    a9_a_link_does_what_it_is_for_and_nothing_else,
);

/// Rows E1 and E3: a known email address, a disabled account, a pending sign-up and a free email
/// address get the same response.
async fn e1_a_sign_up_tells_nothing_of_an_address(kind: Database) {
    let Some(post) = Post::required(kind).await else { return };
    // From a time when confirmation was not required.
    let old = post.beside("signup.email_verification", "optional").await;
    for name in ["known", "gone", "unconfirmed"] {
        assert_eq!(old.client().signup(name).await.status, 201);
        let token = token(&post.email(&address(name), subject::CONFIRM).await);
        let body = json!({"token": token, "password": PASSWORD});
        if name != "unconfirmed" {
            assert_eq!(post.say("email/confirm", body).await.status, 204);
        }
    }
    post.command(&["user", "disable", "gone"]);
    let free = post.signup("first", &address("free"), OTHER).await;
    assert_eq!(free.status, 202, "{free:?}");
    assert_eq!(free.body["status"], "confirmation_sent");
    assert!(free.text_of("signup_id").len() >= 43, "256 random bits");
    assert_eq!(free.body.as_object().unwrap().len(), 2);
    for (number, name) in ["known", "gone", "unconfirmed", "free", "KNOWN"].iter().enumerate() {
        let response = post.signup(&format!("other{number}"), &address(name), OTHER).await;
        are_alike(&response, &free);
        assert_ne!(response.body["signup_id"], free.body["signup_id"]);
        // Requesting the email again reveals nothing either, with the sign-up's own secret or
        // without.
        let again = post.say("email/resend", json!({"email": address(name)})).await;
        let mut body = json!({"email": address("nobody")});
        are_alike(&again, &post.say("email/resend", body.clone()).await);
        body["signup_id"] = response.body["signup_id"].clone();
        are_alike(&again, &post.say("email/resend", body).await);
    }
    for name in ["known", "gone", "unconfirmed"] {
        let mail = post.email(&address(name), subject::EXISTS).await;
        assert!(mail.links.is_empty() && mail.code.is_none(), "a link that acts: {mail:#?}");
        assert!(post.emails(&address(name), subject::CONFIRM, 1).await.len() <= 2);
    }
    assert!(post.server.emails_to(&address("nobody")).is_empty());
}

/// Row E2: before the confirmation there is no account, and a login reveals nothing.
async fn e2_a_sign_up_that_waits_is_nobody(kind: Database) {
    let Some(post) = Post::required(kind).await else { return };
    let signup = post.signup("ada", &address("ada"), PASSWORD).await;
    assert_eq!(signup.status, 202, "{signup:?}");
    let unknown = post.client.login("nobody", PASSWORD).await;
    unknown.is(401, "invalid_credentials");
    for (who, password) in [
        ("ada", PASSWORD),
        ("ada", OTHER),
        ("ada@example.org", PASSWORD),
        ("nobody@example.org", PASSWORD),
    ] {
        are_alike(&post.client.login(who, password).await, &unknown);
    }
    let mail = post.email(&address("ada"), subject::CONFIRM).await;
    are_alike(&post.client.login("ada", PASSWORD).await, &unknown);
    let body = json!({"token": token(&mail), "signup_id": signup.body["signup_id"]});
    assert_eq!(post.say("email/confirm", body).await.status, 204);
    let login = post.login("ada", PASSWORD).await;
    assert_eq!(login.body["user"]["email_verified"], true);
    are_alike(&post.client.login("ada", OTHER).await, &unknown);
}

/// Row E7: usernames are public; a pending sign-up reserves none.
async fn e7_a_name_is_held_by_a_confirmed_account_alone(kind: Database) {
    let Some(post) = Post::required(kind).await else { return };
    let mut ready = Vec::new();
    for who in ["one", "two"] {
        let signup = post.signup("ada", &address(who), PASSWORD).await;
        assert_eq!(signup.status, 202, "{signup:?}");
        let mail = post.email(&address(who), subject::CONFIRM).await;
        ready.push(json!({"token": token(&mail), "signup_id": signup.body["signup_id"]}));
    }
    let mut late = ready.pop().unwrap();
    assert_eq!(post.say("email/confirm", ready.pop().unwrap()).await.status, 204);
    // Checked before the email address: the same for a known and an unknown one.
    let known = post.signup("ADA", &address("one"), PASSWORD).await;
    known.is(409, "username_taken");
    are_alike(&post.signup("ada", &address("free"), PASSWORD).await, &known);

    for _ in 0..2 {
        let response = post.say("email/confirm", late.clone()).await;
        response.is(409, "username_taken");
        assert!(response.text_of("detail").contains("`username`"), "{response:?}");
    }
    late["username"] = json!("no name");
    post.say("email/confirm", late.clone()).await.is(422, "validation_failed");
    late["username"] = json!("countess");
    assert_eq!(post.say("email/confirm", late).await.status, 204);
    let login = post.login("two@example.org", PASSWORD).await;
    assert_eq!(login.body["user"]["username"], "countess");
    assert_eq!(post.login("ada", PASSWORD).await.body["user"]["email"], "one@example.org");
}

/// The four ways: link or code, and secret or password.
async fn an_address_is_confirmed_by_two_proofs(kind: Database) {
    let Some(post) = Post::required(kind).await else { return };
    for (number, (by_code, by_password)) in
        [(false, false), (false, true), (true, true), (true, false)].into_iter().enumerate()
    {
        let name = format!("user{number}");
        let signup = post.signup(&name, &address(&name), PASSWORD).await;
        let mail = post.email(&address(&name), subject::CONFIRM).await;
        let mut body = if by_code {
            json!({"email": address(&name), "code": code(&mail)})
        } else {
            json!({"token": token(&mail)})
        };
        if by_password {
            body["password"] = json!(PASSWORD);
        } else {
            body["signup_id"] = signup.body["signup_id"].clone();
        }
        let confirmed = post.say("email/confirm", body.clone()).await;
        assert_eq!(confirmed.status, 204, "{body}: {confirmed:?}");
        assert_eq!(post.login(&name, PASSWORD).await.body["user"]["username"], name);
        post.say("email/confirm", body).await.is(400, "invalid_link");
    }
}

/// Row A9: the link alone, the secret alone, and those of another sign-up.
async fn a9_one_proof_or_the_wrong_one_uses_nothing_up(kind: Database) {
    let Some(post) = Post::required(kind).await else { return };
    let [ada, bob] = ["ada", "bob"].map(address);
    let signup = post.signup("ada", &ada, PASSWORD).await;
    let other = post.signup("bob", &bob, OTHER).await;
    let mail = post.email(&ada, subject::CONFIRM).await;
    let others = post.email(&bob, subject::CONFIRM).await;
    let (own, foreign) = (&signup.body["signup_id"], &other.body["signup_id"]);
    let (link, code) = (token(&mail), code(&mail));
    let refused = [
        json!({"token": link}),
        json!({"email": ada, "code": code}),
        json!({"token": link, "signup_id": foreign}),
        json!({"token": link, "signup_id": "0".repeat(64)}),
        json!({"token": link, "signup_id": ""}),
        json!({"token": link, "password": OTHER}),
        json!({"email": ada, "code": code, "signup_id": foreign}),
        json!({"email": ada, "code": code, "password": OTHER}),
        json!({"email": ada, "code": wrong_code(&mail, 1), "signup_id": own}),
        json!({"email": bob, "code": code, "signup_id": own}),
        json!({"token": token(&others), "signup_id": own}),
        json!({"token": "0".repeat(64), "signup_id": own}),
    ];
    let mut first: Option<TestResponse> = None;
    for body in refused {
        let response = post.say("email/confirm", body).await;
        response.is(400, "invalid_link");
        are_alike(first.get_or_insert_with(|| response.clone()), &response);
    }
    post.client.login("ada", PASSWORD).await.is(401, "invalid_credentials");
    let body = json!({"email": ada, "code": code, "signup_id": own});
    assert_eq!(post.say("email/confirm", body).await.status, 204);
    let body = json!({"token": token(&others), "password": OTHER});
    assert_eq!(post.say("email/confirm", body).await.status, 204);
}

/// Row A9: a link of Ada's account sent with Bob's session.
async fn a9_nobody_confirms_the_account_of_another(kind: Database) {
    let Some(post) = Post::start(kind, &[]).await else { return };
    let [ada, bob] = [post.client.begin("ada").await, post.client.begin("bob").await];
    let mail = post.email(&address("ada"), subject::CONFIRM).await;
    for mailbox in
        [json!({"token": token(&mail)}), json!({"email": address("ada"), "code": code(&mail)})]
    {
        post.say_as(&bob, "email/confirm", mailbox.clone()).await.is(400, "invalid_link");
        post.say("email/confirm", mailbox).await.is(400, "invalid_link");
    }
    for pair in [&ada, &bob] {
        assert_eq!(post.client.me(pair.access()).await.body["email_verified"], false);
    }
    let body = json!({"email": address("ada"), "code": code(&mail)});
    assert_eq!(post.say_as(&ada, "email/confirm", body).await.status, 204);
    assert_eq!(post.client.me(ada.access()).await.body["email_verified"], true);
    assert_eq!(post.client.me(bob.access()).await.body["email_verified"], false);
}

/// Row A9: every kind of link at every endpoint that takes one.
async fn a9_a_link_does_what_it_is_for_and_nothing_else(kind: Database) {
    let Some(post) = Post::start(kind, &[]).await else { return };
    let pair = post.client.begin("ada").await;
    let ada = address("ada");
    assert_eq!(post.change(&pair, &address("new")).await.status, 202);
    let confirm = token(&post.email(&ada, subject::CONFIRM).await);
    let change = token(&post.email(&address("new"), subject::CONFIRM_NEW).await);
    let undo = token(&post.email(&ada, subject::UNDO).await);
    let reset = token(&post.forgot(&ada, 0).await);
    let bodies = |token: &str| -> [(&str, Value); 3] {
        [
            ("email/confirm", json!({"token": token, "password": PASSWORD})),
            ("email/undo", json!({"token": token})),
            ("password/reset", json!({"token": token, "new_password": OTHER})),
        ]
    };
    for (token, own) in [
        (&confirm, "email/confirm"),
        (&change, "email/confirm"),
        (&undo, "email/undo"),
        (&reset, "password/reset"),
    ] {
        for (path, body) in bodies(token).into_iter().filter(|(path, _)| *path != own) {
            post.say(path, body).await.is(400, "invalid_link");
        }
    }
    let me = post.client.me(pair.access()).await.body;
    assert_eq!((&me["email"], &me["email_verified"]), (&json!(ada), &json!(false)));
    // An email to the previous email address of the account no longer works.
    let done = post.say("email/confirm", json!({"token": change, "password": PASSWORD})).await;
    assert_eq!(done.status, 204, "{done:?}");
    for (path, body) in bodies(&reset).into_iter().chain(bodies(&confirm)) {
        post.say(path, body).await.is(400, "invalid_link");
    }
    assert_eq!(post.client.me(pair.access()).await.body["email"], address("new"));
    post.login("ada", PASSWORD).await;
}
