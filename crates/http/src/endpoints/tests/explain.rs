//! Tests of explaining a session.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use gateward_app::domain::{Actor, EventKind};
use serde_json::json;

use crate::testing::{TestApp, UNKNOWN_ID};

fn explain(id: &str) -> TestRequest {
    TestRequest::get().uri(&format!("/v1/sessions/{id}/explain"))
}

#[actix_web::test]
async fn the_timeline_tells_in_sentences_what_has_happened() {
    let test_app = TestApp::empty().await;
    let root = test_app.admin("root-1").await;
    let ada = test_app.user("ada").await;
    test_app.clock.advance_seconds(60);
    let logout = TestRequest::post().uri("/v1/logout");
    assert_eq!(test_app.send(ada.sends(logout)).await.status, StatusCode::NO_CONTENT);

    let response = test_app.send(root.sends(explain(&ada.session_id))).await;
    assert_eq!(response.status, StatusCode::OK, "{}", response.text);
    let body = response.json();
    assert_eq!(body["session"]["id"], ada.session_id.as_str());
    assert_eq!(body["session"]["current"], false);
    assert_eq!(body["session"]["ended_at"], "2026-11-20T04:11:00Z");
    assert_eq!(body["session"]["end_reason"], "logout");
    let timeline = json!([
        {
            "at": "2026-11-20T04:10:00Z",
            "code": "session_started",
            "message": "The session started: the user logged in, with \"First/1\".",
        },
        {
            "at": "2026-11-20T04:11:00Z",
            "code": "logout",
            "message": "The session ended: the client logged out.",
        },
    ]);
    assert_eq!(body["timeline"], timeline);

    let own = test_app.send(root.sends(explain(&root.session_id))).await.json();
    assert_eq!(own["session"]["current"], true);
    assert!(own["session"].get("ended_at").is_none());
}

#[actix_web::test]
async fn a_session_that_time_has_ended_shows_its_end() {
    let test_app = TestApp::empty().await;
    let ada = test_app.user("ada").await;
    test_app.clock.advance_seconds(8 * 24 * 3600);
    let root = test_app.admin("root-1").await;
    let body = test_app.send(root.sends(explain(&ada.session_id))).await.json();
    assert_eq!(body["session"]["ended_at"], "2026-11-27T04:10:00Z");
    assert_eq!(body["session"]["end_reason"], "idle_timeout");
    assert_eq!(body["timeline"][1]["code"], "idle_timeout", "{body}");
}

/// Row B4: without the permission the response reveals nothing; no session is looked up, and the
/// denial is audited.
#[actix_web::test]
async fn b4_explaining_wants_a_permission_before_anything_else() {
    let test_app = TestApp::empty().await;
    let root = test_app.admin("root-1").await;
    let ada = test_app.user("ada").await;
    for id in [ada.session_id.as_str(), root.session_id.as_str(), UNKNOWN_ID, "x"] {
        assert_eq!(test_app.send(explain(id)).await.problem(), (401, "missing_token".to_owned()));
        let before = test_app.transactions();
        let response = test_app.send(ada.sends(explain(id))).await;
        assert_eq!(response.problem(), (403, "forbidden".to_owned()), "{id}");
        assert!(response.header("www-authenticate").contains("insufficient_scope"));
        assert_eq!(
            test_app.transactions() - before,
            3,
            "for the caller, what was counted, and the refusal"
        );
    }
    let mut events = test_app.store.events();
    events.retain(|event| event.kind == EventKind::AccessDenied);
    assert_eq!(events.len(), 4);
    for event in events {
        assert_eq!(event.actor, Actor::User(ada.user_id.parse().unwrap()));
        assert_eq!(event.actor_session_id, Some(ada.session_id.parse().unwrap()));
        assert_eq!(event.detail.as_deref(), Some("sessions:read"));
        assert_eq!((event.user_id, event.session_id), (None, None));
    }
    for id in
        [UNKNOWN_ID, "x", &ada.session_id.to_uppercase(), &format!("%7B{}%7D", ada.session_id)]
    {
        let response = test_app.send(root.sends(explain(id))).await;
        assert_eq!(response.problem(), (404, "not_found".to_owned()), "{id}");
    }
    let response = test_app.send(root.sends(explain(&format!("{}/", ada.session_id)))).await;
    assert_eq!(response.status, StatusCode::NOT_FOUND);
}
