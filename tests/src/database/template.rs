//! Databases that are migrated once per run, and copied for each test: a copy takes a fraction of
//! the time.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tempfile::TempDir;
use tokio::sync::OnceCell;

use super::{SQLITE_FILE, connect, server, with_database};
use crate::{Plan, root, run};

/// Copies the migrated SQLite file.
pub(super) fn copy_sqlite(to: &Path) {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    let file = FILE.get_or_init(|| {
        // Left behind when the tests end, as statics are not dropped.
        let folder = tempfile::tempdir().unwrap().keep();
        let file = folder.join(SQLITE_FILE);
        migrate(&format!("sqlite://{}", file.display()));
        file
    });
    std::fs::copy(file, to).unwrap();
}

/// How `CREATE DATABASE` copies the migrated Postgres database.
pub(super) async fn postgres() -> &'static str {
    static SOURCE: OnceCell<String> = OnceCell::const_new();
    SOURCE
        .get_or_init(async || {
            let client = connect(&server()).await;
            let name = create_postgres(&client).await;
            let query = "SELECT current_setting('server_version_num')::integer >= 150000";
            let has_strategies: bool = client.query_one(query, &[]).await.unwrap().get(0);
            // Other strategies write every page to the log, which takes three times as long.
            let strategy = if has_strategies { " STRATEGY FILE_COPY" } else { "" };
            format!("TEMPLATE {name}{strategy}")
        })
        .await
}

/// The database is named after its schema, so that the next run on the same server uses it again.
async fn create_postgres(client: &tokio_postgres::Client) -> String {
    let name = format!("e2e_template_{:016x}", hash_of_migrations());
    // Another run on the same server may do the same.
    client.batch_execute("SELECT pg_advisory_lock(7453)").await.unwrap();
    let exists = "SELECT 1 FROM pg_database WHERE datname = $1";
    if client.query_opt(exists, &[&name]).await.unwrap().is_none() {
        let new = format!("{name}_new");
        client.batch_execute(&format!("DROP DATABASE IF EXISTS {new}")).await.unwrap();
        client.batch_execute(&format!("CREATE DATABASE {new}")).await.unwrap();
        migrate(&with_database(&server(), &new));
        client.batch_execute(&format!("ALTER DATABASE {new} RENAME TO {name}")).await.unwrap();
    }
    name
}

fn migrate(url: &str) {
    let folder = TempDir::new().unwrap();
    let mut plan = Plan::bare(folder.path());
    plan = plan.with("database.url", url).with("keys.master_key", crate::MASTER_KEY);
    let output = run(&plan, &["migrate"], "");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn hash_of_migrations() -> u64 {
    let root = root().join("migrations/postgres");
    let mut files: Vec<_> =
        std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut hasher = DefaultHasher::new();
    for folder in files {
        folder.hash(&mut hasher);
        std::fs::read(folder.join("up.sql")).unwrap().hash(&mut hasher);
    }
    hasher.finish()
}
