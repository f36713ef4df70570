//! Tests of the pages of the revocation feed.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use gateward_testkit::StoreFault;
use serde_json::{Value, json};

use super::fixture::{SESSION, USER, ended, every_kind};
use crate::testing::{CLIENT, SECRET, TestApp, TestResponse, basic};

async fn page(test_app: &TestApp, query: &str) -> TestResponse {
    let request = TestRequest::get().uri(&format!("/v1/revocations{query}"));
    test_app.send(request.insert_header(basic(CLIENT, SECRET))).await
}

#[actix_web::test]
async fn what_is_revoked_is_told_by_kind_and_what_nodes_tell_each_other_is_not() {
    let test_app = TestApp::empty().await;
    let keys = test_app.store.invalidation_events().len();
    test_app.publish(every_kind()).await;
    let response = page(&test_app, "").await;
    assert_eq!(response.status, StatusCode::OK);
    let cursor = |index: usize| (keys + index).to_string();
    let until = "2026-11-20T04:25:10Z";
    let items = json!([
        {"cursor": cursor(2), "kind": "session", "id": SESSION, "before": "2026-11-20T04:10:00Z", "until": until, "reason": "logout"},
        {"cursor": cursor(3), "kind": "user", "id": USER, "before": "2026-11-20T04:10:01Z", "until": until, "reason": "account_disabled"},
        {"cursor": cursor(5), "kind": "key", "id": "key-1", "before": "2026-11-20T04:10:00Z", "until": until, "reason": "key_compromised"},
        {"cursor": cursor(6), "kind": "all", "id": "*", "before": "2026-11-20T04:10:01Z", "until": until, "reason": "ended_by_admin"},
    ]);
    assert_eq!(response.json(), json!({ "items": items, "next_cursor": null }));
}

#[actix_web::test]
async fn going_on_from_each_cursor_gives_the_rest_and_every_page_together_all() {
    let test_app = TestApp::empty().await;
    test_app.publish(ended(4).chain(every_kind()).chain(ended(3))).await;
    let all = page(&test_app, "?limit=100").await.json()["items"].as_array().unwrap().clone();
    assert_eq!(all.len(), 4 + 4 + 3);
    for (index, item) in all.iter().enumerate() {
        let since = item["cursor"].as_str().unwrap();
        let rest = page(&test_app, &format!("?since={since}")).await.json();
        assert_eq!(rest["items"], Value::from(all[index + 1..].to_vec()), "{since}");
    }
    for limit in [1, 2, 5, 100] {
        let (mut seen, mut since) = (Vec::new(), String::new());
        loop {
            let page = page(&test_app, &format!("?limit={limit}{since}")).await.json();
            seen.extend(page["items"].as_array().unwrap().clone());
            let Some(next) = page["next_cursor"].as_str() else { break };
            since = format!("&since={next}");
        }
        assert_eq!(seen, all, "{limit}");
    }
}

#[actix_web::test]
async fn a_bad_query_is_refused_by_its_parameter() {
    let test_app = TestApp::empty().await;
    for (query, field) in [
        ("?since=", "since"),
        ("?since=a%20b", "since"),
        ("?since=%0A", "since"),
        ("?limit=0", "limit"),
        ("?limit=101", "limit"),
        ("?cursor=1", "cursor"),
    ] {
        let response = page(&test_app, query).await;
        assert_eq!(response.problem(), (422, "validation_failed".to_owned()), "{query}");
        assert_eq!(response.json()["errors"][0]["field"], field, "{query}");
    }
    let response = page(&test_app, "?since=1&since=1").await;
    assert_eq!(response.problem(), (400, "malformed_request".to_owned()));
    test_app.set_fault(Some(StoreFault::Unavailable));
    assert_eq!(page(&test_app, "").await.problem(), (503, "unavailable".to_owned()));
}
