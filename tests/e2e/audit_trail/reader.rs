//! `Reader`: acts on a node, and reads the audit trail afterwards.

use std::collections::BTreeMap;

use gateward_e2e::{Database, PASSWORD, TestResponse};
use regex::Regex;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::post::Post;

/// A node, an administrator who reads its trail, and the events so far.
pub(super) struct Reader {
    pub(super) post: Post,
    pub(super) root: TestResponse,
    /// The last event that was read.
    pub(super) last: String,
    /// The names of identifiers here.
    pub(super) names: BTreeMap<String, String>,
    /// The actions, and the events that they recorded.
    pub(super) timeline: Vec<String>,
}

impl Reader {
    pub(super) async fn new(kind: Database) -> Option<Self> {
        let post = Post::start(kind, &[]).await?;
        let create = ["user", "create", "--username", "root-of-all", "--email", "root@example.org"];
        post.command(&[create.as_slice(), &["--admin", "--password-stdin"]].concat());
        let root = post.login("root-of-all", PASSWORD).await;
        let (last, names) = (String::new(), BTreeMap::new());
        let mut reader = Self { post, root, last, names, timeline: Vec::new() };
        reader.note("").await;
        reader.timeline.clear();
        Some(reader)
    }

    pub(super) async fn get(&self, path: &str) -> Value {
        let request = self.post.client.request(Method::GET, path).bearer_auth(self.root.access());
        let response = self.post.client.send(request).await;
        assert_eq!(response.status, 200, "{response:?}");
        response.body
    }

    /// Reads the new events.
    pub(super) async fn note(&mut self, what: &str) {
        for user in self.get("/v1/users?limit=100").await["items"].as_array().unwrap() {
            let name = user["username"].as_str().unwrap().to_owned();
            self.names.entry(user["id"].as_str().unwrap().to_owned()).or_insert(name);
        }
        let page = self.get("/v1/audit?limit=100").await;
        let items = page["items"].as_array().unwrap();
        let new: Vec<&Value> = items.iter().take_while(|item| item["id"] != self.last).collect();
        items[0]["id"].as_str().unwrap().clone_into(&mut self.last);
        // Emails are discarded and events erased at any later time.
        let later = ["email_discarded", "events_erased"];
        let new = new.into_iter().rev();
        let new = new.filter(|item| !later.iter().any(|name| item["event"] == *name));
        let mut told: Vec<String> = new.map(|item| self.told(item)).collect();
        told.sort();
        self.timeline.push(format!("{what}: {}", told.join("; ")));
    }

    /// An event as a line: action, reason, actor and session, target and session.
    pub(super) fn told(&mut self, event: &Value) -> String {
        let at = event["at"].as_str().unwrap();
        assert!(at.starts_with("20") && at.ends_with('Z'), "{event}");
        let failed = matches!(
            event["event"].as_str().unwrap(),
            "login_failed" | "login_refused" | "password_refused" | "access_denied"
        );
        assert_eq!(event["outcome"], if failed { "failure" } else { "success" }, "{event}");
        let here = event["ip"] == "127.0.0.1";
        let who = match event["actor"]["kind"].as_str().unwrap() {
            "user" => self.name(&event["actor"]["id"]),
            other => other.to_owned(),
        };
        // An unidentified actor still has an IP address. An operator is at the machine.
        assert_eq!(here, who != "operator" && !is_own(event), "{event}");
        let mut told = event["event"].as_str().unwrap().to_owned();
        let mut add = |before: &str, what: String| told.extend([before, &what]);
        if let Some(reason) = event["reason"].as_str() {
            add(" ", format!("({reason})"));
        }
        add(" by ", who);
        for (before, id) in [
            (" in ", &event["actor"]["session_id"]),
            (" of ", &event["user_id"]),
            (" on ", &event["session_id"]),
        ] {
            if id.is_string() {
                add(before, self.name(id));
            }
        }
        if let Some(detail) = event["detail"].as_str() {
            let name = Regex::new("^key=[A-Za-z0-9_-]+").unwrap();
            add(": ", name.replace(detail, "key=…").into_owned());
        }
        told
    }

    /// The name of an identifier: accounts by their first names, others by a number.
    pub(super) fn name(&mut self, id: &Value) -> String {
        let count = self.names.values().filter(|name| name.starts_with('#')).count();
        let id = id.as_str().unwrap().to_owned();
        self.names.entry(id).or_insert_with(|| format!("#{}", count + 1)).clone()
    }

    /// Sends a request of a logged-in user, which must succeed, and reads the new events.
    pub(super) async fn act(
        &mut self,
        who: &TestResponse,
        method: Method,
        path: &str,
        body: Value,
    ) -> TestResponse {
        let client = &self.post.client;
        let request = client.request(method.clone(), &format!("/v1/{path}"));
        let request = request.bearer_auth(who.access());
        let is_empty = body == json!({});
        let response = client.send(if is_empty { request } else { request.json(&body) }).await;
        let mut path = path.to_owned();
        for (id, name) in &self.names {
            path = path.replace(id, name);
        }
        self.note(&format!("{method} {path} {}", response.status.as_u16())).await;
        response
    }

    /// The same without a session.
    pub(super) async fn say(&mut self, path: &str, body: Value) -> TestResponse {
        let response = self.post.say(path, body).await;
        self.note(&format!("{path} {}", response.status.as_u16())).await;
        response
    }

    pub(super) async fn login(&mut self, name: &str, password: &str) -> TestResponse {
        self.say("login", json!({"identifier": name, "password": password})).await
    }

    /// Runs a command, and reads.
    pub(super) async fn command(&mut self, arguments: &[&str]) {
        let _ = tokio::task::block_in_place(|| self.post.command(arguments));
        self.note(&arguments.join(" ")).await;
    }

    #[track_caller]
    pub(super) fn is(&self, timeline: &[&str]) {
        assert!(self.timeline == timeline, "{:#?}", self.timeline);
    }
}

/// Whether no request caused the event.
fn is_own(event: &Value) -> bool {
    matches!(event["event"].as_str(), Some("key_created" | "events_erased"))
}
