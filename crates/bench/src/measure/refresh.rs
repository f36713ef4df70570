//! Refreshes per second on both databases, and how long they take.

use super::{ACCOUNTS, Bench, CLIENTS, progress, refresh_clients};
use crate::figure::{Figure, Round};
use crate::limits::{PostgresRotations, SqliteRotations};
use crate::load::{Timing, closed_loop, percentile_ms};
use crate::population::Population;

pub(super) fn measure_postgres(bench: &Bench<'_>) -> anyhow::Result<Vec<Figure>> {
    let measured = bench.effort.measured;
    let sessions = bench.effort.sessions;
    let limit = PostgresRotations::create(bench.postgres.create("limit")?, sessions)?;
    // A database of its own, in which the sessions are spread over the table.
    progress("filling a database to refresh its sessions");
    let url = bench.postgres.create("refresh")?;
    let population = Population::on_postgres(&bench.program, &url, (ACCOUNTS, sessions))?;
    let mut clients = refresh_clients(&population.node, &population.sessions);
    let mut p99 = Vec::new();
    let rounds = bench.alternate(
        "refreshes on Postgres",
        || limit.per_second(CLIENTS, measured),
        || {
            let load = closed_loop(&mut clients, Timing::of(measured))?;
            p99.push(Round::of(percentile_ms(&load.latencies, 99.0)?));
            Ok(load.rate)
        },
    )?;
    bench.note_memory(&population.node)?;
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
