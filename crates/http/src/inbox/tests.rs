//! Tests of the inbox: who may open it, and that emails stay in their frames.

use std::sync::Arc;

use actix_web::App as Application;
use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::test::{self, TestRequest};
use gateward_app::domain::ports::{Inbox, InboxEmail};
use gateward_app::domain::{EmailAddress, Timestamp};
use serde_json::{Value, json};

use super::page;
use crate::App;

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

async fn ask(app: &App, path: &str, headers: &[(&'static str, &'static str)]) -> ServiceResponse {
    let service =
        test::init_service(Application::new().configure(|config| crate::configure(app, config)))
            .await;
    let request = TestRequest::get().uri(path);
    let request = headers.iter().fold(request, |request, header| request.insert_header(*header));
    let response = test::call_service(&service, request.to_request()).await;
    response.map_into_boxed_body()
}

async fn with_emails(emails: Vec<InboxEmail>) -> App {
    crate::tests::app().await.with_inbox(Arc::new(StillInbox(emails)))
}

const LOCAL: (&str, &str) = ("host", "localhost:8080");

fn paths() -> [String; 3] {
    let email = format!("/dev/inbox/{}.html", page::id(&email()));
    ["/dev/inbox".to_owned(), "/dev/inbox.json".to_owned(), email]
}

/// Rows H1 and W16: without an inbox, or under a foreign host name, the page does not exist.
#[actix_web::test]
async fn h1_the_inbox_is_nowhere_to_strangers() {
    let (none, some) = (crate::tests::app().await, with_emails(vec![email()]).await);
    for path in paths() {
        let status = ask(&none, &path, &[LOCAL]).await.status();
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        let status = ask(&some, &path, &[("host", "evil.example")]).await.status();
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        let status = ask(&some, &path, &[]).await.status();
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        let led = [LOCAL, ("sec-fetch-site", "cross-site")];
        assert_eq!(ask(&some, &path, &led).await.status(), StatusCode::FORBIDDEN, "{path}");
        for site in ["none", "same-origin"] {
            let own = [LOCAL, ("sec-fetch-site", site)];
            assert_eq!(ask(&some, &path, &own).await.status(), StatusCode::OK, "{path}");
        }
    }
    let response = ask(&some, "/dev/inbox/l0.html", &[LOCAL]).await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn programs_read_the_emails_as_json() {
    let response = ask(&with_emails(vec![email()]).await, "/dev/inbox.json", &[LOCAL]).await;
    assert_eq!(response.headers().get("cache-control").unwrap(), "no-store");
    let body: Value = test::read_body_json(response).await;
    let email = email();
    let promised = json!({"items": [{
        "to": "ada@example.org", "subject": email.subject, "text": email.text,
        "html": email.html, "links": email.links, "code": "12345678",
        "sent_at": "2023-11-14T22:13:20Z",
    }]});
    assert_eq!(body, promised);
}

/// Row H3: no content of an email runs.
#[actix_web::test]
async fn h3_an_email_stays_in_its_frame() {
    let app = with_emails(vec![email()]).await;
    let response = ask(&app, "/dev/inbox", &[LOCAL]).await;
    let policy = response.headers().get("content-security-policy").unwrap().to_str().unwrap();
    assert!(!policy.contains("unsafe"), "{policy}");
    let body = String::from_utf8(test::read_body(response).await.to_vec()).unwrap();
    assert_eq!(body.matches("<script>").count(), 1, "the page's own");
    assert!(body.contains("Confirm &lt;your&gt; address"));
    assert!(body.contains("href=\"http://127.0.0.1:8080/confirm-email#token=a&quot;b\""));
    assert!(!body.contains("href=\"javascript:"));
    assert!(body.contains("sandbox=\"allow-popups allow-popups-to-escape-sandbox\""));

    let [_, _, path] = paths();
    assert!(body.contains(&format!("src=\"{path}\"")));
    let response = ask(&app, &path, &[LOCAL]).await;
    let policy = response.headers().get("content-security-policy").unwrap();
    assert_eq!(policy, page::EMAIL_POLICY);
    let body = String::from_utf8(test::read_body(response).await.to_vec()).unwrap();
    assert!(body.contains("<head><base target=\"_blank\"><title>"));
}

#[actix_web::test]
async fn an_empty_inbox_says_how_to_get_an_email() {
    let response = ask(&with_emails(Vec::new()).await, "/dev/inbox", &[LOCAL]).await;
    let body = String::from_utf8(test::read_body(response).await.to_vec()).unwrap();
    assert!(body.contains("No emails yet"));
    assert!(body.contains("curl https://auth.example.org/v1/signup"));
}
