//! `Pair`: two nodes on one database, and requests to both at once.

use std::process::Output;
use std::time::{Duration, Instant};

use gateward_e2e::{Client, Database, Environment, Node, Plan, TestDatabase, TestResponse};
use tokio::task::JoinSet;

use crate::support::commands::run_beside;

/// How long the invalidation event of an end may take to reach a node, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(3);

/// Two nodes on one database. The nodes come first, so that they stop before the database is
/// dropped.
pub(crate) struct Pair {
    pub(crate) nodes: [Node; 2],
    /// The plan of these nodes.
    pub(crate) plan: Plan,
    pub(crate) database: TestDatabase,
}

impl Pair {
    /// Starts two nodes in this process on an empty database.
    pub(crate) async fn start(kind: Database, settings: &[(&str, &str)]) -> Self {
        let database = TestDatabase::new(kind).await;
        let plan = Plan::on(&database).with_all(settings);
        let (one, other) = tokio::join!(plan.serve(), plan.serve());
        Self { nodes: [one, other], plan, database }
    }

    /// Starts two processes.
    pub(crate) async fn processes(kind: Database, settings: &[(&str, &str)]) -> Self {
        Self::processes_in(kind, settings, Environment::new()).await
    }

    /// The same with environment variables besides the settings.
    pub(crate) async fn processes_in(
        kind: Database,
        settings: &[(&str, &str)],
        environment: Environment,
    ) -> Self {
        let database = TestDatabase::new(kind).await;
        let mut plan = Plan::on(&database).with_all(settings);
        plan.environment.extend(environment);
        let (one, other) = tokio::join!(plan.start(), plan.start());
        Self { nodes: [one, other], plan, database }
    }

    /// A client of each node.
    pub(crate) fn clients(&self) -> [Client; 2] {
        self.nodes.each_ref().map(Node::client)
    }

    /// Kills both processes, as a power failure would, and starts two new ones. Nodes in the process
    /// of the test cannot crash: for them this panics.
    pub(crate) async fn crash(&mut self) {
        self.nodes.iter_mut().for_each(Node::kill);
        let (one, other) = tokio::join!(self.plan.start(), self.plan.start());
        self.nodes = [one, other];
    }

    /// Runs a command of the program beside the nodes, which must succeed.
    pub(crate) async fn command(&self, arguments: &[&str]) -> Output {
        run_beside(&self.plan, arguments).await
    }

    /// Asserts that a session has ended on both nodes: none of its tokens works, and each response
    /// gives the reason. The other node may take a moment.
    pub(crate) async fn has_ended(&self, reason: &str, pairs: &[&TestResponse]) {
        for client in self.clients() {
            for pair in pairs {
                let refused = client.refresh(pair.refresh_token(), None).await;
                refused.is(401, "session_ended");
                assert_eq!(refused.body["reason"], reason);
                let refused = refused_soon(&client, pair).await;
                refused.is(401, "session_ended");
                assert_eq!(refused.body["reason"], reason);
            }
        }
    }

    /// Asserts that both nodes accept an access token.
    pub(crate) async fn is_alive(&self, pair: &TestResponse) {
        for client in self.clients() {
            let me = client.me(pair.access()).await;
            assert_eq!(me.status, 200, "{me:?}");
        }
    }
}

/// The first error that an access token gets, or its last success after a while.
pub(crate) async fn refused_soon(client: &Client, pair: &TestResponse) -> TestResponse {
    let started = Instant::now();
    loop {
        let response = client.me(pair.access()).await;
        if response.status != 200 || started.elapsed() > PATIENCE {
            return response;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Runs all tasks concurrently and returns their results, in any order.
pub(crate) async fn together<F>(tasks: impl IntoIterator<Item = F>) -> Vec<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    let mut set = JoinSet::new();
    tasks.into_iter().for_each(|task| {
        set.spawn(task);
    });
    set.join_all().await
}
