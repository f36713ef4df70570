//! `docs/gateward.http`: every request in it is documented, and the walk works.

use std::collections::BTreeMap;
use std::time::Duration;

use gateward_e2e::{Answer, Client, Database, Plan, TestDatabase, run};
use regex::Regex;
use serde_json::Value;

use crate::api::{Operation, operations};
use crate::commands::said;

const FILE: &str = include_str!("../../docs/gateward.http");

/// One request of the file, its variables not yet filled in.
struct Request {
    /// What stands behind `###`; it names the status that comes.
    title: String,
    name: String,
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Request {
    /// The first status that the title names.
    fn status(&self) -> u16 {
        let status = Regex::new(r"\b[1-5]\d\d\b").unwrap();
        status.find(&self.title).expect(&self.title).as_str().parse().unwrap()
    }

    /// The path without host.
    fn path(&self) -> &str {
        self.target.strip_prefix("{{host}}").expect("every request goes to {{host}}")
    }
}

/// The variables before the first request, and the requests.
fn read() -> (BTreeMap<String, String>, Vec<Request>) {
    let mut sections = FILE.split("\n### ");
    let variables = sections.next().unwrap().lines().filter_map(|line| {
        let (name, value) = line.strip_prefix('@')?.split_once(" = ")?;
        Some((name.to_owned(), value.to_owned()))
    });
    (variables.collect(), sections.map(read_request).collect())
}

fn read_request(section: &str) -> Request {
    let (head, body) = section.split_once("\n\n").unwrap_or((section, ""));
    let mut lines = head.lines();
    let title = lines.next().unwrap().to_owned();
    let name = lines.next().and_then(|line| line.strip_prefix("# @name ")).expect(&title);
    let (method, target) = lines.next().and_then(|line| line.split_once(' ')).expect(&title);
    let headers = lines.map(|line| {
        let (name, value) = line.split_once(": ").expect(line);
        (name.to_owned(), value.to_owned())
    });
    Request {
        headers: headers.collect(),
        name: name.to_owned(),
        method: method.to_owned(),
        target: target.to_owned(),
        body: body.trim().to_owned(),
        title,
    }
}

/// Fills in `{{variable}}` and `{{name.response.body.$.member[0].member}}`; a variable may hold the
/// second.
fn fill(
    text: &str,
    variables: &BTreeMap<String, String>,
    answers: &BTreeMap<String, Answer>,
) -> String {
    let reference = Regex::new(r"\{\{(\w+)(?:\.response\.body\.\$((?:\.\w+|\[\d+\])+))?\}\}");
    let filled =
        reference.unwrap().replace_all(text, |found: &regex::Captures<'_>| match found.get(2) {
            None => fill(&variables[&found[1]], variables, answers),
            Some(path) => text_at(&answers[&found[1]], path.as_str()),
        });
    assert!(!filled.contains("{{"), "{filled}");
    filled.into_owned()
}

/// The text at a path such as `.items[0].code`.
fn text_at(answer: &Answer, path: &str) -> String {
    let pointer = path.replace(['.', '['], "/").replace(']', "");
    let value = answer.body.pointer(&pointer).and_then(Value::as_str);
    value.unwrap_or_else(|| panic!("no {path} in {answer:?}")).to_owned()
}

/// Waits until every letter is sent, as a person does who looks into the inbox again.
async fn letters_are_sent(plan: &Plan) {
    let mut waiting = String::new();
    for _ in 0..300 {
        waiting = said(&run(plan, &["mail", "list", "--state", "waiting", "--json"], ""));
        if waiting.trim() == "[]" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("not sent: {waiting}");
}

/// Holds a request against the document: path, method, status and members of the body.
fn is_documented(request: &Request, body: &Value, operations: &[Operation]) {
    let name = &request.name;
    let mut candidates = operations.iter();
    let operation = candidates.find(|operation| {
        operation.method.as_str() == request.method && operation.path == request.path()
    });
    let operation = operation.unwrap_or_else(|| panic!("{name} is in no document"));
    assert!(operation.statuses.contains(&request.status()), "{name} is never {}", request.status());
    let members = operation.members();
    let given = body.as_object().cloned().unwrap_or_default();
    for (member, value) in &given {
        let kinds = members.get(member).map(|schema| schema["type"].to_string());
        let kinds = kinds.unwrap_or_else(|| panic!("{name} knows no {member}"));
        let kind = if value.is_boolean() { "boolean" } else { "string" };
        assert!(kinds.contains(kind), "{name}: {member} is {kinds}");
    }
    for member in operation.required() {
        assert!(given.contains_key(&member), "{name} lacks {member}");
    }
    let header = |wanted: &str| request.headers.iter().any(|(name, _)| name == wanted);
    assert_eq!(header("Content-Type"), !body.is_null(), "{name}");
    assert!(!operation.secured || header("Authorization"), "{name}");
}

async fn send(client: &Client, request: &Request, (headers, body): (Vec<String>, &str)) -> Answer {
    let mut sent = client.request(request.method.parse().unwrap(), request.path());
    for ((name, _), value) in request.headers.iter().zip(headers) {
        sent = sent.header(name, value);
    }
    client.send(sent.body(body.to_owned())).await
}

/// Walks through the file, and gives its requests and what the document of the node says.
async fn walk(read_the_letter: bool) -> (Vec<Request>, Vec<Operation>) {
    let database = TestDatabase::new(Database::Sqlite).await;
    // With the limits that whoever runs `make run` has as well.
    let plan = Plan::on(&database).with("throttle.enabled", true);
    let node = plan.start().await;
    let client = node.client();
    let operations = operations(&client).await;
    let (mut variables, requests) = read();
    assert_eq!(variables["host"], "http://127.0.0.1:8080", "that of `make run`");

    let mut answers = BTreeMap::new();
    for request in &requests {
        letters_are_sent(&plan).await;
        let mut status = request.status();
        if request.name == "undo" && read_the_letter {
            variables.insert("undo_token".to_owned(), undo_token(&client).await);
            status = 204;
        }
        let body = fill(&request.body, &variables, &answers);
        let json = if body.is_empty() { Value::Null } else { serde_json::from_str(&body).unwrap() };
        // The inbox is the developer's, and in no document.
        if !request.path().starts_with("/dev/") {
            is_documented(request, &json, &operations);
        }
        let values = request.headers.iter().map(|(_, value)| fill(value, &variables, &answers));
        let answer = send(&client, request, (values.collect(), &body)).await;
        assert_eq!(answer.status, status, "{}: {answer:?}", request.name);
        assert!(answers.insert(request.name.clone(), answer).is_none(), "two {}", request.name);
        if request.name == "undo" && read_the_letter {
            break;
        }
    }
    if read_the_letter {
        let (email, password) = (&variables["email"], &variables["password"]);
        client.login(email, password).await.is(401, "invalid_credentials");
    }
    (requests, operations)
}

/// The token that stands in the letter to the old address.
async fn undo_token(client: &Client) -> String {
    let inbox = client.get("/dev/inbox.json").await;
    let link = Regex::new(r"/undo-email-change#token=([A-Za-z0-9_-]+)").unwrap();
    link.captures(&inbox.text).expect("the letter")[1].to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_http_file_says_what_is_documented_and_its_walk_works() {
    let (requests, operations) = walk(false).await;
    for operation in &operations {
        let is_page = ["/docs", "/openapi.json", "/.well-known/oauth"]
            .iter()
            .any(|start| operation.path.starts_with(start));
        let name = operation.name();
        let walked =
            requests.iter().any(|request| format!("{} {}", request.method, request.path()) == name);
        assert!(is_page || walked, "{name} is missing in docs/gateward.http");
    }
}

/// Whoever puts the token of the letter where the file asks has to reset the password, as it says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_walk_of_the_http_file_works_with_the_token_of_the_letter_too() {
    let (requests, _) = walk(true).await;
    let undo = requests.iter().find(|request| request.name == "undo").unwrap();
    assert!(undo.title.contains("then 204"), "{}", undo.title);
}
