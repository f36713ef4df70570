//! Processes many refreshes in one transaction.
//!
//! A commit waits for the disk, which is nearly the whole cost of a refresh. The caller that
//! receives the writer's turn therefore processes all waiting refreshes, and all responses follow
//! after the one commit: as durable as each alone, and as many times cheaper as there are
//! refreshes.

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

/// Maximum number of refreshes per transaction. More gain little, and delay the other writers.
const BATCH_MAX: usize = 64;

/// Maximum number of waiting refreshes. On the slowest disk, processing that many takes about as
/// long as the first one is willing to wait.
const WAITING_MAX: usize = 4096;

/// A waiting refresh.
struct Job {
    rotation: Rotation,
    response: oneshot::Sender<Rotated>,
}

/// The waiting refreshes, in order.
#[derive(Default)]
pub struct Rotations {
    waiting: Mutex<VecDeque<Job>>,
}

impl Rotations {
    /// Adds a refresh to the queue.
    fn push(&self, job: Job) -> Result<(), StoreError> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= WAITING_MAX {
            return Err(StoreError::Busy);
        }
        waiting.push_back(job);
        Ok(())
    }

    /// Takes the first refreshes from the queue, except those whose callers went away.
    fn take(&self) -> Vec<Job> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let count = waiting.len().min(BATCH_MAX);
        waiting.drain(..count).filter(|job| !job.response.is_closed()).collect()
    }
}

impl SqliteStore {
    /// Rotates a session, together with all other waiting refreshes.
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
                        // It completes even if this caller goes away meanwhile.
                        let done = writer.spawn_blocking(|conn| {
                            rotate_all(conn, jobs);
                            Ok(())
                        });
                        // An error here means that the responses were dropped, which their callers
                        // notice.
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

/// Processes all jobs in one transaction, and sends the responses after the commit.
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
            // Fails if SQLite has already rolled back the transaction. In either case it has ended.
            let _ = conn.batch_execute("ROLLBACK");
            for job in jobs {
                let _ = job.response.send(Err(same(&error)));
            }
        }
    }
}

/// Processes all jobs in one transaction. A corrupt row affects only its own job.
fn try_rotate_all(conn: &mut SqliteConnection, jobs: &[Job]) -> Result<Vec<Rotated>, StoreError> {
    let failed = |error| store_error("sessions", error);
    conn.batch_execute("BEGIN IMMEDIATE").map_err(failed)?;
    let mut done = Vec::with_capacity(jobs.len());
    for job in jobs {
        // The wait may have been long. A caller that received a busy error meanwhile would not
        // receive its next token.
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

/// Copies an error for another job that it affects.
fn same(error: &StoreError) -> StoreError {
    match error {
        StoreError::Busy => StoreError::Busy,
        StoreError::Unavailable(source) => StoreError::Unavailable(source.to_string().into()),
        other => StoreError::Unavailable(other.to_string().into()),
    }
}
