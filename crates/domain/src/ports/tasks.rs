//! `Tasks`: work that runs to completion even if its caller goes away.

use std::future::Future;
use std::pin::Pin;

/// A future without a result.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Runs work to completion even if its caller goes away, such as counting a wrong password. Without
/// it, a client that disconnects would get free attempts.
pub trait Tasks: Send + Sync {
    /// Starts the work before it returns. The returned future completes with the work. Dropping it
    /// does not stop the work.
    fn run(&self, task: Task) -> Task;
}

/// Runs the work inside the future of the caller, so that it stops with the caller. For commands
/// and tests.
#[derive(Clone, Copy, Debug, Default)]
pub struct InlineTasks;

impl Tasks for InlineTasks {
    fn run(&self, task: Task) -> Task {
        task
    }
}
