//! From the start of the process to the first 200 of its readiness endpoint, memory at that time,
//! and the size of the program.

use super::{Bench, progress};
use crate::figure::{Figure, Round};
use crate::node::Node;

pub(super) fn measure(bench: &Bench<'_>) -> anyhow::Result<Vec<Figure>> {
    let ids = [
        "start_postgres",
        "start_sqlite",
        "first_start_postgres",
        "first_start_sqlite",
        "memory_start",
    ];
    let mut figures = ids.map(|id| Figure { id, rounds: Vec::new() });
    for number in 1..=bench.effort.rounds {
        for (figure, value) in figures.iter_mut().zip(round(bench, number)?) {
            figure.rounds.push(Round::of(value));
        }
    }
    let mut figures = Vec::from(figures);
    let size = std::fs::metadata(&bench.program.path)?.len();
    #[expect(clippy::cast_precision_loss, reason = "some million bytes")]
    figures.push(Figure { id: "size", rounds: vec![Round::of(size as f64 / 1e6)] });
    Ok(figures)
}

/// Starts nodes on empty databases, and then again on the same ones. Returns the values in the
/// order of the figures.
fn round(bench: &Bench<'_>, number: usize) -> anyhow::Result<[f64; 5]> {
    let on_postgres = bench.program.on(&bench.postgres.create("start")?);
    let folder = bench.folder.join(format!("start-{number}"));
    std::fs::create_dir(&folder)?;
    let on_sqlite = bench.program.in_development(&folder);

    let first_postgres = stopped(on_postgres.start()?)?;
    let first_sqlite = stopped(on_sqlite.start()?)?;
    let postgres = on_postgres.start()?;
    let memory = postgres.memory_mib()?;
    let again_postgres = stopped(postgres)?;
    let sqlite = on_sqlite.start()?;
    let memory = memory.max(sqlite.memory_mib()?);
    let again_sqlite = stopped(sqlite)?;
    progress(&format!(
        "start, {number} of {}: Postgres {again_postgres:.0} ms, SQLite {again_sqlite:.0} ms, \
         first {first_postgres:.0} and {first_sqlite:.0} ms, {memory:.1} MiB",
        bench.effort.rounds,
    ));
    Ok([again_postgres, again_sqlite, first_postgres, first_sqlite, memory])
}

/// Stops the node, and returns how many milliseconds its start took.
fn stopped(node: Node) -> anyhow::Result<f64> {
    let millis = node.time_to_ready.as_secs_f64() * 1000.0;
    node.stop()?;
    Ok(millis)
}
