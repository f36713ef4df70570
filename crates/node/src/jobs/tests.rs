//! Tests of the list: a job that fails or panics disturbs neither the others nor itself.

use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

/// How an iteration ends.
#[derive(Clone, Copy)]
enum End {
    Succeeds,
    Fails,
    Panics,
    PanicsWhileItWaits,
}

/// Counts its iterations.
struct Counted(Arc<AtomicU32>, End);

#[async_trait]
impl Work for Counted {
    async fn run_once(&mut self) -> Result<(), Failed> {
        self.0.fetch_add(1, Ordering::Relaxed);
        match self.1 {
            End::Succeeds | End::PanicsWhileItWaits => Ok(()),
            End::Fails => Err(Failed),
            End::Panics => panic!("the iteration panics"),
        }
    }

    async fn wait(&mut self, due: Instant) {
        assert!(!matches!(self.1, End::PanicsWhileItWaits), "the pause panics");
        sleep_until(due).await;
    }
}

fn job(end: End) -> (Arc<AtomicU32>, Job) {
    let count = Arc::new(AtomicU32::new(0));
    let job = Job {
        name: "counted",
        interval: Duration::from_secs(1),
        back_off: Duration::from_secs(5),
        gauge: None,
        work: Box::new(Counted(Arc::clone(&count), end)),
    };
    (count, job)
}

#[tokio::test(start_paused = true)]
async fn a_job_that_fails_or_panics_pauses_and_goes_on_and_the_others_do_not_notice() {
    let ends = [End::Succeeds, End::Fails, End::Panics, End::PanicsWhileItWaits];
    let (counts, jobs): (Vec<_>, Vec<_>) = ends.map(job).into_iter().unzip();
    let running = RunningJobs::start(jobs, &NodeMetrics::off());
    sleep(Duration::from_millis(20_500)).await;
    let read = || counts.iter().map(|count| count.load(Ordering::Relaxed)).collect::<Vec<_>>();
    assert_eq!(read(), [21, 5, 5, 5]);

    running.stop().await;
    sleep(Duration::from_mins(1)).await;
    assert_eq!(read(), [21, 5, 5, 5], "all of them have stopped");
}
