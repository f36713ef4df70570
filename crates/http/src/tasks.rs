//! `SpawnedTasks`: runs background work in tasks of the Tokio runtime.

use gateward_app::domain::ports::{Task, Tasks};

/// Runs background work in tasks of the Tokio runtime. Call it within a runtime.
#[derive(Clone, Copy, Debug, Default)]
pub struct SpawnedTasks;

impl Tasks for SpawnedTasks {
    fn run(&self, task: Task) -> Task {
        let running = tokio::spawn(task);
        Box::pin(async move {
            // An error means that the task panicked, which was logged.
            let _ = running.await;
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use gateward_testkit::eventually;

    use super::*;

    /// Row L1: a client that disconnects is counted all the same.
    #[actix_web::test]
    async fn l1_work_goes_on_when_whoever_waits_goes_away() {
        let done = Arc::new(AtomicBool::new(false));
        let mark = done.clone();
        drop(SpawnedTasks.run(Box::pin(async move {
            tokio::task::yield_now().await;
            mark.store(true, Ordering::SeqCst);
        })));
        eventually(Duration::from_secs(5), async || {
            if done.load(Ordering::SeqCst) {
                Ok(())
            } else {
                Err("the work was not done".to_owned())
            }
        })
        .await;
    }
}
