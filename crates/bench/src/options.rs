//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};

/// Measures Gateward against what the hardware allows. Start it with `make bench`.
#[derive(Debug, Parser)]
#[command(name = "gateward-bench")]
pub(crate) struct Options {
    /// Take two minutes: fewer and shorter rounds, fewer accounts.
    #[arg(long)]
    pub(crate) quick: bool,
    /// The signature algorithm of the nodes.
    #[arg(long, value_enum, default_value_t = Algorithm::Es256)]
    pub(crate) algorithm: Algorithm,
    /// Measure only these.
    #[arg(long, value_name = "NAME", num_args = 1.., value_enum)]
    pub(crate) only: Vec<Group>,
    /// Number of accounts and of sessions in the large database.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(10_000..=99_999_999))]
    pub(crate) accounts: Option<u64>,
    /// Folder for results.json and chart.svg.
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    pub(crate) output: PathBuf,
    /// The program to measure.
    #[arg(long, value_name = "PATH", default_value = "target/release/gateward")]
    pub(crate) program: PathBuf,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What else the program can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve one file. The benchmark starts this in a process of its own.
    #[command(hide = true)]
    Bare {
        /// The file to serve.
        body: PathBuf,
        /// Where to listen.
        address: SocketAddr,
    },
}

/// A signature algorithm of access tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Algorithm {
    Es256,
    Eddsa,
}

impl Algorithm {
    /// Returns the value of the setting `keys.algorithm`.
    pub(crate) const fn setting(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Eddsa => "EdDSA",
        }
    }
}

/// Figures that are measured together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Group {
    /// Start, memory right after it, size of the program.
    Start,
    /// Logins.
    Login,
    /// Refreshes on Postgres.
    RefreshPostgres,
    /// Refreshes on SQLite.
    RefreshSqlite,
    /// Reads of the own account.
    Me,
    /// Reads of the public keys.
    Jwks,
    /// Reads and refreshes while logins take every core.
    Flood,
    /// Ten times as many logins as possible.
    Overload,
    /// A large database against a small one.
    Growth,
}

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    pub(crate) rounds: usize,
    /// Time of one measurement.
    pub(crate) measured: Duration,
    /// Time of one measurement at a low fixed rate, which needs longer for a percentile.
    pub(crate) flood: Duration,
    /// Number of accounts and of sessions in the large database.
    pub(crate) accounts: u64,
    /// Number of sessions that are refreshed in turn.
    pub(crate) sessions: usize,
}

impl Options {
    /// Returns how much to measure.
    pub(crate) fn effort(&self) -> Effort {
        let effort = if self.quick {
            let (measured, flood) = (Duration::from_millis(1800), Duration::from_secs(5));
            Effort { rounds: 2, measured, flood, accounts: 100_000, sessions: 256 }
        } else {
            let (measured, flood) = (Duration::from_secs(5), Duration::from_secs(15));
            Effort { rounds: 3, measured, flood, accounts: 1_000_000, sessions: 1024 }
        };
        Effort { accounts: self.accounts.unwrap_or(effort.accounts), ..effort }
    }

    /// Returns what to measure, in order.
    pub(crate) fn groups(&self) -> Vec<Group> {
        let wanted = |group: &Group| self.only.is_empty() || self.only.contains(group);
        Group::value_variants().iter().copied().filter(wanted).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Options, clap::Error> {
        Options::try_parse_from(["gateward-bench"].iter().chain(arguments))
    }

    #[test]
    fn without_options_everything_is_measured() {
        let options = parse(&[]).unwrap();
        assert_eq!(options.groups(), Group::value_variants());
        assert_eq!(options.algorithm.setting(), "ES256");
        assert_eq!(options.effort().accounts, 1_000_000);
    }

    #[test]
    fn quick_measures_less() {
        let effort = parse(&["--quick"]).unwrap().effort();
        assert!(effort.rounds >= 2 && effort.accounts == 100_000);
        let effort = parse(&["--quick", "--accounts", "10000000"]).unwrap().effort();
        assert_eq!(effort.accounts, 10_000_000);
    }

    #[test]
    fn some_figures_can_be_chosen() {
        let options = parse(&["--only", "jwks", "refresh-postgres", "--algorithm", "eddsa"]);
        let options = options.unwrap();
        assert_eq!(options.groups(), [Group::RefreshPostgres, Group::Jwks]);
        assert_eq!(options.algorithm.setting(), "EdDSA");
    }

    #[test]
    fn unknown_names_and_too_few_accounts_are_refused() {
        assert!(parse(&["--only", "everything"]).is_err());
        assert!(parse(&["--algorithm", "hs256"]).is_err());
        assert!(parse(&["--accounts", "10"]).is_err());
    }
}
