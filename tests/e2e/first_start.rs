//! The first start in an empty folder, as `make run` does it, and later starts.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use gateward_e2e::{Client, Database, Node, PASSWORD, Plan, TestDatabase, on_both, run};
use regex::Regex;
use rustix::process::Signal;

use crate::support::commands::{complained, said};

on_both!(a_node_of_another_issuer_or_master_key_is_refused);

/// Starts a node with text output, and returns what it prints.
async fn start(plan: &Plan) -> (Node, String) {
    let mut node = plan.launch();
    let log = node.wait_for_text("INFO ready").await;
    node.wait_for_text("--admin)").await;
    let log = if log.contains("--admin)") { log } else { node.log() };
    let url = Regex::new(r"API +(http://127\.0\.0\.1:\d+)/v1\n").unwrap();
    url.captures(&log).expect("the address of the API")[1].clone_into(&mut node.url);
    (node, log)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

async fn stop(mut node: Node) {
    node.signal(Signal::TERM);
    assert_eq!(node.ended().await.code(), Some(0), "{}", node.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_start_needs_no_setting_and_a_second_one_keeps_everything() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::bare(folder.path());
    let (node, told) = start(&plan).await;
    for line in [
        r"(?m)^Gateward is ready\.$",
        r"(?m)^  API        http://127\.0\.0\.1:\d+/v1$",
        r"(?m)^  Try it on  http://127\.0\.0\.1:\d+/docs$",
        r"(?m)^  Inbox      http://127\.0\.0\.1:\d+/dev/inbox$",
        r"(?m)^  Metrics    http://127\.0\.0\.1:\d+/metrics$",
        r"(?m)^    gateward user create --username NAME --email ADDRESS --admin$",
    ] {
        assert!(Regex::new(line).unwrap().is_match(&told), "{line}: {told}");
    }
    assert!(!told.contains("\u{1b}["), "no colours where no terminal is: {told}");
    let data = folder.path().join("data");
    for entry in fs::read_dir(&data).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    assert!(data.join("gateward.db").exists() && data.join("master.key").exists());

    // The command that the node suggests, in another terminal.
    let create = [
        "user",
        "create",
        "--username",
        "ada",
        "--email",
        "ada@example.org",
        "--admin",
        "--password-stdin",
    ];
    said(&run(&plan, &create, PASSWORD));
    let client = node.client();
    assert_eq!(client.get("/docs").await.status, 200);
    assert_eq!(client.get("/dev/inbox").await.status, 200);
    let pair = client.login("ada", PASSWORD).await;
    assert_eq!(pair.status, 200);
    let keys = client.get("/.well-known/jwks.json").await.body;
    stop(node).await;

    let (node, _) = start(&plan).await;
    let client = node.client();
    assert_eq!(client.get("/.well-known/jwks.json").await.body, keys);
    assert_eq!(client.me(pair.access()).await.body["username"], "ada");
    assert_eq!(client.refresh(pair.refresh_token(), None).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_key_that_is_gone_or_open_or_broken_is_refused_and_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::bare(folder.path());
    stop(start(&plan).await.0).await;
    let path = folder.path().join("data/master.key");
    let key = fs::read(&path).unwrap();

    fs::remove_file(&path).unwrap();
    for command in [&["serve"][..], &["keys", "list"], &["user", "disable", "ada"]] {
        let complaint = String::from_utf8(run(&plan, command, "").stderr).unwrap();
        assert!(complaint.contains("data/master.key is missing"), "{complaint}");
        assert!(complaint.contains("restore the file"), "{complaint}");
        assert!(!path.exists(), "no new key is written");
        assert_eq!(fs::read_dir(folder.path().join("data")).unwrap().count(), 1);
    }

    fs::write(&path, &key).unwrap();
    for open in [0o644, 0o660, 0o604] {
        fs::set_permissions(&path, Permissions::from_mode(open)).unwrap();
        let complaint = complained(&run(&plan, &["serve"], ""));
        assert!(complaint.contains("run: chmod 600 data/master.key"), "{complaint}");
    }
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    let complaint = complained(&run(&plan, &["serve"], ""));
    assert!(
        complaint.contains("data/master.key does not contain a valid master key"),
        "{complaint}"
    );

    fs::write(&path, &key).unwrap();
    start(&plan).await;
}

/// Row F16: a missing database is not replaced by an empty one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f16_a_database_that_has_vanished_is_not_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::bare(folder.path());
    stop(start(&plan).await.0).await;
    let path = folder.path().join("data/gateward.db");
    fs::remove_file(&path).unwrap();
    for command in [&["serve"][..], &["keys", "rotate"]] {
        let complaint = complained(&run(&plan, command, ""));
        assert!(complaint.contains("there is no database at"), "{complaint}");
        assert!(complaint.contains("restore it"), "{complaint}");
        assert!(!path.exists());
    }
}

async fn a_node_of_another_issuer_or_master_key_is_refused(kind: Database) {
    let database = TestDatabase::new(kind).await;
    let plan = Plan::on(&database);
    let node = plan.start().await;
    let keys = async |client: Client| client.get("/.well-known/jwks.json").await.body;
    let before = keys(node.client()).await;

    let other = Plan::on(&database).with("tokens.issuer", "https://other.example");
    for command in [&["serve"][..], &["keys", "list"], &["keys", "rotate"]] {
        let complaint = complained(&run(&other, command, ""));
        assert!(complaint.contains("tokens.issuer does not match this database"), "{complaint}");
        assert!(complaint.contains("set it (or http.public_url)"), "{complaint}");
        assert!(complaint.contains("http://127.0.0.1:8080"), "{complaint}");
        assert!(complaint.contains("https://other.example"), "{complaint}");
    }

    let key = said(&run(&plan, &["keys", "generate-master"], ""));
    let other = Plan::on(&database).with("keys.master_key", key.trim());
    let complaint = complained(&run(&other, &["serve"], ""));
    assert!(complaint.contains("keys.master_key does not match this database"), "{complaint}");
    assert!(complaint.contains("set the master key that its signing keys are wrapped with"));
    assert!(!complaint.contains(key.trim()));

    assert_eq!(keys(node.client()).await, before);
    assert_eq!(node.client().get("/health/ready").await.status, 200);
}
