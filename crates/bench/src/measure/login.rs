//! Logins per second.

use super::{Bench, CLIENTS, login_clients};
use crate::figure::Figure;
use crate::limits::hashes_per_second;
use crate::load::{Timing, closed_loop};

pub(super) fn measure(bench: &Bench<'_>) -> anyhow::Result<Vec<Figure>> {
    let measured = bench.effort.measured;
    let mut clients = login_clients(bench.population()?, CLIENTS);
    let rounds = bench.alternate(
        "logins",
        || hashes_per_second(measured),
        || Ok(closed_loop(&mut clients, Timing::of(measured))?.rate),
    )?;
    Ok(vec![Figure { id: "login", rounds }])
}
