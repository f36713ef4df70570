//! Tests of token introspection (RFC 7662) and its client rights.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use gateward_app::AdminActor;
use gateward_testkit::StoreFault;
use serde_json::{Value, json};

use crate::testing::{AUDIENCE, CLIENT, FORM, OURS, SECRET, TestApp, TestResponse, basic};

fn bare(path: &str, form: &str) -> TestRequest {
    TestRequest::post().uri(path).insert_header(FORM).set_payload(form.to_owned())
}

async fn introspect(test_app: &TestApp, form: &str) -> TestResponse {
    test_app.send(bare("/oauth/introspect", form).insert_header(basic(CLIENT, SECRET))).await
}

async fn is_inactive(test_app: &TestApp, token: &str) -> bool {
    let reply = introspect(test_app, &format!("token={token}")).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    reply.text == r#"{"active":false}"#
}

#[actix_web::test]
async fn of_an_access_token_everything_is_told_that_it_says() {
    let test_app = TestApp::empty().await;
    let ada = test_app.admin("ada").await;
    let reply = introspect(&test_app, &format!("token={}", ada.access)).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.header("cache-control"), "no-store");
    let mut body = reply.json();
    let jti = body.as_object_mut().unwrap().remove("jti").unwrap();
    assert_eq!(jti.as_str().map(str::len), Some(36));
    let expected = json!({
        "active": true, "token_type": "Bearer", "client_id": OURS, "username": "ada",
        "sub": ada.user_id, "aud": AUDIENCE, "iss": OURS,
        "exp": 1_795_148_700, "iat": 1_795_147_800, "nbf": 1_795_147_800,
        "sid": ada.session_id, "email": "ada@example.org", "email_verified": true,
        "roles": ["admin", "user"],
        "permissions": [
            "audit:read", "roles:grant", "roles:read", "roles:write", "sessions:end",
            "sessions:read", "users:read", "users:write",
        ],
        "auth_time": 1_795_147_800,
    });
    assert_eq!(body, expected);
}

#[actix_web::test]
async fn of_a_refresh_token_the_same_is_told_but_what_opens_doors() {
    let test_app = TestApp::empty().await;
    let ada = test_app.user("ada").await;
    for hint in ["", "&token_type_hint=access_token", "&token_type_hint=weather&other=1"] {
        let reply = introspect(&test_app, &format!("token={}{hint}", ada.refresh)).await;
        let expected = json!({
            "active": true, "client_id": OURS, "username": "ada",
            "sub": ada.user_id, "aud": OURS, "iss": OURS,
            "exp": 1_795_752_600, "iat": 1_795_147_800, "nbf": 1_795_147_800,
            "sid": ada.session_id, "email": "ada@example.org", "email_verified": true,
            "roles": ["user"], "permissions": [], "auth_time": 1_795_147_800,
        });
        assert_eq!(reply.json(), expected, "{hint}");
    }
}

/// Row S5 among others: the response for an inactive token contains nothing else.
#[actix_web::test]
async fn s5_a_token_that_cannot_be_used_is_inactive_and_nothing_more() {
    let test_app = TestApp::empty().await;
    let ada = test_app.user("ada").await;
    for text in ["x", "a.b.c", "%00", "%ff", &ada.session_id, &format!("{}x", ada.access)] {
        assert!(is_inactive(&test_app, text).await, "{text}");
    }
    let refresh = TestRequest::post().uri("/v1/refresh");
    let refresh = refresh.set_json(json!({ "refresh_token": ada.refresh }));
    let next = test_app.send(refresh).await.json();
    assert!(is_inactive(&test_app, &ada.refresh).await, "it is spent");
    assert!(!is_inactive(&test_app, next["refresh_token"].as_str().unwrap()).await);
    assert!(!is_inactive(&test_app, &ada.access).await);

    test_app.clock.advance_seconds(900);
    assert!(is_inactive(&test_app, &ada.access).await, "it has expired");
    let later = test_app.log_in("ada", "First/1").await;
    assert!(!is_inactive(&test_app, &later.access).await);
    let id = ada.user_id.parse().unwrap();
    test_app.app.core().disable_user(AdminActor::Operator, id).await.unwrap();
    assert!(is_inactive(&test_app, &later.access).await, "the account is disabled");
    assert!(is_inactive(&test_app, &later.refresh).await);
}

/// Row INV10: if the state of a token is unknown, the request fails.
#[actix_web::test]
async fn inv10_a_store_that_is_down_makes_no_token_active_or_inactive() {
    let test_app = TestApp::empty().await;
    let ada = test_app.user("ada").await;
    test_app.set_fault(Some(StoreFault::Unavailable));
    for token in [&ada.access, &ada.refresh] {
        let reply = introspect(&test_app, &format!("token={token}")).await;
        assert_eq!(reply.problem(), (503, "unavailable".to_owned()));
        assert!(!reply.text.contains("canary") && reply.json().get("error").is_none());
    }
}

/// Each right allows its own endpoint and no other one. Missing and wrong credentials are rejected.
#[actix_web::test]
async fn b4_a_client_does_what_its_settings_name_and_nothing_else() {
    let test_app = TestApp::empty().await;
    let paths = [
        ("introspect", "/oauth/introspect"),
        ("revoke", "/oauth/revoke"),
        ("revocations", "/v1/revocations"),
        ("revocations", "/v1/revocations/stream"),
    ];
    let request = |path: &str| {
        if path.starts_with("/oauth") {
            bare(path, "token=x")
        } else {
            TestRequest::get().uri(path)
        }
    };
    for (right, path) in paths {
        for name in ["introspect", "revoke", "revocations", "idle"] {
            let response = test_app.call(request(path).insert_header(basic(name, SECRET))).await;
            let expected = if name == right { StatusCode::OK } else { StatusCode::FORBIDDEN };
            assert_eq!(response.status(), expected, "{name} at {path}");
            assert!(!response.headers().contains_key("www-authenticate"));
        }
        let ada = "Bearer x".to_owned();
        for (credentials, code) in [
            (None, "missing_token"),
            (Some(ada), "missing_token"),
            (Some("Basic".to_owned()), "invalid_credentials"),
            (Some("Basic !".to_owned()), "invalid_credentials"),
            (Some(basic(CLIENT, "").1), "invalid_credentials"),
            (Some(basic(CLIENT, &SECRET[1..]).1), "invalid_credentials"),
            (Some(basic("nobody", SECRET).1), "invalid_credentials"),
            (Some(basic(CLIENT, &"x".repeat(2048)).1), "invalid_credentials"),
            (Some(basic(CLIENT, SECRET).1.replace("Basic ", "Basic  ")), "invalid_credentials"),
        ] {
            let mut request = request(path);
            if let Some(value) = &credentials {
                request = request.insert_header(("authorization", value.as_str()));
            }
            let reply = test_app.send(request).await;
            assert_eq!(reply.problem(), (401, code.to_owned()), "{credentials:?} at {path}");
            assert_eq!(reply.header("www-authenticate"), r#"Basic realm="gateward""#);
        }
        let (name, value) = basic(CLIENT, SECRET);
        let twice = request(path).insert_header((name, value.clone())).append_header((name, value));
        assert_eq!(test_app.send(twice).await.problem(), (400, "malformed_request".to_owned()));
    }
    let lower = basic(CLIENT, SECRET).1.replace("Basic", "bAsIc");
    let lower = bare("/oauth/introspect", "token=x").insert_header(("authorization", lower));
    assert_eq!(test_app.send(lower).await.status, StatusCode::OK);
}

/// Row W11: exactly one token; errors also have an OAuth error code.
#[actix_web::test]
async fn w11_what_cannot_be_read_is_an_invalid_request() {
    let test_app = TestApp::empty().await;
    for path in ["/oauth/introspect", "/oauth/revoke"] {
        let ours = |form: &str| bare(path, form).insert_header(basic(CLIENT, SECRET));
        for (request, code, error) in [
            (ours(""), (400, "malformed_request"), "invalid_request"),
            (ours("token="), (400, "malformed_request"), "invalid_request"),
            (ours("Token=x"), (400, "malformed_request"), "invalid_request"),
            (ours("token=x&token=x"), (400, "malformed_request"), "invalid_request"),
            (ours("token=x&%74oken="), (400, "malformed_request"), "invalid_request"),
            (ours("token=x&a=1&a=1"), (400, "malformed_request"), "invalid_request"),
            (ours(&"x".repeat(16_385)), (413, "body_too_large"), "invalid_request"),
            (
                ours("{}").insert_header(("content-type", "application/json")),
                (415, "unsupported_media_type"),
                "invalid_request",
            ),
            (
                ours("token=x").uri(&format!("{path}?token=x")),
                (422, "validation_failed"),
                "invalid_request",
            ),
            (bare(path, "token=x"), (401, "missing_token"), "invalid_client"),
            (
                bare(path, "").insert_header(basic("a", "b")),
                (401, "invalid_credentials"),
                "invalid_client",
            ),
            (
                bare(path, "").insert_header(basic("idle", SECRET)),
                (403, "forbidden"),
                "unauthorized_client",
            ),
        ] {
            let reply = test_app.send(request).await;
            assert_eq!(reply.problem(), (code.0, code.1.to_owned()), "{}", reply.text);
            assert_eq!(reply.json()["error"], error, "{}", reply.text);
            assert_eq!(reply.header("content-type"), "application/problem+json");
        }
    }
}

#[actix_web::test]
async fn the_metadata_name_the_endpoints_for_clients() {
    let test_app = TestApp::empty().await;
    let path = "/.well-known/oauth-authorization-server";
    let metadata = test_app.send(TestRequest::get().uri(path)).await.json();
    for (name, path) in [("introspection", "introspect"), ("revocation", "revoke")] {
        let url = Value::from(format!("{OURS}/oauth/{path}"));
        assert_eq!(metadata[format!("{name}_endpoint")], url);
        let methods = &metadata[format!("{name}_endpoint_auth_methods_supported")];
        assert_eq!(*methods, json!(["client_secret_basic"]));
    }
}
