//! The main flow: sign up, log in, refresh, log out, read the user.

use gateward_e2e::{Database, PASSWORD, claims, on_both};
use serde_json::json;

use crate::support::test_server::TestServer;

on_both!(the_main_job);

async fn the_main_job(kind: Database) {
    let server = TestServer::start(kind, &[]).await;
    let client = &server.client;

    let user = client.signup("ada").await;
    assert_eq!(user.status, 201);
    assert_eq!(user.body["email"], "ada@example.org");
    assert_eq!(user.body["roles"], json!(["user"]));
    client.signup("ADA").await.is(409, "username_taken");

    let pair = client.login("ada", PASSWORD).await;
    assert_eq!(pair.body["token_type"], "Bearer");
    assert_eq!(pair.body["expires_in"], 900);
    assert_eq!(claims(pair.access())["sub"], user.body["id"]);
    let me = client.me(pair.access()).await;
    assert_eq!(me.body, user.body);

    let next = client.refresh(pair.refresh_token(), Some("k1")).await;
    assert_eq!(next.status, 200);
    assert_eq!(client.logout(next.refresh_token()).await.status, 204);
    assert_eq!(client.logout(next.refresh_token()).await.status, 204);
    let dead = client.me(next.access()).await;
    dead.is(401, "session_ended");
    assert_eq!(dead.body["reason"], "logout");
    client.refresh(next.refresh_token(), None).await.is(401, "session_ended");
}
