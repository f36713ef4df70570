//! `Backup`: a copy of a database that is not in use.

use std::fs;
use std::path::PathBuf;

use gateward_e2e::{Database, TestDatabase};

/// A copy, in the format of each database: another file, or another database on the server.
pub(super) enum Backup {
    /// The file of SQLite, which is complete when no process has it open.
    File(PathBuf),
    /// The name of a database.
    Template(String),
}

/// The file of the database.
fn file(database: &TestDatabase) -> PathBuf {
    database.folder.path().join("gateward.db")
}

/// The name of the database on the server.
fn name(database: &TestDatabase) -> &str {
    let (url, _) = database.url.split_once('?').unwrap_or((&database.url, ""));
    url.rsplit_once('/').unwrap().1
}

impl Backup {
    /// Copies a database.
    pub(super) async fn take(database: &TestDatabase) -> Self {
        match database.kind {
            Database::Sqlite => {
                let copy = database.folder.path().join("backup.db");
                // Entries that are only in the write-ahead log belong to the database as well.
                for ending in ["", "-wal"] {
                    let _ = fs::copy(with(&file(database), ending), with(&copy, ending));
                }
                Self::File(copy)
            }
            Database::Postgres => {
                let (name, copy) = (name(database), format!("{}_backup", name(database)));
                server(database, &format!("CREATE DATABASE {copy} TEMPLATE {name}")).await;
                Self::Template(copy)
            }
        }
    }

    /// Replaces the database with the copy.
    pub(super) async fn restore(self, database: &TestDatabase) {
        match self {
            Self::File(copy) => {
                for ending in ["", "-wal", "-shm"] {
                    let _ = fs::remove_file(with(&file(database), ending));
                    let _ = fs::copy(with(&copy, ending), with(&file(database), ending));
                }
            }
            Self::Template(copy) => {
                let name = name(database);
                server(database, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
                server(database, &format!("ALTER DATABASE {copy} RENAME TO {name}")).await;
            }
        }
    }
}

fn with(path: &std::path::Path, ending: &str) -> PathBuf {
    PathBuf::from(format!("{}{ending}", path.display()))
}

/// Has the server run a statement on a database, once no connection uses it.
async fn server(database: &TestDatabase, sql: &str) {
    let beside = database.beside().await;
    let gone = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1";
    let mut last = None;
    for _ in 0..100 {
        beside.execute(gone, &[&name(database)]).await.unwrap();
        match beside.batch_execute(sql).await {
            Ok(()) => return,
            Err(error) => last = Some(error),
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{sql}: {last:?}");
}
