//! Forms that are shown again because of an error.

use gateward_e2e::{Browser, Client, PASSWORD};
use serde_json::json;

use super::{SEND, script, wait_for_heading, wait_for_text};
use crate::support::inbox::{emails, link, reachable, wait_for_email};
use crate::support::password_reset::forgot;

/// The form shows a wrong password, and the right one then works with the same link.
#[tokio::test]
async fn a_wrong_password_does_not_spoil_the_link() {
    let Some(browser) = Browser::start(390, 844, false).await else { return };
    let server = reachable(&[]).await;
    let pair = server.client.begin("ada").await;
    let message = wait_for_email(&server.client, "ada@example.org", "Confirm", 1).await;
    browser.goto(link(&message)).await;
    browser.fill("input[name=password]", "not the right one").await;
    browser.click(SEND).await;
    wait_for_text(&browser, "[role=alert]", "Check your password").await;
    assert!(!browser.url().await.contains("token"));
    assert!(!browser.source().await.contains("not the right one"));
    assert!(!browser.shows("input[name=code]").await, "the link is still there");
    browser.fill("input[name=password]", PASSWORD).await;
    browser.click(SEND).await;
    wait_for_heading(&browser, "Your email address is confirmed").await;
    assert_eq!(server.client.me(pair.access()).await.body["email_verified"], true);
}

/// A page with an invalid link leads to the code instead.
#[tokio::test]
async fn a_bad_link_leads_to_the_code() {
    let Some(browser) = Browser::start(390, 844, false).await else { return };
    let server = reachable(&[]).await;
    assert_eq!(server.client.signup("ada").await.status, 201);
    forgot(&server.client, "ada@example.org").await;
    let message = wait_for_email(&server.client, "ada@example.org", "Reset", 1).await;
    browser.goto(&format!("{}/reset-password#token=cut-off", server.node.url)).await;
    browser.fill("input[name=new_password]", "an entirely new one").await;
    browser.click(SEND).await;
    wait_for_text(&browser, "[role=alert]", "already used").await;
    browser.click("a[href='/reset-password']").await;
    browser.fill("input[name=email]", "ada@example.org").await;
    browser.fill("input[name=code]", message["code"].as_str().unwrap()).await;
    browser.fill("input[name=new_password]", "an entirely new one").await;
    browser.click(SEND).await;
    wait_for_heading(&browser, "Your password was reset").await;
}

/// The error of a new password is attached to its field, for browsers and screen readers.
#[tokio::test]
async fn a_password_that_is_refused_is_told_of_at_its_field() {
    let Some(browser) = Browser::start(390, 844, false).await else { return };
    let server = reachable(&[]).await;
    assert_eq!(server.client.signup("ada").await.status, 201);
    forgot(&server.client, "ada@example.org").await;
    let message = wait_for_email(&server.client, "ada@example.org", "Reset", 1).await;
    browser.goto(link(&message)).await;
    browser.fill("input[name=new_password]", "password123").await;
    browser.click(SEND).await;
    let field = browser.wait_for("input[name=new_password][aria-invalid=true]").await;
    let about = field.attribute("aria-describedby").await.unwrap().expect("a description");
    let mut words = String::new();
    for id in about.split(' ') {
        words.push_str(&browser.text(&format!("#{id}")).await);
    }
    assert!(words.contains("too common"), "{words}");
    let focused = "return document.activeElement.name";
    assert_eq!(script(&browser, focused).await, "new_password");
    browser.fill("input[name=new_password]", "an entirely new one").await;
    browser.click(SEND).await;
    wait_for_heading(&browser, "Your password was reset").await;
}

/// Two sign-ups use one username, and the second has to choose another.
#[tokio::test]
async fn a_name_that_is_gone_is_chosen_anew_on_the_page() {
    let Some(browser) = Browser::start(390, 844, true).await else { return };
    let server = reachable(&[("signup.email_verification", "required")]).await;
    let client = &server.client;
    for index in ["first", "second"] {
        let email = format!("{index}@example.org");
        let body = json!({"username": "ada", "email": email, "password": PASSWORD});
        assert_eq!(client.send(client.post("/v1/signup", &body)).await.status, 202);
    }
    confirm(&browser, client, "first@example.org").await;
    wait_for_heading(&browser, "Your email address is confirmed").await;
    confirm(&browser, client, "second@example.org").await;
    browser.wait_for("input[name=username][aria-invalid=true]").await;
    assert!(browser.text("form").await.contains("Another account took this username"));
    assert!(!browser.url().await.contains("token"));
    browser.fill("input[name=password]", PASSWORD).await;
    browser.fill("input[name=username]", "ada.second").await;
    browser.click(SEND).await;
    wait_for_heading(&browser, "Your email address is confirmed").await;
    for (name, index) in [("ada", "first"), ("ada.second", "second")] {
        let response = client.login(name, PASSWORD).await;
        assert_eq!(response.body["user"]["email"], format!("{index}@example.org"), "{response:?}");
    }
    assert_eq!(emails(client).await.len(), 2);
}

/// Opens the link of the email to this recipient, and submits the form with the password.
async fn confirm(browser: &Browser, client: &Client, email: &str) {
    let message = wait_for_email(client, email, "Confirm", 1).await;
    // Like a click in the email: not from the open page.
    browser.goto("about:blank").await;
    browser.goto(link(&message)).await;
    browser.fill("input[name=password]", PASSWORD).await;
    browser.click(SEND).await;
}
