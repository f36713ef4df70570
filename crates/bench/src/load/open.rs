//! An open loop: requests are due at a fixed rate, whether or not the server keeps up.
//!
//! A latency counts from the time at which the request was due. A server that stalls is charged for
//! every request that had to wait meanwhile, also for those that could not be sent yet.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use hdrhistogram::Histogram;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{Client, Outcome, Timing, latencies, micros, runtime};

/// What the clients measured.
pub(crate) struct OpenLoad {
    /// Latencies of the requests that the server served.
    pub(crate) served: Histogram<u64>,
    /// Latencies of the requests that it refused because of its load.
    pub(crate) refused: Histogram<u64>,
    /// How many requests it served within the measured time, whenever they were due.
    pub(crate) goodput: u64,
}

/// The times at which requests are due. The first free client takes the next one.
type Due = Arc<tokio::sync::Mutex<UnboundedReceiver<Instant>>>;

/// Sends requests at a fixed rate. There should be more clients than the server ever leaves
/// waiting, so that each request is sent when it is due.
pub(crate) fn open_loop<C: Client>(
    clients: &mut Vec<C>,
    per_second: f64,
    timing: Timing,
) -> anyhow::Result<OpenLoad> {
    let load = OpenLoad { served: latencies()?, refused: latencies()?, goodput: 0 };
    let load = Arc::new(Mutex::new(load));
    let mut taken = std::mem::take(clients);
    *clients = runtime()?.block_on(async {
        let mut wires = Vec::new();
        for client in &mut taken {
            wires.push(client.connect().await?);
        }
        let (sender, receiver) = unbounded_channel();
        let due = Arc::new(tokio::sync::Mutex::new(receiver));
        let from = Instant::now() + timing.warm_up;
        let window = (from, from + timing.measured);
        thread::spawn(move || pace(&sender, per_second, timing));
        let run = |(client, wire)| {
            let sink = Sink { load: Arc::clone(&load), window };
            tokio::spawn(run_client(client, wire, Arc::clone(&due), sink))
        };
        let tasks: Vec<_> = taken.into_iter().zip(wires).map(run).collect();
        let mut clients = Vec::new();
        for task in tasks {
            clients.push(task.await.context("a client panicked")??);
        }
        anyhow::Ok(clients)
    })?;
    let load = Arc::into_inner(load).context("a client is still running")?;
    Ok(load.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Announces each request when it is due. It has a thread of its own, because the timers of the
/// runtime are only accurate to a millisecond.
fn pace(sender: &UnboundedSender<Instant>, per_second: f64, timing: Timing) {
    let start = Instant::now();
    let interval = Duration::from_secs_f64(1.0 / per_second);
    let end = start + timing.warm_up + timing.measured;
    let mut due = start;
    while due < end {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if sender.send(due).is_err() {
            // A client has failed, and the load has ended.
            return;
        }
        due += interval;
    }
}

/// Where a client records its latencies.
struct Sink {
    load: Arc<Mutex<OpenLoad>>,
    window: (Instant, Instant),
}

impl Sink {
    /// Records the latency of a request that was due in the measured time, however late its
    /// response is. Otherwise the slowest responses would be missing.
    fn record(&self, due: Instant, outcome: Outcome) -> anyhow::Result<()> {
        let now = Instant::now();
        let (from, until) = self.window;
        let is_measured = |time| time >= from && time < until;
        let mut load = self.load.lock().unwrap_or_else(PoisonError::into_inner);
        if outcome == Outcome::Served && is_measured(now) {
            load.goodput += 1;
        }
        if !is_measured(due) {
            return Ok(());
        }
        let histogram = match outcome {
            Outcome::Served => &mut load.served,
            Outcome::Refused => &mut load.refused,
        };
        histogram.record(micros(now - due)).context("cannot record a latency")
    }
}

async fn run_client<C: Client>(
    mut client: C,
    mut wire: C::Wire,
    due: Due,
    sink: Sink,
) -> anyhow::Result<C> {
    loop {
        let next = due.lock().await.recv().await;
        let Some(due) = next else { return Ok(client) };
        let outcome = client.step(&mut wire).await?;
        sink.record(due, outcome)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stalls once for a tenth of a second, and is fast otherwise.
    struct Stalling(bool);

    impl Client for Stalling {
        type Wire = ();

        async fn connect(&mut self) -> anyhow::Result<()> {
            Ok(())
        }

        async fn step(&mut self, (): &mut ()) -> anyhow::Result<Outcome> {
            if std::mem::take(&mut self.0) {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Ok(Outcome::Served)
        }
    }

    #[test]
    fn a_stall_delays_every_request_that_was_due_meanwhile() {
        let timing = Timing { warm_up: Duration::ZERO, measured: Duration::from_millis(200) };
        let load = open_loop(&mut vec![Stalling(true)], 1000.0, timing).unwrap();
        // A closed loop would have seen one slow request. About fifty were due in its first half.
        let slow = load.served.count_between(40_000, 1_000_000);
        assert!(slow > 20, "only {slow} of {} were slow", load.served.len());
        assert!(load.refused.is_empty());
    }
}
