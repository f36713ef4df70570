//! Tests of taking tokens back (RFC 7009).

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;

use super::introspect::FORM;
use super::stage::{Answer, CLIENT, LoggedIn, SECRET, Stage, basic};

async fn revoke(stage: &Stage, token: &str) -> Answer {
    let request = TestRequest::post().uri("/oauth/revoke").insert_header(FORM);
    let request = request.insert_header(basic(CLIENT, SECRET));
    stage.send(request.set_payload(format!("token={token}&token_type_hint=any"))).await
}

fn assert_done(answer: &Answer) {
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, ""));
}

/// Whether the session of a log-in has not ended.
fn is_alive(stage: &Stage, who: &LoggedIn) -> bool {
    let sessions = stage.store().sessions();
    let session = sessions.iter().find(|session| session.id.to_string() == who.session_id);
    session.unwrap().ended.is_none()
}

/// Row INV3: a token of either kind that is taken back takes its session with it.
#[actix_web::test]
async fn inv3_a_token_that_is_taken_back_ends_its_session() {
    let stage = Stage::new().await;
    let by_access = stage.sign_in("ada", false).await;
    let by_refresh = stage.log_in("ada", "First/1").await;
    let by_expired = stage.log_in("ada", "First/1").await;
    let other = stage.log_in("ada", "First/1").await;
    for (who, token) in [(&by_access, &by_access.access), (&by_refresh, &by_refresh.refresh)] {
        assert!(is_alive(&stage, who));
        assert_done(&revoke(&stage, token).await);
        assert!(!is_alive(&stage, who));
        assert_done(&revoke(&stage, token).await);
        let me = stage.send(who.sends(TestRequest::get().uri("/v1/me"))).await;
        assert_eq!(me.problem(), (401, "session_ended".to_owned()));
    }
    stage.clock.advance_seconds(901);
    assert_done(&revoke(&stage, &by_expired.access).await);
    assert!(!is_alive(&stage, &by_expired) && is_alive(&stage, &other));
}

#[actix_web::test]
async fn what_is_no_token_is_as_good_as_taken_back() {
    let stage = Stage::new().await;
    let ada = stage.sign_in("ada", false).await;
    let before = stage.store().events().len();
    for text in ["x", "a.b.c", "%ff", &ada.session_id, &ada.access[1..], &ada.refresh[1..]] {
        assert_done(&revoke(&stage, text).await);
    }
    assert!(is_alive(&stage, &ada));
    assert_eq!(stage.store().events().len(), before);
    stage.break_store(true);
    assert_eq!(revoke(&stage, &ada.access).await.problem(), (503, "unavailable".to_owned()));
}
