//! `gateward user`: accounts from the command line, beside a running node.

use gateward_e2e::{Database, PASSWORD, Plan, TestDatabase, on_both, run};
use serde_json::json;

use crate::commands::{complained, said};

on_both!(
    an_administrator_is_made_beside_a_running_node,
    bad_accounts_are_refused_with_the_way_out,
    disabling_works_at_once_and_enabling_undoes_it,
    a_command_says_which_database_it_cannot_use,
);

/// Makes an administrator.
pub(crate) fn create(
    plan: &Plan,
    (name, email): (&str, &str),
    input: &str,
) -> std::process::Output {
    let arguments =
        ["user", "create", "--username", name, "--email", email, "--admin", "--password-stdin"];
    run(plan, &arguments, input)
}

async fn an_administrator_is_made_beside_a_running_node(kind: Database) {
    let database = TestDatabase::new(kind).await;
    let plan = Plan::on(&database);
    let node = plan.start().await;
    let client = node.client();

    // A reserved name: the operator may. One newline belongs to the terminal, the second does not.
    let made = said(&create(&plan, ("admin", "Admin@Example.org"), &format!("{PASSWORD}\n\n")));
    assert!(made.starts_with("Made admin (") && made.ends_with("roles: admin, user.\n"), "{made}");
    client.login("admin", PASSWORD).await.is(401, "invalid_credentials");
    let logged_in = client.login("admin@example.org", &format!("{PASSWORD}\n")).await;
    assert_eq!(logged_in.status, 200, "{logged_in:?}");
    let user = &logged_in.body["user"];
    assert_eq!(user["email_verified"], json!(true));
    assert_eq!(user["roles"], json!(["admin", "user"]));
    assert!(made.contains(user["id"].as_str().unwrap()), "{made}");

    said(&create(&plan, ("bob", "bob@example.org"), PASSWORD));
    assert_eq!(client.login("bob", PASSWORD).await.status, 200);
    said(&create(&plan, ("cid", "cid@example.org"), &format!("{PASSWORD}\r\n")));
    assert_eq!(client.login("cid", PASSWORD).await.status, 200);

    let arguments =
        ["user", "create", "--username", "dan", "--email", "dan@example.org", "--password-stdin"];
    assert!(said(&run(&plan, &arguments, PASSWORD)).ends_with("roles: user.\n"));
}

async fn bad_accounts_are_refused_with_the_way_out(kind: Database) {
    let database = TestDatabase::new(kind).await;
    let plan = Plan::on(&database);
    said(&create(&plan, ("ada", "ada@example.org"), PASSWORD));

    let long = "x".repeat(5_000);
    let free = ("eve", "eve@example.org");
    for (account, password, complaint) in [
        (("ADA", "eve@example.org"), PASSWORD, "an account with this username; choose another"),
        (("eve", "ADA@example.org"), PASSWORD, "an account with this address; choose another"),
        (("e", "eve@example.org"), PASSWORD, "\"e\" is no good: a username has 3 to 32"),
        (("e ve", "eve@example.org"), PASSWORD, "a username consists of the letters"),
        (("eve", "eve"), PASSWORD, "\"eve\" is no good: this is not an e-mail address"),
        (free, "password1", "among the most common ones; choose another"),
        (free, "p4ss", "fewer than 8 characters; choose another"),
        (free, "", "fewer than 8 characters; choose another"),
        (free, "eve@example.org", "own name or address"),
        (free, long.as_str(), "more than 1024 characters"),
    ] {
        let said = complained(&create(&plan, account, password));
        assert!(said.contains(complaint), "{account:?}: {said}");
        assert_eq!(said.lines().count(), 1);
        assert!(password.is_empty() || account.1 == password || !said.contains(password), "{said}");
    }

    let arguments = ["user", "create", "--username", "eve", "--email", "eve@example.org"];
    let said = complained(&run(&plan, &arguments, PASSWORD));
    assert!(said.contains("no terminal to ask for a password; use --password-stdin"), "{said}");
    let said = complained(&create(&plan, free, "\u{0}"));
    assert!(said.contains("fewer than 8 characters"), "{said}");
}

async fn disabling_works_at_once_and_enabling_undoes_it(kind: Database) {
    let database = TestDatabase::new(kind).await;
    let plan = Plan::on(&database);
    let node = plan.start().await;
    let client = node.client();
    let pair = client.begin("ada").await;

    let set = |what: &str, who: &str| run(&plan, &["user", what, who], "");
    assert_eq!(said(&set("disable", "ada")), "ada is disabled; every session is over.\n");
    let dead = client.me(pair.access()).await;
    dead.is(401, "session_ended");
    assert_eq!(dead.body["reason"], "account_disabled");
    client.refresh(pair.refresh_token(), None).await.is(401, "session_ended");
    client.login("ada", PASSWORD).await.is(403, "account_disabled");
    client.login("ada", "wrong password").await.is(401, "invalid_credentials");
    assert_eq!(said(&set("disable", "ADA@example.org")), "ada was disabled before.\n");

    assert_eq!(said(&set("enable", "ADA")), "ada is enabled.\n");
    assert_eq!(said(&set("enable", "ada")), "ada was not disabled.\n");
    assert_eq!(client.login("ada", PASSWORD).await.status, 200);
    client.me(pair.access()).await.is(401, "session_ended");

    let nobody = complained(&set("disable", "nobody"));
    assert_eq!(nobody, "error: there is no account with the name or address \"nobody\"\n");
    let nonsense = complained(&set("enable", "no body"));
    assert_eq!(nonsense, "error: \"no body\" is neither a username nor an address\n");
}

async fn a_command_says_which_database_it_cannot_use(kind: Database) {
    let database = TestDatabase::new(kind).await;
    let (url, expected) = match kind {
        Database::Sqlite => ("sqlite:///nowhere/x.db", "make a new one with `gateward migrate`"),
        Database::Postgres => (
            "postgres://ada:hunter2@127.0.0.1:1/x",
            "database.url names a server that cannot be used",
        ),
    };
    let plan = Plan::on(&database).with("database.url", url);
    for command in [&["user", "disable", "ada"][..], &["keys", "list"], &["keys", "rotate"]] {
        let said = complained(&run(&plan, command, ""));
        assert!(said.contains(expected), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}
