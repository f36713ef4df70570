//! Sign-ups with one email address, whose emails wait for each other.

use std::time::{Duration, Instant};

use gateward_e2e::{Database, PASSWORD, on_both};
use serde_json::json;

use crate::support::post::{OTHER, Post, address, subject, token};

on_both!(emails_of_many_sign_ups_come_one_after_the_other);

/// Sign-ups with another person's email address cannot suppress that person's own email.
async fn emails_of_many_sign_ups_come_one_after_the_other(kind: Database) {
    let settings = [
        ("rate_limit.enabled", "true"),
        ("rate_limit.email_interval_seconds", "2"),
        ("signup.email_verification", "required"),
    ];
    let Some(post) = Post::start(kind, &settings).await else { return };
    let ada = address("ada");
    for name in ["eve", "mallory", "ada"] {
        assert_eq!(post.signup(name, &ada, PASSWORD).await.status, 202);
    }
    let started = Instant::now();
    post.emails(&ada, subject::CONFIRM, 3).await;
    assert!(started.elapsed() > Duration::from_secs(2), "three spans take two at least");
    let own = post.signup("ada.l", &ada, OTHER).await;
    let mail = post.nth_email(&ada, subject::CONFIRM, 3).await;
    let body = json!({"token": token(&mail), "signup_id": own.text_of("signup_id")});
    assert_eq!(post.say("email/confirm", body).await.status, 204);
}
