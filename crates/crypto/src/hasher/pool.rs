//! The hash threads, and the bounded queue in front of them.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use std::{io, thread};

use gateward_domain::Password;
use gateward_domain::ports::HashError;
use tokio::sync::oneshot;

use super::HashLoad;
use super::arena::Arena;
use super::phc::Cost;

/// How far the hash threads are lowered in the scheduler.
///
/// Measured on Linux 6.18, two cores, with busy loops instead of hashes: at 0 a thread that wakes
/// up waits for over 20 ms at the 99th percentile, at 5 for 12, at 10 for 7, and more than 10 gains
/// nothing. If other threads take every core, those at 10 still get a seventh of the time and those
/// at 19 a twentieth: logins slow down but continue.
const NICENESS: i32 = 10;

/// Idle time after which a thread frees its memory. Long enough that steady logins never pay for
/// new memory, short enough that an idle service is small.
const ARENA_IDLE: Duration = Duration::from_secs(10);

/// Weight of the newest hash in the running mean: one eighth forgets a slow minute soon, but does
/// not follow a single slow hash at once.
const MEAN_WEIGHT: u32 = 8;

/// A hash to compute.
pub(super) struct Work {
    pub(super) password: Password,
    pub(super) salt: Vec<u8>,
    pub(super) cost: Cost,
    pub(super) output_len: usize,
}

/// The computation that the threads run.
pub(super) type Compute = dyn Fn(&Work, &mut Arena) -> Result<Vec<u8>, HashError> + Send + Sync;

type HashResult = Result<Vec<u8>, HashError>;

struct Job {
    work: Work,
    reply: oneshot::Sender<HashResult>,
}

/// Number of threads, and how much they keep.
#[derive(Clone, Copy)]
pub(super) struct PoolSize {
    pub(super) threads: NonZeroUsize,
    /// Maximum number of waiting jobs.
    pub(super) queue_max: usize,
    /// Maximum number of blocks of 1 KiB that a thread keeps between hashes.
    pub(super) arena_blocks: usize,
}

/// The hash threads. They end when the pool is dropped.
pub(super) struct Pool {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    size: PoolSize,
    queue: Mutex<Queue>,
    wake: Condvar,
    arena_idle: Duration,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    busy: usize,
    mean: Duration,
    closed: bool,
}

impl Pool {
    /// Starts the threads.
    pub(super) fn start(size: PoolSize, compute: &Arc<Compute>) -> io::Result<Self> {
        Self::start_with_idle(size, compute, ARENA_IDLE)
    }

    /// Starts the threads, which free their memory after `arena_idle`.
    pub(super) fn start_with_idle(
        size: PoolSize,
        compute: &Arc<Compute>,
        arena_idle: Duration,
    ) -> io::Result<Self> {
        let (queue, wake) = (Mutex::default(), Condvar::new());
        let shared = Arc::new(Shared { size, queue, wake, arena_idle });
        // Built first, so that the running threads end if one cannot be started.
        let mut pool = Self { shared, threads: Vec::new() };
        for number in 0..size.threads.get() {
            let (shared, compute) = (Arc::clone(&pool.shared), Arc::clone(compute));
            let thread = thread::Builder::new().name(format!("hash-{number}"));
            pool.threads.push(thread.spawn(move || shared.run(&*compute))?);
        }
        Ok(pool)
    }

    /// Computes a hash. Fails at once if too many jobs are waiting.
    ///
    /// Dropping the future removes the job, unless it has started.
    pub(super) async fn run(&self, work: Work) -> HashResult {
        let (reply, result) = oneshot::channel();
        self.shared.push(Job { work, reply })?;
        result.await.unwrap_or(Err(HashError::Failed))
    }

    /// Returns the load.
    pub(super) fn load(&self) -> HashLoad {
        let queue = self.shared.lock();
        HashLoad {
            queued: queue.jobs.len(),
            queue_max: self.shared.size.queue_max,
            busy: queue.busy,
            threads: self.shared.size.threads.get(),
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        {
            let mut queue = self.shared.lock();
            queue.closed = true;
            queue.jobs.clear();
        }
        self.shared.wake.notify_all();
        for thread in self.threads.drain(..) {
            // A thread that has panicked has ended as well.
            drop(thread.join());
        }
    }
}

impl Shared {
    /// Locks the queue. Nothing that can panic runs under the lock, so the queue is consistent even
    /// if the lock is poisoned.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, job: Job) -> Result<(), HashError> {
        let mut queue = self.lock();
        // The first jobs go to idle threads and do not wait.
        let idle = self.size.threads.get().saturating_sub(queue.busy);
        let room = self.size.queue_max.saturating_add(idle);
        if queue.jobs.len() >= room {
            // Jobs whose callers went away must not block others.
            queue.jobs.retain(|job| !job.reply.is_closed());
        }
        if queue.jobs.len() >= room {
            let retry_after_seconds =
                retry_after_seconds(queue.jobs.len(), self.size.threads, queue.mean);
            return Err(HashError::Overloaded { retry_after_seconds });
        }
        queue.jobs.push_back(job);
        drop(queue);
        self.wake.notify_one();
        Ok(())
    }

    /// The loop of a hash thread.
    fn run(&self, compute: &Compute) {
        lower_priority();
        let mut arena = Arena::new(self.size.arena_blocks);
        while let Some(job) = self.next(&mut arena) {
            let started = Instant::now();
            let result = catch_unwind(AssertUnwindSafe(|| compute(&job.work, &mut arena)));
            let result = result.unwrap_or_else(|_| {
                tracing::error!("password hashing panicked");
                Err(HashError::Failed)
            });
            self.done(started.elapsed());
            // The caller may have gone away meanwhile.
            drop(job.reply.send(result));
        }
    }

    /// Waits for a job whose caller still waits. `None` when the pool is dropped.
    fn next(&self, arena: &mut Arena) -> Option<Job> {
        let mut queue = self.lock();
        loop {
            if queue.closed {
                return None;
            }
            while let Some(job) = queue.jobs.pop_front() {
                if !job.reply.is_closed() {
                    queue.busy += 1;
                    return Some(job);
                }
            }
            if arena.is_filled() {
                let waited = self.wake.wait_timeout(queue, self.arena_idle);
                let (woken, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
                queue = woken;
                if timeout.timed_out() && queue.jobs.is_empty() {
                    arena.release();
                }
            } else {
                queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    fn done(&self, took: Duration) {
        let mut queue = self.lock();
        queue.busy -= 1;
        queue.mean = if queue.mean.is_zero() {
            took
        } else {
            (queue.mean * (MEAN_WEIGHT - 1) + took) / MEAN_WEIGHT
        };
    }
}

/// Returns the number of seconds until a queue of this length is processed; at least one.
fn retry_after_seconds(queued: usize, threads: NonZeroUsize, mean: Duration) -> u32 {
    let rounds = u32::try_from(queued.div_ceil(threads.get())).unwrap_or(u32::MAX);
    let wait = mean.saturating_mul(rounds);
    let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
    u32::try_from(seconds).unwrap_or(u32::MAX).max(1)
}

/// Lowers the priority of the calling thread. If that is not allowed, it hashes at normal priority.
fn lower_priority() {
    // On other systems the call would slow down the whole process, not only the thread.
    #[cfg(target_os = "linux")]
    if let Err(error) =
        rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICENESS)
    {
        tracing::debug!(%error, "lowering the priority of a hash thread failed");
    }
}

#[cfg(test)]
mod tests;
