//! Refreshes per second on both databases, and how long they take.

use super::{Bench, CLIENTS, progress, refresh_clients};
use crate::figure::{Figure, Round};
use crate::limits::{PostgresRotations, SqliteRotations};
use crate::load::{Timing, closed_loop, percentile_ms};
use crate::population::{Population, log_in};

pub(super) fn measure_postgres(bench: &Bench<'_>) -> anyhow::Result<Vec<Figure>> {
    let measured = bench.effort.measured;
    let population = bench.population()?;
    let url = bench.postgres.create("limit")?;
    let limit = PostgresRotations::create(url, bench.effort.sessions)?;
    let sessions = log_in(population.node.address, population.accounts, bench.effort.sessions)?;
    let mut clients = refresh_clients(&population.node, &sessions);
    let mut p99 = Vec::new();
    let rounds = bench.alternate(
        "refreshes on Postgres",
        || limit.per_second(CLIENTS, measured),
        || {
            let load = closed_loop(&mut clients, Timing::of(measured))?;
            p99.push(Round::of(percentile_ms(&load.latencies, 99.0)));
            Ok(load.rate)
        },
    )?;
    Ok(vec![Figure { id: "refresh_postgres", rounds }, Figure { id: "refresh_p99", rounds: p99 }])
}

pub(super) fn measure_sqlite(bench: &Bench<'_>) -> anyhow::Result<Vec<Figure>> {
    let measured = bench.effort.measured;
    progress("filling a SQLite database");
    let population = Population::on_sqlite(&bench.program, bench.folder, bench.effort.sessions)?;
    let mut limit = SqliteRotations::create(bench.folder, bench.effort.sessions)?;
    let mut clients = refresh_clients(&population.node, &population.sessions);
    let rounds = bench.alternate(
        "refreshes on SQLite",
        || limit.per_second(measured),
        || Ok(closed_loop(&mut clients, Timing::of(measured))?.rate),
    )?;
    bench.note_memory(&population.node)?;
    Ok(vec![Figure { id: "refresh_sqlite", rounds }])
}
