//! `gateward user`: finding and changing accounts, beside a running node.

use std::process::Output;
use std::time::Duration;

use gateward_e2e::{Database, PASSWORD, TestResponse, eventually, on_both, run};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::commands::{complained, create, said};
use crate::support::test_server::TestServer;

on_both!(
    accounts_are_listed_by_name_address_role_and_state,
    an_account_is_shown_with_what_it_may_do,
    a_role_is_granted_and_revoked_by_the_next_request,
    what_cannot_be_taken_back_is_asked_for,
    a_logout_ends_every_session_and_spares_the_others,
    the_last_administrator_stays_whatever_is_commanded,
    nobody_is_named_who_is_not_there,
);

/// How long the invalidation event of a change may take to reach a node, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(5);

/// A node, and commands beside it.
struct Beside {
    server: TestServer,
}

impl Beside {
    async fn start(kind: Database) -> Self {
        Self { server: TestServer::start(kind, &[]).await }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        tokio::task::block_in_place(|| run(&self.server.plan, &[&["user"], arguments].concat(), ""))
    }

    #[track_caller]
    fn said(&self, arguments: &[&str]) -> String {
        said(&self.run(arguments))
    }

    #[track_caller]
    fn complained(&self, arguments: &[&str]) -> String {
        let complaint = complained(&self.run(arguments));
        assert_eq!(complaint.lines().count(), 1, "{complaint}");
        complaint
    }

    /// The accounts in the list with these filters.
    #[track_caller]
    fn listed(&self, conditions: &[&str]) -> Vec<Value> {
        let list = self.said(&[&["list", "--json"], conditions].concat());
        serde_json::from_str(&list).unwrap()
    }

    #[track_caller]
    fn names(&self, conditions: &[&str]) -> Vec<String> {
        let list = self.listed(conditions);
        let mut names: Vec<String> =
            list.iter().map(|user| user["username"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    }

    fn root(&self) {
        said(&create(&self.server.plan, ("root-of-all", "root@example.org"), PASSWORD));
    }

    /// Lists accounts, which requires a permission, until the response has this status.
    async fn until_listing_gets(&self, who: &TestResponse, status: u16) {
        let client = &self.server.client;
        eventually(PATIENCE, async || {
            let request = client.request(Method::GET, "/v1/users").bearer_auth(who.access());
            let response = client.send(request).await;
            if response.status == status { Ok(()) } else { Err(format!("{response:?}")) }
        })
        .await;
    }

    async fn until_over(&self, pair: &TestResponse, reason: &str) {
        self.server.client.until_refused(pair.access(), PATIENCE).await;
        let refused = self.server.client.me(pair.access()).await;
        refused.is(401, "session_ended");
        assert_eq!(refused.body["reason"], reason);
        self.server.client.refresh(pair.refresh_token(), None).await.is(401, "session_ended");
    }
}

async fn accounts_are_listed_by_name_address_role_and_state(kind: Database) {
    let beside = Beside::start(kind).await;
    assert_eq!(beside.listed(&[]), Vec::<Value>::new());
    assert_eq!(beside.said(&["list"]).lines().count(), 1, "the headings alone");
    beside.root();
    for name in ["ada", "Adam", "bob", "cyd", "dan"] {
        assert_eq!(beside.server.client.signup(name).await.status, 201);
    }
    beside.said(&["disable", "bob"]);
    for (conditions, expected) in [
        (&[][..], &["Adam", "ada", "bob", "cyd", "dan", "root-of-all"][..]),
        (&["--q", "ad"], &["Adam", "ada"]),
        (&["--q", "ADA"], &["Adam", "ada"]),
        (&["--q", "adam@"], &["Adam"]),
        (&["--q", "x"], &[]),
        (&["--q", "%"], &[]),
        (&["--role", "admin"], &["root-of-all"]),
        (&["--role", "nothing"], &[]),
        (&["--disabled"], &["bob"]),
        (&["--q", "b", "--disabled"], &["bob"]),
        (&["--q", "a", "--disabled"], &[]),
    ] {
        assert_eq!(beside.names(conditions), expected, "{conditions:?}");
    }
    let user = &beside.listed(&["--q", "bob"])[0];
    let members: Vec<&String> = user.as_object().unwrap().keys().collect();
    let expected = [
        "created_at",
        "disabled",
        "email",
        "email_verified",
        "id",
        "roles",
        "updated_at",
        "username",
    ];
    assert_eq!(members, expected);
    assert_eq!((&user["email"], &user["disabled"]), (&json!("bob@example.org"), &json!(true)));

    let table = beside.said(&["list"]);
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 7, "{table}");
    assert!(lines[0].starts_with("ID ") && lines[0].ends_with("CREATED"), "{table}");
    for (name, rest) in [("bob", "disabled"), ("ada", "unverified"), ("root-of-all", "active")] {
        let line = lines.iter().find(|line| line.contains(&format!("  {name}  "))).unwrap();
        assert!(line.contains(&format!("  {rest}  ")), "{table}");
    }
    let some = beside.run(&["list", "--limit", "2"]);
    assert!(some.status.success());
    assert_eq!(String::from_utf8(some.stdout).unwrap().lines().count(), 3);
    let told = String::from_utf8(some.stderr).unwrap();
    assert_eq!(told, "Showing the first 2. Use --limit to see more.\n");
    for wrong in [&["list", "--limit", "0"][..], &["list", "--role", "No Role"], &["list", "x"]] {
        assert_eq!(beside.run(wrong).status.code(), Some(2), "{wrong:?}");
    }
}

async fn an_account_is_shown_with_what_it_may_do(kind: Database) {
    let beside = Beside::start(kind).await;
    beside.root();
    let pair = beside.server.client.begin("ada").await;
    let other = beside.server.client.login("ada", PASSWORD).await;
    assert_eq!(beside.server.client.logout(other.refresh_token()).await.status, 204);
    let id = pair.body["user"]["id"].as_str().unwrap();
    let shown: Value = serde_json::from_str(&beside.said(&["show", "ada", "--json"])).unwrap();
    let mut expected = beside.server.client.me(pair.access()).await.body;
    expected["permissions"] = json!([]);
    expected["sessions"] = json!(1);
    assert_eq!(shown, expected);
    for name in ["ADA", "ada@example.org", id, &id.to_uppercase()] {
        let again: Value = serde_json::from_str(&beside.said(&["show", name, "--json"])).unwrap();
        assert_eq!(again, expected, "{name}");
    }
    let root: Value =
        serde_json::from_str(&beside.said(&["show", "root-of-all", "--json"])).unwrap();
    assert_eq!(root["roles"], json!(["admin", "user"]));
    let permissions = root["permissions"].as_array().unwrap();
    assert!(permissions.len() == 8 && permissions.contains(&json!("users:write")), "{root}");
    let text = beside.said(&["show", "ada"]);
    for line in [
        format!("id           {id}"),
        "username     ada".to_owned(),
        "email        ada@example.org (not verified)".to_owned(),
        "roles        user".to_owned(),
        "disabled     no".to_owned(),
        "sessions     1".to_owned(),
    ] {
        assert!(text.lines().any(|told| told == line), "{line}: {text}");
    }
}

async fn a_role_is_granted_and_revoked_by_the_next_request(kind: Database) {
    let beside = Beside::start(kind).await;
    beside.root();
    let pair = beside.server.client.begin("ada").await;
    beside.until_listing_gets(&pair, 403).await;
    let told = beside.said(&["grant", "ada", "admin"]);
    assert_eq!(told, "ada now has roles admin, user.\n");
    beside.until_listing_gets(&pair, 200).await;
    assert_eq!(beside.said(&["grant", "ada", "admin"]), told, "once more changes nothing");

    let told = beside.said(&["revoke", "ada@example.org", "admin"]);
    assert_eq!(told, "ada now has roles user.\n");
    beside.until_listing_gets(&pair, 403).await;
    assert_eq!(beside.said(&["revoke", "ada", "admin"]), told);
    assert_eq!(beside.server.client.me(pair.access()).await.status, 200, "the session goes on");

    let complaint = beside.complained(&["grant", "ada", "support"]);
    assert_eq!(complaint, "error: no role named support; existing roles: admin, user\n");
    let complaint = beside.complained(&["revoke", "ada", "user"]);
    assert_eq!(complaint, "error: every user has the role user; it cannot be removed\n");
    assert_eq!(beside.run(&["grant", "ada", "No Role"]).status.code(), Some(2));

    // A role that was defined over HTTP exists here, too.
    let root = beside.server.client.login("root-of-all", PASSWORD).await;
    let body = json!({"permissions": ["users:read"]});
    let put =
        beside.server.client.request(Method::PUT, "/v1/roles/support").bearer_auth(root.access());
    assert!(beside.server.client.send(put.json(&body)).await.status.is_success());
    assert_eq!(beside.said(&["grant", "ada", "support"]), "ada now has roles support, user.\n");
    beside.until_listing_gets(&pair, 200).await;
    assert_eq!(beside.names(&["--role", "support"]), ["ada"]);
}

async fn what_cannot_be_taken_back_is_asked_for(kind: Database) {
    let beside = Beside::start(kind).await;
    beside.root();
    let pair = beside.server.client.begin("ada").await;
    for command in ["delete", "logout"] {
        for input in ["", "ada\n", "yes\n"] {
            let arguments = ["user", command, "ada"];
            let refused = complained(&run(&beside.server.plan, &arguments, input));
            assert_eq!(
                refused,
                "error: confirmation needed; pass --yes to run without a terminal\n"
            );
        }
    }
    assert_eq!(beside.server.client.me(pair.access()).await.status, 200);
    let id = pair.body["user"]["id"].as_str().unwrap();
    let told = beside.said(&["delete", "ada", "--yes"]);
    assert_eq!(told, format!("Deleted ada ({id}) and ended all sessions.\n"));
    beside.until_over(&pair, "account_deleted").await;
    beside.server.client.login("ada", PASSWORD).await.is(401, "invalid_credentials");
    assert_eq!(beside.names(&[]), ["root-of-all"]);
    let complaint = beside.complained(&["delete", "ada", "--yes"]);
    assert!(
        complaint.starts_with("error: no user with the username or email address \"ada\";"),
        "{complaint}"
    );
    let again = beside.server.client.begin("ada").await;
    assert_ne!(again.body["user"]["id"], id);
}

async fn a_logout_ends_every_session_and_spares_the_others(kind: Database) {
    let beside = Beside::start(kind).await;
    let pairs = [
        beside.server.client.begin("ada").await,
        beside.server.client.login("ada", PASSWORD).await,
    ];
    let bob = beside.server.client.begin("bob").await;
    let told = beside.said(&["logout", "ADA", "--yes"]);
    assert_eq!(told, "Logged out 2 sessions of ada.\n");
    for pair in &pairs {
        beside.until_over(pair, "ended_by_admin").await;
    }
    assert_eq!(beside.server.client.me(bob.access()).await.status, 200);
    assert_eq!(beside.said(&["logout", "ada", "--yes"]), "ada has no active sessions.\n");
    let new = beside.server.client.login("ada", PASSWORD).await;
    assert_eq!(beside.server.client.me(new.access()).await.status, 200);
    assert_eq!(beside.said(&["logout", "ada", "--yes"]), "Logged out 1 session of ada.\n");
    beside.until_over(&new, "ended_by_admin").await;
}

async fn the_last_administrator_stays_whatever_is_commanded(kind: Database) {
    let beside = Beside::start(kind).await;
    beside.root();
    let root = beside.server.client.login("root-of-all", PASSWORD).await;
    beside.server.client.begin("ada").await;
    for command in [
        &["disable", "root-of-all"][..],
        &["revoke", "root-of-all", "admin"],
        &["delete", "root-of-all", "--yes"],
    ] {
        let complaint = beside.complained(command);
        let told =
            "error: root-of-all is the last active administrator; first make another user an";
        assert!(complaint.starts_with(told), "{complaint}");
        assert!(
            complaint.ends_with("administrator: gateward user grant USER admin\n"),
            "{complaint}"
        );
    }
    assert_eq!(beside.server.client.me(root.access()).await.status, 200);
    // An account with an unconfirmed email address does not count, nor does a disabled one.
    beside.said(&["grant", "ada", "admin"]);
    beside.complained(&["disable", "root-of-all"]);
    said(&create(&beside.server.plan, ("second", "second@example.org"), PASSWORD));
    beside.said(&["disable", "second"]);
    beside.complained(&["disable", "root-of-all"]);
    beside.said(&["enable", "second"]);
    assert_eq!(
        beside.said(&["disable", "root-of-all"]),
        "Disabled root-of-all and ended all sessions.\n"
    );
    beside.until_over(&root, "account_disabled").await;
    beside.complained(&["delete", "second", "--yes"]);
}

async fn nobody_is_named_who_is_not_there(kind: Database) {
    let beside = Beside::start(kind).await;
    let id = "01a1f7c4-3276-7a3b-8f45-007bd2598b92";
    for command in ["show", "disable", "enable", "delete", "logout", "reset-link"] {
        for (name, told) in [
            ("nobody", "no user with the username or email address \"nobody\""),
            ("no body", "\"no body\" is neither a username nor an email address"),
            (id, "no user with ID "),
        ] {
            let complaint = beside.complained(&[command, name]);
            assert!(complaint.contains(told), "{command} {name}: {complaint}");
        }
    }
    for command in ["grant", "revoke"] {
        let complaint = beside.complained(&[command, "nobody", "admin"]);
        assert!(complaint.contains("no user with the username"), "{complaint}");
    }
}
