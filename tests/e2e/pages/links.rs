//! Invalid links: one page for all of them.

use gateward_e2e::{Client, Database, Plan, ShiftedClock, TestDatabase, TestResponse};

use super::{Open, is_page, send};
use crate::support::inbox::{link_token, wait_for_email};
use crate::support::pages::PATHS;
use crate::support::password_reset::forgot;
use crate::support::test_server::TestServer;

/// The page for an invalid link, without the token, which the client already knows.
async fn refusal(client: &Client, open: &Open, token: &str) -> String {
    let response = send(client, open.path, &open.fields(token), &[]).await;
    is_page(&response, 400);
    let hidden = format!("value=\"{token}\"");
    assert_eq!(response.text.matches(&hidden).count(), 1, "{response:?}");
    response.text.replace(&hidden, "value=\"\"")
}

/// The text of the page about the link.
fn words(response: &TestResponse) -> String {
    let (_, rest) = response.text.split_once("role=\"alert\"").unwrap();
    rest.split_once("</div>").unwrap().0.to_owned()
}

/// Rows 6.3.8 and V7: unknown, used, superseded or from another page: the response is the same.
#[tokio::test]
async fn every_bad_link_gets_the_same_page() {
    let server = TestServer::new().await;
    let client = &server.client;
    let links = Open::all(&server).await;
    for open in &links {
        let unknown = refusal(client, open, &"A".repeat(43)).await;
        assert!(unknown.contains("role=\"alert\""));
        for other in links.iter().filter(|other| other.path != open.path) {
            assert_eq!(refusal(client, open, &other.token).await, unknown, "another page's");
        }
        let mut changed = open.token.clone();
        let last = changed.pop().unwrap();
        for garbage in ["x", &"x".repeat(128), &changed, &format!("{changed}{last}A")] {
            assert_eq!(refusal(client, open, garbage).await, unknown, "{garbage}");
        }
        if open.path == "/reset-password" {
            let older = &open.token;
            forgot(client, "bob@example.org").await;
            let title = "Reset your password";
            let newer = wait_for_email(client, "bob@example.org", title, 2).await;
            assert_eq!(refusal(client, open, older).await, unknown, "superseded");
            let newer = send(client, open.path, &open.fields(link_token(&newer)), &[]).await;
            assert_eq!(newer.status, 200, "{newer:?}");
        } else {
            assert_eq!(open.act(client).await.status, 200);
        }
        assert!(open.is_done(client).await);
        assert_eq!(refusal(client, open, &open.token).await, unknown, "used");
        // A malformed token is not echoed, and gets the same text.
        let plain = send(client, open.path, &open.fields("x"), &[]).await;
        for strange in ["a.b", "🦀", "%00", &"x".repeat(129), "' OR 1=1 --"] {
            let response = send(client, open.path, &open.fields(strange), &[]).await;
            is_page(&response, 400);
            assert_eq!(words(&response), words(&plain), "{strange}");
        }
    }
}

/// Rows V5 and 6.5.5: a link is valid for its lifetime, and then looks like one that never existed.
#[tokio::test]
async fn v5_a_link_past_its_time_gets_the_page_of_one_that_never_was() {
    let Some(clock) = ShiftedClock::new() else { return };
    let database = TestDatabase::new(Database::Sqlite).await;
    let mut plan = Plan::on(&database);
    plan.environment.extend(clock.environment());
    let server = TestServer::on(plan.start().await, plan, database);
    let client = &server.client;
    let [confirm, reset, undo, not_me, invitation] = Open::all(&server).await;
    let week = 7 * 24 * 3600;
    for (open, life) in
        [(&reset, 600), (&confirm, 24 * 3600), (&undo, week), (&not_me, week), (&invitation, week)]
    {
        clock.set(life + 5);
        let unknown = refusal(client, open, &"A".repeat(43)).await;
        assert_eq!(refusal(client, open, &open.token).await, unknown, "{}", open.path);
        // A little earlier it would have been valid.
        clock.set(life - 60);
        assert_eq!(open.act(client).await.status, 200, "{}", open.path);
    }
}

/// The whole link of the email can be pasted.
#[tokio::test]
async fn a_pasted_link_is_as_good_as_its_token() {
    let server = TestServer::new().await;
    let client = &server.client;
    for (open, path) in Open::all(&server).await.iter().zip(PATHS) {
        let link = format!(" http://127.0.0.1:8080{path}#token={} ", open.token);
        let response = send(client, open.path, &open.fields(&link), &[]).await;
        assert_eq!(response.status, 200, "{response:?}");
        assert!(open.is_done(client).await);
    }
}
