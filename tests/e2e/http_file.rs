//! `docs/gateward.http`: every request in it is documented, and the walk works.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use gateward_e2e::{Client, Database, Plan, TestDatabase, TestResponse, run};
use regex::Regex;
use serde_json::{Map, Value, json};

use crate::support::api::{Operation, operations};
use crate::support::commands::said;

const FILE: &str = include_str!("../../docs/gateward.http");

static STATUS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b[1-5]\d\d\b").unwrap());
static REFERENCE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\{\{(\w+)(?:\.response\.body\.\$((?:\.\w+|\[\d+\])+))?\}\}").unwrap()
});

/// One request of the file, its variables not yet filled in.
struct Request {
    /// The text after `###`, with the expected status.
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
        STATUS.find(&self.title).expect(&self.title).as_str().parse().unwrap()
    }

    /// The path without host, with its query.
    fn path_and_query(&self) -> &str {
        self.target.strip_prefix("{{host}}").expect("every request goes to {{host}}")
    }

    /// The path without host.
    fn path(&self) -> &str {
        let path = self.path_and_query();
        path.split_once('?').map_or(path, |(path, _)| path)
    }

    /// Whether the request matches this operation.
    fn is_of(&self, operation: &Operation) -> bool {
        let [given, template] = [self.path(), &operation.path].map(|path| path.split('/'));
        let is_same =
            |(given, template): (&str, &str)| given == template || template.starts_with('{');
        operation.method.as_str() == self.method
            && given.clone().count() == template.clone().count()
            && given.zip(template).all(is_same)
    }

    /// A header, as it is written.
    fn header(&self, wanted: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
    }

    /// The fields of its body when its variables are filled in.
    fn members(&self, body: &str) -> Map<String, Value> {
        match self.header("Content-Type") {
            None => Map::new(),
            Some("application/json") => serde_json::from_str(body).unwrap(),
            Some(_) => {
                let pairs = body.split('&').map(|pair| pair.split_once('=').expect(body));
                pairs.map(|(name, value)| (name.to_owned(), json!(value))).collect()
            }
        }
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

/// Fills in `{{variable}}` and `{{name.response.body.$.member[0].member}}`; a variable may contain
/// the second form.
fn fill(
    text: &str,
    variables: &BTreeMap<String, String>,
    responses: &BTreeMap<String, TestResponse>,
) -> String {
    let filled = REFERENCE.replace_all(text, |found: &regex::Captures<'_>| match found.get(2) {
        None => fill(&variables[&found[1]], variables, responses),
        Some(path) => text_at(&responses[&found[1]], path.as_str()),
    });
    assert!(!filled.contains("{{"), "{filled}");
    filled.into_owned()
}

/// The text at a path such as `.items[0].code`.
fn text_at(response: &TestResponse, path: &str) -> String {
    let pointer = path.replace(['.', '['], "/").replace(']', "");
    let value = response.body.pointer(&pointer).and_then(Value::as_str);
    value.unwrap_or_else(|| panic!("no {path} in {response:?}")).to_owned()
}

/// Waits until every email is sent, like a person who reloads the inbox.
async fn emails_are_sent(plan: &Plan) {
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

/// Checks a request against the document: path, method, status and fields of the body.
fn is_documented(request: &Request, body: &str, operations: &[Operation]) {
    let name = &request.name;
    let operation = operations.iter().find(|operation| request.is_of(operation));
    let operation = operation.unwrap_or_else(|| panic!("{name} is in no document"));
    assert!(operation.statuses.contains(&request.status()), "{name} is never {}", request.status());
    let members = operation.members();
    let given = request.members(body);
    for (member, value) in &given {
        if operation.form.contains(member) {
            continue;
        }
        let kinds = members.get(member).map(|schema| schema["type"].to_string());
        let kinds = kinds.unwrap_or_else(|| panic!("{name} knows no {member}"));
        let kind = match value {
            Value::Bool(_) => "boolean",
            Value::Array(_) => "array",
            _ => "string",
        };
        assert!(kinds.contains(kind), "{name}: {member} is {kinds}");
    }
    for member in operation.required() {
        assert!(given.contains_key(&member), "{name} lacks {member}");
    }
    let kind = match (given.is_empty(), operation.form.is_empty()) {
        (true, _) => None,
        (_, true) => Some("application/json"),
        (_, false) => Some("application/x-www-form-urlencoded"),
    };
    assert_eq!(request.header("Content-Type"), kind, "{name}");
    assert_eq!(body.is_empty(), kind.is_none(), "{name}");
    let scheme = request.header("Authorization").and_then(|value| value.split_once(' '));
    let wanted = match (operation.secured, operation.by_client) {
        (true, _) => Some("Bearer"),
        (_, true) => Some("Basic"),
        _ => None,
    };
    assert_eq!(scheme.map(|(scheme, _)| scheme), wanted, "{name}");
}

/// Sends a request as an editor does, which encodes the name and secret after `Basic`.
async fn send(client: &Client, request: &Request, fill: impl Fn(&str) -> String) -> TestResponse {
    let path = fill(request.path_and_query());
    let mut sent = client.request(request.method.parse().unwrap(), &path);
    for (name, value) in &request.headers {
        let value = fill(value);
        let words: Vec<&str> = value.split(' ').collect();
        sent = match words[..] {
            ["Basic", user, secret] => sent.basic_auth(user, Some(secret)),
            _ => sent.header(name, value),
        };
    }
    client.send(sent.body(fill(&request.body))).await
}

/// The settings with which the file starts the service.
fn settings() -> Vec<(String, String)> {
    let setting = Regex::new(r"(GATEWARD__\w+)=(\S+)").unwrap();
    let settings = setting.captures_iter(FILE);
    settings.map(|setting| (setting[1].to_owned(), setting[2].to_owned())).collect()
}

/// Runs all requests of the file. Returns them and the operations that the node documents.
async fn walk(read_the_email: bool) -> (Vec<Request>, Vec<Operation>) {
    let database = TestDatabase::new(Database::Sqlite).await;
    // With the rate limits that `make run` has as well.
    let mut plan = Plan::on(&database).with("rate_limit.enabled", true);
    plan.environment.extend(settings());
    let node = plan.serve().await;
    let client = node.client();
    let operations = operations(&client).await;
    let (mut variables, requests) = read();
    administrator(&plan, &variables);
    assert_eq!(variables["host"], "http://127.0.0.1:8080", "that of `make run`");

    let mut responses = BTreeMap::new();
    for request in &requests {
        emails_are_sent(&plan).await;
        let mut status = request.status();
        if request.name == "undo" && read_the_email {
            variables.insert("undo_token".to_owned(), undo_token(&client).await);
            status = 204;
        }
        let fill = |text: &str| fill(text, &variables, &responses);
        // The inbox is for development, and in no document.
        if !request.path().starts_with("/dev/") {
            is_documented(request, &fill(&request.body), &operations);
        }
        let response = send(&client, request, fill).await;
        assert_eq!(response.status, status, "{}: {response:?}", request.name);
        assert!(responses.insert(request.name.clone(), response).is_none(), "two {}", request.name);
        if request.name == "undo" && read_the_email {
            break;
        }
    }
    if read_the_email {
        let (email, password) = (&variables["email"], &variables["password"]);
        client.login(email, password).await.is(401, "invalid_credentials");
    }
    (requests, operations)
}

/// Creates the administrator as the file says.
fn administrator(plan: &Plan, variables: &BTreeMap<String, String>) {
    let [name, password] = ["admin", "password"].map(|name| variables[name].as_str());
    let email = format!("{name}@example.org");
    let words = format!("user create --username {name} --email {email} --admin --password-stdin");
    assert!(FILE.contains(&format!("echo {password} | cargo run -- {words}")), "{words}");
    let words: Vec<&str> = words.split(' ').collect();
    said(&run(plan, &words, &format!("{password}\n")));
}

/// The token of the email to the old email address.
async fn undo_token(client: &Client) -> String {
    let inbox = client.get("/dev/inbox.json").await;
    let link = Regex::new(r"/undo-email-change#token=([A-Za-z0-9_-]+)").unwrap();
    link.captures(&inbox.text).expect("the email")[1].to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_http_file_says_what_is_documented_and_its_walk_works() {
    let (requests, operations) = walk(false).await;
    for operation in &operations {
        let is_page = ["/openapi.json", "/.well-known/oauth"]
            .iter()
            .any(|start| operation.path.starts_with(start));
        let walked = requests.iter().any(|request| request.is_of(operation));
        // An editor waits for the end of a response.
        let by_curl = operation.is_endless() && FILE.contains(&format!("{}\n", operation.path));
        let name = operation.name();
        assert!(is_page || walked || by_curl, "{name} is missing in docs/gateward.http");
    }
}

/// With the token of the email filled in, the account needs a password reset, as the file says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_walk_of_the_http_file_works_with_the_token_of_the_email_too() {
    let (requests, _) = walk(true).await;
    let undo = requests.iter().find(|request| request.name == "undo").unwrap();
    assert!(undo.title.contains("then 204"), "{}", undo.title);
}
