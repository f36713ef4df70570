//! `Session`: speaks `WebDriver` to chromedriver (<https://www.w3.org/TR/webdriver2>).

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

/// How long chromedriver may take to respond.
const PATIENCE: Duration = Duration::from_mins(1);

/// The key of an object that identifies an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A session: one controlled browser.
pub struct Session {
    http: reqwest::Client,
    url: String,
}

/// An element of a page.
pub struct Element<'a> {
    session: &'a Session,
    id: String,
}

/// The result of a command, or its error.
pub type Given<T = Value> = Result<T, String>;

impl Session {
    /// Starts a session with the chromedriver at this URL.
    pub async fn begin(url: &str, capabilities: Value) -> Given<Self> {
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).timeout(PATIENCE);
        let http = http.build().unwrap();
        let driver = Self { http, url: url.to_owned() };
        let wanted = json!({"capabilities": {"alwaysMatch": capabilities}});
        let session = driver.post("/session", wanted).await?;
        let id = session["sessionId"].as_str().ok_or("no session")?;
        Ok(Self { url: format!("{url}/session/{id}"), ..driver })
    }

    /// Reads a value, such as `/url`.
    pub async fn get(&self, path: &str) -> Given {
        self.call(Method::GET, path, None).await
    }

    /// Reads a string.
    pub async fn get_text(&self, path: &str) -> Given<String> {
        let value = self.get(path).await?;
        value.as_str().map(ToOwned::to_owned).ok_or_else(|| format!("no text: {value}"))
    }

    /// Sends a command.
    pub async fn post(&self, path: &str, body: Value) -> Given {
        self.call(Method::POST, path, Some(body)).await
    }

    /// Sends a command of Chromium's developer tools protocol.
    pub async fn develop(&self, command: &str, parameters: Value) -> Given {
        self.post("/goog/cdp/execute", json!({"cmd": command, "params": parameters})).await
    }

    /// Finds an element of the page.
    pub async fn find(&self, css: &str) -> Given<Element<'_>> {
        let found = self.post("/element", json!({"using": "css selector", "value": css})).await?;
        let id = found[ELEMENT].as_str().ok_or("no element")?.to_owned();
        Ok(Element { session: self, id })
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Given {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.map_err(|error| error.to_string())?;
        let good = response.status().is_success();
        let mut body: Value = response.json().await.map_err(|error| error.to_string())?;
        let value = body["value"].take();
        if good { Ok(value) } else { Err(format!("{}: {}", value["error"], value["message"])) }
    }
}

impl Element<'_> {
    /// Its visible text.
    pub async fn text(&self) -> Given<String> {
        self.session.get_text(&self.path("text")).await
    }

    /// Whether it is visible.
    pub async fn is_displayed(&self) -> bool {
        self.session.get(&self.path("displayed")).await.is_ok_and(|shown| shown == true)
    }

    /// An attribute, or the property with that name.
    pub async fn attribute(&self, name: &str) -> Given<Option<String>> {
        let value = self.session.get(&self.path(&format!("attribute/{name}"))).await?;
        Ok(value.as_str().map(ToOwned::to_owned))
    }

    /// Clicks on it.
    pub async fn click(&self) -> Given {
        self.session.post(&self.path("click"), json!({})).await
    }

    /// Clears its text.
    pub async fn clear(&self) -> Given {
        self.session.post(&self.path("clear"), json!({})).await
    }

    /// Types into it. Keys without a character are in Unicode's private area: `\u{E007}` is Enter.
    pub async fn send_keys(&self, text: &str) -> Given {
        self.session.post(&self.path("value"), json!({"text": text})).await
    }

    /// Enters this frame.
    pub async fn enter(&self) -> Given {
        self.session.post("/frame", json!({"id": {ELEMENT: self.id}})).await
    }

    fn path(&self, what: &str) -> String {
        format!("/element/{}/{what}", self.id)
    }
}
