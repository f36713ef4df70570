//! The database: whether it can be reached, its migrations, and its data.

use std::time::Duration;

use gateward_app::domain::ports::Clock;
use gateward_crypto::SystemClock;
use gateward_diesel::{MigrateError, altered, inspect, pending};
use tokio::time::timeout;

use super::finding::{Code, Finding};
use super::{anomalies, clock, keys};
use crate::settings::Settings;

/// How long all queries of one kind may take: a slower database is of no use to a node either.
const QUERY_DEADLINE: Duration = Duration::from_mins(2);

/// Runs all checks of the database; returns the IDs of its public keys if they could be read.
pub(super) async fn check(settings: &Settings) -> (Vec<Finding>, Option<Vec<String>>) {
    let url = settings.database_url.expose();
    let mut found = Vec::new();
    match in_time(Box::pin(pending(url))).await.and_then(|response| response) {
        Ok(missing) => found.extend(of_pending(&missing)),
        Err(MigrateError::Failed(cause)) => {
            found.push(Finding::unanswered("the migrations", anyhow::Error::from_boxed(cause)));
        }
        Err(error) => return (vec![unreachable(error)], None),
    }
    match in_time(Box::pin(altered(url))).await.and_then(|response| response) {
        Ok(names) => found.extend(of_altered(&names)),
        Err(error) => found.push(Finding::unanswered("the applied migrations", error)),
    }
    match in_time(Box::pin(clock::check_database(url))).await {
        Ok(clock) => found.extend(clock),
        Err(error) => found.push(Finding::unanswered("the clock of the database server", error)),
    }
    match in_time(Box::pin(inspect(url, SystemClock.now()))).await {
        Ok(Ok(all)) => found.extend(all.iter().map(anomalies::finding)),
        Ok(Err(error)) => found.push(Finding::unanswered("the data in the database", error)),
        Err(error) => found.push(Finding::unanswered("the data in the database", error)),
    }
    let (of_keys, key_ids) = keys::check(settings).await;
    found.extend(of_keys);
    (found, key_ids)
}

async fn in_time<T>(question: impl Future<Output = T>) -> Result<T, MigrateError> {
    let late = |_| MigrateError::Failed("no response in time".into());
    timeout(QUERY_DEADLINE, question).await.map_err(late)
}

fn unreachable(error: MigrateError) -> Finding {
    Finding::new(
        Code::DatabaseUnreachable,
        format!("{:#}; the database was not checked", anyhow::Error::from(error)),
        "start the server or restore the file, or correct database.url",
    )
}

fn of_pending(missing: &[String]) -> Option<Finding> {
    (!missing.is_empty()).then(|| {
        Finding::new(
            Code::MigrationsPending,
            format!("the database is missing the migrations {}", missing.join(", ")),
            "run: gateward migrate",
        )
    })
}

fn of_altered(names: &[String]) -> Option<Finding> {
    (!names.is_empty()).then(|| {
        Finding::new(
            Code::MigrationsAltered,
            format!("these migrations were changed after they were applied: {}", names.join(", ")),
            "use a release whose migrations were not changed, or compare the tables with those of \
             a new database and fix the differences",
        )
    })
}
