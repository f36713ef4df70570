//! `Operation`: what the OpenAPI document says can be asked of a node.

use std::collections::BTreeMap;

use gateward_e2e::{Client, PASSWORD};
use reqwest::{Method, RequestBuilder};
use serde_json::{Map, Value, json};

/// One operation of the document.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) method: Method,
    pub(crate) path: String,
    /// The schema of the JSON body, if it takes one.
    pub(crate) body: Option<Value>,
    pub(crate) body_required: bool,
    /// Whether an access token is needed; not where it is one of several ways.
    pub(crate) secured: bool,
    pub(crate) statuses: Vec<u16>,
}

/// All operations, as the node itself documents them.
pub(crate) async fn operations(client: &Client) -> Vec<Operation> {
    let document = client.get("/openapi.json").await;
    assert_eq!(document.status, 200);
    assert!(document.body["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut operations = Vec::new();
    for (path, item) in document.body["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations.push(read(&document.body, (path, method), operation));
        }
    }
    operations
}

fn read(document: &Value, (path, method): (&str, &str), operation: &Value) -> Operation {
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    let body = schema["$ref"].as_str().map(|reference| {
        let pointer = reference.strip_prefix('#').unwrap();
        document.pointer(pointer).unwrap_or_else(|| panic!("{reference}")).clone()
    });
    assert_eq!(body.is_some(), operation.get("requestBody").is_some(), "{method} {path}");
    let security = operation["security"].as_array().cloned().unwrap_or_default();
    let statuses = operation["responses"].as_object().unwrap().keys();
    Operation {
        method: method.to_uppercase().parse().unwrap(),
        path: path.to_owned(),
        body,
        body_required: operation["requestBody"]["required"] == true,
        secured: !security.is_empty() && !security.contains(&json!({})),
        statuses: statuses.map(|status| status.parse().unwrap()).collect(),
    }
}

/// Writes every byte of a text so that it can stand in a path or a query.
pub(crate) fn percent_encode(text: &str) -> String {
    text.bytes().fold(String::new(), |encoded, byte| format!("{encoded}%{byte:02X}"))
}

impl Operation {
    /// How it is called in messages.
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// A request without body, with a token where one is needed. A parameter in the path names
    /// something that does not exist.
    pub(crate) fn request(&self, client: &Client, token: &str) -> RequestBuilder {
        self.request_with(client, token, "")
    }

    /// The same with a query, which begins with its `?`.
    pub(crate) fn request_with(&self, client: &Client, token: &str, query: &str) -> RequestBuilder {
        let path = format!("{}{query}", self.path.replace("{asset}", "nothing.css"));
        let request = client.request(self.method.clone(), &path);
        if self.secured { request.bearer_auth(token) } else { request }
    }

    /// The members of the body and their schemas.
    pub(crate) fn members(&self) -> BTreeMap<String, Value> {
        let properties = self.body.as_ref().and_then(|schema| schema["properties"].as_object());
        properties.cloned().unwrap_or_default().into_iter().collect()
    }

    /// The members that must be there.
    pub(crate) fn required(&self) -> Vec<String> {
        let required = self.body.as_ref().and_then(|schema| schema["required"].as_array());
        let required = required.cloned().unwrap_or_default();
        required.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    }

    /// A body that meets the schema: all members that can stand together. It need not succeed.
    pub(crate) fn valid_body(&self) -> Value {
        let mut body = Map::new();
        for (name, schema) in self.members() {
            if !self.alternatives().contains(&name.as_str()) {
                body.insert(name.clone(), valid(&name, &schema));
            }
        }
        Value::Object(body)
    }

    /// What the words of the document add to the schema: members that say what others say already,
    /// and cannot stand beside them.
    fn alternatives(&self) -> &'static [&'static str] {
        match self.path.as_str() {
            path if path.ends_with("/login") => &["email", "identifier"],
            path if path.ends_with("/email/confirm") => &["email", "code", "signup_id"],
            path if path.ends_with("/password/reset") => &["email", "code"],
            _ => &[],
        }
    }
}

/// A value that meets the schema of a member.
fn valid(name: &str, schema: &Value) -> Value {
    let kinds = match &schema["type"] {
        Value::Array(kinds) => kinds.clone(),
        kind => vec![kind.clone()],
    };
    if kinds.contains(&json!("boolean")) {
        return json!(false);
    }
    assert!(kinds.contains(&json!("string")), "teach this test what {schema} is");
    if schema["format"] == "password" {
        return json!(PASSWORD);
    }
    match schema["example"].as_str() {
        Some(example) => json!(example),
        None => json!(format!("some-{}", name.replace('_', "-"))),
    }
}
