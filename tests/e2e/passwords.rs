//! Passwords as attackers and users send them: rows P1 to P9 and P12.

use std::time::{Duration, Instant};

use gateward_e2e::{Database, PASSWORD, TestResponse, Wire};
use serde_json::{Value, json};

use crate::support::test_server::TestServer;

async fn signup(server: &TestServer, name: &str, password: &Value) -> TestResponse {
    let email = format!("{name}@example.org");
    let body = json!({"username": name, "email": email, "password": password});
    server.client.send(server.client.post("/v1/signup", &body)).await
}

/// Signs a user up with the first password, and expects a refusal for each of the others.
async fn only(server: &TestServer, name: &str, password: &str, others: &[String]) {
    let response = signup(server, name, &json!(password)).await;
    assert_eq!(response.status, 201, "{name}: {response:?}");
    for other in others {
        server.client.login(name, other).await.is(401, "invalid_credentials");
    }
    assert_eq!(server.client.login(name, password).await.status, 200, "{name}");
}

/// Rows P1, P2, P3 and P4: the bytes that were sent are the password, all of them and no others.
#[tokio::test]
async fn p1_p2_p3_p4_passwords_are_compared_byte_for_byte() {
    let server = TestServer::new().await;
    let long = "a".repeat(72);
    only(&server, "p1.long", &format!("{long}X"), &[format!("{long}Y"), long.clone()]).await;

    let nul = "abcdefgh\u{0}ijklmnop";
    only(&server, "p2.nul", nul, &["abcdefgh".into(), "abcdefghijklmnop".into()]).await;
    only(
        &server,
        "p2.controls",
        "abc\u{1}\u{7f}defgh\n",
        &["abcdefgh".into(), "abc\u{1}\u{7f}defgh".into()],
    )
    .await;

    // The same text for people, composed and decomposed; neither is converted to the other.
    let (composed, decomposed) = ("zw\u{f6}lf B\u{e4}ume", "zwo\u{308}lf Ba\u{308}ume");
    only(&server, "p3.nfc", composed, &[decomposed.into(), "ZW\u{d6}LF B\u{c4}UME".into()]).await;
    only(&server, "p3.nfd", decomposed, &[composed.into()]).await;
    let emoji = "\u{1f511}".repeat(64);
    only(&server, "p3.emoji", &emoji, &["\u{1f511}".repeat(63)]).await;
    only(&server, "p3.wide", "ｃｏｒｒｅｃｔ　ｈｏｒｓｅ", &["correct horse".into()]).await;

    let text = " Correct Horse 5taple ";
    let others =
        [text.to_lowercase(), text.to_uppercase(), text.trim().into(), text.trim_end().into()];
    only(&server, "p4.case", text, &others).await;
}

/// Row P5: a password that is too long is refused at once. It is neither hashed nor stored.
#[tokio::test]
async fn p5_long_passwords_are_refused_before_hashing() {
    // A hash takes so long here that a faster refusal shows that there was none.
    let settings = [("password.argon2_memory_kib", "65536"), ("password.argon2_iterations", "12")];
    let server = TestServer::process(Database::Sqlite, &settings).await;
    let started = Instant::now();
    let longest = "\u{1f511}".repeat(1024);
    assert_eq!(signup(&server, "longest", &json!(longest)).await.status, 201);
    let hashing = started.elapsed();
    let quick = hashing / 3;

    for (text, what) in [("a".repeat(4096), "4 KiB"), ("\u{1f511}".repeat(1025), "1,025 signs")] {
        let started = Instant::now();
        let response = signup(&server, "longer", &json!(text)).await;
        response.is(422, "validation_failed");
        assert_eq!(response.body["errors"][0]["code"], "too_long", "{what}");
        server.client.login("longest", &text).await.is(422, "validation_failed");
        assert!(started.elapsed() < quick, "{what}: {:?} of {hashing:?}", started.elapsed());
    }
    let before = server.node.memory_kib();
    for length in [1024 * 1024, 100 * 1024 * 1024] {
        let head = format!(
            "POST /v1/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{{\"identifier\":\"longest\",\"password\":\""
        );
        let mut wire = Wire::open(&server.node.url).await;
        let mut best = Duration::MAX;
        for _ in 0..5 {
            wire = Wire::open(&server.node.url).await;
            let started = Instant::now();
            wire.send(head.as_bytes()).await;
            let response = wire.read_checkpoint(Duration::from_secs(2)).await;
            assert_eq!(response.statuses(), [413], "{response:?}");
            assert!(response.has_line("connection: close"), "{response:?}");
            best = best.min(started.elapsed());
        }
        // The fastest of several, because other tests keep the machine busy.
        assert!(best < Duration::from_millis(50), "{length}: {best:?}");
        // A client that sends too much is cut off, and nothing is kept.
        let block = vec![b'a'; 1024 * 1024];
        for _ in 0..length / block.len() {
            if !wire.send(&block).await {
                break;
            }
        }
    }
    let grown = server.node.memory_kib().saturating_sub(before);
    assert!(grown < 16 * 1024, "{grown} KiB");
}

/// Rows P6 and P7: common passwords and the account's own words are refused with the reason. There
/// are no other rules.
#[tokio::test]
async fn p6_p7_only_guessable_passwords_are_refused() {
    let server = TestServer::new().await;
    let code = async |name: &str, password: &str| {
        let response = signup(&server, name, &json!(password)).await;
        response.is(422, "validation_failed");
        assert_eq!(response.fields(), ["password"]);
        response.body["errors"][0]["code"].as_str().unwrap().to_owned()
    };
    assert_eq!(code("ada.lovelace", "short").await, "too_short");
    assert_eq!(code("ada.lovelace", "äöüäöüä").await, "too_short");
    for common in ["password", "12345678", "qwertyuiop", "PASSWORD", "Iloveyou", "1qaz2wsx"] {
        assert_eq!(code("ada.lovelace", common).await, "common_password", "{common}");
    }
    let words =
        ["gateward", "Gateward1", "1gateward!", "ada.lovelace", "ADA.LOVELACE", "ada.lovelace2026"];
    for word in words.into_iter().chain(["ada.lovelace@example.org", "ada.lovelace@example.org1"]) {
        assert_eq!(code("ada.lovelace", word).await, "context_password", "{word}");
    }
    // The same rules for a password change.
    let pair = server.client.begin("ada.lovelace").await;
    for (new, code) in [("password", "common_password"), ("ada.lovelace", "context_password")] {
        let body = json!({"current_password": PASSWORD, "new_password": new});
        let response = server.client.post_as(pair.access(), "/v1/me/password", &body).await;
        assert_eq!(response.fields(), ["new_password"]);
        assert_eq!(response.body["errors"][0]["code"], code);
    }
    let free = ["purplemonkeydis", "    blanks     ", "839205718264937", "ünïcödé", "!?!?#!?!#?"];
    for (number, password) in free.into_iter().enumerate() {
        let password = if password == "ünïcödé" { "ünïcödéü" } else { password };
        only(&server, &format!("p7.user{number}"), password, &[]).await;
    }
}

/// Rows P8 and P9: a change requires the current password, and ends every other session.
#[tokio::test]
async fn p8_p9_a_change_wants_the_old_password_and_ends_other_sessions() {
    const NEW: &str = "a wholly different one";
    let server = TestServer::new().await;
    let client = &server.client;
    let own = client.begin("ada").await;
    let other = client.login("ada", PASSWORD).await;
    let change = async |body: Value| client.post_as(own.access(), "/v1/me/password", &body).await;

    let response = change(json!({"new_password": NEW})).await;
    response.is(422, "validation_failed");
    assert_eq!(response.fields(), ["current_password"]);
    for wrong in ["wrong", "", &PASSWORD.to_uppercase()] {
        let response = change(json!({"current_password": wrong, "new_password": NEW})).await;
        response.is(422, "validation_failed");
        assert_eq!(response.fields(), ["current_password"]);
        assert_eq!(response.body["errors"][0]["code"], "wrong_password");
    }
    client.login("ada", NEW).await.is(401, "invalid_credentials");
    assert_eq!(client.me(other.access()).await.status, 200);

    let response = change(json!({"current_password": PASSWORD, "new_password": NEW})).await;
    assert_eq!(response.status, 204, "{response:?}");
    assert_eq!(client.me(own.access()).await.status, 200);
    let ended = client.me(other.access()).await;
    ended.is(401, "session_ended");
    assert_eq!(ended.body["reason"], "password_changed");
    client.refresh(other.refresh_token(), None).await.is(401, "session_ended");
    client.login("ada", PASSWORD).await.is(401, "invalid_credentials");
    assert_eq!(client.login("ada", NEW).await.status, 200);
    assert_eq!(client.refresh(own.refresh_token(), None).await.status, 200);
}

/// Row P12: a password is one string.
#[tokio::test]
async fn p12_a_password_of_another_type_is_refused() {
    let server = TestServer::new().await;
    let client = &server.client;
    let pair = client.begin("ada").await;
    let types =
        [json!([PASSWORD]), json!(12_345_678), json!({"$ne": ""}), Value::Null, json!(true)];
    for wrong in &types {
        let response = signup(&server, "eve", wrong).await;
        response.is(422, "validation_failed");
        assert_eq!(response.fields(), ["password"]);
        let body = json!({"identifier": "ada", "password": wrong});
        let response = client.send(client.post("/v1/login", &body)).await;
        response.is(422, "validation_failed");
        assert_eq!(response.fields(), ["password"]);
        let body = json!({"password": wrong});
        let response = client.post_as(pair.access(), "/v1/me/reauthenticate", &body).await;
        response.is(422, "validation_failed");
        assert_eq!(response.fields(), ["password"]);
    }
    for body in [
        r#"{"identifier":"ada","password":"wrong","password":"correct horse battery"}"#,
        r#"{"identifier":"ada","password":"correct horse battery","p\u0061ssword":"wrong"}"#,
        r#"{"identifier":"ada","identifier":"ada","password":"correct horse battery"}"#,
    ] {
        let response = server.post_bytes("/v1/login", "application/json", body).await;
        response.is(400, "malformed_request");
    }
}
