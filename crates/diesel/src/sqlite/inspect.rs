//! Checks the consistency of an SQLite database.

use std::path::PathBuf;

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::{QueryResult, RunQueryDsl, SqliteConnection};
use gateward_domain::Timestamp;
use tokio::task::spawn_blocking;

use super::file;
use crate::error::{InspectError, OpenError};
use crate::inspect::{Anomaly, Dialect, anomaly, questions};

const DIALECT: Dialect = Dialect {
    time: |at| at.micros().to_string(),
    text: |key| {
        format!(
            "CASE typeof({key}) WHEN 'blob' THEN lower(hex({key})) ELSE CAST({key} AS TEXT) END"
        )
    },
};

/// Runs all queries.
pub async fn inspect(path: PathBuf, now: Timestamp) -> Result<Vec<Anomaly>, InspectError> {
    let worker = spawn_blocking(move || {
        if !path.exists() {
            return Err(OpenError::Missing(path).into());
        }
        let mut conn = file::open_reader(&path)?;
        ask(&mut conn, now).map_err(|error| InspectError::Failed(Box::new(error)))
    });
    worker.await.unwrap_or_else(|panicked| Err(InspectError::Failed(Box::new(panicked))))
}

/// Runs all queries on one snapshot, so that a concurrent change is visible completely or not at
/// all.
fn ask(conn: &mut SqliteConnection, now: Timestamp) -> QueryResult<Vec<Anomaly>> {
    conn.batch_execute("BEGIN")?;
    let mut found = Vec::new();
    for question in questions(&DIALECT, now) {
        let response = sql::<(BigInt, Nullable<Text>)>(&question.statement).get_result(conn)?;
        found.extend(anomaly(question.flaw, response));
    }
    Ok(found)
}
