//! Tests of the page `/docs`: its tags and operations in order, its files, its colors.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use serde_json::{Value, json};

use crate::Options;
use crate::testing::{TestApp, options};

/// The tags, as the page shows them.
const TAGS: [&str; 9] = [
    "Getting started",
    "Account",
    "Password",
    "Email",
    "Sessions",
    "Token verification",
    "Administration",
    "Audit",
    "Operations",
];

/// Loads nothing from other hosts, and runs no script of the page itself.
const PAGE_CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                        img-src 'self' data:; connect-src 'self'; base-uri 'none'; \
                        form-action 'none'; frame-ancestors 'none'";

fn document() -> Value {
    serde_json::to_value(crate::openapi_document(&options())).unwrap()
}

/// The operations in the order of the page.
fn operations() -> Vec<Value> {
    let document = document();
    let paths = document["paths"].as_object().unwrap().values();
    let operations = paths.flat_map(|path| path.as_object().unwrap().values().cloned());
    let mut operations: Vec<Value> = operations.collect();
    operations.sort_by_key(|operation| operation["x-order"].as_u64());
    operations
}

#[test]
fn tags_and_operations_are_in_the_order_of_use() {
    let document = document();
    let tags = document["tags"].as_array().unwrap();
    let names: Vec<&str> = tags.iter().map(|tag| tag["name"].as_str().unwrap()).collect();
    assert_eq!(names, TAGS);
    for tag in tags {
        let description = tag["description"].as_str().unwrap();
        assert!(description.ends_with('.') && !description.contains('\n'), "{description}");
        assert!(description.len() <= 100, "{description}");
    }

    let (mut of_tags, mut first) = (Vec::new(), Vec::new());
    for (number, operation) in operations().into_iter().enumerate() {
        assert_eq!(operation["x-order"], number, "{operation}");
        let tag = operation["tags"][0].as_str().unwrap();
        assert_eq!(operation["tags"], json!([tag]));
        of_tags.push(TAGS.iter().position(|name| *name == tag).unwrap());
        if tag == TAGS[0] {
            first.push(operation["operationId"].as_str().unwrap().to_owned());
        }
    }
    assert!(of_tags.is_sorted(), "{of_tags:?}");
    of_tags.dedup();
    assert_eq!(of_tags.len(), TAGS.len(), "every tag has an operation");
    let journey = ["signUp", "confirmEmail", "logIn", "getCurrentUser", "refreshTokens", "logOut"];
    assert_eq!(first, journey);
}

/// Other tools show the paths in the order of the document.
#[test]
fn the_document_begins_with_the_sign_up() {
    let document = crate::openapi_document(&options());
    let paths: Vec<&str> = document.paths.paths.keys().map(String::as_str).take(4).collect();
    assert_eq!(paths, ["/v1/signup", "/v1/email/confirm", "/v1/login", "/v1/me"]);
}

#[actix_web::test]
async fn the_page_and_its_files_are_served_but_are_no_operations() {
    let document = document();
    let listed: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
    assert!(!listed.iter().any(|path| path.starts_with("/docs")), "{listed:?}");

    let app = TestApp::with(Options { docs: true, ..options() }).await;
    let page = app.send(TestRequest::get().uri("/docs")).await.is(StatusCode::OK);
    assert_eq!(page.header("content-security-policy"), PAGE_CSP);
    let files = page.text.split('"').filter(|path| path.starts_with("/docs/"));
    // The icon is no text, which this client needs.
    let files: Vec<&str> = files.filter(|path| !path.contains("favicon")).collect();
    assert_eq!(files.len(), 3, "{files:?}");
    for file in files {
        app.send(TestRequest::get().uri(file)).await.is(StatusCode::OK);
    }
    app.send(TestRequest::get().uri("/docs/problems")).await.is(StatusCode::OK);
    let missing = app.send(TestRequest::get().uri("/docs/other.js")).await;
    missing.is(StatusCode::NOT_FOUND).refused("not_found");
}

#[actix_web::test]
async fn the_page_keeps_the_access_token_and_follows_the_color_scheme() {
    let app = TestApp::with(Options { docs: true, ..options() }).await;
    let script = app.send(TestRequest::get().uri("/docs/start.js")).await.text;
    assert!(script.contains("persistAuthorization: true"), "{script}");
    assert!(script.contains("operationsSorter"), "{script}");
    assert!(script.contains("(prefers-color-scheme: dark)"), "{script}");
    assert!(script.contains("\"dark-mode\""), "{script}");
    // The class is one of Swagger UI: an update that renames it must be noticed.
    let style = app.send(TestRequest::get().uri("/docs/swagger-ui.css")).await.text;
    assert!(style.contains("html.dark-mode .swagger-ui"));
    let page = app.send(TestRequest::get().uri("/docs")).await.text;
    assert!(page.contains(r#"<meta name="color-scheme" content="light dark">"#), "{page}");
}
