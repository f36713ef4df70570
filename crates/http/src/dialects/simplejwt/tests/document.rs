//! Tests of what the dialect adds: nothing unless it is on.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use serde_json::{Value, json};

use super::fixture::{BLACKLIST, LOGIN, ME, REFRESH, USERS, VERIFY, ada, options_with, post};
use crate::testing::{TestApp, options};
use crate::{Options, openapi_document};

fn document(options: &Options) -> Value {
    serde_json::to_value(openapi_document(options)).unwrap()
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[actix_web::test]
async fn without_the_dialect_its_paths_do_not_exist() {
    let test_app = TestApp::new().await;
    for path in [LOGIN, REFRESH, VERIFY, BLACKLIST, USERS] {
        for path in [path, path.trim_end_matches('/')] {
            let response = test_app.send(post(path, &ada())).await;
            assert_eq!(response.status, StatusCode::NOT_FOUND, "{path}");
        }
    }
    let response = test_app.send(TestRequest::get().uri(ME)).await;
    assert_eq!(response.status, StatusCode::NOT_FOUND);
}

#[test]
fn the_dialect_only_adds_to_the_api_document() {
    let (without, with) = (document(&options()), document(&options_with(true)));
    let paths = [LOGIN, REFRESH, VERIFY, BLACKLIST, USERS, ME];
    let mut reduced = with.clone();
    for path in paths {
        assert!(without["paths"].get(path).is_none(), "{path}");
        let removed = reduced["paths"].as_object_mut().unwrap().remove(path);
        let operations = removed.unwrap_or_else(|| panic!("no {path}"));
        let operation = operations.as_object().unwrap().values().next().unwrap();
        assert_eq!(operation["tags"], json!(["Dialects"]));
    }
    let tags = reduced["tags"].as_array_mut().unwrap();
    assert_eq!(tags.pop().unwrap()["name"], "Dialects");
    let schemas = reduced["components"]["schemas"].as_object_mut().unwrap();
    schemas.retain(|name, _| !name.starts_with("SimpleJwt") && !name.starts_with("Djoser"));
    assert_eq!(reduced, without);
    assert!(keys(&with["components"]["schemas"]).contains(&"SimpleJwtPair"));
}

#[test]
fn bodies_are_documented_in_each_form_and_allow_other_members() {
    let document = document(&options_with(true));
    for path in [LOGIN, REFRESH, VERIFY, BLACKLIST, USERS] {
        let content = &document["paths"][path]["post"]["requestBody"]["content"];
        let forms =
            ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"];
        for form in forms {
            assert!(content.get(form).is_some(), "{path} {form}: {content}");
        }
    }
    let login = &document["components"]["schemas"]["SimpleJwtLogin"];
    assert_eq!(login["required"], json!(["username", "password"]));
    assert!(login.get("additionalProperties").is_none());
}
