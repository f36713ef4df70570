//! The last administrator cannot be removed: row INV9.

mod soak;

use gateward_e2e::{Database, TestResponse, on_both};
use serde_json::json;

use super::fixture::{AdminFixture, ask, path, soon, tell};

on_both!(inv9_the_only_administrator_stays);

/// Row INV9: by every way; a disabled account, or one with an unconfirmed email address, does not
/// count.
async fn inv9_the_only_administrator_stays(kind: Database) {
    let fixture = AdminFixture::start(kind).await;
    let [grace, heidi] = [&fixture.grace, &fixture.administrator("heidi").await];
    let disable = |who: &TestResponse| format!("{}/disable", path(who));
    assert_eq!(ask(&fixture.one, grace, "POST", &disable(heidi)).await.status, 200);
    let ada = fixture.one.begin("ada").await;
    fixture.grant(&ada, &["admin"]).await;
    soon(&fixture.other, &ada, "/users", 200).await;
    for (client, by) in [(&fixture.one, grace), (&fixture.other, &ada)] {
        let none = json!({"roles": ["user"]});
        let demoted = tell(client, by, ("PUT", &format!("{}/roles", path(grace))), &none).await;
        demoted.is(409, "last_admin");
        ask(client, by, "POST", &disable(grace)).await.is(409, "last_admin");
        ask(client, by, "DELETE", &path(grace)).await.is(409, "last_admin");
    }
    ask(&fixture.other, grace, "DELETE", "/me").await.is(409, "last_admin");
    fixture.pair.is_alive(grace).await;
    let enable = format!("{}/enable", path(heidi));
    assert_eq!(ask(&fixture.one, grace, "POST", &enable).await.status, 200);
    assert_eq!(ask(&fixture.other, grace, "DELETE", "/me").await.status, 204);
}
