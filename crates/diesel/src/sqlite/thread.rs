//! A thread that does what it is given, in order.
//!
//! Order is what makes giving up safe: an `INSERT` whose caller has gone away still runs before the
//! `ROLLBACK` that follows it. On the threads of a runtime it might come after it, outside of any
//! transaction, and stay.

use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::mpsc::{Sender, channel};

use diesel_async::sync_connection_wrapper::SpawnBlocking;
use tokio::sync::oneshot;

/// Something to do.
type Task = Box<dyn FnOnce() + Send>;

/// A thread; it ends when this is dropped and all is done.
pub struct Thread {
    tasks: Sender<Task>,
}

impl Thread {
    /// Starts a thread. If the system has none left, every task fails.
    pub fn start(name: &str) -> Self {
        // The line is as long as the callers are many: each waits for its answer.
        let (tasks, line) = channel::<Task>();
        let work = move || {
            for task in line {
                // The caller learns of a panic by not getting an answer; the next one is served.
                let _ = catch_unwind(AssertUnwindSafe(task));
            }
        };
        let started = std::thread::Builder::new().name(format!("sqlite-{name}")).spawn(work);
        if let Err(error) = started {
            tracing::error!(%error, "no thread for the database");
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
        // It is in line from here on, whether or not anybody waits for the answer.
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
