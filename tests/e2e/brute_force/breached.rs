//! A list of breached passwords, in both forms: row P6.

use std::fs;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use gateward_e2e::{Database, PASSWORD, Plan, TestDatabase, TestResponse};
use serde_json::json;

use super::attack::NEW;
use crate::support::commands::create;
use crate::support::inbox::{link_token, wait_for_email};
use crate::support::password_reset::forgot;
use crate::support::test_server::TestServer;

/// A password that breaks no other rule.
const BREACHED: &str = "a horse that everybody knows";

/// A form of the list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A folder of range files.
    Ranges,
    /// One file of all hashes.
    Whole,
}

/// The SHA-1 of a password, as the lists write it.
fn hash(password: &str) -> String {
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
    hash.as_ref().iter().fold(String::new(), |text, byte| format!("{text}{byte:02X}"))
}

/// Writes a list with [`BREACHED`] among unrelated hashes. A line with the count 0 is no match:
/// such lines pad the responses of the public service.
fn write(form: Form, list: &Path) {
    let breached = hash(BREACHED);
    let mut lines: Vec<String> = [PASSWORD, NEW].map(|good| format!("{}:0", hash(good))).into();
    lines.push(format!("{breached}:12345"));
    lines.extend(["00000", "80000", "FFFFF"].map(|digits| format!("{digits}{}:7", "A".repeat(35))));
    lines.sort();
    if form == Form::Whole {
        fs::write(list, lines.join("\r\n")).unwrap();
        return;
    }
    fs::create_dir(list).unwrap();
    for line in lines {
        let (range, rest) = line.split_at(5);
        fs::write(list.join(range), format!("{rest}\r\n")).unwrap();
    }
}

/// A node with a list, and an administrator.
struct Listed {
    server: TestServer,
    admin: TestResponse,
}

impl Listed {
    async fn start(form: Form) -> Self {
        let database = TestDatabase::new(Database::Sqlite).await;
        let list = database.folder.path().join("breached");
        write(form, &list);
        let plan = Plan::on(&database).with("password.breached_list", list.display());
        let server = TestServer::on(plan.serve().await, plan, database);
        Self { admin: server.admin("root").await, server }
    }

    /// Where the list is.
    fn list(&self) -> PathBuf {
        self.server.database.folder.path().join("breached")
    }

    /// Sets this password in one of the ways.
    async fn choose(&self, way: &Way, password: &str) -> TestResponse {
        let (path, body) = match way {
            Way::Signup => {
                let email = "cyd@example.org";
                ("signup", json!({"username": "cyd", "email": email, "password": password}))
            }
            Way::Change => {
                let body = json!({"current_password": PASSWORD, "new_password": password});
                return self
                    .server
                    .client
                    .post_as(self.admin.access(), "/v1/me/password", &body)
                    .await;
            }
            Way::Reset(token) => {
                ("password/reset", json!({"token": token, "new_password": password}))
            }
            Way::Invitation(token) => {
                ("invitation/accept", json!({"token": token, "password": password}))
            }
        };
        self.server.client.send(self.server.client.post(&format!("/v1/{path}"), &body)).await
    }

    /// All the ways to choose a password, with unused links.
    async fn ways(&self) -> [Way; 4] {
        let (client, bob) = (&self.server.client, "bob@example.org");
        assert_eq!(client.signup("bob").await.status, 201);
        forgot(client, bob).await;
        let reset = wait_for_email(client, bob, "Reset your password", 1).await;
        let body = json!({"username": "eve", "email": "eve@example.org", "roles": ["user"]});
        let invited = client.post_as(self.admin.access(), "/v1/users", &body).await;
        assert_eq!(invited.status, 201, "{invited:?}");
        let invitation =
            wait_for_email(client, "eve@example.org", "You have been invited", 1).await;
        [
            Way::Signup,
            Way::Change,
            Way::Reset(link_token(&reset).to_owned()),
            Way::Invitation(link_token(&invitation).to_owned()),
        ]
    }
}

/// A way to choose a password.
enum Way {
    Signup,
    Change,
    Reset(String),
    Invitation(String),
}

impl Way {
    /// The field that holds the password.
    const fn field(&self) -> &'static str {
        match self {
            Self::Signup | Self::Invitation(_) => "password",
            Self::Change | Self::Reset(_) => "new_password",
        }
    }
}

/// Row P6: the check covers every way to choose a password, and a refusal does not use the link.
async fn is_refused_everywhere(form: Form) {
    let listed = Listed::start(form).await;
    for way in listed.ways().await {
        let refused = listed.choose(&way, BREACHED).await;
        refused.is(422, "validation_failed");
        assert_eq!(refused.fields(), [way.field()]);
        assert_eq!(refused.body["errors"][0]["code"], "breached_password");
        let response = listed.choose(&way, NEW).await;
        assert!(response.status.is_success(), "{response:?}");
    }
    for name in ["cyd", "root", "bob", "eve"] {
        listed.server.client.login(name, BREACHED).await.is(401, "invalid_credentials");
        assert_eq!(listed.server.client.login(name, NEW).await.status, 200, "{name}");
    }
    // The operator is no exception.
    let made = create(&listed.server.plan, ("dan", "dan@example.org"), BREACHED);
    assert!(!made.status.success());
    listed.server.client.login("dan", BREACHED).await.is(401, "invalid_credentials");
}

/// Row P6: a password that cannot be checked is refused, and everything else works.
async fn nothing_is_accepted_without_it(form: Form) {
    let listed = Listed::start(form).await;
    let ways = listed.ways().await;
    let (list, away) = (listed.list(), listed.list().with_extension("away"));
    fs::rename(&list, &away).unwrap();
    for way in &ways {
        listed.choose(way, NEW).await.is(503, "unavailable");
    }
    for name in ["cyd", "root", "bob", "eve"] {
        listed.server.client.login(name, NEW).await.is(401, "invalid_credentials");
    }
    assert_eq!(
        listed.server.client.login("bob", PASSWORD).await.status,
        200,
        "it was chosen before"
    );
    fs::rename(away, list).unwrap();
    for way in &ways {
        let response = listed.choose(way, NEW).await;
        assert!(response.status.is_success(), "{response:?}");
    }
}

#[tokio::test]
async fn p6_a_password_of_the_ranges_of_breached_ones_is_refused_wherever_one_is_chosen() {
    is_refused_everywhere(Form::Ranges).await;
}

#[tokio::test]
async fn p6_a_password_of_the_file_of_breached_ones_is_refused_wherever_one_is_chosen() {
    is_refused_everywhere(Form::Whole).await;
}

#[tokio::test]
async fn p6_no_password_is_accepted_while_the_ranges_are_gone() {
    nothing_is_accepted_without_it(Form::Ranges).await;
}

#[tokio::test]
async fn p6_no_password_is_accepted_while_the_file_is_gone() {
    nothing_is_accepted_without_it(Form::Whole).await;
}
