//! Tests of the caller's own sessions.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use serde_json::{Value, json};

use crate::testing::{LoggedIn, RECENT_SECONDS, TestApp, TestResponse, UNKNOWN_ID};

fn list(query: &str) -> TestRequest {
    TestRequest::get().uri(&format!("/v1/me/sessions{query}"))
}

fn end(id: &str) -> TestRequest {
    TestRequest::delete().uri(&format!("/v1/me/sessions/{id}"))
}

fn ids(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap();
    items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

async fn me(test_app: &TestApp, who: &LoggedIn) -> TestResponse {
    test_app.send(who.sends(TestRequest::get().uri("/v1/me"))).await
}

#[actix_web::test]
async fn a_session_shows_when_where_and_by_what_it_began() {
    let test_app = TestApp::empty().await;
    let ada = test_app.user("ada").await;
    let response = test_app.send(ada.sends(list(""))).await;
    assert_eq!(response.status, StatusCode::OK);
    assert_eq!(response.header("cache-control"), "no-store");
    let expected = json!({
        "items": [{
            "id": ada.session_id,
            "created_at": "2026-11-20T04:10:00Z",
            "last_used_at": "2026-11-20T04:10:00Z",
            "expires_at": "2026-11-27T04:10:00Z",
            "ip": null,
            "user_agent": "First/1",
            "client_name": null,
            "refreshes": 0,
            "current": true,
        }],
        "next_cursor": null,
    });
    assert_eq!(response.json(), expected);
}

#[actix_web::test]
async fn the_pages_hold_each_active_session_of_the_caller_once() {
    let test_app = TestApp::empty().await;
    let ada = test_app.user("ada").await;
    test_app.user("eve").await;
    let mut active = vec![ada.session_id.clone()];
    for _ in 0..6 {
        test_app.clock.advance_seconds(1);
        active.push(test_app.log_in("ada", "First/1").await.session_id);
    }
    let ended = active.remove(3);
    assert_eq!(test_app.send(ada.sends(end(&ended))).await.status, StatusCode::NO_CONTENT);
    for limit in [1, 2, 3, 5, 6, 7] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page =
                test_app.send(ada.sends(list(&format!("?limit={limit}{cursor}")))).await.json();
            assert!(ids(&page).len() <= limit);
            seen.extend(ids(&page));
            let Some(next) = page["next_cursor"].as_str() else { break };
            assert_eq!(ids(&page).len(), limit, "only the last page is not full");
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen, active, "{limit}");
    }
    let page = test_app.send(ada.sends(list(""))).await.json();
    let current: Vec<_> =
        page["items"].as_array().unwrap().iter().filter(|item| item["current"] == true).collect();
    assert_eq!(current.len(), 1);
    assert_eq!(current[0]["id"], ada.session_id.as_str());
}

/// Row W11, and invalid cursors and limits.
#[actix_web::test]
async fn w11_a_bad_query_is_refused_by_its_parameter() {
    let test_app = TestApp::empty().await;
    let ada = test_app.user("ada").await;
    for (query, field) in [
        ("?limit=0", "limit"),
        ("?limit=101", "limit"),
        ("?cursor=", "cursor"),
        ("?cursor=x", "cursor"),
        ("?cursor=AAAAAAAAAAAAAAAAAAAAAAAAAAAA", "cursor"),
        ("?offset=1", "offset"),
        ("?user_id=1", "user_id"),
    ] {
        let response = test_app.send(ada.sends(list(query))).await;
        assert_eq!(response.problem(), (422, "validation_failed".to_owned()), "{query}");
        assert_eq!(response.json()["errors"][0]["field"], field, "{query}");
    }
    for query in ["?limit=1&limit=1", "?cursor=x&cursor=x"] {
        let response = test_app.send(ada.sends(list(query))).await;
        assert_eq!(response.problem(), (400, "malformed_request".to_owned()), "{query}");
    }
    // Credentials are checked first.
    for request in [list("?limit=0"), end("x?y=1")] {
        assert_eq!(test_app.send(request).await.problem(), (401, "missing_token".to_owned()));
    }
    let response = test_app.send(ada.sends(end(&format!("{}?force=1", ada.session_id)))).await;
    assert_eq!(response.problem(), (422, "validation_failed".to_owned()));
}

/// Row INV3: the tokens of an ended session stop working at once.
#[actix_web::test]
async fn inv3_a_session_that_is_ended_is_over_for_its_client() {
    let test_app = TestApp::empty().await;
    let ada = test_app.user("ada").await;
    let other = test_app.log_in("ada", "First/1").await;
    for _ in 0..2 {
        let response = test_app.send(ada.sends(end(&other.session_id))).await;
        assert_eq!((response.status, response.text.as_str()), (StatusCode::NO_CONTENT, ""));
    }
    let response = me(&test_app, &other).await;
    assert_eq!(response.problem(), (401, "session_ended".to_owned()));
    assert_eq!(response.json()["reason"], "ended_by_user");
    assert_eq!(me(&test_app, &ada).await.status, StatusCode::OK);
    // Also for the current session.
    assert_eq!(test_app.send(ada.sends(end(&ada.session_id))).await.status, StatusCode::NO_CONTENT);
    assert_eq!(me(&test_app, &ada).await.problem(), (401, "session_ended".to_owned()));
}

#[actix_web::test]
async fn ending_another_session_wants_the_password_of_late() {
    let test_app = TestApp::empty().await;
    let ada = test_app.user("ada").await;
    let other = test_app.log_in("ada", "First/1").await;
    test_app.clock.advance_seconds(RECENT_SECONDS);
    for id in [other.session_id.as_str(), UNKNOWN_ID, "x"] {
        let response = test_app.send(ada.sends(end(id))).await;
        assert_eq!(response.problem(), (403, "reauthentication_required".to_owned()), "{id}");
    }
    assert_eq!(me(&test_app, &other).await.status, StatusCode::OK);
    assert_eq!(test_app.send(ada.sends(end(&ada.session_id))).await.status, StatusCode::NO_CONTENT);
}

/// Row B3: a session of another user, an unknown session and an invalid ID get the same response.
#[actix_web::test]
async fn b3_another_ones_session_is_as_if_it_were_not_there() {
    let test_app = TestApp::empty().await;
    let ada = test_app.user("ada").await;
    let eve = test_app.user("eve").await;
    let own = &ada.session_id;
    let mut responses = Vec::new();
    for id in [
        eve.session_id.clone(),
        eve.user_id.clone(),
        "00000000-0000-7000-8000-000000000000".to_owned(),
        "00000000-0000-0000-0000-000000000000".to_owned(),
        own.to_uppercase(),
        own.replace('-', ""),
        format!("%7B{own}%7D"),
        format!("urn:uuid:{own}"),
        format!("{own}%20"),
        format!("%20{own}"),
        format!("{own}%00"),
        "%ff".to_owned(),
        "..".to_owned(),
        "1".to_owned(),
        "%27%20OR%201=1--".to_owned(),
    ] {
        let response = test_app.send(ada.sends(end(&id))).await;
        let mut problem = response.json();
        problem.as_object_mut().unwrap().remove("request_id");
        assert_eq!(response.status, StatusCode::NOT_FOUND, "{id}: {problem}");
        responses.push(problem);
    }
    responses.dedup();
    assert_eq!(responses.len(), 1, "{responses:?}");
    assert_eq!(me(&test_app, &ada).await.status, StatusCode::OK);
    assert_eq!(me(&test_app, &eve).await.status, StatusCode::OK);
}
