//! Row F15: acknowledged writes survive the death of the process, and no write is partial.

use gateward_e2e::{Database, PASSWORD, Plan, TestDatabase, on_both, rounds};

on_both!(f15_a_kill_right_after_a_response_takes_nothing_back);

/// How many times each of the three requests is followed by a kill.
const ROUNDS: usize = 10;

/// Row F15: `kill -9` as soon as a sign-up, a login or a refresh has its response.
async fn f15_a_kill_right_after_a_response_takes_nothing_back(kind: Database) {
    let database = TestDatabase::new(kind).await;
    let plan = Plan::on(&database);
    for round in 0..rounds(ROUNDS) {
        let name = format!("user-{round}");
        let mut node = plan.start().await;
        let user = node.client().signup(&name).await;
        node.kill();
        assert_eq!(user.status, 201, "{user:?}");

        let mut node = plan.start().await;
        let pair = node.client().login(&name, PASSWORD).await;
        node.kill();
        assert_eq!(pair.status, 200, "{pair:?}");
        assert_eq!(pair.body["user"], user.body);

        let mut node = plan.start().await;
        let next = node.client().refresh(pair.refresh_token(), Some("key")).await;
        node.kill();
        assert_eq!(next.status, 200, "{next:?}");

        let node = plan.start().await;
        let client = node.client();
        assert_eq!(client.me(next.access()).await.body, user.body);
        // The rotation persists: the same request is a repeat and returns the same successor.
        let again = client.refresh(pair.refresh_token(), Some("key")).await;
        assert_eq!(again.refresh_token(), next.refresh_token());
        assert_eq!(client.refresh(next.refresh_token(), None).await.status, 200);
        client.signup(&name).await.is(409, "username_taken");
    }
}
