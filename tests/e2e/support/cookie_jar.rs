//! `CookieJar`: the cookies of a session in cookie mode, without a browser.

use std::collections::BTreeMap;

use gateward_e2e::{Client, PASSWORD, TestResponse};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

pub(crate) const ACCESS: &str = "__Host-gateward-access";
pub(crate) const REFRESH: &str = "__Secure-gateward-refresh";
pub(crate) const CSRF: &str = "__Host-gateward-csrf";
pub(crate) const DEVICE: &str = "__Host-gateward-device";

/// The public URL of the nodes in the tests.
pub(crate) const OWN: &str = "http://127.0.0.1:8080";

/// One line `Set-Cookie`.
#[derive(Clone, Debug)]
pub(crate) struct SetCookie {
    pub(crate) name: String,
    pub(crate) value: String,
    /// The attributes but `Max-Age`, in their order.
    pub(crate) attributes: Vec<String>,
    pub(crate) max_age: i64,
}

/// The cookies that a response sets or clears, in order.
pub(crate) fn set_cookies(response: &TestResponse) -> Vec<SetCookie> {
    let lines = response.headers.get_all("set-cookie").iter();
    lines.map(|line| read(line.to_str().unwrap())).collect()
}

fn read(line: &str) -> SetCookie {
    let mut parts = line.split("; ").map(ToOwned::to_owned);
    let pair = parts.next().unwrap();
    let (name, value) = pair.split_once('=').unwrap();
    let (age, attributes): (Vec<_>, Vec<_>) = parts.partition(|part| part.starts_with("Max-Age="));
    assert_eq!(age.len(), 1, "{line}");
    let max_age = age[0].trim_start_matches("Max-Age=").parse().unwrap();
    SetCookie { name: name.to_owned(), value: value.to_owned(), attributes, max_age }
}

/// The cookies of one browser.
#[derive(Clone, Debug)]
pub(crate) struct CookieJar {
    pub(crate) cookies: BTreeMap<String, String>,
    pub(crate) session_id: String,
}

impl CookieJar {
    /// The cookies that a browser keeps of a login response.
    pub(crate) fn of(response: &TestResponse) -> Self {
        assert_eq!(response.status, 200, "{response:?}");
        let session_id = response.text_of("session_id").to_owned();
        let mut cookie_jar = Self { cookies: BTreeMap::new(), session_id };
        cookie_jar.keep(response);
        cookie_jar
    }

    pub(crate) async fn login(client: &Client, name: &str) -> Self {
        Self::of(&client.send(login_request(client, name)).await)
    }

    pub(crate) async fn begin(client: &Client, name: &str) -> Self {
        assert_eq!(client.signup(name).await.status, 201);
        Self::login(client, name).await
    }

    /// Stores the cookies that a response sets, and removes those that it clears.
    pub(crate) fn keep(&mut self, response: &TestResponse) {
        for cookie in set_cookies(response) {
            if cookie.max_age == 0 {
                self.cookies.remove(&cookie.name);
            } else {
                self.cookies.insert(cookie.name, cookie.value);
            }
        }
    }

    /// A value.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.cookies.get(name).unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }

    /// The `Cookie` header of a request to this path.
    pub(crate) fn line(&self, path: &str) -> String {
        let cookies = self.cookies.iter();
        let sent = cookies.filter(|(name, _)| *name != REFRESH || path == "/v1/refresh");
        let pairs: Vec<String> = sent.map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    /// A request with only the cookies for its path.
    pub(crate) fn bare(&self, client: &Client, method: Method, path: &str) -> RequestBuilder {
        client.request(method, path).header("cookie", self.line(path))
    }

    /// A request as a page of ours sends it.
    pub(crate) fn request(&self, client: &Client, method: Method, path: &str) -> RequestBuilder {
        let request = self.bare(client, method, path).header("origin", OWN);
        request.header("x-csrf-token", self.get(CSRF))
    }

    pub(crate) async fn me(&self, client: &Client) -> TestResponse {
        client.send(self.bare(client, Method::GET, "/v1/me")).await
    }

    /// Posts, as a page of ours does.
    pub(crate) async fn post(&self, client: &Client, path: &str, body: &Value) -> TestResponse {
        client.send(self.request(client, Method::POST, path).json(body)).await
    }

    /// Refreshes without a body, as a page of ours does.
    pub(crate) async fn refresh(&self, client: &Client, key: Option<&str>) -> TestResponse {
        let request = self.request(client, Method::POST, "/v1/refresh");
        client.send(key.iter().fold(request, |all, key| all.header("idempotency-key", *key))).await
    }
}

/// A login in cookie mode, not sent yet.
pub(crate) fn login_request(client: &Client, name: &str) -> RequestBuilder {
    let body = json!({"identifier": name, "password": PASSWORD, "transport": "cookie"});
    client.post("/v1/login", &body)
}

/// Asserts that the response is this problem and sets no cookie.
#[track_caller]
pub(crate) fn refuses(response: &TestResponse, status: u16, code: &str) {
    response.is(status, code);
    assert!(!response.headers.contains_key("set-cookie"), "{response:?}");
}
