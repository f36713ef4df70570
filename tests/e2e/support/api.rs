//! `Operation`: an operation of the OpenAPI document.

use std::collections::BTreeMap;

use gateward_e2e::{Client, PASSWORD};
use reqwest::{Method, RequestBuilder};
use serde_json::{Map, Value, json};

/// The secret of the client, for operations that require client authentication.
pub(crate) const CLIENT_SECRET: &str = "the-secret-of-a-client-in-a-test";

/// The settings of that client, which has all client permissions.
pub(crate) const CLIENT: [(&str, &str); 2] =
    [("clients.api.secret", CLIENT_SECRET), ("clients.api.may", "introspect,revoke,revocations")];

/// A session that does not exist.
pub(crate) const NO_SESSION: &str = "01939b50-0000-7000-8000-000000000000";

/// A role that does not exist.
const NO_ROLE: &str = "nobodys";

/// One operation of the document.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) method: Method,
    pub(crate) path: String,
    /// The schema of the JSON body, if it takes one.
    pub(crate) body: Option<Value>,
    pub(crate) body_required: bool,
    /// The names of the fields of the form that it takes instead of JSON.
    pub(crate) form: Vec<String>,
    /// The names of the parameters of its query.
    pub(crate) query: Vec<String>,
    /// Whether an access token is needed; not where it is one of several ways.
    pub(crate) secured: bool,
    /// Whether the name and secret of a client are needed.
    pub(crate) by_client: bool,
    pub(crate) statuses: Vec<u16>,
}

/// All operations that the node documents.
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
    let [body, form] = ["application/json", "application/x-www-form-urlencoded"].map(|kind| {
        let schema = &operation["requestBody"]["content"][kind]["schema"];
        schema["$ref"].as_str().map(|reference| {
            let pointer = reference.strip_prefix('#').unwrap();
            document.pointer(pointer).unwrap_or_else(|| panic!("{reference}")).clone()
        })
    });
    let is_taken = operation.get("requestBody").is_some();
    assert_eq!(body.is_some() || form.is_some(), is_taken, "{method} {path}");
    let form = form.map(|schema| schema["properties"].as_object().unwrap().clone());
    let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
    let query = parameters.iter().filter(|parameter| parameter["in"] == "query");
    let security = operation["security"].as_array().cloned().unwrap_or_default();
    let by_client = security == [json!({"client": []})];
    let statuses = operation["responses"].as_object().unwrap().keys();
    Operation {
        method: method.to_uppercase().parse().unwrap(),
        path: path.to_owned(),
        body,
        body_required: operation["requestBody"]["required"] == true,
        form: form.unwrap_or_default().into_iter().map(|(name, _)| name).collect(),
        query: query.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect(),
        secured: !by_client && !security.is_empty() && !security.contains(&json!({})),
        by_client,
        statuses: statuses.map(|status| status.parse().unwrap()).collect(),
    }
}

/// A request with a form.
pub(crate) fn form<'a>(
    request: RequestBuilder,
    members: impl Iterator<Item = (&'a str, &'a str)>,
) -> RequestBuilder {
    let pairs = members.map(|(name, value)| format!("{name}={}", percent_encode(value)));
    let body = pairs.collect::<Vec<_>>().join("&");
    request.header("content-type", "application/x-www-form-urlencoded").body(body)
}

/// Escapes every byte of a string for a path or a query.
pub(crate) fn percent_encode(text: &str) -> String {
    text.bytes().fold(String::new(), |encoded, byte| format!("{encoded}%{byte:02X}"))
}

impl Operation {
    /// The name in messages.
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// Whether the response is a stream without an end.
    pub(crate) fn is_endless(&self) -> bool {
        self.path.ends_with("/stream")
    }

    /// The path with this value for each parameter.
    pub(crate) fn path_to(&self, session: &str) -> String {
        // Roles have names, not identifiers.
        let role = if session == NO_SESSION { NO_ROLE } else { session };
        let path = self.path.replace("{name}", role);
        path.replace("{id}", session).replace("{sid}", session)
    }

    /// A request without a body, with a token or the secret of [`CLIENT`] where it is needed. A
    /// parameter in the path names something that does not exist.
    pub(crate) fn request(&self, client: &Client, token: &str) -> RequestBuilder {
        self.request_with(client, token, "")
    }

    /// The same with a query, which starts with its `?`.
    pub(crate) fn request_with(&self, client: &Client, token: &str, query: &str) -> RequestBuilder {
        let path = format!("{}{query}", self.path_to(NO_SESSION));
        let request = client.request(self.method.clone(), &path);
        match (self.secured, self.by_client) {
            (true, _) => request.bearer_auth(token),
            (_, true) => request.basic_auth("api", Some(CLIENT_SECRET)),
            _ => request,
        }
    }

    /// The same with a body that matches the schema, if there is one.
    pub(crate) fn with_body(&self, request: RequestBuilder) -> RequestBuilder {
        match (&self.body, self.form.is_empty()) {
            (Some(_), _) => request.json(&self.valid_body()),
            (_, false) => form(request, self.form.iter().map(|name| (name.as_str(), "text"))),
            _ => request,
        }
    }

    /// The fields of the body and their schemas.
    pub(crate) fn members(&self) -> BTreeMap<String, Value> {
        let properties = self.body.as_ref().and_then(|schema| schema["properties"].as_object());
        properties.cloned().unwrap_or_default().into_iter().collect()
    }

    /// The required fields.
    pub(crate) fn required(&self) -> Vec<String> {
        let required = self.body.as_ref().and_then(|schema| schema["required"].as_array());
        let required = required.cloned().unwrap_or_default();
        required.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    }

    /// A body that matches the schema, with all fields that may occur together. It need not
    /// succeed.
    pub(crate) fn valid_body(&self) -> Value {
        let mut body = Map::new();
        for (name, schema) in self.members() {
            if !self.alternatives().contains(&name.as_str()) {
                body.insert(name.clone(), valid(&name, &schema));
            }
        }
        Value::Object(body)
    }

    /// What only the document's text adds to the schema: fields that exclude each other.
    fn alternatives(&self) -> &'static [&'static str] {
        match self.path.as_str() {
            path if path.ends_with("/login") => &["email", "identifier"],
            path if path.ends_with("/email/confirm") => &["email", "code", "signup_id"],
            path if path.ends_with("/password/reset") => &["email", "code"],
            _ => &[],
        }
    }
}

/// A value that matches the schema of a field.
fn valid(name: &str, schema: &Value) -> Value {
    let kinds = match &schema["type"] {
        Value::Array(kinds) => kinds.clone(),
        kind => vec![kind.clone()],
    };
    if kinds.contains(&json!("boolean")) {
        return json!(false);
    }
    if kinds.contains(&json!("array")) {
        assert_eq!(schema["items"]["type"], "string", "teach this test what {schema} is");
        return schema["example"].clone();
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
