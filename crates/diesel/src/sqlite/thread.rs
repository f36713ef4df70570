//! A thread that runs tasks in order.
//!
//! The order makes cancellation safe: an `INSERT` whose caller has gone away still runs before the
//! `ROLLBACK` that follows it. On the threads of a runtime it might run after it, outside of any
//! transaction, and persist.

use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::mpsc::{Sender, channel};

use diesel_async::sync_connection_wrapper::SpawnBlocking;
use tokio::sync::oneshot;

/// A unit of work for the thread.
type Task = Box<dyn FnOnce() + Send>;

/// A thread. It ends when this is dropped and all tasks are done.
pub struct Thread {
    tasks: Sender<Task>,
}

impl Thread {
    /// Starts a thread. If the system has none left, every task fails.
    pub fn start(name: &str) -> Self {
        // The queue is as long as there are callers: each waits for its response.
        let (tasks, line) = channel::<Task>();
        let work = move || {
            for task in line {
                // The caller detects a panic by the missing response. The next task runs.
                let _ = catch_unwind(AssertUnwindSafe(task));
            }
        };
        let started = std::thread::Builder::new().name(format!("sqlite-{name}")).spawn(work);
        if let Err(error) = started {
            tracing::error!(%error, "starting a database thread failed");
        }
        Self { tasks }
    }
}

impl SpawnBlocking for Thread {
    fn spawn_blocking<'a, R>(
        &mut self,
        task: impl FnOnce() -> R + Send + 'static,
    ) -> Pin<Box<dyn Future<Output = Result<R, Box<dyn Error + Send + Sync>>> + Send + 'a>>
    where
        R: Send + 'static,
    {
        let (response, answered) = oneshot::channel();
        // It is queued from here on, whether or not its caller waits for the response.
        let sent = self.tasks.send(Box::new(move || {
            let _ = response.send(task());
        }));
        Box::pin(async move {
            sent.map_err(|_| "the database's thread is not there")?;
            Ok(answered.await.map_err(|_| "a task of the database has panicked")?)
        })
    }

    fn get_runtime() -> Self {
        Self::start("connection")
    }
}
