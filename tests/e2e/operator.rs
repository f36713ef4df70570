//! `gateward user`: accounts from the command line, beside a running node.

use gateward_e2e::{Database, PASSWORD, Plan, TestDatabase, on_both, run};
use serde_json::json;

use crate::support::commands::{complained, create, said};
use crate::support::test_server::TestServer;

on_both!(
    an_administrator_is_made_beside_a_running_node,
    bad_accounts_are_refused_with_the_way_out,
    disabling_works_at_once_and_enabling_undoes_it,
    a_command_says_which_database_it_cannot_use,
);

async fn an_administrator_is_made_beside_a_running_node(kind: Database) {
    let server = TestServer::start(kind, &[]).await;
    let (client, plan) = (&server.client, &server.plan);

    // A reserved username, which the operator may use. One newline belongs to the terminal, the
    // second does not.
    let made = said(&create(plan, ("admin", "Admin@Example.org"), &format!("{PASSWORD}\n\n")));
    assert!(made.starts_with("Created user admin ("), "{made}");
    assert!(made.ends_with(") with roles admin, user.\n"), "{made}");
    client.login("admin", PASSWORD).await.is(401, "invalid_credentials");
    let logged_in = client.login("admin@example.org", &format!("{PASSWORD}\n")).await;
    assert_eq!(logged_in.status, 200, "{logged_in:?}");
    let user = &logged_in.body["user"];
    assert_eq!(user["email_verified"], json!(true));
    assert_eq!(user["roles"], json!(["admin", "user"]));
    assert!(made.contains(user["id"].as_str().unwrap()), "{made}");

    said(&create(plan, ("bob", "bob@example.org"), PASSWORD));
    assert_eq!(client.login("bob", PASSWORD).await.status, 200);
    said(&create(plan, ("cid", "cid@example.org"), &format!("{PASSWORD}\r\n")));
    assert_eq!(client.login("cid", PASSWORD).await.status, 200);

    let arguments =
        ["user", "create", "--username", "dan", "--email", "dan@example.org", "--password-stdin"];
    assert!(said(&run(plan, &arguments, PASSWORD)).ends_with("with roles user.\n"));
}

async fn bad_accounts_are_refused_with_the_way_out(kind: Database) {
    let database = TestDatabase::new(kind).await;
    let plan = Plan::on(&database);
    said(&create(&plan, ("ada", "ada@example.org"), PASSWORD));

    let long = "x".repeat(5_000);
    let free = ("eve", "eve@example.org");
    for (account, password, complaint) in [
        (("ADA", "eve@example.org"), PASSWORD, "a user with this username already exists; choose"),
        (("eve", "ADA@example.org"), PASSWORD, "a user with this email address already exists"),
        (
            ("e", "eve@example.org"),
            PASSWORD,
            "invalid username \"e\": a username must have 3 to 32",
        ),
        (("e ve", "eve@example.org"), PASSWORD, "a username may only contain the letters A to Z"),
        (
            ("eve", "eve"),
            PASSWORD,
            "invalid email address \"eve\": an email address must have the form",
        ),
        (free, "password1", "on a list of common passwords; choose another"),
        (free, "p4ss", "at least 8 characters; choose another"),
        (free, "", "at least 8 characters; choose another"),
        (free, "eve@example.org", "too similar to the username"),
        (free, long.as_str(), "at most 1024 characters"),
    ] {
        let said = complained(&create(&plan, account, password));
        assert!(said.contains(complaint), "{account:?}: {said}");
        assert_eq!(said.lines().count(), 1);
        assert!(password.is_empty() || account.1 == password || !said.contains(password), "{said}");
    }

    let arguments = ["user", "create", "--username", "eve", "--email", "eve@example.org"];
    let said = complained(&run(&plan, &arguments, PASSWORD));
    assert!(
        said.contains("cannot prompt for a password without a terminal; use --password-stdin"),
        "{said}"
    );
    let said = complained(&create(&plan, free, "\u{0}"));
    assert!(said.contains("at least 8 characters"), "{said}");
}

async fn disabling_works_at_once_and_enabling_undoes_it(kind: Database) {
    let server = TestServer::start(kind, &[]).await;
    let (client, plan) = (&server.client, &server.plan);
    let pair = client.begin("ada").await;

    let set = |what: &str, who: &str| run(plan, &["user", what, who], "");
    assert_eq!(said(&set("disable", "ada")), "Disabled ada and ended all sessions.\n");
    let dead = client.me(pair.access()).await;
    dead.is(401, "session_ended");
    assert_eq!(dead.body["reason"], "account_disabled");
    client.refresh(pair.refresh_token(), None).await.is(401, "session_ended");
    client.login("ada", PASSWORD).await.is(403, "account_disabled");
    client.login("ada", "wrong password").await.is(401, "invalid_credentials");
    assert_eq!(said(&set("disable", "ADA@example.org")), "ada is already disabled.\n");

    assert_eq!(said(&set("enable", "ADA")), "Enabled ada.\n");
    assert_eq!(said(&set("enable", "ada")), "ada is already enabled.\n");
    assert_eq!(client.login("ada", PASSWORD).await.status, 200);
    client.me(pair.access()).await.is(401, "session_ended");

    let nobody = complained(&set("disable", "nobody"));
    assert!(nobody.starts_with("error: no user with the username or email address \"nobody\";"));
    let nonsense = complained(&set("enable", "no body"));
    assert_eq!(nonsense, "error: \"no body\" is neither a username nor an email address\n");
}

async fn a_command_says_which_database_it_cannot_use(kind: Database) {
    let database = TestDatabase::new(kind).await;
    let (url, expected) = match kind {
        Database::Sqlite => {
            ("sqlite:///nowhere/x.db", "run `gateward migrate` to create a new one")
        }
        Database::Postgres => (
            "postgres://ada:hunter2@127.0.0.1:1/x",
            "cannot use the server of database.url; start it",
        ),
    };
    let plan = Plan::on(&database).with("database.url", url);
    for command in [&["user", "disable", "ada"][..], &["keys", "list"], &["keys", "rotate"]] {
        let said = complained(&run(&plan, command, ""));
        assert!(said.contains(expected), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}
