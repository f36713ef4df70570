//! Tests of how bodies are read.

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::test::TestRequest;
use serde_json::{Value, json};

use super::fixture::{LOGIN, REFRESH, VERIFY, ada, is_error, is_ok, post, service, tokens};
use crate::problem::details;
use crate::testing::PASSWORD;

const REQUIRED: &str = "This field is required.";
const BLANK: &str = "This field may not be blank.";
const NULL: &str = "This field may not be null.";
const NOT_A_STRING: &str = "Not a valid string.";

const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data; boundary=xYz";

fn raw(path: &str, kind: &str, body: impl AsRef<[u8]>) -> TestRequest {
    let request = TestRequest::post().uri(path).insert_header((CONTENT_TYPE, kind));
    request.set_payload(body.as_ref().to_vec())
}

/// A body in parts.
fn parts(fields: &[(&str, &str)]) -> String {
    let part = |(name, text): &(&str, &str)| {
        format!("--xYz\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
    };
    fields.iter().map(part).collect::<String>() + "--xYz--\r\n"
}

#[actix_web::test]
async fn a_form_is_read_like_json() {
    let test_app = service().await;
    let form = format!("username=ada&password={}&next=%2F", PASSWORD.replace(' ', "+"));
    is_ok(&test_app.send(raw(LOGIN, FORM, &form)).await, 200);
    is_ok(
        &test_app.send(raw("/api/token?x=1", &format!("{FORM}; charset=UTF-8"), form)).await,
        200,
    );
    let multipart = parts(&[("username", "ada"), ("password", PASSWORD), ("next", "/")]);
    is_ok(&test_app.send(raw(LOGIN, MULTIPART, multipart)).await, 200);
    let request = raw(LOGIN, "application/json; charset=utf-8", ada().to_string());
    is_ok(&test_app.send(request).await, 200);
    let (access, refresh) = tokens(&test_app).await;
    let request = raw(VERIFY, MULTIPART, parts(&[("token", &access)]));
    is_ok(&test_app.send(request).await, 200);
    is_ok(&test_app.send(raw(REFRESH, FORM, format!("refresh={refresh}"))).await, 200);
}

/// If what cannot be decoded were replaced, different passwords would be equal.
#[actix_web::test]
async fn a_form_that_is_not_utf8_is_refused() {
    let test_app = service().await;
    let form = raw(LOGIN, FORM, "username=ada&password=p%E4ssw%F6rter");
    let refusal = json!({"detail": details::FORM_NOT_UTF8});
    is_error(&test_app.send(form).await, 400, &refusal);
    let multipart = parts(&[("username", "ada"), ("password", "p?ssword")]).into_bytes();
    let latin1 = multipart.into_iter().map(|byte| if byte == b'?' { 0xE4 } else { byte });
    let request = raw(LOGIN, MULTIPART, latin1.collect::<Vec<u8>>());
    is_error(&test_app.send(request).await, 400, &refusal);
}

#[actix_web::test]
async fn every_wrong_field_is_named() {
    let test_app = service().await;
    let both = |text| json!({"username": [text], "password": [text]});
    for (body, errors) in [
        (json!({}), both(REQUIRED)),
        (json!({"username": "", "password": ""}), both(BLANK)),
        (json!({"username": null, "password": null}), both(NULL)),
        (json!({"username": ["ada"], "password": {"a": 1}}), both(NOT_A_STRING)),
        (json!({"username": true, "password": false}), both(NOT_A_STRING)),
        (json!({"username": "  ", "password": PASSWORD}), json!({"username": [BLANK]})),
        (json!({"username": "ada"}), json!({"password": [REQUIRED]})),
        (
            json!({"username": "ada", "password": "x".repeat(1025)}),
            json!({"password": ["Ensure this field has no more than 1024 characters."]}),
        ),
    ] {
        is_error(&test_app.send(post(LOGIN, &body)).await, 400, &errors);
    }
    // No body, with or without a media type.
    is_error(&test_app.send(raw(LOGIN, "application/json", "")).await, 400, &both(REQUIRED));
    is_error(&test_app.send(TestRequest::post().uri(LOGIN)).await, 400, &both(REQUIRED));
    for (kind, body) in [(FORM, "username=&x".to_owned()), (MULTIPART, parts(&[("username", "")]))]
    {
        let errors = json!({"username": [BLANK], "password": [REQUIRED]});
        is_error(&test_app.send(raw(LOGIN, kind, body)).await, 400, &errors);
    }
    // A number is text.
    let response = test_app.send(post(LOGIN, &json!({"username": 42, "password": 4.5}))).await;
    assert_eq!(response.status, StatusCode::UNAUTHORIZED);
}

#[actix_web::test]
async fn a_body_that_is_no_object_is_refused() {
    let test_app = service().await;
    for (body, kind) in
        [("[\"ada\"]", "list"), ("\"x\"", "str"), ("1", "int"), ("1.5", "float"), ("true", "bool")]
    {
        let text = format!("Invalid data. Expected a dictionary, but got {kind}.");
        let response = test_app.send(raw(LOGIN, "application/json", body)).await;
        is_error(&response, 400, &json!({"non_field_errors": [text]}));
    }
    let response = test_app.send(raw(LOGIN, "application/json", "null")).await;
    is_error(&response, 400, &json!({"non_field_errors": ["No data provided"]}));
}

#[actix_web::test]
async fn a_body_that_cannot_be_parsed_says_where() {
    let test_app = service().await;
    let bodies: [&[u8]; 5] = [
        b"{username}",
        b"{\"username\": \"ada\", ",
        b"{\"username\": \"\xff\"}",
        b"{\"username\": \"ada\", \"username\": \"ada\"}",
        b"username=ada",
    ];
    for body in bodies {
        let response = test_app.send(raw(LOGIN, "application/json", body)).await;
        let detail = response.text_of("detail").to_owned();
        is_error(&response, 400, &json!({"detail": detail}));
        assert!(detail.starts_with("JSON parse error - "), "{detail}");
        assert!(!detail.contains("ada"), "{detail}");
    }
}

#[actix_web::test]
async fn a_form_that_is_ambiguous_or_broken_is_refused() {
    let test_app = service().await;
    let whole = parts(&[("username", "ada"), ("password", PASSWORD)]);
    let twice = parts(&[("username", "ada"), ("username", "eve"), ("password", PASSWORD)]);
    for (kind, body) in [
        (FORM, "username=ada&%75sername=eve&password=x"),
        (MULTIPART, &twice),
        (MULTIPART, whole.strip_suffix("--xYz--\r\n").unwrap()),
        (MULTIPART, "rubbish"),
        ("multipart/form-data", &whole),
        ("multipart/form-data; boundary=other", &whole),
    ] {
        let response = test_app.send(raw(LOGIN, kind, body)).await;
        let detail = response.text_of("detail").to_owned();
        is_error(&response, 400, &json!({"detail": detail}));
    }
    let file = whole.replace("name=\"username\"", "name=\"username\"; filename=\"ada\"");
    let response = test_app.send(raw(LOGIN, MULTIPART, file)).await;
    is_error(&response, 400, &json!({"username": [NOT_A_STRING]}));
}

#[actix_web::test]
async fn other_media_types_are_refused_by_name() {
    let test_app = service().await;
    for kind in ["text/plain", "application/xml", "application/json; charset=latin-1"] {
        let text = format!("Unsupported media type \"{kind}\" in request.");
        let response = test_app.send(raw(LOGIN, kind, ada().to_string())).await;
        is_error(&response, 415, &json!({"detail": text}));
    }
    let request = post(LOGIN, &ada()).insert_header(("content-encoding", "gzip"));
    assert_eq!(test_app.send(request).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

/// What no handler names is rendered in the form of the wire too.
#[actix_web::test]
async fn a_large_body_or_header_is_refused_in_the_form_of_the_wire() {
    let test_app = service().await;
    let large = json!({"username": "ada", "password": "x".repeat(17 * 1024)});
    let many = parts(&[("username", &"x".repeat(17 * 1024))]);
    for request in [post(LOGIN, &large), raw(LOGIN, MULTIPART, many)] {
        let response = test_app.send(request).await;
        let detail: Value = response.json()["detail"].clone();
        assert!(detail.is_string(), "{response:?}");
        is_error(&response, 413, &json!({"detail": detail}));
    }
    let request = post(LOGIN, &ada()).insert_header(("x-long", "x".repeat(9 * 1024)));
    let response = test_app.send(request).await;
    let detail = response.text_of("detail").to_owned();
    is_error(&response, 400, &json!({"detail": detail}));
}
