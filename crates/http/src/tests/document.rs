//! What the API document says of cookies.

use serde_json::{Value, json};

use super::world::options;

fn operations() -> Vec<(String, Value)> {
    let document = serde_json::to_value(crate::openapi_document(&options())).unwrap();
    let paths = document["paths"].as_object().unwrap().values();
    let methods = paths.flat_map(|path| path.as_object().unwrap().clone());
    methods.collect()
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
