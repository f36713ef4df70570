//! How an operator inspects and manages emails, beside a running node.

use std::fs;
use std::path::Path;
use std::time::Duration;

use gateward_e2e::{Database, PASSWORD, Plan, TestDatabase, on_both, root, run};
use serde_json::{Value, json};

use crate::support::commands::{complained, said};
use crate::support::mail_fixture::{HOUR, MailFixture, has_failed, is};
use crate::support::metrics::{metric, tried, wait_for_gauge};
use crate::support::password_reset::reset;

on_both!(
    emails_are_listed_and_shown_for_people_and_for_programs,
    dead_emails_are_tried_again_when_an_operator_says_so,
    a_reset_link_is_printed_for_an_operator_and_works_once,
    what_becomes_of_emails_is_counted,
);

/// The built-in emails.
const ENGLISH: &str = "crates/email/templates/en.toml";

/// The fields of an email.
const MEMBERS: [&str; 12] = [
    "attempts",
    "created_at",
    "failure",
    "finished_at",
    "id",
    "ip",
    "kind",
    "next_attempt_at",
    "recipient",
    "scheduled_at",
    "state",
    "user_id",
];

async fn emails_are_listed_and_shown_for_people_and_for_programs(kind: Database) {
    let Some(post) = MailFixture::new(kind).await else { return };
    let plan = &post.plan;
    let node = plan.start().await;
    let client = node.client();
    assert!(said(&run(plan, &["mail", "list"], "")).lines().count() <= 1);
    assert_eq!(post.list(&[]), Vec::<Value>::new());
    assert_eq!(client.signup("ada").await.status, 201);
    post.wait_for("ada@example.org", is("sent")).await;
    post.server.mode("permanent");
    let bob = client.signup("bob").await;
    assert_eq!(bob.status, 201);
    let waiting = post.wait_for("bob@example.org", has_failed).await;
    let id = waiting["id"].as_str().unwrap();

    let members: Vec<_> = waiting.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, MEMBERS);
    assert_eq!(waiting["user_id"], bob.body["id"]);
    assert_eq!(waiting["kind"], "confirm_email");
    assert_eq!(waiting["ip"], "127.0.0.1");
    assert!(waiting["failure"].as_str().unwrap().contains("554"), "{waiting:#}");
    let recipients = |arguments: &[&str]| -> Vec<String> {
        let of = |message: &Value| message["recipient"].as_str().unwrap().to_owned();
        post.list(arguments).iter().map(of).collect()
    };
    assert_eq!(recipients(&[]), ["bob@example.org", "ada@example.org"], "the newest first");
    assert_eq!(recipients(&["--limit", "1"]), ["bob@example.org"]);
    assert_eq!(recipients(&["--state", "sent"]), ["ada@example.org"]);
    assert_eq!(recipients(&["--state", "failed"]), [""; 0]);

    let table = said(&run(plan, &["mail", "list"], ""));
    let lines: Vec<&str> = table.lines().collect();
    let [head, first, second] = lines.as_slice() else { panic!("{table}") };
    let words: Vec<&str> = head.split_whitespace().collect();
    assert_eq!(words.join(" "), "ID STATE KIND TRIES DUE OR FINISHED RECIPIENT FAILURE");
    for word in [id, "waiting", "confirm_email", "bob@example.org", "554"] {
        assert!(first.contains(word), "{table}");
    }
    assert!(second.contains("sent") && second.ends_with("ada@example.org"), "{table}");
    let column = |line: &str, word: &str| line.find(word).unwrap();
    assert_eq!(column(head, "RECIPIENT"), column(first, "bob@"), "{table}");

    let sent = &post.list_to("ada@example.org")[0];
    let show = ["mail", "show", sent["id"].as_str().unwrap(), "--json"];
    let shown: Value = serde_json::from_str(&said(&run(plan, &show, ""))).unwrap();
    assert_eq!(shown, *sent);
    assert!(shown["finished_at"].is_string(), "{shown:#}");
    let shown = said(&run(plan, &["mail", "show", id], ""));
    for (name, value) in [("state", "waiting"), ("recipient", "bob@example.org"), ("id", id)] {
        assert!(shown.contains(&format!("{name:<15} {value}\n")), "{shown}");
    }
    assert!(!shown.contains("finished_at"), "what is not there is not told: {shown}");
    let token = post.server.emails()[0].link().split_once("#token=").unwrap().1.to_owned();
    let told = sent.to_string();
    assert!(!told.contains(&token) && !told.contains(PASSWORD), "{told}");
}

async fn dead_emails_are_tried_again_when_an_operator_says_so(kind: Database) {
    let Some(post) = MailFixture::new(kind).await else { return };
    let plan = &post.plan;
    let node = plan.start().await;
    let client = node.client();
    assert_eq!(said(&run(plan, &["mail", "retry", "--all"], "")), "No failed emails to retry.\n");
    post.server.mode("permanent");
    let mut ids = Vec::new();
    for name in ["ada", "bob", "cid"] {
        assert_eq!(client.signup(name).await.status, 201);
        let message = post.wait_for(&format!("{name}@example.org"), has_failed).await;
        ids.push(message["id"].as_str().unwrap().to_owned());
    }
    let retry = |id: &str| run(plan, &["mail", "retry", id], "");
    let early = complained(&retry(&ids[0]));
    let expected =
        format!("error: email {} is waiting; only failed emails can be retried\n", ids[0]);
    assert_eq!(early, expected);
    post.forward(6 * HOUR);
    for name in ["ada", "bob", "cid"] {
        post.wait_for(&format!("{name}@example.org"), is("failed")).await;
    }

    post.server.mode("ok");
    let expected = format!("Queued email {} again. A running node sends it.\n", ids[0]);
    assert_eq!(said(&retry(&ids[0])), expected);
    let sent = post.wait_for("ada@example.org", is("sent")).await;
    assert_eq!((&sent["attempts"], &sent["failure"]), (&json!(1), &Value::Null));
    assert!(complained(&retry(&ids[0])).contains("is sent; only failed emails can be retried"));
    let all = said(&run(plan, &["mail", "retry", "--all"], ""));
    assert_eq!(all, "Queued 2 emails again. A running node sends them.\n");
    for name in ["bob", "cid"] {
        post.wait_for(&format!("{name}@example.org"), is("sent")).await;
    }
    assert_eq!(post.server.emails().len(), 3);

    let nobody = "01939e4a-5c00-7000-8000-000000000000";
    for (id, complaint) in [
        (nobody, format!("error: no email with ID {nobody}; see: gateward mail list\n")),
        ("x", "error: \"x\" is not an email ID; see: gateward mail list\n".to_owned()),
    ] {
        assert_eq!(complained(&retry(id)), complaint);
        assert_eq!(complained(&run(plan, &["mail", "show", id], "")), complaint);
    }
    for arguments in [
        &["mail", "retry"][..],
        &["mail", "retry", "--all", nobody],
        &["mail", "list", "--state", "x"],
    ] {
        assert_eq!(run(plan, arguments, "").status.code(), Some(2), "{arguments:?}");
    }
}

async fn a_reset_link_is_printed_for_an_operator_and_works_once(kind: Database) {
    let database = TestDatabase::new(kind).await;
    let plan = Plan::on(&database).with("http.public_url", "http://localhost:8765");
    let node = plan.start().await;
    let client = node.client();
    let pair = client.begin("ada").await;
    let make = || {
        let made = run(&plan, &["user", "reset-link", "ada"], "");
        assert!(made.status.success(), "{made:?}");
        let beside = String::from_utf8(made.stderr).unwrap();
        assert!(beside.contains("expires at 20") && beside.contains("works once"), "{beside}");
        let link = String::from_utf8(made.stdout).unwrap();
        assert_eq!(link.lines().count(), 1, "{link}");
        assert!(link.starts_with("http://localhost:8765/"), "{link}");
        link.trim_end().to_owned()
    };
    let (first, second) = (make(), make());
    assert_ne!(first, second);
    let new = "staple and a paper clip";
    assert_eq!(reset(&client, &first, new).await, 400, "the second one has taken its place");
    assert_eq!(reset(&client, &second, new).await, 204);
    assert_eq!(reset(&client, &second, PASSWORD).await, 400);
    assert_eq!(client.login("ada", new).await.status, 200);
    client.me(pair.access()).await.is(401, "session_ended");

    let nobody = complained(&run(&plan, &["user", "reset-link", "nobody"], ""));
    assert!(nobody.starts_with("error: no user with the username or email address \"nobody\";"));
    said(&run(&plan, &["user", "disable", "ada"], ""));
    let disabled = complained(&run(&plan, &["user", "reset-link", "ada@example.org"], ""));
    assert!(disabled.contains("is disabled; first run: gateward user enable"), "{disabled}");
}

async fn what_becomes_of_emails_is_counted(kind: Database) {
    let Some(post) = MailFixture::new(kind).await else { return };
    let node = post.plan.start().await;
    let client = node.client();
    for outcome in ["sent", "discarded", "postponed", "unreachable", "failed"] {
        let name = format!("gateward_mail_total{{outcome=\"{outcome}\"}}");
        assert_eq!(metric(&node, &name).await, Some(0.0), "{name}");
    }
    // The first count is a moment after the start.
    let mut waiting = None;
    for _ in 0..300 {
        waiting = metric(&node, "gateward_mail_waiting").await;
        if waiting.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(waiting, Some(0.0));
    assert_eq!(client.signup("ada").await.status, 201);
    post.wait_for("ada@example.org", is("sent")).await;
    for (mode, name) in [("temporary", "bob"), ("refuse", "cid")] {
        post.server.mode(mode);
        assert_eq!(client.signup(name).await.status, 201);
        post.wait_for(&format!("{name}@example.org"), has_failed).await;
    }
    for outcome in ["postponed", "unreachable"] {
        assert!(tried(&node, outcome).await >= 1.0, "{outcome}");
    }
    assert!((tried(&node, "sent").await - 1.0).abs() < 0.1);
    post.forward(HOUR);
    wait_for_gauge(&node, "gateward_mail_waiting", |waiting| (waiting - 2.0).abs() < 0.1).await;
    let about_an_hour = |seconds: f64| (3_600.0..3_700.0).contains(&seconds);
    wait_for_gauge(&node, "gateward_mail_oldest_seconds", about_an_hour).await;
    assert_eq!(metric(&node, "gateward_mail_failed").await, Some(0.0));

    post.server.mode("ok");
    post.forward(HOUR);
    for name in ["bob", "cid"] {
        post.wait_for(&format!("{name}@example.org"), is("sent")).await;
    }
    assert!((tried(&node, "sent").await - 3.0).abs() < 0.1);
}

#[test]
fn every_email_is_rendered_for_whoever_writes_templates() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::bare(folder.path()).with("mail.from", "Notes <login@example.org>");
    let there = folder.path().join("emails");
    let told = said(&run(&plan, &["mail", "render", "emails"], ""));
    assert_eq!(told, "Wrote 48 files to emails.\n");
    let language: toml::Table = fs::read_to_string(root().join(ENGLISH)).unwrap().parse().unwrap();
    let names: Vec<&String> = language["emails"].as_table().unwrap().keys().collect();
    assert_eq!(names.len(), 16);
    for name in names {
        for ending in ["subject", "txt", "html"] {
            let text = fs::read_to_string(there.join(format!("{name}.{ending}"))).unwrap();
            assert!(text.contains("Notes") && !text.contains("{{"), "{name}.{ending}: {text}");
        }
    }
}

/// A folder of templates with a changed text for one email.
fn templates(folder: &Path, from: &str, to: &str) {
    let words = fs::read_to_string(root().join(ENGLISH)).unwrap();
    assert!(words.contains(from));
    fs::write(folder.join("en.toml"), words.replace(from, to)).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_of_templates_replaces_the_words_and_a_bad_one_is_refused() {
    let Some(post) = MailFixture::new(Database::Sqlite).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let post = post.with("mail.templates", folder.path().display());
    templates(
        folder.path(),
        "Confirm that this is the email address of your {{ service }} account.",
        "Moin, {{ service }}!",
    );
    let node = post.plan.start().await;
    assert_eq!(node.client().signup("ada").await.status, 201);
    post.wait_for("ada@example.org", is("sent")).await;
    let message = &post.server.emails()[0];
    assert!(message.text.contains("Moin, Notes!") && message.html.contains("Moin, Notes!"));
    assert!(!message.text.contains("Confirm that this"), "{}", message.text);
    drop(node);

    for (from, to, expected) in [
        ("{{ service }}", "{{ servise }}", "en.toml"),
        ("[emails.confirm_email]", "[emails.confirm_mail]", "confirm_mail"),
    ] {
        templates(folder.path(), from, to);
        for command in [&["serve"][..], &["config", "check"], &["mail", "render", "emails"]] {
            let said = complained(&run(&post.plan, command, ""));
            assert!(said.contains("mail.templates points to") && said.contains(expected), "{said}");
        }
    }
    fs::remove_file(folder.path().join("en.toml")).unwrap();
    fs::write(folder.path().join("email.txt"), "{{ title }}").unwrap();
    let said = complained(&run(&post.plan, &["serve"], ""));
    assert!(said.contains("email.txt"), "a layout without the link: {said}");
    let nowhere = post.plan.with("mail.templates", "/nowhere/emails");
    let said = complained(&run(&nowhere, &["serve"], ""));
    assert!(said.contains("mail.templates points to /nowhere/emails"), "{said}");
}
