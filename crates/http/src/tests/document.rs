//! What the API document says of cookies, and of waiting.

use serde_json::{Value, json};

use super::test_app::options;

fn operations() -> Vec<(String, Value)> {
    let document = serde_json::to_value(crate::openapi_document(&options())).unwrap();
    let paths = document["paths"].as_object().unwrap().values();
    let methods = paths.flat_map(|path| path.as_object().unwrap().clone());
    methods.collect()
}

/// Rows L7 and L9: whatever takes a secret or has emails sent may have its caller wait, and says how
/// long.
#[test]
fn l9_what_may_have_its_caller_wait_documents_the_header() {
    let limited = [
        "signup",
        "login",
        "reauthenticate",
        "change_password",
        "change_email",
        "delete_me",
        "confirm",
        "resend",
        "undo",
        "forgot",
        "reset",
        "not_me",
        "introspect",
        "revoke",
        "list_revocations",
        "stream_revocations",
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
        assert_eq!(has_csrf, may_act || operation["operationId"] == "refresh", "{operation}");
        let refusal = operation["responses"]["403"]["description"].as_str().unwrap_or_default();
        assert!(!has_csrf || refusal.contains("`csrf_failed`"), "{operation}");
    }
    assert!(callers > 8, "{callers}");
}
