//! The macros through which every statement of the repositories runs.
//!
//! They see to it that a unit of work knows of a statement that failed or was given up half-way,
//! and that an error becomes one of the ports'. They are macros because a query borrows from the
//! method that builds it, and the second try of a read builds it anew.

/// Runs a query that changes nothing; where the connection turns out to be dead, on another.
macro_rules! read {
    ($tx:expr, $table:literal, $conn:ident => $query:expr) => {{
        let mut result = {
            let $conn = $tx.start($crate::run::StatementKind::Read).await?;
            Tx::in_time($query).await?
        };
        if $tx.renew_if_dead(&result).await? {
            let $conn = $tx.start($crate::run::StatementKind::Read).await?;
            result = Tx::in_time($query).await?;
        }
        $tx.finish($table, result)
    }};
}

/// Runs a query for at most one row.
macro_rules! find {
    ($tx:expr, $table:literal, $conn:ident => $query:expr) => {
        read!($tx, $table, $conn => async { diesel::OptionalExtension::optional($query.await) })
    };
}

/// Runs a statement that changes something.
macro_rules! change {
    ($tx:expr, $table:literal, $conn:ident => $query:expr) => {{
        let result = {
            let $conn = $tx.start($crate::run::StatementKind::Write).await?;
            Tx::in_time($query).await?
        };
        $tx.finish($table, result)
    }};
}

/// Runs a method's statements as one, also where the unit of work is a single write. Where the
/// method refuses, the unit is over, and dropping it undoes what the method did before.
macro_rules! atomically {
    ($tx:expr, $body:expr) => {{
        let own = $tx.open_for_method().await?;
        let result = $body.await;
        match &result {
            Ok(_) if own => $tx.close_for_method().await?,
            Ok(_) => {}
            Err(_) => $tx.fail(),
        }
        result
    }};
}

/// What a statement does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatementKind {
    /// It reads.
    Read,
    /// It writes.
    Write,
}
