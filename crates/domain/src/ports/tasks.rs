//! `Tasks`: work that comes to its end, whoever waits for it.

use std::future::Future;
use std::pin::Pin;

/// Work without a result.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Runs work that must come to its end though whoever waits for it goes away, such as counting a
/// wrong password: a client that hangs up would otherwise try for nothing.
pub trait Tasks: Send + Sync {
    /// Begins the work before it returns. What it gives is done when the work is; whoever drops
    /// that stops nothing.
    fn run(&self, task: Task) -> Task;
}

/// Runs nothing by itself: the work is done by whoever waits for it, and ends with them. For
/// commands, and for tests.
#[derive(Clone, Copy, Debug, Default)]
pub struct InlineTasks;

impl Tasks for InlineTasks {
    fn run(&self, task: Task) -> Task {
        task
    }
}
