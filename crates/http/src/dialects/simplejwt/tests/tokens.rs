//! Tests of the token endpoints.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use serde_json::json;

use super::fixture::{
    AFTER_LEEWAY, BLACKLIST, BLACKLISTED, INVALID, LOGIN, REFRESH, VERIFY, WRONG_TYPE, ada, delete,
    disable, is_bad_token, is_error, is_ok, me, options_with, post, refreshed, send, service,
    tokens,
};
use crate::testing::{PASSWORD, TestApp};

const NO_ACCOUNT: &str = "No active account found with the given credentials";
const NO_ACCOUNT_OF_TOKEN: &str = "No active account found for the given token.";

#[actix_web::test]
async fn a_login_takes_a_username_or_an_email_address_in_any_case() {
    let test_app = service().await;
    for username in ["ada", "ADA", " ada ", "ada@example.org", "Ada@Example.ORG"] {
        for path in [LOGIN, "/api/token"] {
            let body = json!({"username": username, "password": PASSWORD, "next": [1]});
            let request = post(path, &body).insert_header(("authorization", "Bearer rubbish"));
            let response = test_app.send(request).await;
            is_ok(&response, 200);
            assert!(response.text.starts_with(r#"{"refresh":""#), "{}", response.text);
            assert_eq!(response.json().as_object().unwrap().len(), 2);
        }
    }
}

#[actix_web::test]
async fn every_failed_login_has_one_response() {
    let test_app = service().await;
    let failed = async |username: &str, password: &str| {
        let body = json!({"username": username, "password": password});
        let response = test_app.send(post(LOGIN, &body)).await;
        is_error(&response, 401, &json!({"detail": NO_ACCOUNT}));
    };
    failed("ada", "not the password").await;
    failed("unknown-user", PASSWORD).await;
    failed("no username at all", PASSWORD).await;
    disable(&test_app).await;
    failed("ada", PASSWORD).await;
    failed("ada", "not the password").await;
    delete(&test_app).await;
    failed("ada", PASSWORD).await;
}

#[actix_web::test]
async fn too_many_logins_are_throttled() {
    let test_app = service().await;
    let wrong = json!({"username": "ada", "password": "not the password"});
    let mut response = test_app.send(post(LOGIN, &wrong)).await;
    for _ in 0..100 {
        if response.status == StatusCode::TOO_MANY_REQUESTS {
            break;
        }
        response = test_app.send(post(LOGIN, &wrong)).await;
    }
    let seconds: u32 = response.header("retry-after").parse().unwrap();
    let unit = if seconds == 1 { "second" } else { "seconds" };
    let text = format!("Request was throttled. Expected available in {seconds} {unit}.");
    is_error(&response, 429, &json!({"detail": text}));
}

#[actix_web::test]
async fn a_refresh_rotates_and_a_replay_ends_the_session() {
    let test_app = service().await;
    let (first_access, first) = tokens(&test_app).await;
    let response = send(&test_app, REFRESH, &first).await;
    is_ok(&response, 200);
    assert!(response.text.starts_with(r#"{"access":""#), "{}", response.text);
    let second = response.text_of("refresh").to_owned();
    let (access, third) = refreshed(&test_app, &second).await;
    for token in [&first_access, &access] {
        is_ok(&me(&test_app, &format!("Bearer {token}")).await, 200);
    }
    test_app.clock.advance_seconds(AFTER_LEEWAY);
    is_bad_token(&send(&test_app, REFRESH, &second).await, BLACKLISTED);
    is_bad_token(&send(&test_app, REFRESH, &third).await, BLACKLISTED);
    is_bad_token(&send(&test_app, "/api/token/refresh", &third).await, BLACKLISTED);
}

#[actix_web::test]
async fn a_refresh_is_repeated_by_its_key_and_dropped_if_its_key_is_malformed() {
    let test_app = service().await;
    let (_, first) = tokens(&test_app).await;
    let ask = |key: &str| {
        let request = post(REFRESH, &json!({"refresh": first}));
        test_app.send(request.insert_header(("idempotency-key", key)))
    };
    let response = ask("a b").await;
    assert_eq!(response.status, StatusCode::BAD_REQUEST);
    assert!(response.text_of("detail").contains("Idempotency-Key"));
    let second = ask("k1").await;
    test_app.clock.advance_seconds(AFTER_LEEWAY);
    assert_eq!(second.text_of("refresh"), ask("k1").await.text_of("refresh"));
    is_bad_token(&ask("k2").await, BLACKLISTED);
}

#[actix_web::test]
async fn without_rotation_the_refresh_token_stays() {
    let test_app = TestApp::with(options_with(false)).await;
    let (_, refresh) = tokens(&test_app).await;
    for _ in 0..3 {
        let response = send(&test_app, REFRESH, &refresh).await;
        is_ok(&response, 200);
        assert_eq!(response.fields(), ["access"]);
        let access = response.text_of("access");
        is_ok(&me(&test_app, &format!("Bearer {access}")).await, 200);
        test_app.clock.advance_seconds(AFTER_LEEWAY);
    }
    is_ok(&send(&test_app, BLACKLIST, &refresh).await, 200);
    is_bad_token(&send(&test_app, REFRESH, &refresh).await, BLACKLISTED);
}

#[actix_web::test]
async fn a_blacklisted_token_ends_its_session() {
    let test_app = service().await;
    let (other, _) = tokens(&test_app).await;
    for path in [BLACKLIST, "/api/token/blacklist"] {
        let (access, refresh) = tokens(&test_app).await;
        let response = send(&test_app, path, &refresh).await;
        is_ok(&response, 200);
        assert_eq!(response.json(), json!({}));
        is_bad_token(&send(&test_app, BLACKLIST, &refresh).await, BLACKLISTED);
        is_bad_token(&send(&test_app, REFRESH, &refresh).await, BLACKLISTED);
        let response = me(&test_app, &format!("Bearer {access}")).await;
        assert_eq!(response.json()["messages"][0]["message"], BLACKLISTED);
    }
    is_ok(&me(&test_app, &format!("Bearer {other}")).await, 200);
}

#[actix_web::test]
async fn only_refresh_tokens_can_be_blacklisted_and_a_spent_one_ends_the_session_too() {
    let test_app = service().await;
    let (access, first) = tokens(&test_app).await;
    let (_, second) = refreshed(&test_app, &first).await;
    is_bad_token(&send(&test_app, BLACKLIST, &access).await, WRONG_TYPE);
    is_bad_token(&send(&test_app, BLACKLIST, "rubbish").await, INVALID);
    is_ok(&me(&test_app, &format!("Bearer {access}")).await, 200);
    // A tab that has missed the rotation logs out: the session ends, as the user wants.
    is_bad_token(&send(&test_app, BLACKLIST, &first).await, BLACKLISTED);
    is_bad_token(&send(&test_app, REFRESH, &second).await, BLACKLISTED);
    let (_, refresh) = tokens(&test_app).await;
    test_app.clock.advance_seconds(365 * 24 * 3600);
    is_bad_token(&send(&test_app, BLACKLIST, &refresh).await, INVALID);
}

#[actix_web::test]
async fn either_token_is_verified_and_nothing_changes() {
    let test_app = service().await;
    let (access, refresh) = tokens(&test_app).await;
    for token in [&access, &refresh] {
        for path in [VERIFY, "/api/token/verify"] {
            let response = test_app.send(post(path, &json!({"token": token}))).await;
            is_ok(&response, 200);
            assert_eq!(response.json(), json!({}));
        }
    }
    let blacklisted = json!({"non_field_errors": [BLACKLISTED]});
    let (_, next) = refreshed(&test_app, &refresh).await;
    is_error(&send(&test_app, VERIFY, &refresh).await, 400, &blacklisted);
    // Showing the used token has not ended the session.
    is_ok(&send(&test_app, VERIFY, &next).await, 200);
    is_ok(&send(&test_app, BLACKLIST, &next).await, 200);
    for token in [&access, &next] {
        is_error(&send(&test_app, VERIFY, token).await, 400, &blacklisted);
    }
    is_bad_token(&send(&test_app, VERIFY, "rubbish").await, INVALID);
    let (access, refresh) = tokens(&test_app).await;
    test_app.clock.advance_seconds(365 * 24 * 3600);
    for token in [&access, &refresh] {
        is_bad_token(&send(&test_app, VERIFY, token).await, INVALID);
    }
}

#[actix_web::test]
async fn a_refresh_token_that_is_none_is_refused() {
    let test_app = service().await;
    let (access, refresh) = tokens(&test_app).await;
    is_bad_token(&send(&test_app, REFRESH, &access).await, WRONG_TYPE);
    for token in ["rubbish", "a.b.c", &format!("{refresh}x")] {
        is_bad_token(&send(&test_app, REFRESH, token).await, INVALID);
    }
    test_app.clock.advance_seconds(365 * 24 * 3600);
    is_bad_token(&send(&test_app, REFRESH, &refresh).await, INVALID);
}

#[actix_web::test]
async fn an_account_that_is_disabled_or_deleted_has_no_refresh() {
    let test_app = service().await;
    let (_, refresh) = tokens(&test_app).await;
    disable(&test_app).await;
    let no_account = json!({"detail": NO_ACCOUNT_OF_TOKEN});
    is_error(&send(&test_app, REFRESH, &refresh).await, 401, &no_account);

    let test_app = service().await;
    let (_, refresh) = tokens(&test_app).await;
    delete(&test_app).await;
    is_error(&send(&test_app, REFRESH, &refresh).await, 401, &no_account);
}

#[actix_web::test]
async fn wrong_methods_are_refused_in_the_form_of_the_wire() {
    let test_app = service().await;
    for path in [LOGIN, REFRESH, VERIFY, BLACKLIST, "/api/token", "/auth/users/"] {
        for method in ["GET", "PUT", "DELETE"] {
            let request = TestRequest::default().method(method.parse().unwrap()).uri(path);
            let response = test_app.send(request.set_json(ada())).await;
            let text = format!("Method \"{method}\" not allowed.");
            is_error(&response, 405, &json!({"detail": text}));
            assert_eq!(response.header("allow"), "POST, OPTIONS");
        }
    }
    let response = test_app.send(post("/auth/users/me/", &json!({}))).await;
    is_error(&response, 405, &json!({"detail": "Method \"POST\" not allowed."}));
    assert_eq!(response.header("allow"), "GET, HEAD, OPTIONS");
}
