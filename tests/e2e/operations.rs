//! Every body of the OpenAPI document, right and wrong: what is documented is what is read. Rows
//! 1.5.2, 2.2.1, 15.3.3 and 15.3.5, and P12 and B1 for every operation at once. Whoever asks may do
//! everything.

use gateward_e2e::{Answer, PASSWORD};
use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::api::{CLIENT, Operation, operations};
use crate::stage::Stage;

/// Asks one operation as an administrator, and looks at every answer.
struct Examiner<'a> {
    stage: &'a Stage,
    operation: &'a Operation,
    token: String,
}

impl<'a> Examiner<'a> {
    async fn new(stage: &'a Stage, operation: &'a Operation) -> Self {
        let token = stage.client.login("ada@example.org", PASSWORD).await.access().to_owned();
        Self { stage, operation, token }
    }

    /// Sends a text as the body.
    async fn send(&mut self, text: impl Into<String>) -> Answer {
        let client = &self.stage.client;
        let request = self.operation.request(client, &self.token);
        let request = request.header("content-type", "application/json").body(text.into());
        let answer = client.send(request).await;
        self.look_at(&answer);
        // It may have been a logout, or the end of the account.
        if answer.status.is_success() {
            let pair = if self.operation.method == Method::DELETE {
                self.stage.admin("ada").await
            } else {
                client.login("ada@example.org", PASSWORD).await
            };
            pair.access().clone_into(&mut self.token);
        }
        answer
    }

    fn look_at(&self, answer: &Answer) {
        let name = self.operation.name();
        assert!(self.operation.statuses.contains(&answer.status.as_u16()), "{name}: {answer:?}");
        assert!(!answer.status.is_server_error(), "{name}: {answer:?}");
        if !answer.status.is_success() {
            answer.is_problem();
        }
    }

    /// Sends members; gives the answer and what it says of a field.
    async fn send_members(&mut self, members: &Map<String, Value>) -> Answer {
        self.send(Value::Object(members.clone()).to_string()).await
    }
}

/// What is wrong with a field.
fn complaint(answer: &Answer, field: &str) -> Option<String> {
    let errors = answer.body["errors"].as_array()?;
    let error = errors.iter().find(|error| error["field"] == field)?;
    assert!(!error["message"].as_str().unwrap().is_empty());
    Some(error["code"].as_str().unwrap().to_owned())
}

/// Whether the schema of a member allows a type.
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

/// The members: all documented ones are read, with the type that is documented, and no others.
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
            let answer = examiner.send_members(&changed).await;
            let found = complaint(&answer, &name);
            let what = format!("{} {name}: {value}: {answer:?}", operation.name());
            if allows(&schema, kind) {
                assert!(!found.is_some_and(|code| shape.contains(&code.as_str())), "{what}");
            } else {
                assert_eq!(found.as_deref(), Some("wrong_type"), "{what}");
                assert_eq!(answer.status, 422, "{what}");
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
            let answer = examiner.send_members(&renamed).await;
            assert_eq!(complaint(&answer, &odd).as_deref(), Some("unknown_field"), "{answer:?}");
        }
    }
    let answer = examiner.send_members(&valid).await;
    for (name, _) in &valid {
        let found = complaint(&answer, name);
        assert!(!found.is_some_and(|code| shape.contains(&code.as_str())), "{answer:?}");
    }
}

/// The body as a whole: one object, no member twice, every error named at once.
async fn examine_whole(examiner: &mut Examiner<'_>) {
    let operation = examiner.operation;
    let valid = operation.valid_body();
    let members = valid.as_object().unwrap();
    assert_eq!(operation.body.as_ref().unwrap()["additionalProperties"], false);

    let mut surprising = members.clone();
    surprising.insert("surprise".to_owned(), json!(1));
    surprising.insert("another".to_owned(), json!({"deep": [1]}));
    let answer = examiner.send_members(&surprising).await;
    answer.is(422, "validation_failed");
    assert!(["another", "surprise"].iter().all(|name| answer.fields().contains(name)));

    let wrong: Map<String, Value> =
        operation.members().into_keys().map(|name| (name, json!({}))).collect();
    let answer = examiner.send_members(&wrong).await;
    answer.is(422, "validation_failed");
    assert!(wrong.keys().all(|name| answer.fields().contains(&name.as_str())), "{answer:?}");

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

/// Rows 1.5.2, 2.2.1, 15.3.3, 15.3.5, P12 and B1, for every body that the document knows.
#[tokio::test]
async fn p12_b1_every_documented_body_is_read_as_documented() {
    let stage = Stage::new().await;
    // The one that stays when the other deletes their account.
    stage.admin("grace").await;
    stage.admin("ada").await;
    let operations = operations(&stage.client).await;
    let with_body: Vec<_> =
        operations.iter().filter(|operation| operation.body.is_some()).collect();
    assert!(with_body.len() >= 8, "the document has lost its bodies");
    for operation in with_body {
        let mut examiner = Examiner::new(&stage, operation).await;
        examine_whole(&mut examiner).await;
        examine_members(&mut examiner).await;
    }
    stage.works("ada").await;
}

/// An answer is not many times as long as the request that was wrong.
#[tokio::test]
async fn a_refusal_is_bounded() {
    let stage = Stage::new().await;
    let members: Vec<String> = (0..1800).map(|number| format!("\"{number}\":0")).collect();
    let body = format!("{{{}}}", members.join(","));
    let answer = stage.post_bytes("/v1/login", "application/json", body).await;
    answer.is(422, "validation_failed");
    assert!(answer.text.len() < 16 * 1024, "{}", answer.text.len());
    let query: Vec<String> = (0..5000).map(|number| format!("q{number}=1")).collect();
    let answer = stage.client.get(&format!("/health/live?{}", query.join("&"))).await;
    answer.is(422, "validation_failed");
    assert!(answer.text.len() < 16 * 1024, "{}", answer.text.len());
}

/// Rows W11 and 15.3.7: unknown parameters of the query are named, one that comes twice is no
/// request at all; both at every operation.
#[tokio::test]
async fn w11_queries_are_refused_everywhere() {
    let stage = Stage::with(&CLIENT).await;
    let pair = stage.admin("ada").await;
    for operation in operations(&stage.client).await {
        let mut answers = Vec::new();
        for query in [
            "?surprise=1",
            "?limit=1&cursor=x",
            "?a=1&a=2",
            "?a=1&%61=1",
            "?password=x&username=ada",
        ] {
            let request = operation.request_with(&stage.client, pair.access(), query);
            let answer = stage.client.send(operation.with_body(request)).await;
            assert!(operation.statuses.contains(&answer.status.as_u16()), "{answer:?}");
            answers.push(answer);
        }
        answers[0].is(422, "validation_failed");
        assert_eq!(answers[0].fields(), ["surprise"]);
        answers[1].is(422, "validation_failed");
        let has_limit = operation.query.iter().any(|name| name == "limit");
        let wrong: &[&str] = if has_limit { &["cursor"] } else { &["limit", "cursor"] };
        assert_eq!(answers[1].fields(), wrong, "{}", operation.name());
        answers[2].is(400, "malformed_request");
        answers[3].is(400, "malformed_request");
        answers[4].is(422, "validation_failed");
    }
    // The member of the body counts, whatever the query says.
    assert_eq!(stage.client.me(pair.access()).await.status, 200);
}
