//! `System`: a healthy installation, and the doctor's findings about it.

use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::time::Duration;

use gateward_e2e::{
    Client, Database, Node, PASSWORD, Plan, TestDatabase, eventually, not_checked, run,
};
use serde_json::Value;
use tokio_postgres::SimpleQueryMessage;

use crate::support::commands::{create, said};

/// How long a job that runs each second may take, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Placeholders in statements for the dialects of the two databases: a day, an unused identifier,
/// and meaningless bytes.
const WORDS: [(&str, [&str; 2]); 3] = [
    ("$DAY", ["86400000000", "INTERVAL '1 day'"]),
    ("$NOBODY", ["x'00000000000000000000000000000007'", "'00000000-0000-0000-0000-000000000007'"]),
    ("$GARBAGE", ["x'00ff'", r"'\x00ff'"]),
];

/// A node at its public URL, on a database with an administrator. The node comes first, so that it
/// ends before the database does.
pub(super) struct System {
    pub(super) node: Option<Node>,
    pub(super) database: TestDatabase,
    /// The settings of the node and the doctor.
    pub(super) plan: Plan,
    /// The public URL.
    pub(super) url: String,
}

impl System {
    pub(super) async fn start(kind: Database) -> Self {
        let [listen, _] = free_addresses();
        Self::start_at(kind, listen, listen, &[]).await
    }

    /// A system that listens at one address and whose clients use another, with these settings.
    pub(super) async fn start_at(
        kind: Database,
        listen: SocketAddr,
        public: SocketAddr,
        settings: &[(&str, &str)],
    ) -> Self {
        let (database, [ops, _]) = (TestDatabase::new(kind).await, free_addresses());
        let url = format!("http://{public}");
        let plan = Plan::on(&database)
            .with("http.listen", listen)
            .with("ops.listen", ops)
            .with("http.public_url", &url)
            .with("tokens.issuer", "https://one.example");
        let plan = settings.iter().fold(plan, |plan, (option, value)| plan.with(option, value));
        let node = Some(plan.serve().await);
        said(&create(&plan, ("ada", "ada@example.org"), PASSWORD));
        Self { node, database, plan, url }
    }

    /// A system whose database takes planted faults, or `None` with a message.
    pub(super) async fn to_plant(kind: Database) -> Option<Self> {
        if kind == Database::Sqlite && Command::new("sqlite3").arg("-version").output().is_err() {
            not_checked("what the doctor finds in SQLite: sqlite3 is not here to plant it");
            return None;
        }
        Some(Self::start(kind).await)
    }

    /// A client of the node.
    pub(super) fn client(&self) -> Client {
        self.node.as_ref().unwrap().client()
    }

    /// A copy of the plan.
    pub(super) fn plan(&self) -> Plan {
        Plan {
            environment: self.plan.environment.clone(),
            folder: self.plan.folder.clone(),
            wait: self.plan.wait,
            program: self.plan.program.clone(),
            wrapper: self.plan.wrapper.clone(),
        }
    }

    /// The plan with another setting.
    pub(super) fn with(&self, option: &str, value: &str) -> Plan {
        self.plan().with(option, value)
    }

    /// Runs statements without foreign keys and triggers. Returns the first value of the last row.
    pub(super) async fn sql(&self, statements: &str) -> String {
        let own = usize::from(self.database.kind == Database::Postgres);
        let put =
            |text: String, (word, meanings): &(&str, [&str; 2])| text.replace(word, meanings[own]);
        let statements = WORDS.iter().fold(statements.to_owned(), put);
        match self.database.kind {
            Database::Sqlite => {
                let forge = format!("DROP TRIGGER IF EXISTS events_forbid_update; {statements}");
                let mut sqlite = Command::new("sqlite3");
                sqlite.args(["-batch", "-cmd", ".timeout 10000"]);
                let file = self.database.url.strip_prefix("sqlite://").unwrap();
                said(&sqlite.args([file, &forge]).output().unwrap()).trim().to_owned()
            }
            Database::Postgres => {
                let forge = format!("SET session_replication_role = replica; {statements}");
                let response = self.database.postgres().await.simple_query(&forge).await.unwrap();
                let value = |message: &SimpleQueryMessage| match message {
                    SimpleQueryMessage::Row(row) => row.get(0).map(ToOwned::to_owned),
                    _ => None,
                };
                response.iter().rev().find_map(value).unwrap_or_default()
            }
        }
    }

    /// Waits until a statement returns this.
    pub(super) async fn wait_for(&self, statement: &str, value: &str) {
        eventually(PATIENCE, async || {
            if self.sql(statement).await == value { Ok(()) } else { Err(statement.to_owned()) }
        })
        .await;
    }
}

/// Two addresses of this machine that are usually free.
pub(super) fn free_addresses() -> [SocketAddr; 2] {
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap())
}

/// The codes of the doctor's findings.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) findings: Vec<String>,
    pub(super) warnings: Vec<String>,
}

/// Runs the doctor. Its text and JSON output must agree.
#[track_caller]
pub(super) fn examine(plan: &Plan) -> Report {
    let [told, as_json] =
        [&["doctor"][..], &["doctor", "--json"]].map(|words| run(plan, words, ""));
    let object: Value = serde_json::from_slice(&as_json.stdout).unwrap();
    let all = object["findings"].as_array().unwrap();
    assert_eq!(object.as_object().unwrap().len(), 1, "{object}");
    let text = String::from_utf8(told.stdout.clone()).unwrap();
    let mut lines = text.lines().filter(|line| *line != "All checks passed.");
    let mut report = Report { findings: Vec::new(), warnings: Vec::new() };
    for finding in all {
        let member = |name: &str| finding[name].as_str().unwrap();
        let (level, code, remedy) = (member("level"), member("code"), member("remedy"));
        let line = lines.next().unwrap();
        assert!(line.starts_with(&format!("{level} {code}: ")), "{line}: {finding}");
        assert!(!member("message").is_empty() && !remedy.is_empty(), "{finding}");
        assert_eq!(finding.as_object().unwrap().len(), 4, "{finding}");
        assert_eq!(lines.next().unwrap(), format!("  remedy: {remedy}"));
        let codes = if level == "warning" { &mut report.warnings } else { &mut report.findings };
        codes.push(code.to_owned());
    }
    assert_eq!(lines.next(), None, "{text}");
    let expected = i32::from(!report.findings.is_empty());
    for output in [&told, &as_json] {
        assert_eq!(output.status.code(), Some(expected), "{output:?}");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert_eq!(complaint.ends_with(" found\n"), expected == 1, "{output:?}");
        assert_eq!(complaint.lines().count(), usize::from(expected == 1), "{output:?}");
    }
    report
}
