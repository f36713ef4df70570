//! `Postgres`: the server on which the benchmark creates its databases.

use std::cell::RefCell;
use std::path::Path;

use anyhow::{Context, ensure};
use tokio_postgres::NoTls;
use url::Url;

use crate::load::runtime;

/// The variable with the URL of the server; `tests/with-postgres` sets it.
const SERVER: &str = "GATEWARD_TEST_POSTGRES_URL";

/// A server, and the databases that were created on it. They are deleted when it is dropped.
pub(crate) struct Postgres {
    url: String,
    created: RefCell<Vec<String>>,
}

impl Postgres {
    /// Connects to the server of `make bench`.
    ///
    /// Fails if commits are not durable there: the figures would mean nothing.
    #[expect(clippy::disallowed_methods, reason = "the environment names the server")]
    pub(crate) fn from_environment() -> anyhow::Result<Self> {
        let url = std::env::var(SERVER);
        let url =
            url.with_context(|| format!("{SERVER} is not set; start this with `make bench`"))?;
        let server = Self { url, created: RefCell::default() };
        for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
            let value = text(&server.url, &format!("SHOW {setting}"))?;
            ensure!(value == "on", "the Postgres server has {setting} = {value}; it must be on");
        }
        // A server on another machine has its folder there.
        let folder = text(&server.url, "SHOW data_directory")?;
        if Path::new(&folder).exists() {
            crate::ensure_on_disk(Path::new(&folder))?;
        }
        Ok(server)
    }

    /// Creates an empty database, and returns its URL.
    pub(crate) fn create(&self, name: &str) -> anyhow::Result<String> {
        let name = format!("gateward_bench_{name}");
        execute(&self.url, &[&drop_database(&name), &format!("CREATE DATABASE {name}")])?;
        let url = with_database(&self.url, &name)?;
        let mut created = self.created.borrow_mut();
        if !created.contains(&name) {
            created.push(name);
        }
        Ok(url)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        for name in self.created.borrow().iter() {
            // The next run tries again.
            let _ = execute(&self.url, &[&drop_database(name)]);
        }
    }
}

fn drop_database(name: &str) -> String {
    format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")
}

/// Runs statements, each in a transaction of its own.
pub(crate) fn execute(url: &str, statements: &[&str]) -> anyhow::Result<()> {
    with_client(url, async |client| {
        for statement in statements {
            let done = client.batch_execute(statement).await;
            done.with_context(|| format!("this statement failed: {statement}"))?;
        }
        Ok(())
    })
}

/// Runs a query that returns one text.
fn text(url: &str, query: &str) -> anyhow::Result<String> {
    with_client(url, async |client| Ok(client.query_one(query, &[]).await?.try_get(0)?))
}

/// Runs something with a connection to the database.
fn with_client<T>(
    url: &str,
    work: impl AsyncFnOnce(&tokio_postgres::Client) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    runtime()?.block_on(async {
        let connected = tokio_postgres::connect(url, NoTls).await;
        let (client, connection) = connected.context("cannot connect to Postgres")?;
        tokio::spawn(connection);
        work(&client).await
    })
}

/// Returns the URL with another database in its path.
fn with_database(url: &str, name: &str) -> anyhow::Result<String> {
    let mut url = Url::parse(url).context("the URL of Postgres is not a URL")?;
    url.set_path(name);
    Ok(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_another_database() {
        let url = with_database("postgres://a@127.0.0.1:5/postgres?x=y", "bench").unwrap();
        assert_eq!(url, "postgres://a@127.0.0.1:5/bench?x=y");
        assert_eq!(with_database("postgres://h", "bench").unwrap(), "postgres://h/bench");
        assert!(with_database("host=127.0.0.1", "bench").is_err());
    }
}
