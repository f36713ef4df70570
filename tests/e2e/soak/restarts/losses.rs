//! A server loses its last writes.

use std::time::Duration;

use gateward_e2e::{PASSWORD, run};
use reqwest::Method;
use serde_json::json;

use super::healed;
use crate::support::feed_follower::{Reader, SERVICES, about};
use crate::support::own_server::OwnServer;

/// A backup is restored under a running node. The node reloads its users, and the feed restarts for
/// its followers. Clients with a newer token than the database knows stay logged in. Sessions that
/// the backup revived end with `session end-all`, for good.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_restored_backup_revives_ends_with_end_all() {
    let Some(mut server) = OwnServer::start(&[]).await else { return };
    let plan = server.plan().with_all(&SERVICES);
    let node = plan.start().await;
    let client = node.client();
    let ada = client.begin("ada").await;
    let revived = client.login("ada", PASSWORD).await;
    let mut reader = Reader::new(&client, 100);
    server.stop().await;
    server.back_up();
    server.go_on().await;
    healed(&client, ada.access()).await;

    // All of this is lost with the later writes.
    let rename = client.request(Method::PATCH, "/v1/me").bearer_auth(ada.access());
    let renamed = client.send(rename.json(&json!({"username": "lovelace"}))).await;
    assert_eq!(renamed.status, 200, "{renamed:?}");
    assert_eq!(client.me(ada.access()).await.body["username"], "lovelace");
    let newest = client.refresh(ada.refresh_token(), Some("a-key")).await;
    let newest = client.refresh(newest.refresh_token(), Some("the-next-key")).await;
    assert_eq!(client.logout(revived.refresh_token()).await.status, 204);
    assert_eq!(about(&reader.rest().await[0]).2, "logout");

    server.stop().await;
    server.restore();
    server.go_on().await;
    healed(&client, ada.access()).await;
    let new = plan.start().await;
    let other = new.client();
    assert_eq!(other.me(revived.access()).await.status, 200, "nothing was restored");
    for client in [&client, &other] {
        assert_eq!(client.me(ada.access()).await.body["username"], "ada");
    }
    let ahead = client.refresh(newest.refresh_token(), Some("a-third-key")).await;
    assert_eq!(ahead.status, 200, "{ahead:?}");

    let ended = tokio::task::spawn_blocking(move || run(&plan, &["session", "end-all"], ""));
    assert!(ended.await.unwrap().status.success());
    let told = reader.some().await;
    assert_eq!(about(told.last().unwrap()), ("all", "*", "ended_by_admin"));
    tokio::time::sleep(Duration::from_secs(1)).await;
    for client in [&client, &other] {
        for session in [&revived, &ahead] {
            client.me(session.access()).await.is(401, "session_ended");
            client.refresh(session.refresh_token(), None).await.is(401, "session_ended");
        }
        assert_eq!(client.login("ada", PASSWORD).await.status, 200);
    }
}
