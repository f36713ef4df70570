//! Refreshes and logins on a large database, against a small one.

use super::{Bench, CLIENTS, login_clients, progress, refresh_clients};
use crate::figure::Figure;
use crate::load::{Timing, closed_loop};
use crate::population::Population;

pub(super) fn measure(bench: &Bench<'_>) -> anyhow::Result<Vec<Figure>> {
    let small = bench.population()?;
    let accounts = bench.effort.accounts;
    progress(&format!("filling a database with {accounts} accounts"));
    let url = bench.postgres.create("large")?;
    let size = (accounts, bench.effort.sessions);
    let large = Population::on_postgres(&bench.program, &url, size)?;
    let timing = Timing::of(bench.effort.measured);

    let mut of_small = refresh_clients(&small.node, &small.sessions);
    let mut of_large = refresh_clients(&large.node, &large.sessions);
    let refresh = bench.alternate(
        "refreshes, large against small",
        || Ok(closed_loop(&mut of_small, timing)?.rate),
        || Ok(closed_loop(&mut of_large, timing)?.rate),
    )?;
    let mut of_small = login_clients(small, CLIENTS);
    let mut of_large = login_clients(&large, CLIENTS);
    let login = bench.alternate(
        "logins, large against small",
        || Ok(closed_loop(&mut of_small, timing)?.rate),
        || Ok(closed_loop(&mut of_large, timing)?.rate),
    )?;
    bench.note_memory(&large.node)?;
    Ok(vec![
        Figure { id: "growth_refresh", rounds: refresh },
        Figure { id: "growth_login", rounds: login },
    ])
}
