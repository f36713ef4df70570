//! The macros through which every statement of the repositories runs.
//!
//! They record statements that failed or were cancelled in the unit of work, and convert errors to
//! those of the ports. They are macros because a query borrows from the method that builds it, and
//! the retry of a read builds it again.

/// Runs a query that changes nothing. If the connection turns out to be dead, uses another.
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

/// Runs a method's statements atomically, even if the unit of work is a single write. If the method
/// fails, the unit has ended, and dropping it rolls back what the method did before.
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

/// The kind of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatementKind {
    /// The statement only reads.
    Read,
    /// The statement writes.
    Write,
}
