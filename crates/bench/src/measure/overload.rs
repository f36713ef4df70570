//! Ten times as many logins as the machine can hash: how many succeed, and how fast the others are
//! refused.

use super::{Bench, login_clients, progress};
use crate::figure::{Figure, Round};
use crate::load::{Timing, closed_loop, open_loop, per_second, percentile_ms};

/// Offered logins per login at the peak.
const TIMES: f64 = 10.0;

/// How many clients measure the peak: enough that a password always waits for each core.
const PEAK_CLIENTS: usize = 32;

/// How many clients there are under overload. Those whose passwords wait are busy for a second; all
/// others must be free when their next login is due.
const CLIENTS: usize = 1000;

pub(super) fn measure(bench: &Bench<'_>) -> anyhow::Result<Vec<Figure>> {
    let measured = bench.effort.measured;
    let population = bench.population()?;
    let mut at_peak = login_clients(population, PEAK_CLIENTS);
    let mut clients = login_clients(population, CLIENTS);
    for client in &mut clients {
        client.exchange.allow_refusals();
    }
    let (mut goodput, mut refusals) = (Vec::new(), Vec::new());
    for number in 1..=bench.effort.rounds {
        let peak = closed_loop(&mut at_peak, Timing::of(measured))?.rate;
        // At first the queue fills; only afterwards is anything refused.
        let timing = Timing { warm_up: measured / 2, measured };
        let load = open_loop(&mut clients, peak * TIMES, timing)?;
        let served = per_second(load.goodput, measured);
        let refused = percentile_ms(&load.refused, 99.0)?;
        progress(&format!(
            "overload, {number} of {}: {served:.0}/s, peak {peak:.0}/s, p99 of {} refusals \
             {refused:.1} ms",
            bench.effort.rounds,
            load.refused.len(),
        ));
        goodput.push(Round::against(served, peak));
        refusals.push(Round::of(refused));
    }
    Ok(vec![
        Figure { id: "overload_goodput", rounds: goodput },
        Figure { id: "overload_refusal_p99", rounds: refusals },
    ])
}
