//! The limit of refreshes on SQLite: fifty rotations per transaction on one connection, each
//! transaction on the disk before the next one starts.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;

/// How many rotations share a commit.
const BATCH: usize = 50;

/// A table with rows and keys of a real size, because each page that changes is written twice: to
/// the journal and later to the database.
const SETUP: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE sessions (
        id BLOB NOT NULL PRIMARY KEY,
        user_id BLOB NOT NULL,
        secret BLOB NOT NULL,
        generation INTEGER NOT NULL,
        rotated_at INTEGER NOT NULL,
        client TEXT NOT NULL
    ) STRICT;
    CREATE TABLE rotations (
        session_id BLOB NOT NULL,
        generation INTEGER NOT NULL
    ) STRICT;";

diesel::table! {
    sessions (id) {
        id -> Binary,
        secret -> Binary,
        generation -> BigInt,
        rotated_at -> BigInt,
    }
}

diesel::table! {
    rotations (session_id) {
        session_id -> Binary,
        generation -> BigInt,
    }
}

/// A database file with some sessions.
pub(crate) struct SqliteRotations {
    connection: SqliteConnection,
    /// The sessions, in the order in which they are rotated.
    ids: Vec<Vec<u8>>,
    next: usize,
}

impl SqliteRotations {
    /// Creates the database in this folder, with this many sessions.
    pub(crate) fn create(folder: &Path, sessions: usize) -> anyhow::Result<Self> {
        let path = folder.join("limit.db");
        let path = path.to_str().context("the path of the folder is not UTF-8")?;
        let mut connection = SqliteConnection::establish(path)?;
        connection.batch_execute(SETUP)?;
        connection.batch_execute(&format!(
            "WITH RECURSIVE numbers (n) AS
                 (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {sessions})
             INSERT INTO sessions
             SELECT randomblob(16), randomblob(16), randomblob(32), 1, 0, hex(randomblob(50))
             FROM numbers;"
        ))?;
        // The identifiers are random, so their order is not that of the rows.
        let ids = sessions::table.select(sessions::id).order(sessions::id).load(&mut connection)?;
        Ok(Self { connection, ids, next: 0 })
    }

    /// Rotates sessions for this time, and returns the number of rotations per second.
    pub(crate) fn per_second(&mut self, measured: Duration) -> anyhow::Result<f64> {
        let started = Instant::now();
        let mut count = 0_u32;
        while started.elapsed() < measured {
            self.connection.batch_execute("BEGIN IMMEDIATE")?;
            for _ in 0..BATCH {
                self.rotate()?;
                count += 1;
            }
            self.connection.batch_execute("COMMIT")?;
        }
        Ok(f64::from(count) / started.elapsed().as_secs_f64())
    }

    fn rotate(&mut self) -> anyhow::Result<()> {
        let id = self.ids.get(self.next).context("there is no session")?;
        self.next = (self.next + 1) % self.ids.len();
        let (secret, generation) = sessions::table
            .find(id)
            .select((sessions::secret, sessions::generation))
            .get_result::<(Vec<u8>, i64)>(&mut self.connection)?;
        let changed = diesel::update(sessions::table.find(id))
            .set((
                sessions::generation.eq(generation + 1),
                sessions::secret.eq(secret),
                sessions::rotated_at.eq(generation),
            ))
            .execute(&mut self.connection)?;
        ensure!(changed == 1, "a session of the limit was not rotated");
        diesel::insert_into(rotations::table)
            .values((rotations::session_id.eq(id), rotations::generation.eq(generation)))
            .execute(&mut self.connection)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use diesel::dsl::count_star;

    use super::*;

    #[test]
    fn every_rotation_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let mut database = SqliteRotations::create(folder.path(), 100).unwrap();
        assert!(database.per_second(Duration::from_millis(20)).unwrap() > 0.0);
        let connection = &mut database.connection;
        let rotated: i64 = sessions::table
            .filter(sessions::generation.gt(1))
            .select(count_star())
            .first(connection)
            .unwrap();
        let written: i64 = rotations::table.select(count_star()).first(connection).unwrap();
        assert!(rotated > 0 && written >= rotated && written % 50 == 0);
    }
}
