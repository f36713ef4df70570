//! A closed loop: each client sends its next request when it has the response to the last one.

use std::num::NonZero;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use hdrhistogram::Histogram;

use super::{Client, Outcome, Timing, latencies, micros, runtime};

/// What the clients measured.
pub(crate) struct Load {
    /// Served requests per second.
    pub(crate) rate: f64,
    /// Of the requests that were sent in the measured time, however late their responses were.
    pub(crate) latencies: Histogram<u64>,
}

/// What some of the clients measured.
struct Measured {
    /// How many requests were served within the measured time.
    served: u64,
    latencies: Histogram<u64>,
}

impl Measured {
    fn nothing() -> anyhow::Result<Self> {
        Ok(Self { served: 0, latencies: latencies()? })
    }

    fn add(&mut self, other: &Self) -> anyhow::Result<()> {
        self.served += other.served;
        self.latencies.add(&other.latencies).context("cannot add latencies")
    }
}

/// Runs the clients, and leaves them where they stopped, for the next round.
///
/// They share as many threads as there are cores, so that the generator can use what the server
/// leaves.
pub(crate) fn closed_loop<C: Client>(clients: &mut Vec<C>, timing: Timing) -> anyhow::Result<Load> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let per_thread = clients.len().div_ceil(threads).max(1);
    let window = Window::starting_now(timing);
    let mut groups = Vec::new();
    while !clients.is_empty() {
        let rest = clients.split_off(per_thread.min(clients.len()));
        groups.push(std::mem::replace(clients, rest));
    }
    let results: Vec<_> = thread::scope(|scope| {
        let spawn = |group| scope.spawn(move || run_group(group, window));
        let handles: Vec<_> = groups.into_iter().map(spawn).collect();
        handles.into_iter().map(thread::ScopedJoinHandle::join).collect()
    });
    let mut merged = Measured::nothing()?;
    for result in results {
        let (group, measured) = result.ok().context("a client panicked")??;
        clients.extend(group);
        merged.add(&measured)?;
    }
    let rate = per_second(merged.served, timing.measured);
    Ok(Load { rate, latencies: merged.latencies })
}

/// Returns a number of events per second.
#[expect(clippy::cast_precision_loss, reason = "some million at most")]
pub(crate) fn per_second(count: u64, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

/// The measured time.
#[derive(Clone, Copy)]
struct Window {
    from: Instant,
    until: Instant,
}

impl Window {
    fn starting_now(timing: Timing) -> Self {
        let from = Instant::now() + timing.warm_up;
        Self { from, until: from + timing.measured }
    }

    fn contains(&self, time: Instant) -> bool {
        time >= self.from && time < self.until
    }
}

/// Runs clients on the calling thread.
fn run_group<C: Client>(clients: Vec<C>, window: Window) -> anyhow::Result<(Vec<C>, Measured)> {
    runtime()?.block_on(async {
        let run = |client| tokio::spawn(run_client(client, window));
        let tasks: Vec<_> = clients.into_iter().map(run).collect();
        let (mut clients, mut merged) = (Vec::new(), Measured::nothing()?);
        for task in tasks {
            let (client, measured) = task.await.context("a client panicked")??;
            clients.push(client);
            merged.add(&measured)?;
        }
        Ok((clients, merged))
    })
}

async fn run_client<C: Client>(mut client: C, window: Window) -> anyhow::Result<(C, Measured)> {
    let mut measured = Measured::nothing()?;
    let mut wire = client.connect().await?;
    let mut started = Instant::now();
    while started < window.until {
        let outcome = client.step(&mut wire).await?;
        let ended = Instant::now();
        if outcome == Outcome::Served {
            measured.served += u64::from(window.contains(ended));
            if window.contains(started) {
                let latency = micros(ended - started);
                measured.latencies.record(latency).context("cannot record a latency")?;
            }
        }
        started = ended;
    }
    Ok((client, measured))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts its steps, each of which takes two milliseconds.
    struct Counter(u64);

    impl Client for Counter {
        type Wire = ();

        async fn connect(&mut self) -> anyhow::Result<()> {
            Ok(())
        }

        async fn step(&mut self, (): &mut ()) -> anyhow::Result<Outcome> {
            tokio::time::sleep(Duration::from_millis(2)).await;
            self.0 += 1;
            anyhow::ensure!(self.0 < 1000, "too many");
            Ok(Outcome::Served)
        }
    }

    #[test]
    fn clients_continue_where_they_stopped() {
        let timing =
            Timing { warm_up: Duration::from_millis(20), measured: Duration::from_millis(60) };
        let mut clients = vec![Counter(0), Counter(0), Counter(0)];
        let load = closed_loop(&mut clients, timing).unwrap();
        assert!(load.rate > 0.0 && load.latencies.min() >= 2000);
        let first: u64 = clients.iter().map(|client| client.0).sum();
        closed_loop(&mut clients, timing).unwrap();
        assert_eq!(clients.len(), 3);
        assert!(clients.iter().map(|client| client.0).sum::<u64>() > first);
    }

    #[test]
    fn an_error_of_one_client_ends_the_load() {
        let timing = Timing { warm_up: Duration::ZERO, measured: Duration::from_millis(50) };
        assert!(closed_loop(&mut vec![Counter(0), Counter(999)], timing).is_err());
    }
}
