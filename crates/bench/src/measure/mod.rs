//! The measurements. Each alternates between the limit and the product.

mod flood;
mod growth;
mod login;
mod overload;
mod reads;
mod refresh;
mod start;

use std::cell::{Cell, OnceCell};
use std::path::Path;

use crate::figure::{Figure, Round};
use crate::load::{HttpClient, Login, Refresh, Tokens, source_address};
use crate::node::{Node, Program};
use crate::options::{Effort, Group};
use crate::population::Population;
use crate::postgres::Postgres;

/// How many clients most figures have. Each keeps its connection.
const CLIENTS: usize = 8;

/// How many accounts and sessions most figures have, and the smaller database of the growth.
const ACCOUNTS: u64 = 10_000;

/// What the measurements share.
pub(crate) struct Bench<'a> {
    effort: Effort,
    program: Program,
    // Before the server, so that the node has ended when its database is deleted.
    population: OnceCell<Population>,
    postgres: Postgres,
    /// A folder for files, deleted at the end.
    folder: &'a Path,
    memory_peak_mib: Cell<f64>,
}

impl<'a> Bench<'a> {
    pub(crate) fn new(
        effort: Effort,
        program: Program,
        postgres: Postgres,
        folder: &'a Path,
    ) -> Self {
        let (population, memory_peak_mib) = (OnceCell::new(), Cell::new(0.0));
        Self { effort, program, population, postgres, folder, memory_peak_mib }
    }

    /// Runs the measurements of these groups.
    pub(crate) fn run(&self, groups: &[Group]) -> anyhow::Result<Vec<Figure>> {
        let mut figures = Vec::new();
        for group in groups {
            figures.extend(match group {
                Group::Start => start::measure(self)?,
                Group::Login => login::measure(self)?,
                Group::RefreshPostgres => refresh::measure_postgres(self)?,
                Group::RefreshSqlite => refresh::measure_sqlite(self)?,
                Group::Me => reads::measure_me(self)?,
                Group::Jwks => reads::measure_jwks(self)?,
                Group::Flood => flood::measure(self)?,
                Group::Overload => overload::measure(self)?,
                Group::Growth => growth::measure(self)?,
            });
        }
        if let Some(population) = self.population.get() {
            self.note_memory(&population.node)?;
        }
        if self.memory_peak_mib.get() > 0.0 {
            let rounds = vec![Round::of(self.memory_peak_mib.get())];
            figures.push(Figure { id: "memory_peak", rounds });
        }
        Ok(figures)
    }

    /// Returns the node on Postgres that most figures share, and starts it at the first use.
    fn population(&self) -> anyhow::Result<&Population> {
        if let Some(population) = self.population.get() {
            return Ok(population);
        }
        progress(&format!("filling a database with {ACCOUNTS} accounts"));
        let url = self.postgres.create("small")?;
        let size = (ACCOUNTS, self.effort.sessions);
        let population = Population::on_postgres(&self.program, &url, size)?;
        Ok(self.population.get_or_init(|| population))
    }

    /// Includes a node in the peak of memory.
    fn note_memory(&self, node: &Node) -> anyhow::Result<()> {
        let peak = node.memory_peak_mib()?;
        self.memory_peak_mib.set(self.memory_peak_mib.get().max(peak));
        Ok(())
    }

    /// Measures limit and product in turn, round by round. Each goes first in every second round,
    /// because either leaves work to the disk.
    fn alternate(
        &self,
        name: &str,
        mut limit: impl FnMut() -> anyhow::Result<f64>,
        mut product: impl FnMut() -> anyhow::Result<f64>,
    ) -> anyhow::Result<Vec<Round>> {
        let mut rounds = Vec::new();
        for number in 1..=self.effort.rounds {
            let (limit, value) = if number % 2 == 1 {
                (limit()?, product()?)
            } else {
                let value = product()?;
                (limit()?, value)
            };
            let of = self.effort.rounds;
            progress(&format!("{name}, {number} of {of}: {value:.0}/s, limit {limit:.0}/s"));
            rounds.push(Round::against(value, limit));
        }
        Ok(rounds)
    }
}

/// Tells the person who waits what happens.
pub(crate) fn progress(text: &str) {
    eprintln!("{text}");
}

/// Clients that log in to the accounts of a node.
fn login_clients(population: &Population, count: usize) -> Vec<HttpClient<Login>> {
    let client = |index| HttpClient {
        server: population.node.address,
        source: source_address(2, index),
        exchange: Login::new(population.accounts, index),
    };
    (0..count).map(client).collect()
}

/// Clients that refresh these sessions, each its own.
fn refresh_clients(node: &Node, sessions: &[Tokens]) -> Vec<HttpClient<Refresh>> {
    let of_client = |index| {
        sessions
            .iter()
            .skip(index)
            .step_by(CLIENTS)
            .map(|tokens: &Tokens| tokens.refresh_token.clone())
    };
    let client = |index| HttpClient {
        server: node.address,
        source: source_address(3, index),
        exchange: Refresh::new(of_client(index)),
    };
    (0..CLIENTS).map(client).collect()
}
