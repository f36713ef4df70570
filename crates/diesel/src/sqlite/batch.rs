//! Many refreshes in one transaction.
//!
//! A commit waits for the disk, and that is nearly all that a refresh costs. So whoever gets the
//! writer's turn takes everybody along who waits for it with a refresh, and all are answered after
//! the one commit: as durable as each alone, and as many times cheaper as there are.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use diesel::SqliteConnection;
use diesel::connection::SimpleConnection;
use gateward_domain::ports::StoreError;
use gateward_domain::refresh::Rotation;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::rotate::{Rotated, rotate};
use super::{SqliteStore, WRITER_TIMEOUT};
use crate::error::store_error;

/// How many refreshes one transaction takes along. More hardly gain anything, and hold up the
/// other writers.
const BATCH_MAX: usize = 64;

/// How many refreshes may wait. At the slowest disk that is about the time that the first in line
/// is willing to wait.
const WAITING_MAX: usize = 4096;

/// A refresh that waits.
struct Job {
    rotation: Rotation,
    response: oneshot::Sender<Rotated>,
}

/// The refreshes that wait, in order.
#[derive(Default)]
pub struct Rotations {
    waiting: Mutex<VecDeque<Job>>,
}

impl Rotations {
    /// Gets in line.
    fn push(&self, job: Job) -> Result<(), StoreError> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= WAITING_MAX {
            return Err(StoreError::Busy);
        }
        waiting.push_back(job);
        Ok(())
    }

    /// Takes the first in line along, but for those who have gone away.
    fn take(&self) -> Vec<Job> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let count = waiting.len().min(BATCH_MAX);
        waiting.drain(..count).filter(|job| !job.response.is_closed()).collect()
    }
}

impl SqliteStore {
    /// Rotates a session, together with all others that wait for the same.
    pub(super) async fn rotate_in_batch(&self, rotation: Rotation) -> Rotated {
        let (response, mut answered) = oneshot::channel();
        self.rotations.push(Job { rotation, response })?;
        let response = async {
            loop {
                tokio::select! {
                    biased;
                    response = &mut answered => return response,
                    writer = self.writer.lock() => {
                        let (mut writer, jobs) = (writer, self.rotations.take());
                        // It is done also if this caller goes away meanwhile.
                        let done = writer.spawn_blocking(|conn| {
                            rotate_all(conn, jobs);
                            Ok(())
                        });
                        // An error here means that the answers were dropped, and is seen there.
                        drop(done.await);
                    }
                }
            }
        };
        match timeout(WRITER_TIMEOUT, response).await {
            Err(_) => Err(StoreError::Busy),
            Ok(Err(_)) => Err(StoreError::Unavailable("the writer has failed".into())),
            Ok(Ok(rotated)) => rotated,
        }
    }
}

/// Does all jobs in one transaction, and answers when it is committed.
fn rotate_all(conn: &mut SqliteConnection, jobs: Vec<Job>) {
    if jobs.is_empty() {
        return;
    }
    match try_rotate_all(conn, &jobs) {
        Ok(done) => {
            for (job, rotated) in jobs.into_iter().zip(done) {
                let _ = job.response.send(rotated);
            }
        }
        Err(error) => {
            // Fails where SQLite has undone the transaction by itself; either way it is over.
            let _ = conn.batch_execute("ROLLBACK");
            for job in jobs {
                let _ = job.response.send(Err(same(&error)));
            }
        }
    }
}

/// Does all jobs in one transaction. A row that is corrupt concerns its own job alone.
fn try_rotate_all(conn: &mut SqliteConnection, jobs: &[Job]) -> Result<Vec<Rotated>, StoreError> {
    let failed = |error| store_error("sessions", error);
    conn.batch_execute("BEGIN IMMEDIATE").map_err(failed)?;
    let mut done = Vec::with_capacity(jobs.len());
    for job in jobs {
        // The wait may have been long. Whoever was told that the store is busy meanwhile would not
        // learn of their next token.
        if job.response.is_closed() {
            done.push(Ok(None));
            continue;
        }
        done.push(match rotate(conn, &job.rotation) {
            Err(error @ (StoreError::Busy | StoreError::Unavailable(_))) => return Err(error),
            rotated => rotated,
        });
    }
    conn.batch_execute("COMMIT").map_err(failed)?;
    Ok(done)
}

/// The same error for one more of those whom it concerns.
fn same(error: &StoreError) -> StoreError {
    match error {
        StoreError::Busy => StoreError::Busy,
        StoreError::Unavailable(source) => StoreError::Unavailable(source.to_string().into()),
        other => StoreError::Unavailable(other.to_string().into()),
    }
}
