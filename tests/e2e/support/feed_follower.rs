//! `Reader` and `Events`: a service that follows the feed, by pages and as events.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gateward_e2e::{Client, TestResponse};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;
use tokio::time::timeout;

/// How long an event may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// The secret of every service here.
const SECRET: &str = "a secret of the service that has 32 characters and more";

/// The settings of two services, of which one may follow the feed.
pub(crate) const SERVICES: [(&str, &str); 4] = [
    ("clients.checker.secret", SECRET),
    ("clients.checker.may", "revocations"),
    ("clients.stranger.secret", SECRET),
    ("clients.stranger.may", "introspect,revoke"),
];

/// A request of a service.
pub(crate) fn request_of(client: &Client, service: &str, path: &str) -> RequestBuilder {
    client.request(Method::GET, path).basic_auth(service, Some(SECRET))
}

/// The `Authorization` header of a service.
pub(crate) fn credentials_of(service: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{service}:{SECRET}")))
}

/// An entry without its cursor, which differs between readers.
pub(crate) fn told(entry: &Value) -> Value {
    let mut told = entry.clone();
    assert!(told.as_object_mut().unwrap().remove("cursor").is_some(), "{entry}");
    told
}

/// The subject of an entry.
pub(crate) fn about(entry: &Value) -> (&str, &str, &str) {
    let text = |member: &str| entry[member].as_str().unwrap_or_else(|| panic!("{entry}"));
    (text("kind"), text("id"), text("reason"))
}

/// A service that reads pages.
pub(crate) struct Reader {
    client: Client,
    limit: usize,
    /// Its current position.
    pub(crate) cursor: Option<String>,
}

impl Reader {
    pub(crate) fn new(client: &Client, limit: usize) -> Self {
        Self { client: client.clone(), limit, cursor: None }
    }

    /// Reads one page.
    async fn page(&self) -> TestResponse {
        let since = self.cursor.as_ref().map(|cursor| format!("&since={cursor}"));
        let path = format!("/v1/revocations?limit={}{}", self.limit, since.unwrap_or_default());
        let page = self.client.send(request_of(&self.client, "checker", &path)).await;
        assert_eq!(page.status, 200, "{page:?}");
        assert_eq!(page.header("cache-control"), Some("no-store"), "{page:?}");
        page
    }

    /// All new entries, page by page.
    pub(crate) async fn rest(&mut self) -> Vec<Value> {
        let mut rest = Vec::new();
        loop {
            let page = self.page().await;
            let items = page.body["items"].as_array().unwrap().clone();
            assert!(items.len() <= self.limit, "{page:?}");
            if let Some(last) = items.last() {
                self.cursor = Some(last["cursor"].as_str().unwrap().to_owned());
            }
            rest.extend(items);
            match page.body["next_cursor"].as_str() {
                Some(next) => self.cursor = Some(next.to_owned()),
                None => return rest,
            }
        }
    }

    /// Polls until there is a new entry.
    pub(crate) async fn some(&mut self) -> Vec<Value> {
        let asked = async {
            loop {
                let rest = self.rest().await;
                if !rest.is_empty() {
                    return rest;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, asked).await.expect("nothing is new")
    }
}

/// A stream of server-sent events.
pub(crate) struct Events {
    response: Response,
    /// Received text that was not read yet.
    text: String,
}

impl Events {
    /// Opens a stream, after the last received event.
    pub(crate) async fn open(client: &Client, last: Option<&str>) -> Self {
        let mut request = request_of(client, "checker", "/v1/revocations/stream");
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        Self { response, text: String::new() }
    }

    /// The next block of lines; `None` when the node ends the stream.
    async fn block(&mut self, patience: Duration) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(block);
            }
            let chunk = timeout(patience, self.response.chunk()).await.expect("nothing comes");
            self.text += std::str::from_utf8(&chunk.ok().flatten()?).unwrap();
        }
    }

    /// The next event; `None` when the node ends the stream.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        loop {
            let block = self.block(PATIENCE).await?;
            let Some((id, data)) = block.split_once('\n') else {
                assert_eq!(block, ": beat");
                continue;
            };
            let data: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
            assert_eq!(data["cursor"].as_str(), id.strip_prefix("id: "), "{block}");
            return Some(data);
        }
    }

    /// This many events.
    pub(crate) async fn take(&mut self, count: usize) -> Vec<Value> {
        let mut events = Vec::with_capacity(count);
        for _ in 0..count {
            events.push(self.next().await.expect("an event"));
        }
        events
    }

    /// The entries until no more arrive for a while.
    pub(crate) async fn until_silence(&mut self) -> Vec<Value> {
        let mut events = Vec::new();
        while let Ok(event) = timeout(Duration::from_millis(700), self.next()).await {
            events.push(event.expect("an event"));
        }
        events
    }

    /// Asserts that no entry arrives for a while.
    pub(crate) async fn is_silent(&mut self) {
        assert_eq!(self.until_silence().await, [] as [Value; 0]);
    }

    /// Waits for a comment.
    pub(crate) async fn beat(&mut self) {
        let block = self.block(Duration::from_secs(40)).await.unwrap();
        assert_eq!(block, ": beat");
    }
}
