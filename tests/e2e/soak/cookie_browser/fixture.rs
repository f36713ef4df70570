//! `BrowserFixture`: a browser, a node with TLS, and pages of other origins.

use std::collections::BTreeMap;
use std::net::TcpListener;

use gateward_e2e::{Browser, BrowserPlan, Client, Database, Node, PASSWORD, Plan, TestDatabase};
use serde_json::{Value, json};

use super::site::{Certificate, serve_page};

/// Sends a request from the page, and returns what the page may read of the response.
const FETCH: &str = "
    const [url, init, done] = arguments;
    fetch(url, init).then(
        async answer => done({status: answer.status, type: answer.type, text: await answer.text()}),
        error => done({error: String(error)}));";

/// Submits a form from the page, with this as its only field or with none.
const SUBMIT: &str = "
    const [url, kind, name, value] = arguments;
    const form = document.createElement('form');
    Object.assign(form, {method: 'post', action: url, enctype: kind});
    if (name) {
        const input = document.createElement('input');
        Object.assign(input, {type: 'hidden', name, value});
        form.append(input);
    }
    document.body.append(form);
    form.submit();";

/// The parts of a test.
pub(super) struct BrowserFixture {
    pub(super) browser: Browser,
    pub(super) node: Node,
    /// A client of the node outside the browser.
    pub(super) client: Client,
    /// The origin of the node.
    pub(super) own: String,
    /// The port of a page whose origin is listed, as `localhost` and as `app.test`.
    pub(super) listed: u16,
    /// The port of a page that is not listed, under any host name.
    pub(super) stranger: u16,
    /// Dropped after the node.
    _database: TestDatabase,
}

/// What the page may read of a response.
#[derive(Debug)]
pub(super) struct Told {
    /// 0 if the page may read nothing.
    pub(super) status: u64,
    pub(super) text: String,
    pub(super) body: Value,
}

impl BrowserFixture {
    /// Sets everything up, with the account `ada`. `None` without a browser.
    pub(super) async fn new(kind: Database, same_site: &str) -> Option<Self> {
        let plan = BrowserPlan { any_certificate: true, ..BrowserPlan::new(800, 600, false) };
        let browser = plan.start().await?;
        let database = TestDatabase::new(kind).await;
        let certificate = Certificate::new();
        let (listed, stranger) = (serve_page(&certificate), serve_page(&certificate));
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let own = format!("https://localhost:{}", address.port());
        let [cert, key] = certificate.write(database.folder.path());
        let plan = Plan::on(&database).with("http.tls_cert", cert).with("http.tls_key", key);
        let plan = plan.with("http.listen", address).with("http.public_url", &own);
        let origins = format!("https://localhost:{listed},https://app.test:{listed}");
        let plan = plan.with("http.cors_origins", origins).with("cookies.same_site", same_site);
        let node = plan.start().await;
        let root = reqwest::Certificate::from_der(&certificate.der()).unwrap();
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([root]).build().unwrap();
        let client = Client { http, url: node.url.clone() };
        assert_eq!(client.signup("ada").await.status, 201);
        Some(Self { browser, node, client, own, listed, stranger, _database: database })
    }

    /// Opens a page of the service itself.
    pub(super) async fn open_own(&self) {
        self.browser.goto(&format!("{}/docs", self.own)).await;
    }

    /// Runs a script on the page.
    pub(super) async fn script(&self, script: &str) -> Value {
        let body = json!({"script": script, "args": []});
        self.browser.session.post("/execute/sync", body).await.unwrap()
    }

    /// The cookies that scripts of the page can read.
    pub(super) async fn seen(&self) -> BTreeMap<String, String> {
        let seen = self.script("return document.cookie").await;
        let pairs = seen.as_str().unwrap().split("; ").filter_map(|pair| pair.split_once('='));
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// All cookies of the browser, as its developer tools show them.
    pub(super) async fn kept(&self) -> BTreeMap<String, Value> {
        let all = self.browser.session.develop("Network.getAllCookies", json!({})).await.unwrap();
        let all = all["cookies"].as_array().unwrap().iter();
        all.map(|cookie| (cookie["name"].as_str().unwrap().to_owned(), cookie.clone())).collect()
    }

    /// Sends a request from the page by `fetch`.
    pub(super) async fn fetch(&self, path: &str, init: Value) -> Told {
        let body = json!({"script": FETCH, "args": [format!("{}{path}", self.own), init]});
        let told = self.browser.session.post("/execute/async", body).await.unwrap();
        let text = told["text"].as_str().or(told["error"].as_str()).unwrap().to_owned();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Told { status: told["status"].as_u64().unwrap_or(0), text, body }
    }

    /// A request with credentials, and the CSRF token where there is one.
    pub(super) async fn ask(&self, method: &str, path: &str, csrf: Option<&str>) -> Told {
        let mut headers = json!({});
        if let Some(csrf) = csrf {
            headers["X-CSRF-Token"] = json!(csrf);
        }
        let init = json!({"method": method, "credentials": "include", "headers": headers});
        self.fetch(path, init).await
    }

    /// Logs a user in from the page, in cookie mode.
    pub(super) async fn login(&self, name: &str) -> Told {
        let init = json!({
            "method": "POST", "credentials": "include", "body": login_body(name),
            "headers": {"Content-Type": "application/json"},
        });
        self.fetch("/v1/login", init).await
    }

    /// Submits a form from the page, and returns the resulting page.
    pub(super) async fn submit(&self, path: &str, kind: &str, field: (&str, &str)) -> String {
        let (url, before) = (format!("{}{path}", self.own), self.browser.url().await);
        let body = json!({"script": SUBMIT, "args": [url, kind, field.0, field.1]});
        self.browser.session.post("/execute/sync", body).await.unwrap();
        self.browser.wait_for("body").await;
        for _ in 0..400 {
            if self.browser.url().await == url {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        let page = self.browser.source().await;
        assert_eq!(self.browser.url().await, url, "from {before}: {page}");
        page
    }
}

/// The body of a login in cookie mode.
pub(super) fn login_body(name: &str) -> String {
    json!({"identifier": name, "password": PASSWORD, "transport": "cookie"}).to_string()
}

impl Told {
    /// Asserts the status, and returns the response.
    #[track_caller]
    pub(super) fn is(self, status: u64) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// Asserts that the page learns only that the request failed.
    #[track_caller]
    pub(super) fn is_nothing(&self) {
        assert_eq!(self.status, 0, "{self:?}");
        assert!(self.text.is_empty() || self.text == "TypeError: Failed to fetch", "{self:?}");
    }
}
