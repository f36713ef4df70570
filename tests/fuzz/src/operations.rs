//! `Operations`: the API document as a check of responses.

use std::collections::BTreeSet;

use actix_web::dev::ResourceDef;
use gateward_http::Options;
use serde_json::Value;

use crate::service::Exchange;

/// The documented operations.
pub struct Operations(Vec<Operation>);

struct Operation {
    method: String,
    path: ResourceDef,
    statuses: BTreeSet<u16>,
    /// Whether it always needs an access token.
    needs_token: bool,
    /// Whether it takes a JSON body, and no other.
    takes_json: bool,
}

impl Operations {
    /// The operations of these installations.
    #[must_use]
    pub fn new(installations: &[Options]) -> Self {
        let mut operations = Vec::new();
        for options in installations {
            let document = serde_json::to_value(gateward_http::openapi_document(options)).unwrap();
            for (path, item) in document["paths"].as_object().unwrap() {
                for (method, operation) in item.as_object().unwrap() {
                    operations.push(Operation::new(method, path, operation));
                }
            }
        }
        Self(operations)
    }

    /// Asserts what holds for every response: no fault, a documented status, a well-formed body, no
    /// success without credentials or with a body that is no JSON.
    pub fn check(&self, exchange: &Exchange, issued: &[&str]) {
        let Exchange { request, status, .. } = exchange;
        assert!(*status < 500, "a fault: {exchange:?}");
        assert!(exchange.header("x-request-id").is_some(), "no request ID: {exchange:?}");
        let path = request.target.path();
        let found = self.0.iter().find(|operation| operation.is_for(exchange, path));
        let Some(operation) = found else { return };
        assert!(operation.statuses.contains(status), "an undocumented status: {exchange:?}");
        exchange.check_problem();
        if *status >= 300 {
            return;
        }
        if operation.needs_token {
            let is_carried = issued.iter().any(|token| exchange.carries(token));
            assert!(is_carried, "no token: {exchange:?}");
        }
        if operation.takes_json && !request.body.is_empty() {
            let body: Result<Value, _> = serde_json::from_slice(&request.body);
            assert!(body.is_ok_and(|body| body.is_object()), "no object: {exchange:?}");
        }
    }
}

impl Operation {
    fn new(method: &str, path: &str, operation: &Value) -> Self {
        let statuses = operation["responses"].as_object().unwrap().keys();
        let security = operation["security"].as_array().map(Vec::as_slice).unwrap_or_default();
        let is_user = |scheme: &Value| {
            scheme.get("access_token").is_some() || scheme.get("cookieAuth").is_some()
        };
        let kinds = operation.pointer("/requestBody/content").and_then(Value::as_object);
        Self {
            method: method.to_uppercase(),
            path: ResourceDef::new(path),
            statuses: statuses.map(|status| status.parse().unwrap()).collect(),
            needs_token: !security.is_empty() && security.iter().all(is_user),
            takes_json: kinds.is_some_and(|kinds| kinds.keys().eq(["application/json"])),
        }
    }

    fn is_for(&self, exchange: &Exchange, path: &str) -> bool {
        let method = match exchange.request.method.as_str() {
            "HEAD" => "GET",
            method => method,
        };
        self.method == method && self.path.is_match(path)
    }
}
