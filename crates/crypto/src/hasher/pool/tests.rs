//! The pool under load, with panics, and at shutdown.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use gateward_testkit::eventually;

use super::*;

fn size(threads: usize, queue_max: usize) -> PoolSize {
    PoolSize { threads: NonZeroUsize::new(threads).unwrap(), queue_max, arena_blocks: 8 }
}

fn work(password: &str) -> Work {
    Work {
        password: Password::received(password.to_owned()).unwrap(),
        salt: vec![0; 16],
        cost: Cost { memory_kib: 8, iterations: 1, lanes: 1 },
        output_len: 32,
    }
}

fn start(
    size: PoolSize,
    compute: impl Fn(&Work, &mut Arena) -> HashResult + Send + Sync + 'static,
) -> Arc<Pool> {
    let compute: Arc<Compute> = Arc::new(compute);
    Arc::new(Pool::start(size, &compute).unwrap())
}

fn spawn(pool: &Arc<Pool>, password: &'static str) -> tokio::task::JoinHandle<HashResult> {
    let pool = Arc::clone(pool);
    tokio::spawn(async move { pool.run(work(password)).await })
}

/// A pool of one thread that blocks each computation until the test releases it, and counts them.
fn gated(queue_max: usize) -> (Arc<Pool>, mpsc::Sender<()>, Arc<AtomicUsize>) {
    let (go, gate) = mpsc::channel();
    let (gate, counter) = (Mutex::new(gate), Arc::new(AtomicUsize::new(0)));
    let calls = Arc::clone(&counter);
    let pool = start(size(1, queue_max), move |_, _| {
        calls.fetch_add(1, Ordering::SeqCst);
        gate.lock().unwrap().recv().unwrap();
        Ok(Vec::new())
    });
    (pool, go, counter)
}

/// Waits until the pool has this many running and waiting jobs.
async fn until(pool: &Pool, busy: usize, queued: usize) {
    eventually(Duration::from_secs(5), async || {
        let load = pool.load();
        if (load.busy, load.queued) == (busy, queued) { Ok(()) } else { Err(format!("{load:?}")) }
    })
    .await;
}

#[tokio::test]
async fn beyond_the_queue_a_password_is_refused_at_once() {
    let (pool, go, _) = gated(2);
    let mut waiting = vec![spawn(&pool, "first")];
    until(&pool, 1, 0).await;
    waiting.extend([spawn(&pool, "second"), spawn(&pool, "third")]);
    until(&pool, 1, 2).await;
    assert_eq!(pool.load(), HashLoad { queued: 2, queue_max: 2, busy: 1, threads: 1 });

    let mut quickest = Duration::MAX;
    for _ in 0..3 {
        let started = Instant::now();
        let refused = pool.run(work("fourth")).await;
        assert_eq!(refused, Err(HashError::Overloaded { retry_after_seconds: 1 }));
        quickest = quickest.min(started.elapsed());
    }
    assert!(quickest < Duration::from_millis(50), "{quickest:?}");

    for _ in 0..3 {
        go.send(()).unwrap();
    }
    for result in waiting {
        assert_eq!(result.await.unwrap(), Ok(Vec::new()));
    }
    until(&pool, 0, 0).await;
}

#[tokio::test]
async fn a_job_whose_caller_went_away_is_skipped_and_keeps_nobody_out() {
    let (pool, go, computed) = gated(1);
    let first = spawn(&pool, "first");
    until(&pool, 1, 0).await;
    let gone = spawn(&pool, "gone");
    until(&pool, 1, 1).await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());

    let next = spawn(&pool, "next");
    tokio::task::yield_now().await;
    go.send(()).unwrap();
    go.send(()).unwrap();
    assert_eq!(first.await.unwrap(), Ok(Vec::new()));
    assert_eq!(next.await.unwrap(), Ok(Vec::new()), "there was room for it");
    assert_eq!(computed.load(Ordering::SeqCst), 2);

    let held = spawn(&pool, "held");
    until(&pool, 1, 0).await;
    let skipped = spawn(&pool, "skipped");
    until(&pool, 1, 1).await;
    skipped.abort();
    assert!(skipped.await.unwrap_err().is_cancelled());
    go.send(()).unwrap();
    assert_eq!(held.await.unwrap(), Ok(Vec::new()));
    until(&pool, 0, 0).await;
    assert_eq!(computed.load(Ordering::SeqCst), 3, "the skipped one was never computed");
}

#[tokio::test]
async fn a_panic_fails_one_hash_and_the_thread_goes_on() {
    let pool = start(size(1, 8), |work, _| {
        assert_ne!(work.password.expose(), "panic", "on purpose");
        Ok(vec![1])
    });
    assert_eq!(pool.run(work("panic")).await, Err(HashError::Failed));
    assert_eq!(pool.run(work("calm")).await, Ok(vec![1]));
    until(&pool, 0, 0).await;
}

#[tokio::test]
async fn the_threads_end_when_the_pool_is_dropped() {
    let compute: Arc<Compute> = Arc::new(|_: &Work, _: &mut Arena| Ok(Vec::new()));
    let pool = Pool::start(size(3, 8), &compute).unwrap();
    assert_eq!(pool.run(work("x")).await, Ok(Vec::new()));
    assert_eq!(Arc::strong_count(&compute), 4);
    drop(pool);
    assert_eq!(Arc::strong_count(&compute), 1, "every thread has let go of it");
}

#[tokio::test]
async fn a_thread_keeps_its_memory_while_there_is_work_and_gives_it_back_after() {
    let compute: Arc<Compute> = Arc::new(|_: &Work, arena: &mut Arena| {
        let kept = u8::from(arena.is_filled());
        arena.with(8, |_| Ok(vec![kept]))
    });
    let idle = Duration::from_secs(1);
    let pool = Pool::start_with_idle(size(1, 8), &compute, idle).unwrap();
    assert_eq!(pool.run(work("first")).await, Ok(vec![0]));
    assert_eq!(pool.run(work("second")).await, Ok(vec![1]));
    tokio::time::sleep(idle * 2).await;
    assert_eq!(pool.run(work("much later")).await, Ok(vec![0]));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_threads_stand_behind_all_others() {
    let nice = || rustix::process::getpriority_process(Some(rustix::thread::gettid())).unwrap();
    let pool = start(size(1, 8), move |_, _| Ok(vec![u8::try_from(nice()).unwrap()]));
    let here = nice();
    assert_eq!(pool.run(work("x")).await, Ok(vec![10]));
    assert_eq!(nice(), here, "and no other thread does");
}

#[test]
fn the_estimate_is_the_time_to_work_off_the_queue() {
    let after = |queued, threads, millis| {
        let threads = NonZeroUsize::new(threads).unwrap();
        retry_after_seconds(queued, threads, Duration::from_millis(millis))
    };
    assert_eq!(after(128, 2, 10), 1);
    assert_eq!(after(128, 2, 50), 4);
    assert_eq!(after(128, 1, 10), 2);
    assert_eq!(after(0, 1, 0), 1);
    assert_eq!(after(usize::MAX, 1, u64::MAX), u32::MAX);
}
