//! Every body of the OpenAPI document, valid and invalid: the API reads what the document
//! describes. Rows 1.5.2, 2.2.1, 15.3.3 and 15.3.5, and P12 and B1 for every operation at once. The
//! caller has all permissions.

use gateward_e2e::{PASSWORD, TestResponse};
use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::support::api::{CLIENT, Operation, operations};
use crate::support::test_server::TestServer;

/// Calls one operation as an administrator, and checks every response.
struct Examiner<'a> {
    server: &'a TestServer,
    operation: &'a Operation,
    token: String,
}

impl<'a> Examiner<'a> {
    async fn new(server: &'a TestServer, operation: &'a Operation) -> Self {
        let token = server.client.login("ada@example.org", PASSWORD).await.access().to_owned();
        Self { server, operation, token }
    }

    /// Sends a string as the body.
    async fn send(&mut self, text: impl Into<String>) -> TestResponse {
        let client = &self.server.client;
        let request = self.operation.request(client, &self.token);
        let request = request.header("content-type", "application/json").body(text.into());
        let response = client.send(request).await;
        self.look_at(&response);
        // It may have been a logout, or have deleted the account.
        if response.status.is_success() {
            let pair = if self.operation.method == Method::DELETE {
                self.server.admin("ada").await
            } else {
                client.login("ada@example.org", PASSWORD).await
            };
            pair.access().clone_into(&mut self.token);
        }
        response
    }

    fn look_at(&self, response: &TestResponse) {
        let name = self.operation.name();
        assert!(
            self.operation.statuses.contains(&response.status.as_u16()),
            "{name}: {response:?}"
        );
        assert!(!response.status.is_server_error(), "{name}: {response:?}");
        if !response.status.is_success() {
            response.is_problem();
        }
    }

    /// Sends fields. Returns the response and its error about a field.
    async fn send_members(&mut self, members: &Map<String, Value>) -> TestResponse {
        self.send(Value::Object(members.clone()).to_string()).await
    }
}

/// The error of a field.
fn complaint(response: &TestResponse, field: &str) -> Option<String> {
    let errors = response.body["errors"].as_array()?;
    let error = errors.iter().find(|error| error["field"] == field)?;
    assert!(!error["message"].as_str().unwrap().is_empty());
    Some(error["code"].as_str().unwrap().to_owned())
}

/// Whether the schema of a field allows a type.
fn allows(schema: &Value, kind: &str) -> bool {
    match &schema["type"] {
        Value::Array(kinds) => kinds.iter().any(|known| known == kind),
        known => known == kind,
    }
}

fn in_camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |text, word| text + &word[..1].to_uppercase() + &word[1..])
}

/// The fields: exactly the documented ones are read, with the documented types.
async fn examine_members(examiner: &mut Examiner<'_>) {
    let operation = examiner.operation;
    let valid = operation.valid_body().as_object().unwrap().clone();
    let shape = ["required", "wrong_type", "unknown_field"];
    let required = operation.required();
    for (name, schema) in operation.members() {
        let mut without = valid.clone();
        without.remove(&name);
        let found = complaint(&examiner.send_members(&without).await, &name);
        assert_eq!(found.as_deref() == Some("required"), required.contains(&name), "{name}");

        let others =
            [json!("text"), json!(7), json!(-0.5), json!([]), json!({}), json!(true), Value::Null];
        for (value, kind) in others
            .into_iter()
            .zip(["string", "number", "number", "array", "object", "boolean", "null"])
        {
            let mut changed = valid.clone();
            changed.insert(name.clone(), value.clone());
            let response = examiner.send_members(&changed).await;
            let found = complaint(&response, &name);
            let what = format!("{} {name}: {value}: {response:?}", operation.name());
            if allows(&schema, kind) {
                assert!(!found.is_some_and(|code| shape.contains(&code.as_str())), "{what}");
            } else {
                assert_eq!(found.as_deref(), Some("wrong_type"), "{what}");
                assert_eq!(response.status, 422, "{what}");
            }
        }
        if allows(&schema, "array") {
            let mut changed = valid.clone();
            changed.insert(name.clone(), json!(["text", 7]));
            let found = complaint(&examiner.send_members(&changed).await, &name);
            assert_eq!(found.as_deref(), Some("wrong_type"), "{name}");
        }
        let camel = in_camel_case(&name);
        for odd in [name.to_uppercase(), format!("{name} "), format!(" {name}"), camel] {
            if odd == name {
                continue;
            }
            let mut renamed = valid.clone();
            renamed.remove(&name);
            renamed.insert(odd.clone(), json!("x"));
            let response = examiner.send_members(&renamed).await;
            assert_eq!(
                complaint(&response, &odd).as_deref(),
                Some("unknown_field"),
                "{response:?}"
            );
        }
    }
    let response = examiner.send_members(&valid).await;
    for (name, _) in &valid {
        let found = complaint(&response, name);
        assert!(!found.is_some_and(|code| shape.contains(&code.as_str())), "{response:?}");
    }
}

/// The body as a whole: one object, no duplicate field, all errors in one response.
async fn examine_whole(examiner: &mut Examiner<'_>) {
    let operation = examiner.operation;
    let valid = operation.valid_body();
    let members = valid.as_object().unwrap();
    assert_eq!(operation.body.as_ref().unwrap()["additionalProperties"], false);

    let mut surprising = members.clone();
    surprising.insert("surprise".to_owned(), json!(1));
    surprising.insert("another".to_owned(), json!({"deep": [1]}));
    let response = examiner.send_members(&surprising).await;
    response.is(422, "validation_failed");
    assert!(["another", "surprise"].iter().all(|name| response.fields().contains(name)));

    let wrong: Map<String, Value> =
        operation.members().into_keys().map(|name| (name, json!({}))).collect();
    let response = examiner.send_members(&wrong).await;
    response.is(422, "validation_failed");
    assert!(wrong.keys().all(|name| response.fields().contains(&name.as_str())), "{response:?}");

    let empty = examiner.send("{}").await;
    for name in operation.required() {
        assert_eq!(complaint(&empty, &name).as_deref(), Some("required"), "{empty:?}");
    }
    let text = valid.to_string();
    for (name, value) in members {
        let twice = format!("{},{}:{value}}}", &text[..text.len() - 1], json!(name));
        examiner.send(twice).await.is(400, "malformed_request");
    }
    for text in
        ["null", "[]", "\"text\"", "1", "{", "{}{}", "\u{feff}{}", "{\"a\":{\"b\":1,\"b\":1}}"]
    {
        examiner.send(text).await.is(400, "malformed_request");
    }
    let nothing = examiner.send("").await;
    assert_eq!(nothing.status == 400, operation.body_required, "{}: {nothing:?}", operation.name());
}

/// Rows 1.5.2, 2.2.1, 15.3.3, 15.3.5, P12 and B1, for every documented body.
#[tokio::test]
async fn p12_b1_every_documented_body_is_read_as_documented() {
    let server = TestServer::new().await;
    // The administrator who remains when the other deletes their account.
    server.admin("grace").await;
    server.admin("ada").await;
    let operations = operations(&server.client).await;
    let with_body: Vec<_> =
        operations.iter().filter(|operation| operation.body.is_some()).collect();
    assert!(with_body.len() >= 8, "the document has lost its bodies");
    for operation in with_body {
        let mut examiner = Examiner::new(&server, operation).await;
        examine_whole(&mut examiner).await;
        examine_members(&mut examiner).await;
    }
    server.works("ada").await;
}

/// A response is not many times as long as the invalid request.
#[tokio::test]
async fn a_refusal_is_bounded() {
    let server = TestServer::new().await;
    let members: Vec<String> = (0..1800).map(|number| format!("\"{number}\":0")).collect();
    let body = format!("{{{}}}", members.join(","));
    let response = server.post_bytes("/v1/login", "application/json", body).await;
    response.is(422, "validation_failed");
    assert!(response.text.len() < 16 * 1024, "{}", response.text.len());
    let query: Vec<String> = (0..5000).map(|number| format!("q{number}=1")).collect();
    let response = server.client.get(&format!("/health/live?{}", query.join("&"))).await;
    response.is(422, "validation_failed");
    assert!(response.text.len() < 16 * 1024, "{}", response.text.len());
}

/// Rows W11 and 15.3.7: unknown query parameters are named, and a duplicate one makes the request
/// invalid; both at every operation.
#[tokio::test]
async fn w11_queries_are_refused_everywhere() {
    let server = TestServer::with(&CLIENT).await;
    let pair = server.admin("ada").await;
    for operation in operations(&server.client).await {
        let mut responses = Vec::new();
        for query in [
            "?surprise=1",
            "?limit=1&cursor=x",
            "?a=1&a=2",
            "?a=1&%61=1",
            "?password=x&username=ada",
        ] {
            let request = operation.request_with(&server.client, pair.access(), query);
            let response = server.client.send(operation.with_body(request)).await;
            assert!(operation.statuses.contains(&response.status.as_u16()), "{response:?}");
            responses.push(response);
        }
        responses[0].is(422, "validation_failed");
        assert_eq!(responses[0].fields(), ["surprise"]);
        responses[1].is(422, "validation_failed");
        let has_limit = operation.query.iter().any(|name| name == "limit");
        let wrong: &[&str] = if has_limit { &["cursor"] } else { &["limit", "cursor"] };
        assert_eq!(responses[1].fields(), wrong, "{}", operation.name());
        responses[2].is(400, "malformed_request");
        responses[3].is(400, "malformed_request");
        responses[4].is(422, "validation_failed");
    }
    // The field of the body counts, whatever the query says.
    assert_eq!(server.client.me(pair.access()).await.status, 200);
}
