//! Reads and refreshes at a low rate, while logins take every core.

use std::thread;

use anyhow::Context;

use super::{Bench, CLIENTS, login_clients, progress, refresh_clients};
use crate::figure::{Figure, Round};
use crate::limits::{Resource, hashes_per_second};
use crate::load::{
    Get, HttpClient, OpenLoad, Timing, Tokens, closed_loop, open_loop, percentile_ms,
    source_address,
};
use crate::population::log_in;

/// Reads and refreshes per second, each.
const RATE: f64 = 40.0;

/// How many clients log in: enough that a password always waits for each core.
const LOGIN_CLIENTS: usize = 32;

pub(super) fn measure(bench: &Bench<'_>) -> anyhow::Result<Vec<Figure>> {
    let population = bench.population()?;
    let timing = Timing::of(bench.effort.flood);
    let sessions = log_in(population.node.address, population.accounts, CLIENTS)?;
    let mut logins = login_clients(population, LOGIN_CLIENTS);
    let mut refreshes = refresh_clients(&population.node, &sessions);
    let reader = |(index, session): (usize, &Tokens)| HttpClient {
        server: population.node.address,
        source: source_address(5, index),
        exchange: Get::new(Resource::Me.path(), Some(&session.access_token)),
    };
    let mut readers: Vec<_> = sessions.iter().enumerate().map(reader).collect();

    let (mut of_reads, mut of_refreshes) = (Vec::new(), Vec::new());
    let limit = || hashes_per_second(bench.effort.measured);
    let rounds = bench.alternate("logins of the flood", limit, || {
        let (logins, reads, refreshes) = thread::scope(|scope| {
            let reads = scope.spawn(|| open_loop(&mut readers, RATE, timing));
            let refreshes = scope.spawn(|| open_loop(&mut refreshes, RATE, timing));
            (closed_loop(&mut logins, timing), reads.join(), refreshes.join())
        });
        let reads = p99(&reads.ok().context("a client panicked")??)?;
        let refreshes = p99(&refreshes.ok().context("a client panicked")??)?;
        progress(&format!("  p99 of reads {reads:.1} ms, of refreshes {refreshes:.1} ms"));
        of_reads.push(Round::of(reads));
        of_refreshes.push(Round::of(refreshes));
        Ok(logins?.rate)
    })?;
    Ok(vec![
        Figure { id: "flood_me_p99", rounds: of_reads },
        Figure { id: "flood_refresh_p99", rounds: of_refreshes },
        Figure { id: "flood_login", rounds },
    ])
}

fn p99(load: &OpenLoad) -> anyhow::Result<f64> {
    percentile_ms(&load.served, 99.0)
}
