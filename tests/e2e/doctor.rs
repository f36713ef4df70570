//! `gateward doctor`: no findings on a healthy system, and exactly one for each planted fault.

mod network;
mod planted;
mod smtp_servers;
mod system;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use gateward_e2e::{Database, MASTER_KEY, Plan, on_both, run};

use self::system::{System, examine, free_addresses};
use crate::support::commands::said;
use crate::support::stolen_database::StolenDatabase;

on_both!(
    nothing_is_found_of_a_healthy_system_and_nothing_is_written,
    f23_settings_that_do_not_fit_the_installation_are_found,
    f23_a_master_key_that_others_can_open_is_found,
    f23_a_database_that_is_not_there_is_found_and_not_made,
);

/// A valid master key that never encrypted a key.
const OTHER_MASTER_KEY: &str = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=";

async fn nothing_is_found_of_a_healthy_system_and_nothing_is_written(kind: Database) {
    let mut system = System::start(kind).await;
    system.client().begin("bob").await;
    assert_eq!(said(&run(&system.plan, &["doctor"], "")), "All checks passed.\n");
    let report = examine(&system.plan);
    assert!(report.findings.is_empty() && report.warnings.is_empty(), "{report:?}");

    // Without a node, only the doctor could write.
    system.node.take().unwrap().stop().await;
    let before = StolenDatabase::of(&system.database).await.bytes;
    let report = examine(&system.plan);
    assert_eq!(report.findings, [""; 0]);
    assert_eq!(report.warnings, ["public_url_unreachable"]);
    assert!(StolenDatabase::of(&system.database).await.bytes == before, "something was written");
}

/// Row F23: settings that are valid alone, and not together.
async fn f23_settings_that_do_not_fit_the_installation_are_found(kind: Database) {
    let (system, other) = tokio::join!(System::start(kind), System::start(kind));
    for (option, value, code) in [
        ("keys.master_key", OTHER_MASTER_KEY, "master_key"),
        ("tokens.issuer", "https://two.example", "issuer"),
        ("http.behind_tls_proxy", "true", "public_url_plain"),
        ("http.public_url", other.url.as_str(), "public_url_other"),
    ] {
        let report = examine(&system.with(option, value));
        assert_eq!(report.findings, [code], "{option}");
        assert_eq!(report.warnings, [""; 0], "{option}");
    }
    assert_eq!(examine(&system.plan).findings, [""; 0]);
}

/// Row F23: the configured file, and the one that development creates for itself.
async fn f23_a_master_key_that_others_can_open_is_found(kind: Database) {
    let system = System::start(kind).await;
    let mut generated = system.plan();
    generated.environment.remove("GATEWARD__KEYS__MASTER_KEY");
    let folder = system.plan.folder.join("data");
    fs::create_dir(&folder).unwrap();
    let file = folder.join("master.key");
    let named = Plan { environment: generated.environment.clone(), ..system.plan() };
    let named = named.with("keys.master_key_file", file.display());
    fs::write(&file, MASTER_KEY).unwrap();
    for (plan, code) in [(&named, "settings"), (&generated, "key_file_exposed")] {
        for mode in [0o644, 0o660] {
            set_mode(&file, mode);
            assert_eq!(examine(plan).findings, [code], "{mode:o}");
        }
        set_mode(&file, 0o600);
        assert_eq!(examine(plan).findings, [""; 0], "{code}");
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Row F23: a missing file, a server that refuses, and a database that does not exist on the
/// server.
async fn f23_a_database_that_is_not_there_is_found_and_not_made(kind: Database) {
    let system = System::start(kind).await;
    let wrong = match kind {
        Database::Sqlite => vec![system.database.url.replace("gateward.db", "deeper/other.db")],
        Database::Postgres => {
            let (before, _) = system.database.url.rsplit_once('/').unwrap();
            let [nobody, _] = free_addresses();
            vec![format!("postgres://ada:hunter2@{nobody}/x"), format!("{before}/nothing_here")]
        }
    };
    for url in wrong {
        let report = examine(&system.with("database.url", &url));
        assert_eq!(report.findings, ["database_unreachable"], "{url}");
        assert_eq!(report.warnings, [""; 0], "{url}");
    }
    assert!(!system.plan.folder.join("deeper").exists());
}

/// Row F23: no other check runs, and all errors are reported at once.
#[test]
fn f23_the_doctor_tells_each_refused_setting_and_asks_nothing_further() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::bare(folder.path())
        .with("keys.master_key", "c2hvcnQ=")
        .with("tokens.access_ttl_seconds", 0)
        .with("http.cors_origins", "*");
    assert_eq!(examine(&plan).findings, ["settings"; 3]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was made");
}
