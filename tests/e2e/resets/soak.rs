//! Row V1: guessing the links of emails.

use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::StreamExt;
use gateward_e2e::Database;
use serde_json::json;

use super::reset;
use crate::support::post::{OTHER, Post, address, subject, token};

/// Row V1: 10,000 guesses, half of them at each endpoint, change nothing for the target.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn v1_guessing_links_finds_none_and_harms_nobody() {
    let Some(post) = Post::start(Database::Sqlite, &[]).await else { return };
    let ada = post.client.begin("ada").await;
    let confirm = token(&post.email(&address("ada"), subject::CONFIRM).await);
    let link = token(&post.forgot(&address("ada"), 0).await);
    let guess = |number: usize| {
        let mut bytes = [0; 32];
        rand::fill(&mut bytes).unwrap();
        let mut guess = URL_SAFE_NO_PAD.encode(bytes);
        let (path, good) = [("confirm", &confirm), ("reset", &link)][number % 2];
        if number % 10 < 2 {
            // A link that is right except for its end.
            guess.replace_range(..good.len() - 8, &good[..good.len() - 8]);
        }
        let (path, body) = match path {
            "confirm" => ("/v1/email/confirm", json!({"token": guess})),
            _ => ("/v1/password/reset", reset(&guess, OTHER)),
        };
        let request = post.client.post(path, &body).bearer_auth(ada.access());
        let client = post.client.clone();
        async move { client.send(request).await }
    };
    let responses = futures_util::stream::iter((0..10_000).map(guess)).buffer_unordered(32);
    responses.for_each(async |response| response.is(400, "invalid_link")).await;

    let me = post.client.me(ada.access()).await;
    assert_eq!((me.status.as_u16(), &me.body["email_verified"]), (200, &json!(false)));
    assert_eq!(post.say_as(&ada, "email/confirm", json!({"token": confirm})).await.status, 204);
    assert_eq!(post.say("password/reset", reset(&link, OTHER)).await.status, 204);
    post.login("ada", OTHER).await;
}
