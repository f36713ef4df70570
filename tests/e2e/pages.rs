//! The pages behind emailed links over HTTP, as requested by scanners, other sites and forgers.

mod cross_site;
mod links;
mod shown;

use gateward_e2e::{Client, PASSWORD, TestResponse};
use reqwest::Method;
use serde_json::json;

use crate::support::inbox::{link_token, wait_for_email};
use crate::support::pages::{FORM, encode};
use crate::support::password_reset::forgot;
use crate::support::test_server::TestServer;

/// The password that a reset chooses here.
const NEW: &str = "an entirely new one";

/// Sends a form with these headers.
async fn send(
    client: &Client,
    path: &str,
    fields: &[(&str, &str)],
    headers: &[(&str, &str)],
) -> TestResponse {
    let mut request = client.request(Method::POST, path).header("content-type", FORM);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    client.send(request.body(encode(fields))).await
}

/// An unused emailed link, of a separate user.
struct Open {
    path: &'static str,
    name: &'static str,
    token: String,
    /// An access token that the owner already has; for a link about another account, that
    /// account's; for an invitation, that of the inviting user.
    access: String,
}

impl Open {
    /// A link for each page.
    async fn all(server: &TestServer) -> [Self; 5] {
        let client = &server.client;
        [
            Self::confirmation(client, "ada").await,
            Self::reset(client, "bob").await,
            Self::undo(client, "cleo").await,
            Self::not_me(client, "dora").await,
            Self::invitation(server, "emmy").await,
        ]
    }

    async fn confirmation(client: &Client, name: &'static str) -> Self {
        let access = client.begin(name).await.access().to_owned();
        let path = "/confirm-email";
        Self { path, name, token: newest(client, name, "Confirm your email address").await, access }
    }

    async fn reset(client: &Client, name: &'static str) -> Self {
        let access = client.begin(name).await.access().to_owned();
        forgot(client, &format!("{name}@example.org")).await;
        let path = "/reset-password";
        Self { path, name, token: newest(client, name, "Reset your password").await, access }
    }

    async fn undo(client: &Client, name: &'static str) -> Self {
        let access = client.begin(name).await.access().to_owned();
        let email = format!("{name}.new@example.org");
        let body = json!({"new_email": email, "password": PASSWORD});
        assert_eq!(client.post_as(&access, "/v1/me/email", &body).await.status, 202);
        let path = "/undo-email-change";
        Self {
            path,
            name,
            token: newest(client, name, "Your email address is about").await,
            access,
        }
    }

    async fn not_me(client: &Client, name: &'static str) -> Self {
        client.begin(name).await;
        let body = json!({"identifier": name, "password": PASSWORD});
        let login = client.post("/v1/login", &body).header("user-agent", "a stranger's");
        let access = client.send(login).await.access().to_owned();
        Self { path: "/not-me", name, token: newest(client, name, "New login to").await, access }
    }

    async fn invitation(server: &TestServer, name: &'static str) -> Self {
        let client = &server.client;
        let access = server.admin("grace").await.access().to_owned();
        let body = json!({"username": name, "email": format!("{name}@example.org")});
        assert_eq!(client.post_as(&access, "/v1/users", &body).await.status, 201);
        let path = "/accept-invitation";
        Self { path, name, token: newest(client, name, "You have been invited").await, access }
    }

    /// The fields of the form with valid values and another token.
    fn fields<'a>(&self, token: &'a str) -> Vec<(&'static str, &'a str)> {
        let mut fields = vec![("token", token)];
        match self.path {
            "/confirm-email" => fields.push(("password", PASSWORD)),
            "/reset-password" | "/accept-invitation" => fields.push(("new_password", NEW)),
            _ => {}
        }
        fields
    }

    /// Submits the form like the page.
    async fn act(&self, client: &Client) -> TestResponse {
        send(client, self.path, &self.fields(&self.token), &[]).await
    }

    /// Whether the action of the link is done.
    async fn is_done(&self, client: &Client) -> bool {
        let me = client.me(&self.access).await;
        match self.path {
            "/confirm-email" => me.body["email_verified"] == true,
            "/reset-password" | "/accept-invitation" => {
                client.login(self.name, NEW).await.status == 200
            }
            _ => me.status == 401,
        }
    }

    /// Asserts that the link had no effect so far, and that it works now.
    async fn still_works(&self, client: &Client) {
        assert!(!self.is_done(client).await, "{}", self.path);
        let response = self.act(client).await;
        assert_eq!(response.status, 200, "{}: {response:?}", self.path);
        assert!(self.is_done(client).await, "{}", self.path);
    }
}

/// The token of the only email with this title to a user.
async fn newest(client: &Client, name: &str, title: &str) -> String {
    let message = wait_for_email(client, &format!("{name}@example.org"), title, 1).await;
    link_token(&message).to_owned()
}

/// Asserts that it is a page, and not a problem document.
#[track_caller]
fn is_page(response: &TestResponse, status: u16) {
    assert_eq!(response.status, status, "{response:?}");
    assert_eq!(response.header("content-type"), Some("text/html; charset=utf-8"), "{response:?}");
    assert_eq!(response.header("cache-control"), Some("no-store"), "{response:?}");
}

/// Rows V7 and W3: scanners, previews and other readers do not use the link.
#[tokio::test]
async fn v7_a_hundred_looks_use_nothing_up() {
    let server = TestServer::new().await;
    let client = &server.client;
    for open in Open::all(&server).await {
        let Open { path, token, .. } = &open;
        for look in 0..100 {
            let method = if look % 2 == 0 { Method::GET } else { Method::HEAD };
            let query = match look % 5 {
                0 => String::new(),
                1 => format!("?token={token}"),
                2 => format!("?token={token}&password={PASSWORD}&new_password={NEW}"),
                3 => "?next=//evil.example&%ff&&a=1&a=1".to_owned(),
                _ => format!("?utm_source=mail&_method=POST&{look}"),
            };
            let headers = [("x-http-method-override", "POST"), ("sec-purpose", "prefetch")];
            let query = query.replace(' ', "%20");
            let response = server.send_with(method, &format!("{path}{query}"), &headers).await;
            is_page(&response, 200);
            assert!(!response.text.contains(token.as_str()), "{path}{query}");
        }
        open.still_works(client).await;
    }
}

/// Row 14.2.1: a token in the query is ignored, even beside a form.
#[tokio::test]
async fn v7_a_token_in_the_query_does_nothing() {
    let server = TestServer::new().await;
    let client = &server.client;
    for open in Open::all(&server).await {
        let whole = open.fields(&open.token);
        let rest = &whole[1..];
        let in_query = format!("{}?{}", open.path, encode(&whole));
        is_page(&send(client, &in_query, &[], &[]).await, 422);
        let beside = format!("{}?token={}", open.path, open.token);
        is_page(&send(client, &beside, rest, &[]).await, 422);
        is_page(&send(client, &beside, &whole, &[]).await, 422);
        let response = send(client, open.path, rest, &[]).await;
        is_page(&response, 422);
        open.still_works(client).await;
    }
}

/// Row H4: a page links nowhere else, whatever the end of its link contains.
#[tokio::test]
async fn h4_no_parameter_leads_elsewhere() {
    let server = TestServer::new().await;
    let client = &server.client;
    let places = [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https:evil.example",
        "javascript:alert(1)//evil.example",
        "data:text/html,evil.example",
        "\thttps://evil.example",
        "java\nscript:evil.example",
        "/%2f%2fevil.example",
        "/..%2f/evil.example",
        "http://127.0.0.1:8080@evil.example",
        "http://127.0.0.1:8080.evil.example",
    ];
    let names = ["next", "redirect", "redirect_uri", "return_to", "continue", "url", "base"];
    for open in Open::all(&server).await {
        let plain = client.get(open.path).await.text;
        for index in places {
            for name in names {
                let query = format!("{}?{}", open.path, encode(&[(name, index)]));
                let raw = index.replace(['\t', '\n', '\\'], "%09");
                for path in [query.clone(), format!("{}?{name}={raw}", open.path)] {
                    let response = client.get(&path).await;
                    assert_eq!((response.status.as_u16(), &response.text), (200, &plain), "{path}");
                }
                let mut fields = open.fields(&open.token);
                let in_query = send(client, &query, &fields, &[]).await;
                fields.push((name, index));
                for refused in [in_query, send(client, open.path, &fields, &[]).await] {
                    is_page(&refused, 422);
                    assert!(!refused.text.contains("evil"), "{refused:?}");
                }
            }
        }
        let done = open.act(client).await;
        assert_eq!(done.status, 200);
        assert_eq!((done.header("location"), done.header("refresh")), (None, None));
        assert!(open.is_done(client).await);
    }
}

/// Row W3: only `POST` acts, and other methods are refused as everywhere else.
#[tokio::test]
async fn w3_other_methods_are_refused() {
    let server = TestServer::new().await;
    let client = &server.client;
    for open in Open::all(&server).await {
        let form = encode(&open.fields(&open.token));
        for method in ["OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "CONFIRM"] {
            let method: Method = method.parse().unwrap();
            let request = client.request(method.clone(), open.path).header("content-type", FORM);
            let response = client.send(request.body(form.clone())).await;
            assert_eq!(response.status, 405, "{method} {response:?}");
            let mut allow: Vec<&str> = response.header("allow").unwrap().split(", ").collect();
            allow.sort_unstable();
            assert_eq!(allow, ["GET", "HEAD", "POST"], "{method}");
        }
        open.still_works(client).await;
    }
}
