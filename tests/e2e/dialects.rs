//! The dialects beside the real packages: each request is sent to both, and tokens are checked by
//! the resource servers that people have. The Python of it is in `tests/dialects`.
//!
//! `make packages` installs the packages. Without them these tests are skipped with a message, or
//! fail in the gate.

mod claims;
mod collisions;
mod front_ends;
mod packages;
mod soak;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use gateward_e2e::{Client, Node, PASSWORD, Plan, ShiftedClock, TestDatabase, not_checked, root};
use serde_json::{Value, json};

use crate::support::commands::{create, said};

/// How far back the tokens that must have expired are issued: longer than
/// `tokens.refresh_idle_seconds`.
const LONG_AGO_SECONDS: i64 = 8 * 24 * 3600;

/// The accounts that the comparisons use.
const USERS: [&str; 5] = ["ada", "bob", "carol", "dave", "erin"];

/// The Python with the packages, if they are installed.
fn python() -> Option<PathBuf> {
    let python = root().join("target/dialects/bin/python");
    if !python.is_file() {
        not_checked("the dialects beside the real packages; install them with `make packages`");
        return None;
    }
    Some(python)
}

/// Runs a program of `tests/dialects` with this context, and prints what it prints.
fn run_program(python: &Path, arguments: &[&str], context: &Value) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("context.json");
    std::fs::write(&file, context.to_string()).unwrap();
    let output = Command::new(python).args(arguments).arg(&file).current_dir(root()).output();
    let output = output.expect("Python runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}:\n{text}\n{errors}");
    // A line per case, also when the test passes: macros print only for failures.
    for line in text.lines().filter(|line| !line.starts_with([' ', '-'])) {
        let _ = writeln!(std::io::stdout(), "{line}");
    }
}

/// Tokens of ada that have expired, on the installation of this plan, and the CSRF values of their
/// cookies if there are any.
async fn expired_tokens(plan: &Plan) -> Option<Value> {
    let clock = ShiftedClock::new()?;
    clock.set(-LONG_AGO_SECONDS);
    let mut past = plan.clone();
    past.environment.extend(clock.environment());
    let node = past.start().await;
    let client = node.client();
    let pair = client.begin("ada").await;
    let by_cookie = ("GATEWARD__DIALECTS__FLASK_TRANSPORT", "cookie");
    if plan.environment.get(by_cookie.0).map(String::as_str) != Some(by_cookie.1) {
        return Some(json!({"access": pair.access(), "refresh": pair.refresh_token()}));
    }
    let login = json!({"username": "ada", "password": PASSWORD});
    let set = client.send(client.post("/login", &login)).await;
    let cookie = |name: &str| {
        let lines = set.headers.get_all("set-cookie").iter();
        let mut values = lines.filter_map(|line| {
            line.to_str().ok()?.strip_prefix(name)?.strip_prefix('=')?.split(';').next()
        });
        values.next().unwrap_or_else(|| panic!("no cookie {name} in {set:?}")).to_owned()
    };
    Some(json!({
        "access": cookie("access_token_cookie"),
        "access_csrf": cookie("csrf_access_token"),
        "refresh": cookie("refresh_token_cookie"),
        "csrf": cookie("csrf_refresh_token"),
    }))
}

/// A node with dialects, its users, and the context of a comparison.
async fn start(database: &TestDatabase, settings: &[(&str, &str)]) -> Option<(Node, Value)> {
    let mut plan = Plan::on(database)
        .with("rate_limit.enabled", false)
        .with("tokens.refresh_leeway_seconds", 0);
    for (option, value) in settings {
        plan = plan.with(option, value);
    }
    let expired = expired_tokens(&plan).await?;
    let node = plan.serve().await;
    let client = node.client();
    for name in &USERS[1..] {
        assert_eq!(client.signup(name).await.status, 201);
    }
    said(&create(&plan, ("grace", "grace@example.org"), PASSWORD));
    let users = USERS.map(|name| (name.to_owned(), account(name)));
    let context = json!({
        "url": node.url,
        "users": users.into_iter().collect::<serde_json::Map<_, _>>(),
        "admin": {"username": "grace", "password": PASSWORD},
        "expired": expired,
    });
    Some((node, context))
}

fn account(name: &str) -> Value {
    json!({"password": PASSWORD, "email": format!("{name}@example.org")})
}

/// Whether a path is served.
async fn is_served(client: &Client, method: reqwest::Method, path: &str) -> bool {
    client.send(client.request(method, path)).await.status != 404
}
