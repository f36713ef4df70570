//! Tests of token revocation (RFC 7009).

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use gateward_testkit::StoreFault;

use crate::testing::{CLIENT, FORM, LoggedIn, SECRET, TestApp, TestResponse, basic};

async fn revoke(test_app: &TestApp, token: &str) -> TestResponse {
    let request = TestRequest::post().uri("/oauth/revoke").insert_header(FORM);
    let request = request.insert_header(basic(CLIENT, SECRET));
    test_app.send(request.set_payload(format!("token={token}&token_type_hint=any"))).await
}

fn assert_done(response: &TestResponse) {
    assert_eq!((response.status, response.text.as_str()), (StatusCode::OK, ""));
}

/// Whether the session of a login is active.
fn is_alive(test_app: &TestApp, who: &LoggedIn) -> bool {
    let sessions = test_app.store.sessions();
    let session = sessions.iter().find(|session| session.id.to_string() == who.session_id);
    session.unwrap().ended.is_none()
}

/// Row INV3: revoking an access or refresh token ends its session.
#[actix_web::test]
async fn inv3_a_token_that_is_taken_back_ends_its_session() {
    let test_app = TestApp::empty().await;
    let by_access = test_app.user("ada").await;
    let by_refresh = test_app.log_in("ada", "First/1").await;
    let by_expired = test_app.log_in("ada", "First/1").await;
    let other = test_app.log_in("ada", "First/1").await;
    for (who, token) in [(&by_access, &by_access.access), (&by_refresh, &by_refresh.refresh)] {
        assert!(is_alive(&test_app, who));
        assert_done(&revoke(&test_app, token).await);
        assert!(!is_alive(&test_app, who));
        assert_done(&revoke(&test_app, token).await);
        let me = test_app.send(who.sends(TestRequest::get().uri("/v1/me"))).await;
        assert_eq!(me.problem(), (401, "session_ended".to_owned()));
    }
    test_app.clock.advance_seconds(901);
    assert_done(&revoke(&test_app, &by_expired.access).await);
    assert!(!is_alive(&test_app, &by_expired) && is_alive(&test_app, &other));
}

#[actix_web::test]
async fn what_is_no_token_is_as_good_as_taken_back() {
    let test_app = TestApp::empty().await;
    let ada = test_app.user("ada").await;
    let before = test_app.store.events().len();
    for text in ["x", "a.b.c", "%ff", &ada.session_id, &ada.access[1..], &ada.refresh[1..]] {
        assert_done(&revoke(&test_app, text).await);
    }
    assert!(is_alive(&test_app, &ada));
    assert_eq!(test_app.store.events().len(), before);
    test_app.set_fault(Some(StoreFault::Unavailable));
    assert_eq!(revoke(&test_app, &ada.access).await.problem(), (503, "unavailable".to_owned()));
}
