//! `TestServer`: one node and its database.

use std::process::Output;

use gateward_e2e::{Client, Database, Node, PASSWORD, Plan, TestDatabase, TestResponse};
use reqwest::Method;

use crate::support::commands::{create, run_beside, said};

/// A node, a client of it, and its database.
pub(crate) struct TestServer {
    pub(crate) node: Node,
    pub(crate) client: Client,
    pub(crate) plan: Plan,
    /// Dropped after the node.
    pub(crate) database: TestDatabase,
}

impl TestServer {
    /// A node in this process on SQLite, for tests that do not depend on the database.
    pub(crate) async fn new() -> Self {
        Self::with(&[]).await
    }

    /// The same with other settings.
    pub(crate) async fn with(settings: &[(&str, &str)]) -> Self {
        Self::start(Database::Sqlite, settings).await
    }

    /// A node in this process.
    pub(crate) async fn start(kind: Database, settings: &[(&str, &str)]) -> Self {
        let database = TestDatabase::new(kind).await;
        let plan = Plan::on(&database).with_all(settings);
        Self::on(plan.serve().await, plan, database)
    }

    /// A node as a process, which has a log and a memory of its own.
    pub(crate) async fn process(kind: Database, settings: &[(&str, &str)]) -> Self {
        let database = TestDatabase::new(kind).await;
        let plan = Plan::on(&database).with_all(settings);
        Self::on(plan.start().await, plan, database)
    }

    /// A node on a database.
    pub(crate) fn on(node: Node, plan: Plan, database: TestDatabase) -> Self {
        Self { client: node.client(), node, plan, database }
    }

    /// Creates an administrator from the command line with the email address `NAME@example.org`,
    /// and logs them in.
    pub(crate) async fn admin(&self, name: &str) -> TestResponse {
        said(&create(&self.plan, (name, &format!("{name}@example.org")), PASSWORD));
        let pair = self.client.login(name, PASSWORD).await;
        assert_eq!(pair.status, 200, "{pair:?}");
        pair
    }

    /// Runs a command of the program beside the node, which must succeed.
    pub(crate) async fn command(&self, arguments: &[&str]) -> Output {
        run_beside(&self.plan, arguments).await
    }

    /// Gets a path with these headers.
    pub(crate) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> TestResponse {
        self.send_with(Method::GET, path, headers).await
    }

    /// Sends a request without body and with these headers.
    pub(crate) async fn send_with(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
    ) -> TestResponse {
        let mut request = self.client.request(method, path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.client.send(request).await
    }

    /// Posts bytes with a content type.
    pub(crate) async fn post_bytes(
        &self,
        path: &str,
        kind: &str,
        body: impl Into<Vec<u8>>,
    ) -> TestResponse {
        let request = self.client.request(Method::POST, path).header("content-type", kind);
        self.client.send(request.body(body.into())).await
    }

    /// Asserts that a user can log in, which needs every part of the service.
    pub(crate) async fn works(&self, name: &str) {
        assert_eq!(self.client.login(name, PASSWORD).await.status, 200);
    }
}
