//! The pages without scripts: codes are typed, and links are pasted.

use gateward_e2e::{Browser, BrowserPlan, PASSWORD};
use serde_json::Value;

use super::{SEND, change_address, wait_for_heading, wait_for_text};
use crate::support::inbox::{link, reachable, wait_for_email};
use crate::support::password_reset::forgot;
use crate::support::test_server::TestServer;

async fn start() -> Option<(Browser, TestServer)> {
    let plan = BrowserPlan { scripts: false, ..BrowserPlan::new(390, 844, false) };
    Some((plan.start().await?, reachable(&[]).await))
}

/// Types the email address and the code of an email.
async fn type_code(browser: &Browser, message: &Value) {
    browser.fill("input[name=email]", message["to"].as_str().unwrap()).await;
    browser.fill("input[name=code]", message["code"].as_str().unwrap()).await;
}

#[tokio::test]
async fn an_address_is_confirmed_by_a_code_without_a_script() {
    let Some((browser, server)) = start().await else { return };
    let pair = server.client.begin("ada").await;
    let message = wait_for_email(&server.client, "ada@example.org", "Confirm", 1).await;
    // Without a script the link still opens the page, which asks for the code.
    browser.goto(link(&message)).await;
    type_code(&browser, &message).await;
    browser.fill("input[name=password]", "not the right one").await;
    browser.click(SEND).await;
    wait_for_text(&browser, "[role=alert]", "Check your password").await;
    let kept = browser.wait_for("input[name=email]").await.attribute("value").await.unwrap();
    assert_eq!(kept.as_deref(), Some("ada@example.org"));
    type_code(&browser, &message).await;
    browser.fill("input[name=password]", PASSWORD).await;
    browser.click(SEND).await;
    wait_for_heading(&browser, "Your email address is confirmed").await;
    assert_eq!(server.client.me(pair.access()).await.body["email_verified"], true);
}

#[tokio::test]
async fn a_password_is_reset_by_a_code_without_a_script() {
    let Some((browser, server)) = start().await else { return };
    assert_eq!(server.client.signup("ada").await.status, 201);
    forgot(&server.client, "ada@example.org").await;
    let message = wait_for_email(&server.client, "ada@example.org", "Reset", 1).await;
    browser.goto(&format!("{}/reset-password", server.node.url)).await;
    type_code(&browser, &message).await;
    browser.fill("input[name=new_password]", "an entirely new one").await;
    browser.click(SEND).await;
    wait_for_heading(&browser, "Your password was reset").await;
    assert_eq!(server.client.login("ada", "an entirely new one").await.status, 200);
    server.client.login("ada", PASSWORD).await.is(401, "invalid_credentials");
}

#[tokio::test]
async fn a_change_of_address_is_undone_by_a_pasted_link_without_a_script() {
    let Some((browser, server)) = start().await else { return };
    let client = &server.client;
    let pair = client.begin("ada").await;
    let message = change_address(client, &pair).await;
    browser.goto(&format!("{}/undo-email-change", server.node.url)).await;
    browser.fill("input[name=token]:not([type=hidden])", link(&message)).await;
    browser.click(SEND).await;
    wait_for_heading(&browser, "Your email address is restored").await;
    client.me(pair.access()).await.is(401, "session_ended");
    wait_for_email(client, "ada@example.org", "Reset your password", 1).await;
}

/// The inbox shows new emails without a script, too.
#[tokio::test]
async fn the_inbox_looks_for_emails_without_a_script() {
    let Some((browser, server)) = start().await else { return };
    browser.goto(&format!("{}/dev/inbox", server.node.url)).await;
    assert!(browser.text("#emails").await.contains("No emails yet"));
    assert_eq!(server.client.signup("ada").await.status, 201);
    wait_for_text(&browser, "#emails > details", "Confirm your email address for Gateward").await;
}
