//! Limits of the operating system, checked once at startup.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The open-file limit below which the node warns: enough for some hundred clients, the pool, and
/// the program itself.
const FILES_MIN: u64 = 1024;

/// How many files the program needs besides connections: the database, its journals, the log, the
/// event queues and listeners of each thread.
const FILES_RESERVED: u64 = 32;

/// Raises the open-file limit as far as allowed, and returns how many connections fit below it.
///
/// Without a bound, the node would accept connections until no file can be opened, and the database
/// would fail first.
pub(crate) fn connections_max(pool_size: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    // A soft limit below the hard one protects old programs that use `select`; this one does not.
    let raised = Rlimit { current: limit.maximum, ..limit };
    let files = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    let files = files.unwrap_or(u64::MAX);
    if files < FILES_MIN {
        tracing::warn!(files, recommended = FILES_MIN, "open-file limit is low; raise `ulimit -n`");
    }
    let pool = u64::try_from(pool_size).unwrap_or(u64::MAX);
    let free = files.saturating_sub(FILES_RESERVED).saturating_sub(pool).max(1);
    usize::try_from(free).unwrap_or(usize::MAX)
}
