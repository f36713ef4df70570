//! Databases for tests: each test has one of its own.

use std::fs::OpenOptions;
use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread;

use diesel::dsl::sql;
use diesel::sql_types::BigInt;
use diesel::{Connection, QueryResult, SqliteConnection};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use gateward_domain::audit::EventRange;
use gateward_domain::ports::{Access, Store};
use gateward_domain::refresh::Rotation;
use gateward_domain::{RoleName, Session, User, UserId, UserRange};
use gateward_testkit::fixtures;
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::postgres::{Connector, Settings};
use crate::{CreateIfMissing, PostgresStore, SqliteStore, migrate};

/// Number of connections of a test's store.
pub const POOL_SIZE: usize = 16;

/// Changes to events that only a forger makes.
pub const CHANGES_TO_AN_EVENT: &[&str] = &[
    "UPDATE events SET kind = 'session_recovered'",
    "UPDATE events SET user_id = NULL",
    "UPDATE events SET actor = 'service', actor_id = NULL",
    "UPDATE events SET detail = 'nothing to see here'",
    "UPDATE events SET commitment = NULL",
    "UPDATE events SET ip = '192.0.2.2'",
];

/// The ranges of accounts, each with the SQLite index that serves it.
pub fn user_ranges() -> [(UserRange, &'static str); 5] {
    [
        (UserRange::All, "sqlite_autoindex_users_1"),
        (UserRange::Role(RoleName::admin()), "user_roles_role_user_id_idx"),
        (UserRange::Disabled, "users_id_idx"),
        (UserRange::Username("user-1".to_owned()), "users_username_key"),
        (UserRange::Email("user-1".to_owned()), "users_email_key"),
    ]
}

/// The ranges of events, each with the SQLite index that serves it.
pub fn event_ranges(id: UserId) -> [(EventRange, &'static str); 4] {
    [
        (EventRange::All, "sqlite_autoindex_events_1"),
        (EventRange::About(id), "events_user_id_id_idx"),
        (EventRange::CausedBy(id), "events_actor_id_id_idx"),
        (EventRange::Named("login_failed"), "events_kind_id_idx"),
    ]
}

/// The URL of a server on which databases may be created.
fn admin_url() -> String {
    #[expect(clippy::disallowed_methods, reason = "tests have no settings")]
    let url = std::env::var("GATEWARD_TEST_POSTGRES_URL");
    url.expect(
        "GATEWARD_TEST_POSTGRES_URL is not set: run `make test`, or \
         `tests/with-postgres cargo test -p gateward-diesel`",
    )
}

/// Runs one statement on the server.
async fn admin(statement: &str) {
    let settings = Settings::parse(&admin_url()).unwrap();
    let mut conn = Connector::new(settings).unwrap().connect_unlimited().await.unwrap();
    conn.batch_execute(statement).await.unwrap();
}

/// The URL of a database on the server.
fn url_of(name: &str) -> String {
    let admin = admin_url();
    let (base, query) = admin.split_once('?').unwrap_or((&admin, ""));
    let (server, _) = base.rsplit_once('/').unwrap();
    format!("{server}/{name}?{query}")
}

/// How `CREATE DATABASE` copies the migrated database: a copy takes a fraction of the time. It is
/// migrated unless an earlier run has done so; its name depends on the migrations.
async fn migrated_template() -> String {
    let name = format!("gateward_test_template_{:016x}", hash_of_migrations());
    let settings = Settings::parse(&admin_url()).unwrap();
    let mut conn = Connector::new(settings).unwrap().connect_unlimited().await.unwrap();
    // Another run on the same server may do the same.
    conn.batch_execute("SELECT pg_advisory_lock(7454)").await.unwrap();
    let exists = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
    if sql::<BigInt>(&exists).get_result::<i64>(&mut conn).await.unwrap() == 0 {
        let new = format!("{name}_new");
        conn.batch_execute(&format!("DROP DATABASE IF EXISTS {new}")).await.unwrap();
        conn.batch_execute(&format!("CREATE DATABASE {new} TEMPLATE template0")).await.unwrap();
        migrate(&url_of(&new), CreateIfMissing::No).await.unwrap();
        conn.batch_execute(&format!("ALTER DATABASE {new} RENAME TO {name}")).await.unwrap();
    }
    let version = "SELECT current_setting('server_version_num')::bigint";
    let version: i64 = sql::<BigInt>(version).get_result(&mut conn).await.unwrap();
    // Other strategies write every page to the log, which takes three times as long.
    let strategy = if version >= 150_000 { " STRATEGY FILE_COPY" } else { "" };
    format!("{name}{strategy}")
}

fn hash_of_migrations() -> u64 {
    let mut hasher = DefaultHasher::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations/postgres");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut migrations: Vec<_> = entries.collect();
    migrations.sort();
    for migration in migrations {
        migration.hash(&mut hasher);
        std::fs::read(migration.join("up.sql")).unwrap().hash(&mut hasher);
    }
    hasher.finish()
}

/// A database on the server, dropped together with this value.
pub struct PostgresDatabase {
    name: String,
    pub url: String,
}

impl PostgresDatabase {
    /// Creates an empty database.
    pub async fn empty() -> Self {
        Self::copy_of("template0").await
    }

    /// Creates a database with all tables.
    pub async fn migrated() -> Self {
        static TEMPLATE: OnceCell<String> = OnceCell::const_new();
        Self::copy_of(TEMPLATE.get_or_init(migrated_template).await).await
    }

    async fn copy_of(template: &str) -> Self {
        let random = RandomState::new().hash_one(thread::current().id());
        let name = format!("gateward_test_{random:016x}");
        admin(&format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        Self { url: url_of(&name), name }
    }

    /// Opens a store on the database.
    pub fn store(&self) -> PostgresStore {
        PostgresStore::open(&self.url, POOL_SIZE).unwrap()
    }

    /// Runs statements on the database.
    pub async fn run_sql(&self, statements: &str) {
        self.try_sql(statements).await.unwrap();
    }

    /// Runs statements that may fail.
    pub async fn try_sql(&self, statements: &str) -> QueryResult<()> {
        let settings = Settings::parse(&self.url).unwrap();
        let mut conn = Connector::new(settings).unwrap().connect_unlimited().await.unwrap();
        conn.batch_execute(statements).await
    }

    /// Runs a query for a number.
    pub async fn number(&self, query: &str) -> i64 {
        let settings = Settings::parse(&self.url).unwrap();
        let mut conn = Connector::new(settings).unwrap().connect_unlimited().await.unwrap();
        sql::<BigInt>(query).get_result(&mut conn).await.unwrap()
    }
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let work = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(admin(&statement));
        };
        let dropped = thread::spawn(work).join();
        assert!(dropped.is_ok() || thread::panicking(), "the test's database is dropped");
    }
}

/// A folder with a database in it.
pub struct SqliteDatabase {
    pub folder: TempDir,
    pub url: String,
}

impl SqliteDatabase {
    /// Names a file that does not exist yet.
    pub fn missing() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/gateward.db", folder.path().display());
        Self { folder, url }
    }

    /// Creates a database with all tables.
    pub async fn migrated() -> Self {
        static FILE: OnceCell<Vec<u8>> = OnceCell::const_new();
        let migrated = FILE.get_or_init(async || {
            let database = Self::missing();
            migrate(&database.url, CreateIfMissing::Yes).await.unwrap();
            std::fs::read(database.file()).unwrap()
        });
        let database = Self::missing();
        write_private(&database.file(), migrated.await);
        database
    }

    /// Opens a store on the database.
    pub async fn store(&self) -> SqliteStore {
        SqliteStore::open(&self.url, CreateIfMissing::No).await.unwrap()
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("gateward.db")
    }

    /// Opens a plain connection to the database, without enforcement of foreign keys.
    pub fn connection(&self) -> SqliteConnection {
        let mut conn = SqliteConnection::establish(self.file().to_str().unwrap()).unwrap();
        let pragma = "PRAGMA foreign_keys = OFF";
        diesel::connection::SimpleConnection::batch_execute(&mut conn, pragma).unwrap();
        conn
    }

    /// Runs statements on the database.
    pub fn run_sql(&self, statements: &str) {
        self.try_sql(statements).unwrap();
    }

    /// Runs statements that may fail.
    pub fn try_sql(&self, statements: &str) -> QueryResult<()> {
        diesel::connection::SimpleConnection::batch_execute(&mut self.connection(), statements)
    }
}

/// Writes a file with the access rights of a database.
fn write_private(path: &Path, content: &[u8]) {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options.open(path).unwrap().write_all(content).unwrap();
}

/// Stores a user with a session.
pub async fn log_in(store: &dyn Store, seed: u64) -> (User, Session) {
    let user = fixtures::user(seed);
    let session = fixtures::session(seed, &user);
    let mut tx = store.begin(Access::Write).await.unwrap();
    tx.insert_user(&user).await.unwrap();
    tx.insert_session(&session).await.unwrap();
    tx.commit().await.unwrap();
    (user, session)
}

/// Rotates a session in a unit of work of its own.
pub async fn rotate(store: &dyn Store, session: &Session) -> Session {
    let rotation = Rotation { leeway_seconds: 0, ..fixtures::rotation(session) };
    let mut tx = store.begin(Access::SingleWrite).await.unwrap();
    let (session, _) = tx.rotate_session(&rotation).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    session
}

/// Returns whether a condition becomes true within a few seconds.
pub async fn comes_true<F: Future<Output = bool>>(mut question: impl FnMut() -> F) -> bool {
    for _ in 0..200 {
        if question().await {
            return true;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    false
}
