//! Fuzz target: a request to the whole HTTP interface. Its input is a request in the form of
//! `docs/gateward.http`.
#![no_main]

use std::cell::LazyCell;

use gateward_fuzz::request::RequestText;
use gateward_fuzz::{Exchange, PASSWORD, TestService};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use url::form_urlencoded;

thread_local! {
    /// It is never dropped: at the end of the process, what it needs for that is gone.
    static SERVICE: LazyCell<&'static TestService> = LazyCell::new(|| Box::leak(Box::default()));
}

fuzz_target!(
    |input: &[u8]| SERVICE.with(|service| f32_no_request_breaks_the_service(service, input))
);

/// Row F32: no request is a fault or gets an undocumented response, and none succeeds without the
/// secret that it needs.
fn f32_no_request_breaks_the_service(service: &TestService, input: &[u8]) {
    let Some(request) = RequestText::parse(input, &service.variables) else { return };
    let exchange = service.send(request);
    let tokens = ["access_token", "other_access_token", "admin_access_token", "cookie_token"];
    service.operations.check(&exchange, &tokens.map(|name| service.variables.get(name)));
    check_login(&exchange);
}

/// A response with a session needs the password, as another parser reads it.
fn check_login(exchange: &Exchange) {
    let is_login =
        ["/v1/login", "/api/token/", "/api/token", "/flask/login", "/flask-cookie/login"]
            .contains(&exchange.request.target.path());
    if !is_login || exchange.request.method != "POST" || exchange.status != 200 {
        return;
    }
    let body = &exchange.request.body;
    let kinds: Vec<_> = exchange.request.values("content-type").collect();
    // Multipart has no second parser here.
    if kinds.iter().any(|kind| kind.starts_with(b"multipart/")) {
        return;
    }
    let as_json: Value = serde_json::from_slice(body).unwrap_or_default();
    let mut as_form = form_urlencoded::parse(body);
    let is_given = as_json.get("password").is_some_and(|password| password == PASSWORD)
        || as_form.any(|(name, value)| name == "password" && value == PASSWORD);
    assert!(is_given, "a login without the password: {exchange:?}");
}
