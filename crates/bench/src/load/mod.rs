//! The load generator: clients that repeat requests, as fast as possible or at a fixed rate.

mod closed;
mod exchange;
mod open;
mod wire;

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Context, ensure};
use hdrhistogram::Histogram;
use tokio::runtime::{Builder, Runtime};

pub(crate) use closed::{closed_loop, per_second};
pub(crate) use exchange::{
    Get, HttpClient, Login, Outcome, PASSWORD, Refresh, Tokens, get_once, username,
};
pub(crate) use open::{OpenLoad, open_loop};
use wire::{Response, Wire};

/// The longest latency that a histogram holds, in microseconds. Longer ones count as this.
const LATENCY_MAX_MICROS: u64 = 60_000_000;

/// A client that repeats one step, such as a request and its response.
pub(crate) trait Client: Send + 'static {
    /// The connection of the client.
    type Wire: Send + 'static;

    /// Opens the connection.
    fn connect(&mut self) -> impl Future<Output = anyhow::Result<Self::Wire>> + Send;

    /// Performs one step. An unexpected result is an error, which ends the benchmark.
    fn step(
        &mut self,
        wire: &mut Self::Wire,
    ) -> impl Future<Output = anyhow::Result<Outcome>> + Send;
}

/// How long a load runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    /// At first nothing is counted, so that connections are open and caches are filled.
    pub(crate) warm_up: Duration,
    pub(crate) measured: Duration,
}

impl Timing {
    /// A timing with a short warm-up.
    pub(crate) const fn of(measured: Duration) -> Self {
        Self { warm_up: Duration::from_millis(400), measured }
    }
}

/// Returns an empty histogram of latencies in microseconds.
fn latencies() -> anyhow::Result<Histogram<u64>> {
    Histogram::new_with_bounds(1, LATENCY_MAX_MICROS, 3).context("cannot create a histogram")
}

/// Returns a percentile of the latencies in milliseconds. Fails if there are none.
#[expect(clippy::cast_precision_loss, reason = "at most a minute, in microseconds")]
pub(crate) fn percentile_ms(latencies: &Histogram<u64>, percentile: f64) -> anyhow::Result<f64> {
    ensure!(!latencies.is_empty(), "no response was counted, so there is no percentile");
    Ok(latencies.value_at_percentile(percentile) as f64 / 1000.0)
}

fn micros(latency: Duration) -> u64 {
    u64::try_from(latency.as_micros()).unwrap_or(LATENCY_MAX_MICROS).clamp(1, LATENCY_MAX_MICROS)
}

/// A runtime for the thread that calls it. Its tasks never move between cores.
pub(crate) fn runtime() -> anyhow::Result<Runtime> {
    Builder::new_current_thread().enable_all().build().context("cannot start a runtime")
}

/// The loopback address from which client number `index` of a group connects. Rate limits count per
/// address, so each client has its own, as users on the internet do.
pub(crate) fn source_address(group: u8, index: usize) -> Ipv4Addr {
    let [_, _, high, low] = u32::try_from(index + 1).unwrap_or(u32::MAX).to_be_bytes();
    Ipv4Addr::new(127, group, high, low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_has_an_address_of_its_own() {
        assert_eq!(source_address(7, 0), Ipv4Addr::new(127, 7, 0, 1));
        assert_eq!(source_address(7, 255), Ipv4Addr::new(127, 7, 1, 0));
        assert_ne!(source_address(7, 3), source_address(8, 3));
    }

    #[test]
    fn a_percentile_is_in_milliseconds() {
        let mut histogram = latencies().unwrap();
        assert!(percentile_ms(&histogram, 99.0).is_err());
        for number in 1..=1000 {
            histogram.record(micros(Duration::from_micros(number * 100))).unwrap();
        }
        assert!((percentile_ms(&histogram, 99.0).unwrap() - 99.0).abs() < 0.2);
        assert!((percentile_ms(&histogram, 50.0).unwrap() - 50.0).abs() < 0.2);
    }

    #[test]
    fn a_latency_beyond_the_bounds_counts_as_the_longest() {
        assert_eq!(micros(Duration::from_hours(1)), LATENCY_MAX_MICROS);
        assert_eq!(micros(Duration::ZERO), 1);
    }
}
