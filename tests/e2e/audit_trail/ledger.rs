//! `Ledger`: reads and changes the tables like an attacker with write access to the database, and
//! runs `gateward audit`.

use std::process::Command;
use std::time::Duration;

use gateward_e2e::{Database, Plan, TestDatabase, eventually, not_checked, run};
use serde_json::Value;
use tokio_postgres::SimpleQueryMessage;

/// How long chaining or erasing may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// The tables of a database.
pub(super) struct Ledger {
    kind: Database,
    /// The file of SQLite.
    file: String,
    postgres: Option<tokio_postgres::Client>,
}

/// What `gateward audit verify` says.
#[derive(Debug)]
pub(super) struct VerifyResult {
    pub(super) findings: Vec<String>,
    pub(super) entries: i64,
    /// The checkpoint of the chain, as `--expect` takes it.
    pub(super) checkpoint: String,
    pub(super) seq: i64,
    /// How many events are not chained yet; a file has none of them.
    pub(super) waiting: Option<i64>,
}

impl Ledger {
    /// Opens a database, or returns `None` with a message if no program to open SQLite exists.
    pub(super) async fn open(database: &TestDatabase) -> Option<Self> {
        let (kind, file) = (database.kind, database.url.trim_start_matches("sqlite://").to_owned());
        let postgres = match kind {
            Database::Postgres => Some(database.postgres().await),
            Database::Sqlite if Command::new("sqlite3").arg("-version").output().is_err() => {
                not_checked("the audit trail in SQLite: sqlite3 is not here to change it");
                return None;
            }
            Database::Sqlite => None,
        };
        Some(Self { kind, file, postgres })
    }

    /// The name of a thing in each database's SQL.
    pub(super) fn by_kind<'a>(&self, postgres: &'a str, sqlite: &'a str) -> &'a str {
        if self.kind == Database::Postgres { postgres } else { sqlite }
    }

    /// Bytes, as SQL.
    pub(super) fn bytes(&self, bytes: &[u8]) -> String {
        use std::fmt::Write;
        let hex = bytes.iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        if self.postgres.is_some() { format!(r"'\x{hex}'::bytea") } else { format!("X'{hex}'") }
    }

    /// An identifier, as SQL.
    pub(super) fn id(&self, id: &str) -> String {
        if self.postgres.is_some() {
            format!("'{id}'::uuid")
        } else {
            format!("X'{}'", id.replace('-', ""))
        }
    }

    /// Runs statements, and returns their rows as text.
    pub(super) async fn attempt(&self, sql: &str) -> Result<Vec<Vec<String>>, String> {
        let Some(postgres) = &self.postgres else { return self.attempt_sqlite(sql) };
        let messages = postgres.simple_query(sql).await.map_err(|error| {
            error.as_db_error().map_or_else(|| error.to_string(), |error| error.message().into())
        })?;
        let rows = messages.into_iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        let text = |row: tokio_postgres::SimpleQueryRow| {
            (0..row.len()).map(|column| row.get(column).unwrap_or("NULL").to_owned()).collect()
        };
        Ok(rows.map(text).collect())
    }

    fn attempt_sqlite(&self, sql: &str) -> Result<Vec<Vec<String>>, String> {
        let mut command = Command::new("sqlite3");
        let options = ["-batch", "-bail", "-cmd", ".timeout 20000", "-cmd", ".mode quote"];
        let output = command.args(options).args(["-separator", "\t"]).arg(&self.file).arg(sql);
        let output = output.output().unwrap();
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let text = String::from_utf8(output.stdout).unwrap();
        let cell = |cell: &str| cell.trim_matches('\'').to_owned();
        Ok(text.lines().map(|line| line.split('\t').map(cell).collect()).collect())
    }

    /// The same, and it must succeed.
    pub(super) async fn run(&self, sql: &str) -> Vec<Vec<String>> {
        self.attempt(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// The number that a query returns.
    pub(super) async fn number(&self, sql: &str) -> i64 {
        let rows = self.run(sql).await;
        rows[0][0].parse().unwrap_or_else(|_| panic!("{sql}: {rows:?}"))
    }

    /// Waits until a query returns zero.
    pub(super) async fn until_none(&self, sql: &str) {
        eventually(PATIENCE, async || {
            if self.number(sql).await == 0 { Ok(()) } else { Err(format!("{sql} is not 0")) }
        })
        .await;
    }

    /// Waits until every event is chained.
    pub(super) async fn until_chained(&self) {
        self.until_none("SELECT count(*) FROM events WHERE seq IS NULL").await;
    }

    /// Removes what protects the events from changes, as an owner of the tables can.
    pub(super) async fn loosen(&self) {
        self.run(self.by_kind(
            "ALTER TABLE events DISABLE TRIGGER USER",
            "DROP TRIGGER events_forbid_update; DROP TRIGGER events_forbid_delete",
        ))
        .await;
    }

    /// Backs the trail up.
    pub(super) async fn lay_aside(&self) {
        self.run(
            "CREATE TABLE aside_events AS SELECT * FROM events; \
             CREATE TABLE aside_chain AS SELECT * FROM audit_chain",
        )
        .await;
    }

    /// Restores it.
    pub(super) async fn put_back(&self) {
        self.run(
            "DELETE FROM events; INSERT INTO events SELECT * FROM aside_events; \
             DELETE FROM audit_chain; INSERT INTO audit_chain SELECT * FROM aside_chain",
        )
        .await;
    }
}

/// Checks the trail of the database, or the file that the arguments name.
#[track_caller]
pub(super) fn verify(plan: &Plan, arguments: &[&str]) -> VerifyResult {
    verify_input(plan, arguments, "")
}

/// The same with something on standard input.
#[track_caller]
pub(super) fn verify_input(plan: &Plan, arguments: &[&str], input: &str) -> VerifyResult {
    let output = run(plan, &[&["audit", "verify", "--json"], arguments].concat(), input);
    let complaint = String::from_utf8(output.stderr).unwrap();
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{:?}: {complaint}", output.status));
    let findings = report["findings"].as_array().unwrap();
    let findings: Vec<String> =
        findings.iter().map(|finding| finding.as_str().unwrap().to_owned()).collect();
    if findings.is_empty() {
        assert_eq!((output.status.code(), complaint.as_str()), (Some(0), ""), "{report}");
    } else {
        assert_eq!(output.status.code(), Some(1), "{report}");
        let told = "error: the audit trail is not intact: ";
        assert!(complaint.starts_with(told) && complaint.lines().count() == 1, "{complaint}");
    }
    let latest = &report["checkpoint"];
    let seq = latest["seq"].as_i64().unwrap_or_default();
    VerifyResult {
        findings,
        entries: report["entries"].as_i64().unwrap(),
        checkpoint: format!("{seq}:{}", latest["digest"].as_str().unwrap_or_default()),
        seq,
        waiting: report["waiting"].as_i64(),
    }
}

/// Asserts that the check of the trail finds no fault.
#[track_caller]
pub(super) fn is_whole(plan: &Plan) -> VerifyResult {
    let verdict = verify(plan, &[]);
    assert_eq!(verdict.findings, Vec::<String>::new());
    verdict
}

/// What `gateward audit export` writes.
#[track_caller]
pub(super) fn export(plan: &Plan) -> Vec<Value> {
    let output = run(plan, &["audit", "export"], "");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
