//! Reads per second: the own account, and the public keys.

use anyhow::Context;

use super::{Bench, CLIENTS};
use crate::figure::{Figure, Round};
use crate::limits::{BareServer, Resource};
use crate::load::{
    Get, HttpClient, Timing, closed_loop, get_once, percentile_ms, runtime, source_address,
};
use crate::population::log_in;

pub(super) fn measure_me(bench: &Bench<'_>) -> anyhow::Result<Vec<Figure>> {
    let population = bench.population()?;
    let sessions = log_in(population.node.address, population.accounts, CLIENTS)?;
    let requests = |index: usize| {
        let tokens = sessions.get(index).context("there is no session")?;
        anyhow::Ok(Get::new(Resource::Me.path(), Some(&tokens.access_token)))
    };
    let (rounds, p99) = measure(bench, "GET /v1/me", requests)?;
    Ok(vec![Figure { id: "me", rounds }, Figure { id: "me_p99", rounds: p99 }])
}

pub(super) fn measure_jwks(bench: &Bench<'_>) -> anyhow::Result<Vec<Figure>> {
    let requests = |_| anyhow::Ok(Get::new(Resource::Jwks.path(), None));
    let (rounds, _) = measure(bench, "GET JWKS", requests)?;
    Ok(vec![Figure { id: "jwks", rounds }])
}

/// Sends the same requests to the bare server and to the node. Returns the rates, and the 99th
/// percentiles of the node's latencies.
fn measure(
    bench: &Bench<'_>,
    name: &str,
    request: impl Fn(usize) -> anyhow::Result<Get>,
) -> anyhow::Result<(Vec<Round>, Vec<Round>)> {
    let timing = Timing::of(bench.effort.measured);
    let node = &bench.population()?.node;
    let body = runtime()?.block_on(get_once(node.address, request(0)?))?;
    let bare = BareServer::start(bench.folder, &body)?;
    let clients = |server| {
        let client = |index| {
            let source = source_address(4, index);
            anyhow::Ok(HttpClient { server, source, exchange: request(index)? })
        };
        (0..CLIENTS).map(client).collect::<anyhow::Result<Vec<_>>>()
    };
    let (mut of_bare, mut of_node) = (clients(bare.address)?, clients(node.address)?);
    let mut p99 = Vec::new();
    let rounds = bench.alternate(
        name,
        || Ok(closed_loop(&mut of_bare, timing)?.rate),
        || {
            let load = closed_loop(&mut of_node, timing)?;
            p99.push(Round::of(percentile_ms(&load.latencies, 99.0)?));
            Ok(load.rate)
        },
    )?;
    Ok((rounds, p99))
}
