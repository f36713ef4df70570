//! Tests of the API document: cookies, rate limits and operation IDs.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::testing::options;

/// The verbs of operation IDs, which generators use as method names.
const VERBS: &[&str] = &[
    "accept",
    "change",
    "confirm",
    "delete",
    "disable",
    "enable",
    "end",
    "explain",
    "export",
    "get",
    "introspect",
    "invite",
    "list",
    "log",
    "put",
    "reauthenticate",
    "refresh",
    "report",
    "request",
    "resend",
    "reset",
    "revoke",
    "set",
    "sign",
    "stream",
    "undo",
    "update",
];

fn operations() -> Vec<(String, Value)> {
    let document = serde_json::to_value(crate::openapi_document(&options())).unwrap();
    let paths = document["paths"].as_object().unwrap().values();
    let methods = paths.flat_map(|path| path.as_object().unwrap().clone());
    methods.collect()
}

/// Rows L7 and L9: operations that take a secret or send emails document `429` and `Retry-After`.
#[test]
fn l9_what_may_have_its_caller_wait_documents_the_header() {
    let limited = [
        "signUp",
        "logIn",
        "reauthenticate",
        "changePassword",
        "changeEmail",
        "deleteCurrentUser",
        "confirmEmail",
        "resendConfirmationEmail",
        "undoEmailChange",
        "requestPasswordReset",
        "resetPassword",
        "reportLogin",
        "introspectToken",
        "revokeToken",
        "listRevocations",
        "streamRevocations",
    ];
    let operations = operations();
    for id in limited {
        let found = operations.iter().find(|(_, operation)| operation["operationId"] == id);
        let responses = &found.unwrap_or_else(|| panic!("no {id}")).1["responses"];
        let description = responses["429"]["description"].as_str().unwrap_or_default();
        assert!(description.contains("`rate_limited`"), "{id}");
    }
    for (_, operation) in &operations {
        for status in ["429", "503"] {
            let response = &operation["responses"][status];
            let header = &response["headers"]["Retry-After"]["schema"];
            assert!(response.is_null() || *header == json!({"type": "integer", "minimum": 1}));
        }
    }
}

#[test]
fn the_cookie_stands_beside_the_header_wherever_a_caller_is_wanted() {
    let mut callers = 0;
    for (method, operation) in operations() {
        let security = operation["security"].as_array().cloned().unwrap_or_default();
        let by_header = security.contains(&json!({"access_token": []}));
        callers += usize::from(by_header);
        assert_eq!(security.contains(&json!({"cookieAuth": []})), by_header, "{operation}");
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let has_csrf = parameters.iter().any(|parameter| parameter["name"] == "X-CSRF-Token");
        let may_act = by_header && method != "get";
        assert_eq!(has_csrf, may_act || operation["operationId"] == "refreshTokens", "{operation}");
        let refusal = operation["responses"]["403"]["description"].as_str().unwrap_or_default();
        assert!(!has_csrf || refusal.contains("`csrf_failed`"), "{operation}");
    }
    assert!(callers > 8, "{callers}");
}

/// Generators use operation IDs as method names: each is unique, a verb and its object.
#[test]
fn operation_ids_are_unique_and_begin_with_a_verb() {
    let mut seen = BTreeSet::new();
    for (_, operation) in operations() {
        let id = operation["operationId"].as_str().unwrap().to_owned();
        assert!(id.chars().all(|c| c.is_ascii_alphabetic()), "{id}");
        let verb = id.split(|c: char| c.is_ascii_uppercase()).next().unwrap();
        assert!(VERBS.contains(&verb), "{id}");
        assert!(seen.insert(id.clone()), "{id} twice");
    }
    assert!(seen.len() > 40, "{}", seen.len());
}
