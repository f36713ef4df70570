//! The commands for settings, migrations and keys, and their errors.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use gateward_e2e::{Database, MASTER_KEY, Plan, TestDatabase, on_both, run};
use serde_json::Value;

use crate::support::commands::{complained, said};
use crate::support::test_server::TestServer;

on_both!(
    migrating_twice_changes_nothing,
    keys_are_listed_and_rotated_beside_a_running_node,
    a_database_without_its_tables_is_refused_when_nobody_may_make_them,
);

fn write(path: &Path, text: &str, mode: u32) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Row F23: no command and no node starts with a bad setting.
#[test]
fn f23_every_command_refuses_a_bad_setting_by_name_before_the_socket_is_bound() {
    let folder = tempfile::tempdir().unwrap();
    // The port is taken, so a process that binds the socket reports that instead.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let plan = Plan::bare(folder.path())
        .with("http.listen", taken.local_addr().unwrap())
        .with("tokens.access_ttl_seconds", 0)
        .with("http.cors_origins", "*");
    let commands: &[&[&str]] = &[
        &[],
        &["serve"],
        &["migrate"],
        &["config", "check"],
        &["config", "show"],
        &["keys", "list"],
        &["keys", "rotate"],
        &["mail", "list"],
        &["mail", "retry", "--all"],
        &["mail", "render", "emails"],
        &["session", "explain", "01939b50-0000-7000-8000-000000000000"],
        &["audit", "verify"],
        &["user", "list"],
        &["user", "grant", "ada", "admin"],
        &["user", "delete", "ada", "--yes"],
        &["user", "disable", "ada"],
        &["user", "create", "--username", "ada", "--email", "a@example.org", "--password-stdin"],
    ];
    for command in commands {
        let complaint = complained(&run(&plan, command, ""));
        assert_eq!(complaint.lines().count(), 2, "{complaint}");
        assert!(complaint.contains("tokens.access_ttl_seconds is 0; it must be from 1 to 86400"));
        assert!(complaint.contains("http.cors_origins contains \"*\"; list each origin"));
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was made");
    let plan = Plan::bare(folder.path()).with("http.listen", taken.local_addr().unwrap());
    let refused = run(&plan, &[], "");
    assert_eq!(refused.status.code(), Some(1));
    let complaint = String::from_utf8(refused.stderr).unwrap();
    assert!(complaint.contains("error: cannot listen on http.listen = 127.0.0.1:"), "{complaint}");
    assert!(complaint.contains("choose another port"), "{complaint}");
}

#[test]
fn good_settings_are_shown_with_their_sources_and_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::bare(folder.path())
        .with("keys.master_key", MASTER_KEY)
        .with("database.url", "postgres://ada:hunter2@db.example.org/x")
        .with("mail.transport", "smtp")
        .with("mail.smtp_url", "smtps://ada:hunter3@mail.example.org")
        .with("mail.fallback_smtp_url", "smtps://ada:hunter4@mail.example.org");
    assert_eq!(said(&run(&plan, &["config", "check"], "")), "Configuration is valid.\n");
    let shown = said(&run(&plan, &["config", "show"], ""));
    assert!(shown.contains("http.listen = \"127.0.0.1:0\"  # GATEWARD__HTTP__LISTEN\n"), "{shown}");
    assert!(shown.contains("tokens.access_ttl_seconds = 900  # default\n"), "{shown}");
    assert!(shown.contains("keys.master_key = \"(hidden)\"  # GATEWARD__KEYS__MASTER_KEY\n"));
    assert!(!shown.contains("hunter") && !shown.contains(MASTER_KEY), "{shown}");
}

#[test]
fn settings_come_from_a_file_and_from_dot_env_of_the_working_folder_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("my.toml");
    write(&file, "[tokens]\naccess_ttl_seconds = 20\n[log]\nlevel = \"warn\"\n", 0o644);
    write(
        &folder.path().join(".env"),
        "GATEWARD__LOG__LEVEL=debug\nGATEWARD_CONFIG=my.toml\n",
        0o644,
    );
    let plan = Plan::bare(folder.path());
    let shown = said(&run(&plan, &["config", "show"], ""));
    assert!(shown.contains("tokens.access_ttl_seconds = 20  # my.toml\n"), "{shown}");
    assert!(shown.contains("log.level = \"debug\"  # GATEWARD__LOG__LEVEL\n"), "{shown}");

    // Folders further up belong to others.
    let below = folder.path().join("below");
    fs::create_dir(&below).unwrap();
    let plan = Plan { folder: below, ..plan };
    assert!(said(&run(&plan, &["config", "show"], "")).contains("log.level = \"info\"  # default"));
    let shown = said(&run(&plan, &["--config", "../my.toml", "config", "show"], ""));
    assert!(shown.contains("log.level = \"warn\"  # ../my.toml\n"), "{shown}");

    let complaint = complained(&run(&plan, &["--config", "no.toml", "config", "check"], ""));
    assert!(complaint.contains("no.toml cannot be read"), "{complaint}");
    assert!(complaint.contains("correct the path"), "{complaint}");
}

#[test]
fn dot_env_is_shared_with_other_programs_and_a_broken_one_ends_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::bare(folder.path());
    let file = folder.path().join(".env");
    let others = "APP_NAME=My App\nFOO: bar\nGATEWARD__TOKENS__AUDIENCE=pa$w'o'rd\n";
    write(&file, others, 0o644);
    let shown = said(&run(&plan, &["config", "show"], ""));
    assert!(shown.contains("tokens.audience = \"pa$w'o'rd\"  # GATEWARD__TOKENS__AUDIENCE\n"));
    write(&file, &format!("{others}GATEWARD__LOG__LEVEL='debug'\n"), 0o644);
    let complaint = complained(&run(&plan, &["serve"], ""));
    assert!(complaint.starts_with("error: .env is invalid: line 4: the value is in quotes"));
    assert_eq!(complaint.lines().count(), 1, "{complaint}");

    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    let complaint = complained(&run(&plan, &["serve"], ""));
    assert!(complaint.starts_with("error: .env cannot be read (Is a directory"), "{complaint}");
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
}

/// A database URL that got lost is refused by every command, and is no good result of the doctor.
#[test]
fn an_empty_database_url_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::bare(folder.path()).with("database.url", "");
    for command in [&["serve"][..], &["migrate"], &["user", "list"], &["config", "show"]] {
        let complaint = complained(&run(&plan, command, ""));
        assert!(complaint.starts_with("error: database.url is not set; set it"), "{complaint}");
    }
    let doctor = run(&plan, &["doctor"], "");
    assert_eq!(doctor.status.code(), Some(1));
    let found = String::from_utf8(doctor.stdout).unwrap();
    assert!(found.contains("database.url is not set"), "{found}");
}

/// Row 13.3.2: a settings file with a secret must be as private as the secret.
#[test]
fn a13_3_2_a_file_with_a_secret_that_others_can_open_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::bare(folder.path());
    let file = folder.path().join("my.toml");
    let text = format!("[keys]\nmaster_key = \"{MASTER_KEY}\"\n");
    write(&file, &text, 0o644);
    let complaint = complained(&run(&plan, &["--config", "my.toml", "config", "check"], ""));
    let expected = "error: keys.master_key is a secret in my.toml, which other users can read; \
                    run: chmod 600 my.toml\n";
    assert_eq!(complaint, expected);
    write(&file, &text, 0o600);
    said(&run(&plan, &["--config", "my.toml", "config", "check"], ""));

    let url = "GATEWARD__DATABASE__URL=postgres://ada:hunter2@db/x\n";
    write(&folder.path().join(".env"), url, 0o644);
    let complaint = complained(&run(&plan, &["config", "check"], ""));
    assert!(complaint.contains("database.url is a secret in .env"), "{complaint}");
    assert!(!complaint.contains("hunter2"), "{complaint}");
}

#[test]
fn help_names_every_command_and_an_unknown_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::bare(folder.path());
    let help = said(&run(&plan, &["--help"], ""));
    let commands = ["serve", "migrate", "config", "user", "session", "mail", "keys", "audit"];
    for command in commands.into_iter().chain(["doctor", "openapi", "--config <FILE>"]) {
        assert!(help.contains(command), "{help}");
    }
    assert!(said(&run(&plan, &["user", "create", "--help"], "")).contains("--password-stdin"));
    assert!(said(&run(&plan, &["--version"], "")).starts_with("gateward "));
    let output = run(&plan, &["srve"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("unrecognized subcommand 'srve'"));
}

#[tokio::test]
async fn the_printed_openapi_document_is_the_one_that_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::bare(folder.path()).with("log.format", "json");
    let printed: Value = serde_json::from_str(&said(&run(&plan, &["openapi"], ""))).unwrap();
    let node = plan.start().await;
    assert_eq!(node.client().get("/openapi.json").await.body, printed);
    assert_eq!(printed["openapi"].as_str().map(|version| &version[..4]), Some("3.1."));
}

async fn migrating_twice_changes_nothing(kind: Database) {
    let database = TestDatabase::empty(kind).await;
    let mut plan = Plan::on(&database);
    if kind == Database::Sqlite {
        let folder = database.folder.path().display();
        plan = plan.with("database.url", format!("sqlite://{folder}/deeper/new.db"));
    }
    let first = said(&run(&plan, &["migrate"], ""));
    assert!(
        first.lines().count() > 0
            && first.lines().all(|line| line.starts_with("Applied migration "))
    );
    assert_eq!(said(&run(&plan, &["migrate"], "")), "The database is up to date.\n");
    if kind == Database::Sqlite {
        let file = fs::metadata(database.folder.path().join("deeper/new.db")).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
    }
}

async fn keys_are_listed_and_rotated_beside_a_running_node(kind: Database) {
    let server = TestServer::process(kind, &[]).await;
    let (client, plan) = (&server.client, &server.plan);
    let pair = client.begin("ada").await;

    let list = said(&run(plan, &["keys", "list"], ""));
    assert_eq!(list.lines().count(), 5, "{list}");
    assert!(list.lines().skip(1).all(|line| line.contains(" signing ")), "{list}");
    for kind in ["access   ES256", "refresh  HS256", "link     HS256", "audit    EdDSA"] {
        assert!(list.contains(kind), "{list}");
    }

    let first = said(&run(plan, &["keys", "rotate"], ""));
    assert!(
        first.starts_with("Created and published new keys. They become active at 20"),
        "{first}"
    );
    let second = said(&run(plan, &["keys", "rotate"], ""));
    let waits = "New keys are already scheduled and become active at 20";
    assert!(
        second.starts_with(waits) && second.contains("No further keys were created"),
        "{second}"
    );
    let list = said(&run(plan, &["keys", "list"], ""));
    assert_eq!(list.lines().filter(|line| line.contains(" next ")).count(), 4, "{list}");

    // The running node publishes the new key without a restart, and its tokens keep working.
    let published = async || {
        client.get("/.well-known/jwks.json").await.body["keys"].as_array().map_or(0, Vec::len)
    };
    for _ in 0..150 {
        if published().await == 2 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(published().await, 2);
    assert_eq!(client.me(pair.access()).await.status, 200);
}

#[test]
fn a_new_master_key_is_32_random_bytes_and_needs_no_settings() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::bare(folder.path()).with("nonsense", 1);
    let keys: Vec<String> =
        (0..2).map(|_| said(&run(&plan, &["keys", "generate-master"], ""))).collect();
    assert_ne!(keys[0], keys[1]);
    let plan = Plan::bare(folder.path()).with("keys.master_key", keys[0].trim());
    said(&run(&plan, &["config", "check"], ""));
}

async fn a_database_without_its_tables_is_refused_when_nobody_may_make_them(kind: Database) {
    let database = TestDatabase::empty(kind).await;
    let mut plan = Plan::on(&database).with("database.migrate_on_start", false);
    if kind == Database::Sqlite {
        let file = database.folder.path().join("empty.db");
        write(&file, "", 0o600);
        plan = plan.with("database.url", format!("sqlite://{}", file.display()));
    }
    let complaint = complained(&run(&plan, &["serve"], ""));
    assert!(complaint.contains("database.migrate_on_start is false"), "{complaint}");
    assert!(complaint.contains("run: gateward migrate"), "{complaint}");
    said(&run(&plan, &["migrate"], ""));
    plan.start().await;
}
