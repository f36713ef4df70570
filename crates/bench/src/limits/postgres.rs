//! The limit of refreshes on Postgres: a rotation in one prepared statement, eight clients.

use std::time::Duration;

use anyhow::ensure;
use tokio_postgres::{NoTls, Statement};

use crate::load::{Client, Outcome, Timing, closed_loop};
use crate::postgres::execute;

/// Tables with the columns that no rotation can do without.
const TABLES: &str = "
    CREATE TABLE sessions (
        id bigint PRIMARY KEY,
        user_id bigint NOT NULL,
        secret bytea NOT NULL,
        generation bigint NOT NULL,
        rotated_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL
    ) WITH (fillfactor = 80);
    CREATE TABLE rotations (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        session_id bigint NOT NULL,
        generation bigint NOT NULL,
        rotated_at timestamptz NOT NULL
    );";

const ROTATE: &str = "
    WITH rotated AS (
        UPDATE sessions
        SET secret = sha256(secret), generation = generation + 1, rotated_at = now(),
            expires_at = now() + interval '7 days'
        WHERE id = $1 AND secret <> $2 AND expires_at > now()
        RETURNING id, user_id, generation, rotated_at
    )
    INSERT INTO rotations (session_id, generation, rotated_at)
    SELECT id, generation, rotated_at FROM rotated
    RETURNING session_id, generation";

/// How many sessions the table has, as many as there are accounts in the small database.
const SESSIONS: i64 = 10_000;

/// A database with some sessions.
pub(crate) struct PostgresRotations {
    url: String,
    /// How many sessions are rotated in turn.
    rotated: i64,
}

impl PostgresRotations {
    /// Creates the tables in an empty database. This many sessions, spread over the table, are
    /// rotated.
    pub(crate) fn create(url: String, sessions: usize) -> anyhow::Result<Self> {
        let rows = format!(
            "INSERT INTO sessions
             SELECT n, n, sha256(n::text::bytea), 1, now(), now() + interval '7 days'
             FROM generate_series(1, {SESSIONS}) n"
        );
        execute(&url, &[TABLES, &rows, "VACUUM (ANALYZE) sessions", "CHECKPOINT"])?;
        Ok(Self { url, rotated: i64::try_from(sessions)?.min(SESSIONS) })
    }

    /// Rotates sessions for this time, and returns the number of rotations per second.
    pub(crate) fn per_second(&self, clients: usize, measured: Duration) -> anyhow::Result<f64> {
        let count = i64::try_from(clients)?;
        let rotator = |index| Rotator {
            url: self.url.clone(),
            next: index,
            clients: count,
            rotated: self.rotated,
        };
        let mut rotators: Vec<_> = (0..count).map(rotator).collect();
        Ok(closed_loop(&mut rotators, Timing::of(measured))?.rate)
    }
}

/// A client with sessions of its own.
struct Rotator {
    url: String,
    /// The next session, of those that are rotated.
    next: i64,
    clients: i64,
    rotated: i64,
}

impl Client for Rotator {
    type Wire = (tokio_postgres::Client, Statement);

    async fn connect(&mut self) -> anyhow::Result<Self::Wire> {
        let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await?;
        tokio::spawn(connection);
        let statement = client.prepare(ROTATE).await?;
        Ok((client, statement))
    }

    async fn step(&mut self, (client, statement): &mut Self::Wire) -> anyhow::Result<Outcome> {
        // Spread over the table.
        let id = self.next * (SESSIONS / self.rotated) + 1;
        self.next = (self.next + self.clients) % self.rotated;
        let rows = client.query(&*statement, &[&id, &[0_u8; 32].as_slice()]).await?;
        ensure!(rows.len() == 1, "session {id} of the limit was not rotated");
        Ok(Outcome::Served)
    }
}
