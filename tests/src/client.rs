//! `Client`: speaks HTTP to a node.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::eventually;

/// A password that meets the policy.
pub const PASSWORD: &str = "correct horse battery";

/// A client of one node.
#[derive(Clone)]
pub struct Client {
    /// The underlying client, for custom requests.
    pub http: reqwest::Client,
    /// The URL of the node.
    pub url: String,
}

/// The response of a node.
#[derive(Clone, Debug)]
pub struct TestResponse {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as text.
    pub text: String,
    /// The body as JSON; `null` if it is none.
    pub body: Value,
}

impl Client {
    /// A client of the node at this URL.
    #[must_use]
    pub fn new(url: &str) -> Self {
        // A node here speaks plain HTTP, and reading the system's authorities takes time.
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        Self { http, url: url.to_owned() }
    }

    /// Sends a request.
    pub async fn send(&self, request: RequestBuilder) -> TestResponse {
        self.try_send(request).await.expect("an answer")
    }

    /// Sends a request that may get no response.
    pub async fn try_send(&self, request: RequestBuilder) -> reqwest::Result<TestResponse> {
        let response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(TestResponse { status, headers, text, body })
    }

    /// A request without body.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    /// A `POST` of JSON.
    pub fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        self.request(Method::POST, path).json(body)
    }

    /// Gets a path.
    pub async fn get(&self, path: &str) -> TestResponse {
        self.send(self.request(Method::GET, path)).await
    }

    /// Signs a user up with the email address `NAME@example.org`.
    pub async fn signup(&self, name: &str) -> TestResponse {
        let email = format!("{name}@example.org");
        let body = json!({"username": name, "email": email, "password": PASSWORD});
        self.send(self.post("/v1/signup", &body)).await
    }

    /// Logs a user in.
    pub async fn login(&self, name: &str, password: &str) -> TestResponse {
        let body = json!({"identifier": name, "password": password});
        self.send(self.post("/v1/login", &body)).await
    }

    /// Signs a user up and logs them in.
    pub async fn begin(&self, name: &str) -> TestResponse {
        assert_eq!(self.signup(name).await.status, 201);
        let reply = self.login(name, PASSWORD).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply
    }

    /// A refresh request.
    pub fn refresh_request(&self, token: &str, key: Option<&str>) -> RequestBuilder {
        let request = self.post("/v1/refresh", &json!({"refresh_token": token}));
        match key {
            Some(key) => request.header("Idempotency-Key", key),
            None => request,
        }
    }

    /// Refreshes a session.
    pub async fn refresh(&self, token: &str, key: Option<&str>) -> TestResponse {
        self.send(self.refresh_request(token, key)).await
    }

    /// Reads the user of an access token.
    pub async fn me(&self, token: &str) -> TestResponse {
        self.send(self.request(Method::GET, "/v1/me").bearer_auth(token)).await
    }

    /// Waits until the node knows that the caller holds a role, which a command has granted.
    pub async fn until_role(&self, access_token: &str, role: &str) {
        eventually(Duration::from_secs(10), async || {
            let me = self.me(access_token).await;
            let roles = me.body["roles"].as_array();
            if roles.is_some_and(|roles| roles.iter().any(|held| held == role)) {
                Ok(())
            } else {
                Err(format!("the node has not heard of the role {role}: {me:?}"))
            }
        })
        .await;
    }

    /// Waits until the node accepts an access token no longer.
    pub async fn until_refused(&self, access_token: &str, patience: Duration) {
        eventually(patience, async || {
            let me = self.me(access_token).await;
            if me.status == 200 {
                Err(format!("{} still accepts the token: {me:?}", self.url))
            } else {
                Ok(())
            }
        })
        .await;
    }

    /// A `POST` with an access token.
    pub async fn post_as(&self, token: &str, path: &str, body: &Value) -> TestResponse {
        self.send(self.post(path, body).bearer_auth(token)).await
    }

    /// Logs out by a refresh token.
    pub async fn logout(&self, token: &str) -> TestResponse {
        self.send(self.post("/v1/logout", &json!({"refresh_token": token}))).await
    }
}

impl TestResponse {
    /// A field of the body that is a string.
    #[must_use]
    pub fn text_of(&self, member: &str) -> &str {
        self.body[member].as_str().unwrap_or_else(|| panic!("no {member} in {self:?}"))
    }

    /// The access token.
    #[must_use]
    pub fn access(&self) -> &str {
        self.text_of("access_token")
    }

    /// The refresh token.
    #[must_use]
    pub fn refresh_token(&self) -> &str {
        self.text_of("refresh_token")
    }

    /// The code of the problem.
    #[must_use]
    pub fn code(&self) -> &str {
        self.text_of("code")
    }

    /// Asserts that it is this problem, with all its fields.
    #[track_caller]
    pub fn is(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.code(), code, "{self:?}");
        self.is_problem();
    }

    /// Asserts that it is a problem, with all its fields.
    #[track_caller]
    pub fn is_problem(&self) {
        assert!(self.status.is_client_error() || self.status.is_server_error(), "{self:?}");
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(self.body["status"], self.status.as_u16());
        assert_eq!(self.body["request_id"], self.headers["x-request-id"].to_str().unwrap());
        assert!(self.text_of("type").ends_with(&format!("/docs/problems#{}", self.code())));
        assert!(!self.text_of("title").is_empty() && !self.text_of("detail").is_empty());
        if self.status == 401 {
            let challenge = self.header("www-authenticate").unwrap_or_default();
            let scheme = challenge.split_once(" realm=").map(|(scheme, _)| scheme);
            assert!(matches!(scheme, Some("Bearer" | "Basic")), "{self:?}");
        }
    }

    /// A header that occurs once.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?.to_str().ok()?;
        values.next().is_none().then_some(value)
    }

    /// The invalid fields that the problem names.
    #[must_use]
    pub fn fields(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        errors.iter().filter_map(|error| error["field"].as_str()).collect()
    }
}

/// The claims of a token.
#[must_use]
pub fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).expect("three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}
