//! `MailFixture`: a database, an SMTP server, a clock that can be set ahead, and the nodes that use them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use gateward_e2e::{
    Database, Environment, Mail, MailServer, Plan, ShiftedClock, TestDatabase, eventually, root,
    run,
};
use serde_json::Value;

use crate::support::commands::said;
use crate::support::stolen_database::StolenDatabase;

/// How long to wait for something immediate, on a busy machine: longer than the longest pause
/// between two tries of an SMTP server.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// The seconds of an hour.
pub(crate) const HOUR: i64 = 3600;

/// Longer than any pause between two tries of an email, and than a lease, in seconds.
pub(crate) const PAUSE: i64 = 61;

/// Has all emails listed.
const ALL: [&str; 2] = ["--limit", "10000"];

/// A database, an SMTP server and a clock.
pub(crate) struct MailFixture {
    pub(crate) database: TestDatabase,
    pub(crate) server: MailServer,
    /// The plan of nodes and commands that use both and this clock.
    pub(crate) plan: Plan,
    clock: ShiftedClock,
    /// How many seconds the clock is ahead.
    ahead: AtomicI64,
}

impl MailFixture {
    /// Creates one, or returns `None` with a message if a requirement is missing.
    pub(crate) async fn new(kind: Database) -> Option<Self> {
        let (server, clock) = (MailServer::start().await?, ShiftedClock::new()?);
        let database = TestDatabase::new(kind).await;
        let mut plan = plan(&database, &server.url());
        plan.environment.extend(clock.environment());
        Some(Self { database, server, plan, clock, ahead: AtomicI64::new(0) })
    }

    /// The same with a setting of its nodes.
    pub(crate) fn with(mut self, option: &str, value: impl std::fmt::Display) -> Self {
        self.plan = self.plan.with(option, value);
        self
    }

    /// The environment of another node with the same clock.
    pub(crate) fn clock_environment(&self) -> Environment {
        self.clock.environment()
    }

    /// Sets the clock this many seconds further ahead.
    pub(crate) fn forward(&self, seconds: i64) {
        let before = self.ahead.fetch_add(seconds, Ordering::Relaxed);
        self.clock.set(before + seconds);
    }

    /// Lets the clock run this many times as fast for a period of real time.
    pub(crate) async fn hasten(&self, factor: i64, span: Duration) {
        let (started, mut forward) = (Instant::now(), 0);
        while started.elapsed() < span {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let target =
                i64::try_from(started.elapsed().as_millis()).unwrap() * (factor - 1) / 1_000;
            self.forward(target - forward);
            forward = target;
        }
    }

    /// The output of `gateward mail list`, newest first.
    pub(crate) fn list(&self, arguments: &[&str]) -> Vec<Value> {
        list(&self.plan, arguments)
    }

    /// The emails to a recipient, newest first.
    pub(crate) fn list_to(&self, address: &str) -> Vec<Value> {
        let mut emails = self.list(&ALL);
        emails.retain(|message| message["recipient"] == address);
        emails
    }

    /// Waits until the newest email to a recipient meets the condition, and returns it.
    pub(crate) async fn wait_for(&self, address: &str, good: impl Fn(&Value) -> bool) -> Value {
        wait_for(&self.plan, address, good).await
    }

    /// Whether an event of this kind is recorded.
    pub(crate) async fn has_event(&self, kind: &str) -> bool {
        StolenDatabase::of(&self.database).await.has(kind.as_bytes())
    }
}

/// A plan with this SMTP server.
pub(crate) fn plan(database: &TestDatabase, smtp_server: &str) -> Plan {
    let plan = Plan::on(database).with("mail.transport", "smtp").with("mail.smtp_url", smtp_server);
    plan.with("mail.from", "Notes <login@example.org>")
}

/// The output of `gateward mail list`.
pub(crate) fn list(plan: &Plan, arguments: &[&str]) -> Vec<Value> {
    let arguments = [&["mail", "list", "--json"], arguments].concat();
    serde_json::from_str(&said(&run(plan, &arguments, ""))).unwrap()
}

/// Waits until the newest email to a recipient meets the condition, and returns it.
pub(crate) async fn wait_for(plan: &Plan, address: &str, good: impl Fn(&Value) -> bool) -> Value {
    eventually(PATIENCE, async || {
        let mut emails = list(plan, &ALL).into_iter();
        match emails.find(|message| message["recipient"] == address) {
            Some(message) if good(&message) => Ok(message),
            message => Err(format!("{message:#?}")),
        }
    })
    .await
}

/// Whether an email is in this state.
pub(crate) fn is(state: &str) -> impl Fn(&Value) -> bool {
    move |message| message["state"] == state
}

/// Whether an email waits after a failed try.
pub(crate) fn has_failed(message: &Value) -> bool {
    message["state"] == "waiting" && message["failure"].is_string()
}

/// The emails to each recipient.
pub(crate) fn by_recipient(emails: &[Mail]) -> BTreeMap<&str, Vec<&Mail>> {
    let mut found = BTreeMap::<_, Vec<_>>::new();
    for message in emails {
        let [to] = message.to.as_slice() else { panic!("{message:#?}") };
        found.entry(to.as_str()).or_default().push(message);
    }
    found
}

/// Asserts that all are copies of one email, and that no more arrived than expected: one accepted,
/// and those whose response was lost.
#[track_caller]
pub(crate) fn assert_copies_of_one(copies: &[&Mail]) {
    let ids: BTreeSet<_> = copies.iter().map(|copy| copy.header("message-id").unwrap()).collect();
    assert_eq!(ids.len(), 1, "{copies:#?}");
    let accepted = copies.iter().filter(|copy| copy.accepted).count();
    assert!(accepted <= 1, "{copies:#?}");
}

/// Builds the library of `mail_names.c` in a folder. A node loads it with `LD_PRELOAD`.
pub(crate) fn names(folder: &Path) -> PathBuf {
    let source = root().join("tests/e2e/mail_names.c");
    let library = folder.join("names.so");
    let mut command = Command::new("cc");
    command.args(["-shared", "-fPIC"]).arg(source).args(["-ldl", "-o"]).arg(&library);
    assert!(command.status().unwrap().success());
    library
}
