//! All figures, with their goals and the best other service.
//!
//! The goals are shares of what the same machine reaches in the same minutes, so they hold on other
//! machines too. Times and sizes were set for two cores that server, database and load generator
//! share. The other services were measured on such a machine with their default settings and a
//! generator of the same kind: Rauthy (Rust), djangorestframework-simplejwt on Postgres (Python),
//! and a service in Node.js with the `pg` package. Shares are those of the same limit,
//! except that of bcrypt, which is a share of the bcrypt hashes that the machine can compute.

use Unit::{Mebibytes, Megabytes, Milliseconds};

/// The unit of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    PerSecond,
    Milliseconds,
    /// 1024 · 1024 bytes, as memory is counted.
    Mebibytes,
    /// 1000 · 1000 bytes, as files are counted.
    Megabytes,
}

impl Unit {
    /// Returns the text behind a value.
    pub(crate) const fn suffix(self) -> &'static str {
        match self {
            Self::PerSecond => "/s",
            Self::Milliseconds => " ms",
            Self::Mebibytes => " MiB",
            Self::Megabytes => " MB",
        }
    }
}

/// What a figure should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Target {
    /// The ratio to the limit is at least this.
    Share { at_least: f64, aim: f64 },
    /// The value is at most this.
    Value { at_most: f64, aim: f64 },
}

/// A figure and its goal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Goal {
    /// The name in results.json.
    pub(crate) id: &'static str,
    /// The name in the table.
    pub(crate) name: &'static str,
    pub(crate) unit: Unit,
    pub(crate) target: Target,
    /// The best other service, or nothing if none was measured.
    pub(crate) best_peer: &'static str,
}

const fn share(
    id: &'static str,
    name: &'static str,
    (at_least, aim): (f64, f64),
    best_peer: &'static str,
) -> Goal {
    Goal { id, name, unit: Unit::PerSecond, target: Target::Share { at_least, aim }, best_peer }
}

const fn value(
    id: &'static str,
    name: &'static str,
    unit: Unit,
    (at_most, aim): (f64, f64),
    best_peer: &'static str,
) -> Goal {
    Goal { id, name, unit, target: Target::Value { at_most, aim }, best_peer }
}

/// All figures, in the order of the table.
pub(crate) const GOALS: &[Goal] = &[
    share("login", "logins", (0.90, 0.95), "0.96 (bcrypt 10, 46/s); Rauthy 0.39"),
    share("refresh_postgres", "refreshes, Postgres", (0.50, 0.55), "0.12 (Node + pg)"),
    share("refresh_sqlite", "refreshes, SQLite", (0.40, 0.50), ""),
    share("me", "GET /v1/me", (0.60, 0.70), "0.074 (Rauthy)"),
    share("jwks", "GET JWKS", (0.90, 0.95), ""),
    value("refresh_p99", "p99 of refresh, 8 clients", Milliseconds, (3.0, 2.0), "7.6 ms"),
    value("me_p99", "p99 of /v1/me, 8 clients", Milliseconds, (1.0, 1.0), "1.9 ms"),
    value(
        "flood_me_p99",
        "p99 of /v1/me, login flood",
        Milliseconds,
        (5.0, 3.0),
        "5.7 ms, an idle core",
    ),
    value("flood_refresh_p99", "p99 of refresh, login flood", Milliseconds, (20.0, 12.0), ""),
    share("flood_login", "logins meanwhile", (0.75, 0.85), ""),
    value("memory_start", "memory after the start", Mebibytes, (20.0, 10.0), "53 MiB"),
    value("memory_peak", "memory at the peak", Mebibytes, (64.0, 50.0), "133 MiB"),
    value("start_postgres", "start, Postgres", Milliseconds, (40.0, 20.0), "55 ms"),
    value("start_sqlite", "start, SQLite", Milliseconds, (40.0, 20.0), "55 ms"),
    value("first_start_postgres", "first start, Postgres", Milliseconds, (300.0, 200.0), "5 s"),
    value("first_start_sqlite", "first start, SQLite", Milliseconds, (300.0, 200.0), "5 s"),
    value("size", "release program", Megabytes, (30.0, 20.0), "63 MB"),
    share("overload_goodput", "logins at 10 times the capacity", (0.80, 0.95), ""),
    value("overload_refusal_p99", "p99 of refusals meanwhile", Milliseconds, (50.0, 50.0), ""),
    share("growth_refresh", "refreshes, large database", (0.70, 0.90), ""),
    share("growth_login", "logins, large database", (0.70, 0.90), ""),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_figure_has_one_goal() {
        let ids: BTreeSet<_> = GOALS.iter().map(|goal| goal.id).collect();
        assert_eq!(ids.len(), GOALS.len());
    }

    #[test]
    fn an_aim_is_no_easier_than_its_goal() {
        for goal in GOALS {
            match goal.target {
                Target::Share { at_least, aim } => assert!(aim >= at_least, "{}", goal.id),
                Target::Value { at_most, aim } => assert!(aim <= at_most, "{}", goal.id),
            }
        }
    }
}
