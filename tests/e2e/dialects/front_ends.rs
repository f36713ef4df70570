//! The examples of front ends that were written for the originals: the requests of their READMEs,
//! the program from Django, and the page from Flask in a browser.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

use gateward_e2e::{Browser, Database, PASSWORD, Plan, TestDatabase, eventually, not_checked};
use serde_json::{Value, json};

use super::root;
use crate::support::walk::check_walk;

/// How long an access token lives where a front end waits until it has expired.
const TTL_SECONDS: u32 = 3;

/// How long the page may take for its list, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A file of the examples.
fn example(path: &str) -> String {
    std::fs::read_to_string(root().join("examples").join(path)).expect(path)
}

/// What a README says that its front end prints.
fn promised(readme: &str) -> &str {
    let (_, block) = readme.rsplit_once("```text\n").expect("the output");
    block.split("```").next().unwrap_or_default().trim_end()
}

/// A node with a dialect, with the rate limits that `make run` has as well.
fn plan(database: &TestDatabase, dialect: &str) -> Plan {
    Plan::on(database).with("rate_limit.enabled", true).with("dialects.enabled", dialect)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_requests_of_projects_from_django_get_the_responses_of_the_page() {
    let database = TestDatabase::new(Database::Sqlite).await;
    let node = plan(&database, "simplejwt").serve().await;
    assert!(check_walk(&example("from-django/README.md"), &node) >= 15, "the walk was found");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_requests_of_projects_from_flask_get_the_responses_of_the_page() {
    let readme = example("from-flask/README.md");
    let (header, cookies) = readme.split_once("## With cookies").expect("both transports");
    let database = TestDatabase::new(Database::Sqlite).await;
    let plan = plan(&database, "flask");
    let node = plan.serve().await;
    assert!(check_walk(header, &node) >= 12, "the walk was found");
    drop(node);
    let node = plan.with("dialects.flask_transport", "cookie").serve().await;
    assert!(check_walk(cookies, &node) >= 8, "the walk was found");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_front_end_from_django_lives_through_expiries_and_a_logout() {
    let database = TestDatabase::new(Database::Sqlite).await;
    let plan = plan(&database, "simplejwt").with("tokens.access_ttl_seconds", TTL_SECONDS);
    let node = plan.start().await;
    let program = root().join("examples/from-django/front-end.mjs");
    let output = match Command::new("node").arg(program).arg(&node.url).output() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return not_checked("the front end from Django: it needs Node.js 18 or later");
        }
        output => output.unwrap(),
    };
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}\n{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(printed.trim_end(), promised(&example("from-django/README.md")));
    let requests = node.lines("request completed");
    let expired = |line: &&Value| line["code"] == "token_expired";
    assert!(requests.iter().filter(expired).count() >= 2, "tokens have expired: {requests:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_from_flask_lives_by_cookies_in_a_browser() {
    let Some(browser) = Browser::start(800, 600, false).await else { return };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let database = TestDatabase::new(Database::Sqlite).await;
    let plan = plan(&database, "flask").with("dialects.flask_transport", "cookie");
    let plan = plan.with("tokens.access_ttl_seconds", TTL_SECONDS);
    let node = plan.with("http.cors_origins", &origin).serve().await;
    assert_eq!(node.client().signup("ada").await.status, 201);
    serve_page(listener, node.url.trim_start_matches("http://"));

    browser.goto(&format!("{origin}/")).await;
    browser.fill("#username", "ada").await;
    browser.fill("#password", PASSWORD).await;
    for (button, result) in [
        ("#protected", "401 Missing cookie \"access_token_cookie\""),
        ("#login button", "200 Login successful"),
    ] {
        browser.click(button).await;
        shows(&browser, result).await;
    }
    // A browser takes Secure cookies from this machine without TLS.
    let flags = json!({"httpOnly": true, "path": "/", "sameSite": "Lax", "secure": true});
    let changed = |name: &str, value: Value| {
        let mut flags = flags.clone();
        flags[name] = value;
        flags
    };
    assert_eq!(
        cookies(&browser).await,
        BTreeMap::from([
            ("access_token_cookie".to_owned(), flags.clone()),
            ("csrf_access_token".to_owned(), changed("httpOnly", json!(false))),
            ("csrf_refresh_token".to_owned(), changed("httpOnly", json!(false))),
            ("refresh_token_cookie".to_owned(), changed("path", json!("/refresh"))),
        ])
    );
    for (button, result) in [
        ("#protected", "200 Hello, ada!"),
        ("#logout", "200 Logout successful"),
        ("#tour", "done: all steps ran"),
    ] {
        browser.click(button).await;
        shows(&browser, result).await;
    }
    assert_eq!(browser.text("#steps").await, promised(&example("from-flask/README.md")));
    assert!(cookies(&browser).await.is_empty());
    let errors = browser.console_errors().await;
    assert!(errors.iter().all(|error| error.contains(" 401 ")), "{errors:#?}");
}

/// The guides print files that are tested beside the packages.
#[test]
fn the_guides_quote_the_settings_that_are_tested() {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).expect(path);
    let tested = |name: &str| read(&format!("tests/dialects/verifiers/{name}"));
    let django = read("docs/from-simplejwt.md");
    let settings = tested("django_stateless.py");
    let (_, settings) = settings.split_once("SIMPLE_JWT = {").expect("the settings");
    let url = "https://auth.example.org";
    let settings = settings
        .replace("os.environ[\"GATEWARD_ALGORITHM\"]", "\"ES256\"")
        .replace("os.environ[\"GATEWARD_JWKS_URL\"]", &format!("\"{url}/.well-known/jwks.json\""))
        .replace("os.environ[\"GATEWARD_ISSUER\"]", &format!("\"{url}\""))
        .replace("os.environ[\"GATEWARD_AUDIENCE\"]", &format!("\"{url}\""));
    let with_table = tested("django_database.py");
    let (_, with_table) = with_table.split_once("    # The user is looked up").expect("more");
    let flask = read("docs/from-flask-jwt-extended.md");
    for (guide, quoted) in [
        (&django, settings.as_str()),
        (&django, with_table.trim_end().trim_end_matches('}')),
        (&django, &tested("gateward_auth.py")),
        (&flask, &tested("flask_strict.py")),
    ] {
        assert!(guide.contains(quoted), "a guide does not quote this as it is:\n{quoted}");
    }
}

/// Waits until the page shows this result.
async fn shows(browser: &Browser, result: &str) {
    eventually(PATIENCE, async || {
        let shown = browser.text("#result").await;
        if shown == result { Ok(()) } else { Err(format!("{shown:?} and not {result:?}")) }
    })
    .await;
}

/// The cookies of the browser, each with its flags.
async fn cookies(browser: &Browser) -> BTreeMap<String, Value> {
    let all = browser.session.develop("Network.getAllCookies", json!({})).await.unwrap();
    let flags = |cookie: &Value| {
        let flags = ["httpOnly", "path", "sameSite", "secure"];
        flags.iter().map(|flag| ((*flag).to_owned(), cookie[*flag].clone())).collect()
    };
    let all = all["cookies"].as_array().unwrap().iter();
    all.map(|cookie| (cookie["name"].as_str().unwrap().to_owned(), flags(cookie))).collect()
}

/// Serves the page from Flask, for a node at this address, as long as the tests run.
fn serve_page(listener: TcpListener, address: &str) {
    let file =
        |name: &str| example(&format!("from-flask/{name}")).replace("127.0.0.1:8080", address);
    let (page, script) = (file("index.html"), file("front-end.js"));
    // One thread for each connection: a browser opens some that it does not use.
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (page, script) = (page.clone(), script.clone());
            std::thread::spawn(move || respond(stream, &page, &script));
        }
    });
}

/// Handles one request. `None` if the browser has closed the connection.
fn respond(stream: TcpStream, page: &str, script: &str) -> Option<()> {
    stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
    let mut reader = BufReader::new(stream);
    let (mut request, mut line) = (String::new(), String::new());
    reader.read_line(&mut request).ok()?;
    while reader.read_line(&mut line).ok()? > 2 {
        line.clear();
    }
    let (kind, body) = if request.starts_with("GET /front-end.js ") {
        ("text/javascript", script)
    } else {
        ("text/html", page)
    };
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n");
    let mut stream = reader.into_inner();
    stream.write_all(format!("{head}Connection: close\r\n\r\n{body}").as_bytes()).ok()
}
