//! Checks the consistency of a Postgres database.

use diesel::dsl::sql;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use gateward_domain::Timestamp;

use super::columns::{Time, sql as types};
use super::connect::Connector;
use super::settings::Settings;
use crate::error::InspectError;
use crate::inspect::{Anomaly, Dialect, anomaly, questions};

/// All queries use one snapshot, so that a concurrent change is visible completely or not at all.
const BEGIN: &str = "\
    SET statement_timeout = '60s'; \
    BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

const DIALECT: Dialect = Dialect {
    time: |at| format!("(TIMESTAMPTZ 'epoch' + INTERVAL '{} microseconds')", at.micros()),
    text: |key| format!("{key}::text"),
};

/// Runs all queries.
pub async fn inspect(settings: Settings, now: Timestamp) -> Result<Vec<Anomaly>, InspectError> {
    let mut conn = connect(settings).await?;
    conn.batch_execute(BEGIN).await.map_err(failed)?;
    let mut found = Vec::new();
    for question in questions(&DIALECT, now) {
        let response = sql::<(BigInt, Nullable<Text>)>(&question.statement);
        let response = response.get_result(&mut conn).await.map_err(failed)?;
        found.extend(anomaly(question.flaw, response));
    }
    Ok(found)
}

/// Returns the time of the server's clock.
pub async fn server_time(settings: Settings) -> Result<Timestamp, InspectError> {
    let mut conn = connect(settings).await?;
    let time = diesel::select(sql::<types::Moment>("clock_timestamp()"));
    let Time(time) = time.get_result(&mut conn).await.map_err(failed)?;
    Ok(time)
}

async fn connect(settings: Settings) -> Result<AsyncPgConnection, InspectError> {
    let conn = Connector::new(settings)?.connect_unlimited().await;
    conn.map_err(|error| InspectError::Unreachable(Box::new(error)))
}

fn failed(error: diesel::result::Error) -> InspectError {
    InspectError::Failed(Box::new(error))
}
