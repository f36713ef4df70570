//! `TestDatabase`: a database with the current schema, or an empty one, gone when dropped.

mod template;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use tempfile::TempDir;
use tokio_postgres::NoTls;
use url::Url;

/// The type of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    /// SQLite.
    Sqlite,
    /// Postgres.
    Postgres,
}

/// A database, and a folder for files beside it.
pub struct TestDatabase {
    /// The type of the database.
    pub kind: Database,
    /// The value of `database.url`.
    pub url: String,
    /// A folder for files of the node.
    pub folder: TempDir,
    name: Option<String>,
}

const SQLITE_FILE: &str = "gateward.db";

/// The variable with the URL of a server; `tests/with-postgres` sets it.
const SERVER: &str = "GATEWARD_TEST_POSTGRES_URL";

impl TestDatabase {
    /// Creates a database with the current schema and no rows.
    pub async fn new(kind: Database) -> Self {
        match kind {
            Database::Sqlite => {
                let database = Self::empty(kind).await;
                template::copy_sqlite(&database.folder.path().join(SQLITE_FILE));
                database
            }
            Database::Postgres => Self::postgres_from(template::postgres().await).await,
        }
    }

    /// Creates an empty database, without a schema.
    pub async fn empty(kind: Database) -> Self {
        match kind {
            Database::Sqlite => {
                let folder = tempfile::tempdir().unwrap();
                let url = format!("sqlite://{}/{SQLITE_FILE}", folder.path().display());
                Self { kind, url, folder, name: None }
            }
            Database::Postgres => Self::postgres_from("TEMPLATE template1").await,
        }
    }

    async fn postgres_from(source: &str) -> Self {
        let (name, folder) = (unique_name(), tempfile::tempdir().unwrap());
        execute(&server(), &format!("CREATE DATABASE {name} {source}")).await;
        let url = with_database(&server(), &name);
        Self { kind: Database::Postgres, url, folder, name: Some(name) }
    }

    /// A connection to another database of the same server, which stays when new connections are
    /// refused. Postgres only.
    pub async fn beside(&self) -> tokio_postgres::Client {
        connect(&server()).await
    }

    /// A separate connection. Postgres only.
    pub async fn postgres(&self) -> tokio_postgres::Client {
        connect(&self.url).await
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let Some(name) = self.name.take() else { return };
        let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        // A separate thread, because a test's runtime cannot be blocked here.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(execute(&server(), &sql));
        });
        let _ = dropped.join();
    }
}

/// The URL of the server.
#[expect(clippy::disallowed_methods, reason = "the environment configures a test")]
fn server() -> String {
    std::env::var(SERVER).unwrap_or_else(|_| {
        panic!("{SERVER} is not set: run `make test`, or tests/with-postgres cargo test …")
    })
}

/// A name that no other test uses, in this run or in a concurrent one.
#[expect(clippy::disallowed_methods, reason = "a test needs no fixed clock for a name")]
fn unique_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    format!("e2e_{}_{nanos}_{count}", std::process::id())
}

/// The URL with another database in its path.
fn with_database(url: &str, name: &str) -> String {
    let mut url = Url::parse(url).expect("a URL");
    url.set_path(name);
    url.into()
}

async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
}

async fn execute(url: &str, sql: &str) {
    connect(url).await.batch_execute(sql).await.expect(sql);
}
