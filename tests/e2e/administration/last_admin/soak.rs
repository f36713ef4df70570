//! Two administrators who leave at the same moment, on two nodes: rows INV9 and 2.3.4.

use gateward_e2e::{Database, TestResponse, on_both};
use serde_json::{Value, json};

use super::super::fixture::{AdminFixture, ask, id, login, path, soon, tell};

on_both!(
    inv9_two_who_demote_each_other_leave_one,
    inv9_two_who_disable_each_other_leave_one,
    inv9_two_who_delete_themselves_leave_one,
    a2_3_4_two_who_step_down_at_once_leave_one,
);

/// How many times two administrators race.
const ROUNDS: usize = 20;

/// Two nodes, and two administrators.
struct Two {
    fixture: AdminFixture,
    admins: [TestResponse; 2],
}

impl Two {
    async fn start(kind: Database) -> Self {
        let fixture = AdminFixture::start(kind).await;
        let admins = [fixture.grace.clone(), fixture.administrator("heidi").await];
        Self { fixture, admins }
    }

    /// Asserts that this user is the only administrator, on either node.
    async fn is_alone(&self, left: &TestResponse) {
        for client in [&self.fixture.one, &self.fixture.other] {
            let listed = soon(client, left, "/users?role=admin&disabled=false", 200).await.body;
            let ids: Vec<&Value> =
                listed["items"].as_array().unwrap().iter().map(|user| &user["id"]).collect();
            assert_eq!(ids, [id(left)]);
        }
    }

    /// Waits until both nodes know both administrators again.
    async fn are_back(&self) {
        for client in [&self.fixture.one, &self.fixture.other] {
            for admin in &self.admins {
                soon(client, admin, "/users", 200).await;
            }
        }
    }

    async fn promote(&self, by: &TestResponse, whom: &TestResponse) {
        let path = format!("{}/roles", path(whom));
        let back = tell(&self.fixture.one, by, ("PUT", &path), &json!({"roles": ["admin"]})).await;
        assert_eq!(back.status, 200, "{back:?}");
    }
}

/// The index of the request that lost. Asserts that exactly one lost, and that the response says
/// why.
fn loser(responses: &[TestResponse; 2]) -> usize {
    let done = responses.each_ref().map(|response| response.status.is_success());
    assert_ne!(done[0], done[1], "one is done and one is not: {responses:#?}");
    let late = usize::from(done[0]);
    let code = responses[late].code();
    // The other may have been faster even before the request was read.
    let codes = ["last_admin", "forbidden", "session_ended"];
    assert!(codes.contains(&code), "{responses:#?}");
    late
}

/// Row INV9: each takes the role from the other, on different nodes.
async fn inv9_two_who_demote_each_other_leave_one(kind: Database) {
    let two = Two::start(kind).await;
    let [x, y] = &two.admins;
    let paths = [x, y].map(|admin| format!("{}/roles", path(admin)));
    let none = json!({"roles": []});
    for _ in 0..ROUNDS {
        let (first, second) = tokio::join!(
            tell(&two.fixture.one, x, ("PUT", &paths[1]), &none),
            tell(&two.fixture.other, y, ("PUT", &paths[0]), &none),
        );
        let late = loser(&[first, second]);
        let left = &two.admins[1 - late];
        two.is_alone(left).await;
        two.promote(left, &two.admins[late]).await;
        two.are_back().await;
    }
}

/// Row INV9: each disables the other.
async fn inv9_two_who_disable_each_other_leave_one(kind: Database) {
    let mut two = Two::start(kind).await;
    let paths = two.admins.each_ref().map(path);
    let disable = paths.each_ref().map(|path| format!("{path}/disable"));
    for _ in 0..ROUNDS {
        let [x, y] = &two.admins;
        let (first, second) = tokio::join!(
            ask(&two.fixture.one, x, "POST", &disable[1]),
            ask(&two.fixture.other, y, "POST", &disable[0]),
        );
        let late = loser(&[first, second]);
        let left = &two.admins[1 - late];
        two.is_alone(left).await;
        let enable = format!("{}/enable", paths[late]);
        assert_eq!(ask(&two.fixture.one, left, "POST", &enable).await.status, 200);
        let name = two.admins[late].body["user"]["username"].as_str().unwrap();
        two.admins[late] = login(&two.fixture.one, name).await;
        two.are_back().await;
    }
}

/// Row INV9: both delete their accounts.
async fn inv9_two_who_delete_themselves_leave_one(kind: Database) {
    let mut two = Two::start(kind).await;
    for _ in 0..ROUNDS {
        let [x, y] = &two.admins;
        let (first, second) = tokio::join!(
            ask(&two.fixture.one, x, "DELETE", "/me"),
            ask(&two.fixture.other, y, "DELETE", "/me"),
        );
        let responses = [first, second];
        let stays = loser(&responses);
        responses[stays].is(409, "last_admin");
        two.is_alone(&two.admins[stays]).await;
        let gone = 1 - stays;
        let name = two.admins[gone].body["user"]["username"].as_str().unwrap().to_owned();
        two.admins[gone] = two.fixture.administrator(&name).await;
        two.are_back().await;
    }
}

/// Row 2.3.4: both give up the role. The shared row is locked before either is counted.
async fn a2_3_4_two_who_step_down_at_once_leave_one(kind: Database) {
    let two = Two::start(kind).await;
    let [x, y] = &two.admins;
    let paths = [x, y].map(|admin| format!("{}/roles", path(admin)));
    let none = json!({"roles": []});
    for _ in 0..ROUNDS {
        let (first, second) = tokio::join!(
            tell(&two.fixture.one, x, ("PUT", &paths[0]), &none),
            tell(&two.fixture.other, y, ("PUT", &paths[1]), &none),
        );
        let responses = [first, second];
        let stays = loser(&responses);
        responses[stays].is(409, "last_admin");
        let left = &two.admins[stays];
        two.is_alone(left).await;
        two.promote(left, &two.admins[1 - stays]).await;
        two.are_back().await;
    }
}
