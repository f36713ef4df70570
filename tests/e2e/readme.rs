//! Runs the walk of the README line by line, and compares the output. Other pages have walks too.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use gateward_e2e::{MASTER_KEY, Plan, root, run};

use crate::support::commands::{complained, said};
use crate::support::test_server::TestServer;
use crate::support::walk::check_walk;

#[tokio::test(flavor = "multi_thread")]
async fn the_walk_of_the_readme_prints_what_it_says() {
    // With the rate limits that `make run` has as well.
    let server = TestServer::with(&[("rate_limit.enabled", "true")]).await;
    assert!(check_walk(&readme(), &server.node) >= 12, "the walk was found");
}

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).unwrap()
}

/// The file `.env` that a server needs, as the README lists it, with the files in this folder.
fn production(folder: &Path) -> String {
    let readme = readme();
    let (_, list) = readme.split_once("\n\n```ini\nGATEWARD_MODE").expect("the list");
    let list = list.split("```").next().unwrap_or_default();
    let path = format!("{}/", folder.display());
    let list = list.replace("/etc/gateward/", &path).replace("/run/secrets/", &path);
    format!("GATEWARD_MODE{list}")
}

/// Writes the files that these settings name.
fn write_secrets(folder: &Path) {
    let made = rcgen::generate_simple_self_signed(["auth.example.org".to_owned()]).unwrap();
    for (name, text) in [
        ("cert.pem", made.cert.pem()),
        ("key.pem", made.signing_key.serialize_pem()),
        ("database-url", "postgres://ada:secret@db.example.org/x?sslmode=verify-full".to_owned()),
        ("master-key", MASTER_KEY.to_owned()),
        ("smtp-url", "smtps://USER:PASSWORD@mail.example.org".to_owned()),
    ] {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    }
}

#[test]
fn the_settings_that_the_readme_lists_are_enough_for_a_server_and_needed() {
    let folder = tempfile::tempdir().unwrap();
    write_secrets(folder.path());
    let settings = production(folder.path());
    let mut plan = Plan::bare(folder.path());
    plan.environment.clear();
    let check = |without: Option<&str>| {
        let names = |line: &&str| line.split('=').next() != without;
        let lines: Vec<&str> = settings.lines().filter(names).collect();
        std::fs::write(folder.path().join(".env"), lines.join("\n")).unwrap();
        run(&plan, &["config", "check"], "")
    };
    assert_eq!(said(&check(None)), "Configuration is valid.\n");
    for (variable, option) in [
        ("GATEWARD__HTTP__PUBLIC_URL", "http.public_url"),
        ("GATEWARD__HTTP__TLS_CERT", "http.tls_cert"),
        ("GATEWARD__HTTP__TLS_KEY", "http.tls_key"),
        ("GATEWARD__KEYS__MASTER_KEY_FILE", "keys.master_key"),
        ("GATEWARD__MAIL__FROM", "mail.from"),
        ("GATEWARD__MAIL__SMTP_URL_FILE", "mail.smtp_url"),
    ] {
        let complaint = complained(&check(Some(variable)));
        assert!(complaint.contains(&format!("error: {option} ")), "{variable}: {complaint}");
    }
}
