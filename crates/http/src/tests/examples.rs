//! Tests of the examples in the API document: prepared request bodies and error responses.

use serde_json::{Map, Value};

use crate::Code;
use crate::testing::{OURS, options};

struct Operation {
    id: String,
    value: Value,
}

fn document() -> Value {
    serde_json::to_value(crate::openapi_document(&options())).unwrap()
}

fn operations(document: &Value) -> Vec<Operation> {
    let paths = document["paths"].as_object().unwrap().values();
    let operations = paths.flat_map(|path| path.as_object().unwrap().values().cloned());
    let named =
        |value: Value| Operation { id: value["operationId"].as_str().unwrap().to_owned(), value };
    operations.map(named).collect()
}

/// Checks a value of a prepared body against the schema of its field.
fn fits(name: &str, value: &Value, schema: &Value) {
    let types = schema["type"].to_string();
    match value {
        Value::String(text) => {
            assert!(types.contains("string"), "{name}");
            assert_ne!(text, "string", "{name}");
            let length = u64::try_from(text.chars().count()).unwrap();
            assert!(schema["minLength"].as_u64().is_none_or(|min| length >= min), "{name}");
            assert!(schema["maxLength"].as_u64().is_none_or(|max| length <= max), "{name}");
        }
        Value::Bool(_) => assert!(types.contains("boolean"), "{name}"),
        Value::Array(items) => {
            assert!(types.contains("array"), "{name}");
            for item in items {
                fits(name, item, &schema["items"]);
            }
        }
        other => panic!("{name} is {other}"),
    }
}

#[test]
fn every_body_is_prepared_and_fits_its_schema() {
    let document = document();
    let mut seen = 0;
    for Operation { id, value } in operations(&document) {
        let Some(content) = value["requestBody"]["content"].as_object() else { continue };
        for media in content.values() {
            let example = media["example"].as_object().unwrap_or_else(|| panic!("{id}: none"));
            let reference = media["schema"]["$ref"].as_str().unwrap();
            let schema = document.pointer(reference.strip_prefix('#').unwrap()).unwrap();
            for (name, value) in example {
                let field = &schema["properties"][name];
                assert!(field.is_object(), "{id} has no {name}");
                fits(&format!("{id}: {name}"), value, field);
            }
            for name in schema["required"].as_array().into_iter().flatten() {
                assert!(example.contains_key(name.as_str().unwrap()), "{id} lacks {name}");
            }
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen}");
}

/// A developer sends them one after the other.
#[test]
fn the_prepared_bodies_belong_to_one_account() {
    let operations = operations(&document());
    let body = |id: &str| {
        let found = operations.iter().find(|operation| operation.id == id).unwrap();
        let content = found.value["requestBody"]["content"]["application/json"].clone();
        content["example"].as_object().unwrap().clone()
    };
    let signup = body("signUp");
    for id in ["logIn", "confirmEmail", "resetPassword", "reauthenticate", "requestPasswordReset"] {
        for (name, value) in body(id) {
            assert!(signup.get(&name).is_none_or(|same| *same == value), "{id}: {name}");
        }
    }
    assert_eq!(body("changePassword")["current_password"], signup["password"]);
    assert_eq!(body("logIn").keys().collect::<Vec<_>>(), ["password", "username"]);
}

/// The examples of a response, each with its code if there are several.
fn examples(media: &Value) -> Vec<(Option<String>, Map<String, Value>)> {
    let object = |value: &Value| value.as_object().unwrap().clone();
    match &media["examples"] {
        Value::Null => media.get("example").map(|only| (None, object(only))).into_iter().collect(),
        several => {
            assert!(media["example"].is_null(), "either one or several: {media}");
            let several = several.as_object().unwrap().iter();
            several.map(|(code, one)| (Some(code.clone()), object(&one["value"]))).collect()
        }
    }
}

/// Checks an example of an error response.
fn is_right(what: &str, status: &str, description: &str, example: &Map<String, Value>) {
    let text = |name: &str| example[name].as_str().unwrap_or_else(|| panic!("{what}: {name}"));
    let code = Code::ALL.iter().find(|code| code.as_str() == text("code"));
    let code = code.unwrap_or_else(|| panic!("{what}: {example:?}"));
    assert_eq!(code.status().as_str(), status, "{what}");
    assert_eq!(example["status"], code.status().as_u16(), "{what}");
    assert_eq!(text("title"), code.title(), "{what}");
    assert_eq!(text("type"), format!("{OURS}/docs/problems#{}", code.as_str()), "{what}");
    assert!(description.contains(&format!("`{}`", code.as_str())), "{what}: {description}");
    assert!(text("detail").ends_with('.'), "{what}");
    assert_eq!(example.contains_key("reason"), *code == Code::SessionEnded, "{what}");
    let errors = example.get("errors").and_then(Value::as_array);
    assert_eq!(errors.map_or(0, Vec::len), usize::from(*code == Code::ValidationFailed), "{what}");
}

#[test]
fn every_error_response_has_an_example_of_each_of_its_codes() {
    let document = document();
    let mut seen = 0;
    for Operation { id, value } in operations(&document) {
        for (status, response) in value["responses"].as_object().unwrap() {
            if status.as_str() < "400" {
                continue;
            }
            let what = format!("{id} {status}");
            let description = response["description"].as_str().unwrap();
            let examples = examples(&response["content"]["application/problem+json"]);
            assert!(!examples.is_empty(), "{what} has no example: {description}");
            for (code, example) in &examples {
                is_right(&what, status, description, example);
                assert!(code.as_deref().is_none_or(|code| example["code"] == code), "{what}");
            }
            seen += examples.len();
        }
    }
    assert!(seen > 300, "{seen}");
}

/// The field error of an operation is about a field or parameter that it has, unless it is about
/// one that it does not know.
#[test]
fn field_errors_are_about_fields_of_the_operation() {
    let document = document();
    for Operation { id, value } in operations(&document) {
        let media = &value["responses"]["422"]["content"]["application/problem+json"];
        let error = &media["example"]["errors"][0];
        let mut known: Vec<String> = Vec::new();
        for media in value["requestBody"]["content"].as_object().into_iter().flatten() {
            let reference = media.1["schema"]["$ref"].as_str().unwrap();
            let schema = document.pointer(reference.strip_prefix('#').unwrap()).unwrap();
            known.extend(schema["properties"].as_object().unwrap().keys().cloned());
        }
        let parameters = value["parameters"].as_array().into_iter().flatten();
        known.extend(parameters.map(|one| one["name"].as_str().unwrap().to_owned()));
        let field = error["field"].as_str().unwrap_or_else(|| panic!("{id}: {error}"));
        let is_known = known.iter().any(|name| name == field);
        assert_eq!(is_known, error["code"] != "unknown_field", "{id}: {error}, {known:?}");
    }
}
