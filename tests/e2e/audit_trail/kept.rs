//! `Kept`: the database of a stopped node, with some hundred events and two checkpoints.

use gateward_e2e::{Client, Database, PASSWORD, Plan, TestDatabase};
use serde_json::Value;

use super::ledger::{Ledger, VerifyResult, export, is_whole};
use crate::support::pair::together;

/// The users in it.
const NAMES: [&str; 4] = ["ada", "bob", "cyd", "dan"];

/// How many times each logs in before the first checkpoint, and once more after it.
const LOGINS: usize = 12;

/// A database with an intact trail, and no writer.
pub(super) struct Kept {
    pub(super) plan: Plan,
    pub(super) ledger: Ledger,
    /// The lines of an export: the beginning, the entries by sequence number, the end.
    pub(super) lines: Vec<Value>,
    /// The results of the check in the middle and at the end.
    pub(super) middle: VerifyResult,
    pub(super) end: VerifyResult,
    _database: TestDatabase,
}

impl Kept {
    /// Creates one, or returns `None` with a message if a requirement is missing. The chain as it
    /// was in the middle is copied to the table `middle_chain`.
    pub(super) async fn new(kind: Database) -> Option<Self> {
        let database = TestDatabase::new(kind).await;
        let plan = Plan::on(&database);
        let mut node = plan.serve().await;
        let ledger = Ledger::open(&database).await?;
        for name in NAMES {
            assert_eq!(node.client().signup(name).await.status, 201);
        }
        act(&node.client()).await;
        ledger.until_chained().await;
        let middle = is_whole(&plan);
        ledger.run("CREATE TABLE middle_chain AS SELECT * FROM audit_chain").await;
        act(&node.client()).await;
        // The check beside a running node finds nothing either.
        is_whole(&plan);
        node.stop().await;
        let (end, lines) = (is_whole(&plan), export(&plan));
        assert_eq!(end.waiting, Some(0), "what was not sealed is sealed at the end");
        assert!(end.entries == end.seq && end.seq > middle.seq + 100, "{middle:?} {end:?}");
        Some(Self { plan, ledger, lines, middle, end, _database: database })
    }

    /// The sequence number of the last entry.
    pub(super) const fn last(&self) -> i64 {
        self.end.seq
    }

    /// An entry.
    pub(super) fn entry(&self, seq: i64) -> &Value {
        &self.lines[usize::try_from(seq).unwrap()]
    }

    /// The sequence number of a session start, amid entries without a signature.
    pub(super) fn victim(&self) -> i64 {
        let is_bare = |seq: i64| self.entry(seq)["signature"].is_null();
        let fits = |seq: &i64| {
            let entry = self.entry(*seq);
            let whole = entry["event"] == "session_started" && entry["ip"].is_string();
            whole && (seq - 2..seq + 4).all(is_bare)
        };
        (3..self.last() - 4).find(fits).expect("a run of entries without a signature")
    }
}

/// Causes recorded events: wrong passwords, logins, refreshes, logouts.
pub(super) async fn act(client: &Client) {
    let tasks = NAMES.map(|name| {
        let client = client.clone();
        async move {
            for _ in 0..LOGINS {
                client.login(name, "a wrong password").await.is(401, "invalid_credentials");
                let pair = client.login(name, PASSWORD).await;
                assert_eq!(pair.status, 200, "{pair:?}");
                let next = client.refresh(pair.refresh_token(), None).await;
                assert_eq!(client.logout(next.refresh_token()).await.status, 204);
            }
        }
    });
    together(tasks).await;
}

/// The signature on the end of another installation's trail, and an export of it.
pub(super) async fn foreign(kind: Database) -> Option<(String, String)> {
    let database = TestDatabase::new(kind).await;
    let plan = Plan::on(&database);
    let mut node = plan.serve().await;
    node.client().begin("eve").await;
    node.stop().await;
    let ledger = Ledger::open(&database).await?;
    let signature =
        ledger.run("SELECT checkpoint_signature FROM audit_chain").await.remove(0).remove(0);
    Some((signature, lines(&export(&plan))))
}

/// Lines of JSON as a file has them.
pub(super) fn lines(values: &[Value]) -> String {
    let lines: Vec<String> = values.iter().map(|value| format!("{value}\n")).collect();
    lines.concat()
}
