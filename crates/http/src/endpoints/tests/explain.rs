//! Tests of explaining a session.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use gateward_app::domain::{Actor, EventKind};
use serde_json::json;

use super::stage::Stage;

fn explain(id: &str) -> TestRequest {
    TestRequest::get().uri(&format!("/v1/sessions/{id}/explain"))
}

#[actix_web::test]
async fn the_story_tells_in_sentences_what_has_happened() {
    let stage = Stage::new().await;
    let root = stage.sign_in("root-1", true).await;
    let ada = stage.sign_in("ada", false).await;
    stage.clock.advance_seconds(60);
    let logout = TestRequest::post().uri("/v1/logout");
    assert_eq!(stage.send(ada.sends(logout)).await.status, StatusCode::NO_CONTENT);

    let answer = stage.send(root.sends(explain(&ada.session_id))).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let body = answer.json();
    assert_eq!(body["session"]["id"], ada.session_id.as_str());
    assert_eq!(body["session"]["current"], false);
    assert_eq!(body["session"]["ended_at"], "2026-11-20T04:11:00Z");
    assert_eq!(body["session"]["end_reason"], "logout");
    let story = json!([
        "2026-11-20T04:10:00Z: The session began: its user logged in, with \"First/1\" (session_begun).",
        "2026-11-20T04:11:00Z: The session ended: its client logged out, by its user (logout).",
    ]);
    assert_eq!(body["story"], story);

    let own = stage.send(root.sends(explain(&root.session_id))).await.json();
    assert_eq!(own["session"]["current"], true);
    assert!(own["session"].get("ended_at").is_none());
}

#[actix_web::test]
async fn a_session_that_time_has_ended_shows_its_end() {
    let stage = Stage::new().await;
    let ada = stage.sign_in("ada", false).await;
    stage.clock.advance_seconds(8 * 24 * 3600);
    let root = stage.sign_in("root-1", true).await;
    let body = stage.send(root.sends(explain(&ada.session_id))).await.json();
    assert_eq!(body["session"]["ended_at"], "2026-11-27T04:10:00Z");
    assert_eq!(body["session"]["end_reason"], "idle_timeout");
    assert!(body["story"][1].as_str().unwrap().ends_with("(idle_timeout)."), "{body}");
}

/// Row B4: who lacks the permission learns nothing of what there is; no session is looked for, and the
/// refusal is written down.
#[actix_web::test]
async fn b4_explaining_wants_a_permission_before_anything_else() {
    let stage = Stage::new().await;
    let root = stage.sign_in("root-1", true).await;
    let ada = stage.sign_in("ada", false).await;
    let unknown = "00000000-0000-7000-8000-000000000001";
    for id in [ada.session_id.as_str(), root.session_id.as_str(), unknown, "x"] {
        assert_eq!(stage.send(explain(id)).await.problem(), (401, "missing_token".to_owned()));
        let before = stage.begun();
        let answer = stage.send(ada.sends(explain(id))).await;
        assert_eq!(answer.problem(), (403, "forbidden".to_owned()), "{id}");
        assert!(answer.header("www-authenticate").unwrap().contains("insufficient_scope"));
        assert_eq!(stage.begun() - before, 3, "for the caller, what was counted, and the refusal");
    }
    let mut events = stage.store().events();
    events.retain(|event| event.kind == EventKind::AccessDenied);
    assert_eq!(events.len(), 4);
    for event in events {
        assert_eq!(event.actor, Actor::User(ada.user_id.parse().unwrap()));
        assert_eq!(event.actor_session_id, Some(ada.session_id.parse().unwrap()));
        assert_eq!(event.detail.as_deref(), Some("sessions:read"));
        assert_eq!((event.user_id, event.session_id), (None, None));
    }
    for id in [unknown, "x", &ada.session_id.to_uppercase(), &format!("%7B{}%7D", ada.session_id)] {
        let answer = stage.send(root.sends(explain(id))).await;
        assert_eq!(answer.problem(), (404, "not_found".to_owned()), "{id}");
    }
    let answer = stage.send(root.sends(explain(&format!("{}/", ada.session_id)))).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}
