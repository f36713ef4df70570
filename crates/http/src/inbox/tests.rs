//! Tests of the inbox: who may open it, and that emails stay in their frames.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use gateward_app::domain::ports::{Inbox, InboxEmail};
use gateward_app::domain::{EmailAddress, Timestamp};
use serde_json::json;

use super::page;
use crate::testing::{TestApp, TestResponse};

/// Always holds the same emails.
struct StillInbox(Vec<InboxEmail>);

impl Inbox for StillInbox {
    fn emails(&self) -> Vec<InboxEmail> {
        self.0.clone()
    }
}

fn email() -> InboxEmail {
    InboxEmail {
        to: EmailAddress::parse("ada@example.org").unwrap(),
        subject: "Confirm <your> address".to_owned(),
        headers: "Message-ID: <1@example.org>\r\nX: </pre><script>\r\n".to_owned(),
        text: "Hello </pre><script>".to_owned(),
        html: "<!doctype html><html><head><title>x</title></head><body>Hello</body></html>"
            .to_owned(),
        links: vec![
            "http://127.0.0.1:8080/confirm-email#token=a\"b".to_owned(),
            "javascript:alert(1)".to_owned(),
        ],
        code: Some("12345678".to_owned()),
        sent_at: Timestamp::from_seconds(1_700_000_000),
    }
}

async fn get(
    test_app: &TestApp,
    path: &str,
    headers: &[(&'static str, &'static str)],
) -> TestResponse {
    let request = TestRequest::get().uri(path);
    test_app
        .send(headers.iter().fold(request, |request, header| request.insert_header(*header)))
        .await
}

async fn with_emails(emails: Vec<InboxEmail>) -> TestApp {
    TestApp::panicking().await.with_inbox(Arc::new(StillInbox(emails)))
}

const LOCAL: (&str, &str) = ("host", "localhost:8080");

fn paths() -> [String; 3] {
    let email = format!("/dev/inbox/{}.html", page::id(&email()));
    ["/dev/inbox".to_owned(), "/dev/inbox.json".to_owned(), email]
}

/// Rows H1 and W16: without an inbox, or under a foreign host name, the page does not exist.
#[actix_web::test]
async fn h1_the_inbox_is_nowhere_to_strangers() {
    let (none, some) = (TestApp::panicking().await, with_emails(vec![email()]).await);
    for path in paths() {
        let status = get(&none, &path, &[LOCAL]).await.status;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        let status = get(&some, &path, &[("host", "evil.example")]).await.status;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        let status = get(&some, &path, &[]).await.status;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        let led = [LOCAL, ("sec-fetch-site", "cross-site")];
        assert_eq!(get(&some, &path, &led).await.status, StatusCode::FORBIDDEN, "{path}");
        for site in ["none", "same-origin"] {
            let own = [LOCAL, ("sec-fetch-site", site)];
            assert_eq!(get(&some, &path, &own).await.status, StatusCode::OK, "{path}");
        }
    }
    let response = get(&some, "/dev/inbox/l0.html", &[LOCAL]).await;
    assert_eq!(response.status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn programs_read_the_emails_as_json() {
    let response = get(&with_emails(vec![email()]).await, "/dev/inbox.json", &[LOCAL]).await;
    assert_eq!(response.header("cache-control"), "no-store");
    let email = email();
    let promised = json!({"items": [{
        "to": "ada@example.org", "subject": email.subject, "text": email.text,
        "html": email.html, "links": email.links, "code": "12345678",
        "sent_at": "2023-11-14T22:13:20Z",
    }]});
    assert_eq!(response.json(), promised);
}

/// Row H3: no content of an email runs.
#[actix_web::test]
async fn h3_an_email_stays_in_its_frame() {
    let app = with_emails(vec![email()]).await;
    let response = get(&app, "/dev/inbox", &[LOCAL]).await;
    let policy = response.header("content-security-policy");
    assert!(!policy.contains("unsafe"), "{policy}");
    let body = &response.text;
    assert_eq!(body.matches("<script>").count(), 1, "the page's own");
    assert!(body.contains("Confirm &lt;your&gt; address"));
    assert!(body.contains("href=\"http://127.0.0.1:8080/confirm-email#token=a&quot;b\""));
    assert!(!body.contains("href=\"javascript:"));
    assert!(body.contains("sandbox=\"allow-popups allow-popups-to-escape-sandbox\""));

    let [_, _, path] = paths();
    assert!(body.contains(&format!("src=\"{path}\"")));
    let response = get(&app, &path, &[LOCAL]).await;
    let policy = response.header("content-security-policy");
    assert_eq!(policy, page::EMAIL_POLICY);
    let body = &response.text;
    assert!(body.contains("<head><base target=\"_blank\"><title>"));
}

#[actix_web::test]
async fn an_empty_inbox_says_how_to_get_an_email() {
    let response = get(&with_emails(Vec::new()).await, "/dev/inbox", &[LOCAL]).await;
    let body = &response.text;
    assert!(body.contains("No emails yet"));
    assert!(body.contains("curl https://auth.example.org/v1/signup"));
}
