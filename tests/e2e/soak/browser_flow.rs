//! From an email in the inbox to the account, in a browser, as a developer uses it.

mod again;
mod by_hand;
mod pictures;

use std::time::Duration;

use gateward_e2e::{Browser, Client, PASSWORD, TestResponse, eventually};
use serde_json::{Value, json};

use crate::support::inbox::{link, reachable, wait_for_email};
use crate::support::password_reset::forgot;
use crate::support::test_server::TestServer;

/// How long a page may take, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Submits the form of a page.
const SEND: &str = "form button:not([type=button])";

/// The newest email in the inbox.
const NEWEST: &str = "#emails > details:first-child";

/// Runs a script on the page, and returns its result.
async fn script(browser: &Browser, script: &str) -> Value {
    let body = json!({"script": script, "args": []});
    browser.session.post("/execute/sync", body).await.unwrap()
}

/// Waits until an element has this text, across page loads.
async fn wait_for_text(browser: &Browser, css: &str, text: &str) {
    eventually(PATIENCE, async || {
        let shown = match browser.session.find(css).await {
            Ok(element) => element.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        };
        if shown.contains(text) { Ok(()) } else { Err(format!("{shown:?} and not {text:?}")) }
    })
    .await;
}

/// Waits until the page has this heading.
async fn wait_for_heading(browser: &Browser, heading: &str) {
    wait_for_text(browser, "h1", heading).await;
}

/// Asserts that the page has loaded nothing from another host, and has no errors.
async fn is_at_peace(browser: &Browser, server: &TestServer) {
    let used = "return [...document.querySelectorAll('[src],[href],[action]')]
        .map(one => one.src || one.href || one.action)
        .concat(performance.getEntries().map(one => one.name))
        .filter(name => /^[a-z]+:/i.test(name))";
    let used = script(browser, used).await;
    let own = format!("{}/", server.node.url);
    for url in used.as_array().unwrap() {
        assert!(url.as_str().unwrap().starts_with(&own), "{url} of {used}");
    }
    assert_eq!(browser.console_errors().await, [""; 0]);
}

/// Clicks on a link that opens a window, and switches to it. Returns the previous window.
async fn follow(browser: &Browser, css: &str) -> Value {
    let inbox = browser.session.get("/window").await.unwrap();
    browser.click(css).await;
    browser.enter_other_window().await;
    inbox
}

/// Closes the current window, and switches to another.
async fn close(browser: &Browser, other: Value) {
    let here = browser.session.get("/window").await.unwrap();
    browser.session.develop("Target.closeTarget", json!({"targetId": here})).await.unwrap();
    browser.session.post("/window", json!({"handle": other})).await.unwrap();
}

/// Waits until the page shows this many emails, without a reload.
async fn wait_for_emails(browser: &Browser, count: usize) {
    let counted = "return document.querySelectorAll('#emails > details').length";
    eventually(PATIENCE, async || {
        let shown = script(browser, counted).await;
        if shown == count { Ok(()) } else { Err(format!("{shown} emails and not {count}")) }
    })
    .await;
}

/// Waits for the form, and until the address bar has only the path.
async fn has_no_secret(browser: &Browser, server: &TestServer, path: &str) {
    browser.wait_for(SEND).await;
    let whole = format!("{}{path}", server.node.url);
    eventually(PATIENCE, async || {
        let url = browser.url().await;
        if url == whole { Ok(()) } else { Err(url) }
    })
    .await;
}

/// The whole flow: an email appears by itself, its link opens a page, the page acts.
#[tokio::test]
async fn an_email_in_the_inbox_leads_to_the_account() {
    let Some(browser) = Browser::start(1280, 900, false).await else { return };
    let server = reachable(&[]).await;
    let client = &server.client;
    browser.goto(&format!("{}/dev/inbox", server.node.url)).await;
    assert!(browser.text("#emails").await.contains("No emails yet"));
    let pair = client.begin("ada").await;
    wait_for_emails(&browser, 1).await;
    assert!(browser.text(NEWEST).await.contains("Confirm your email address for Gateward"));
    assert!(!browser.text("#emails").await.contains("No emails yet"));
    is_at_peace(&browser, &server).await;

    // By the button of the email itself, in its frame.
    browser.enter_frame(&format!("{NEWEST} iframe")).await;
    let inbox = follow(&browser, "a[href*='/confirm-email#token=']").await;
    has_no_secret(&browser, &server, "/confirm-email").await;
    assert_eq!(script(&browser, "return history.length").await, 1, "nothing to go back to");
    assert!(!browser.shows("input[name=code]").await, "the link is enough");
    is_at_peace(&browser, &server).await;
    assert_eq!(client.me(pair.access()).await.body["email_verified"], false);
    browser.fill("input[name=password]", PASSWORD).await;
    browser.click(SEND).await;
    wait_for_heading(&browser, "Your email address is confirmed").await;
    is_at_peace(&browser, &server).await;
    close(&browser, inbox).await;
    assert_eq!(client.me(pair.access()).await.body["email_verified"], true);

    // By the link that the inbox shows beside the email.
    forgot(client, "ada@example.org").await;
    wait_for_emails(&browser, 2).await;
    assert!(browser.text(NEWEST).await.contains("Reset your Gateward password"));
    browser.click(&format!("{NEWEST} > summary")).await;
    let inbox = follow(&browser, &format!("{NEWEST} a[href*='/reset-password#token=']")).await;
    has_no_secret(&browser, &server, "/reset-password").await;
    browser.fill("input[name=new_password]", "an entirely new one").await;
    browser.click(SEND).await;
    wait_for_heading(&browser, "Your password was reset").await;
    is_at_peace(&browser, &server).await;
    close(&browser, inbox).await;
    assert_eq!(client.login("ada", "an entirely new one").await.status, 200);
    client.login("ada", PASSWORD).await.is(401, "invalid_credentials");
    client.me(pair.access()).await.is(401, "session_ended");
    wait_for_emails(&browser, 3).await;
    is_at_peace(&browser, &server).await;
}

/// Asks for another email address for ada, and returns the email to the old one.
async fn change_address(client: &Client, pair: &TestResponse) -> Value {
    let body = json!({"new_email": "new@example.org", "password": PASSWORD});
    assert_eq!(client.post_as(pair.access(), "/v1/me/email", &body).await.status, 202);
    wait_for_email(client, "ada@example.org", "Your email address is about to change", 1).await
}

/// The email to the old email address undoes a change with one more click.
#[tokio::test]
async fn a_change_of_address_is_undone_by_its_link() {
    let Some(browser) = Browser::start(390, 844, false).await else { return };
    let server = reachable(&[]).await;
    let client = &server.client;
    let pair = client.begin("ada").await;
    let message = change_address(client, &pair).await;
    browser.goto(link(&message)).await;
    has_no_secret(&browser, &server, "/undo-email-change").await;
    assert!(!browser.shows("input[name=token]:not([type=hidden])").await);
    assert_eq!(client.me(pair.access()).await.status, 200, "nothing was done so far");
    browser.click(SEND).await;
    wait_for_heading(&browser, "Your email address is restored").await;
    is_at_peace(&browser, &server).await;
    client.me(pair.access()).await.is(401, "session_ended");
}

/// An invited user chooses a password by the link of the email, and logs in with it.
#[tokio::test]
async fn an_invitation_is_accepted_by_its_link() {
    let Some(browser) = Browser::start(390, 844, false).await else { return };
    let server = reachable(&[]).await;
    let client = &server.client;
    let admin = server.admin("grace").await;
    let whom = json!({"username": "ada", "email": "ada@example.org"});
    assert_eq!(client.post_as(admin.access(), "/v1/users", &whom).await.status, 201);
    let message = wait_for_email(client, "ada@example.org", "You have been invited", 1).await;
    browser.goto(link(&message)).await;
    has_no_secret(&browser, &server, "/accept-invitation").await;
    assert!(!browser.shows("input[name=token]:not([type=hidden])").await, "the link is enough");
    client.login("ada", PASSWORD).await.is(401, "invalid_credentials");
    browser.fill("input[name=new_password]", PASSWORD).await;
    browser.click(SEND).await;
    wait_for_heading(&browser, "Your password is set").await;
    is_at_peace(&browser, &server).await;
    let login = client.login("ada", PASSWORD).await;
    assert_eq!(login.body["user"]["email_verified"], true, "{login:?}");
}

/// A password can be made visible, and is still submitted as a password.
#[tokio::test]
async fn a_password_can_be_shown() {
    let Some(browser) = Browser::start(390, 844, false).await else { return };
    let server = reachable(&[]).await;
    browser.goto(&format!("{}/reset-password#token=abc", server.node.url)).await;
    let input = browser.wait_for("input[name=new_password]").await;
    for (label, kind) in [("Show the password", "text"), ("Hide the password", "password")] {
        browser.click(&format!("button[aria-label='{label}']")).await;
        assert_eq!(input.attribute("type").await.unwrap().as_deref(), Some(kind));
    }
}

/// A link that opens where its page already shows a result still leads to a form.
#[tokio::test]
async fn a_second_link_can_be_opened_in_the_place_of_the_first() {
    let Some(browser) = Browser::start(1280, 900, false).await else { return };
    let server = reachable(&[]).await;
    let client = &server.client;
    for name in ["ada", "bob"] {
        assert_eq!(client.signup(name).await.status, 201);
        let message = wait_for_email(client, &format!("{name}@example.org"), "Confirm", 1).await;
        browser.goto(link(&message)).await;
        has_no_secret(&browser, &server, "/confirm-email").await;
        browser.fill("input[name=password]", PASSWORD).await;
        browser.click(SEND).await;
        wait_for_heading(&browser, "Your email address is confirmed").await;
    }
}
