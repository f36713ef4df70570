//! Tests of the middleware with failing ports; the modules test the whole interface.

mod cookies;
mod cors;
mod counted;
mod csrf;
mod docs_page;
mod document;
mod examples;
mod logouts;
mod refreshes;
mod two_credentials;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use actix_web::http::StatusCode;
use actix_web::test::{self, TestRequest};
use actix_web::{App as Application, HttpResponse, web};
use serde_json::{Value, json};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::testing::{LISTED, TestApp};

/// Counts logged errors.
struct ErrorCount(Arc<AtomicU32>);

impl Subscriber for ErrorCount {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span() || *metadata.level() == Level::ERROR
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
        event.record(&mut NoCanary);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Fails on a log line that repeats the message of a panic.
struct NoCanary;

impl Visit for NoCanary {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        assert!(!format!("{value:?}").contains("canary"), "{field}: {value:?}");
    }
}

/// Counts the errors that are logged while a future runs.
async fn errors_logged<T>(work: impl Future<Output = T>) -> (T, u32) {
    let count = Arc::new(AtomicU32::new(0));
    let _guard = tracing::subscriber::set_default(ErrorCount(Arc::clone(&count)));
    let value = work.await;
    (value, count.load(Ordering::Relaxed))
}

/// Requests whose handlers panic: in the handler itself, and in a detached use case.
fn panicking() -> [TestRequest; 3] {
    let login = json!({"identifier": "ada", "password": "correct horse battery"});
    [
        TestRequest::get().uri("/.well-known/jwks.json"),
        TestRequest::get().uri("/v1/me").insert_header(("authorization", "Bearer x")),
        TestRequest::post().uri("/v1/login").set_json(login),
    ]
}

/// Rows F38 and 16.5.4: a panic becomes a 500 without details, is logged once, and does not affect
/// the process and other routes.
#[actix_web::test]
async fn f38_a_panic_is_a_problem_and_nothing_else() {
    let app = TestApp::panicking().await.app;
    let service = test::init_service(
        Application::new()
            .configure(|config| crate::configure(&app, config))
            .route("/theirs", web::get().to(|| async { HttpResponse::Ok().body("theirs") })),
    )
    .await;
    for request in panicking() {
        let request = request.insert_header(("origin", LISTED)).to_request();
        let (response, errors) = errors_logged(test::call_service(&service, request)).await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(errors, 1);
        let headers = response.headers().clone();
        let text = |name: &str| headers.get(name).unwrap().to_str().unwrap().to_owned();
        assert_eq!(text("content-type"), "application/problem+json");
        assert_eq!(text("x-content-type-options"), "nosniff");
        assert_eq!(text("referrer-policy"), "no-referrer");
        assert_eq!(text("cross-origin-resource-policy"), "same-origin");
        assert_eq!(text("cache-control"), "no-store");
        assert!(text("content-security-policy").contains("frame-ancestors 'none'"));
        assert_eq!(text("strict-transport-security"), "max-age=31536000; includeSubDomains");
        // A page of a listed origin can read the response.
        assert_eq!(text("access-control-allow-origin"), LISTED);
        let bytes = test::read_body(response).await;
        let body: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(body["code"], "internal");
        assert_eq!(body["status"], 500);
        assert_eq!(body["request_id"], text("x-request-id"));
        assert!(!bytes.windows(6).any(|window| window == b"canary"), "{body}");
    }
    let request = TestRequest::get().uri("/health/live").to_request();
    assert_eq!(test::call_service(&service, request).await.status(), StatusCode::OK);
    let request = TestRequest::get().uri("/theirs").to_request();
    assert_eq!(test::call_and_read_body(&service, request).await, "theirs");
}
