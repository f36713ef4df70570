//! Limits that the system sets to this process: looked at once, at the start.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// How many files may be open without a warning: connections of some hundred clients, of the pool,
/// and what the program itself needs.
const FILES_MIN: u64 = 1024;

/// How many files the program needs besides connections: the database, its journals, the log, the
/// event queues and listeners of each thread.
const FILES_RESERVED: u64 = 32;

/// Raises the limit of open files as far as it may be, and gives how many connections fit below it.
///
/// Without a bound of its own, the node would accept connections until no file can be opened any
/// more, and the database is the first to feel it.
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
        tracing::warn!(files, wanted = FILES_MIN, "few files may be open; raise `ulimit -n`");
    }
    let pool = u64::try_from(pool_size).unwrap_or(u64::MAX);
    let free = files.saturating_sub(FILES_RESERVED).saturating_sub(pool).max(1);
    usize::try_from(free).unwrap_or(usize::MAX)
}
