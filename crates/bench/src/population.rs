//! `Population`: a node with accounts and sessions.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context;

use crate::load::{Client, HttpClient, Login, PASSWORD, Tokens, runtime, source_address, username};
use crate::node::{Node, Program};
use crate::postgres::execute;

/// How many logins wait at a time while sessions are prepared. More than cores, so that no core is
/// idle, and fewer than the node accepts.
const LOGINS_AT_A_TIME: usize = 16;

/// How many accounts a SQLite database has: enough that none exceeds the default limit of sessions.
const SQLITE_ACCOUNTS: u64 = 64;

/// A running node, and what is known about its database.
pub(crate) struct Population {
    pub(crate) node: Node,
    pub(crate) accounts: u64,
    /// The tokens of its active sessions that clients may use.
    pub(crate) sessions: Vec<Tokens>,
}

impl Population {
    /// Fills an empty Postgres database.
    pub(crate) fn on_postgres(
        program: &Program,
        url: &str,
        (accounts, sessions): (u64, usize),
    ) -> anyhow::Result<Self> {
        let program = program.on(url);
        let node = program.start()?;
        create_account(&program, 0)?;
        let roles = "INSERT INTO user_roles SELECT id, 'user' FROM users ON CONFLICT DO NOTHING";
        execute(url, &[&accounts_sql(accounts), roles, "VACUUM (ANALYZE) users, user_roles"])?;
        let sessions = log_in(node.address, accounts, sessions)?;
        // The order of the identifiers becomes the order on the disk. So the sessions of the
        // clients are spread over the whole table, as those of real clients are.
        let order = "CLUSTER sessions USING sessions_pkey";
        execute(url, &[&sessions_sql(), order, "VACUUM (ANALYZE)", "CHECKPOINT"])?;
        Ok(Self { node, accounts, sessions })
    }

    /// Fills a new SQLite database in this folder.
    pub(crate) fn on_sqlite(
        program: &Program,
        folder: &Path,
        sessions: usize,
    ) -> anyhow::Result<Self> {
        let path = folder.join("population.db");
        let program = program.on(&format!("sqlite://{}", path.display()));
        // In production the server does not create a database file itself.
        program.run(&["migrate"], "")?;
        let node = program.start()?;
        for index in 0..SQLITE_ACCOUNTS {
            create_account(&program, index)?;
        }
        let sessions = log_in(node.address, SQLITE_ACCOUNTS, sessions)?;
        Ok(Self { node, accounts: SQLITE_ACCOUNTS, sessions })
    }
}

fn create_account(program: &Program, index: u64) -> anyhow::Result<()> {
    let username = username(index);
    let email = format!("{username}@example.org");
    let arguments =
        ["user", "create", "--username", &username, "--email", &email, "--password-stdin"];
    program.run(&arguments, PASSWORD).map(drop)
}

/// Logs in to accounts all over the database, and returns the tokens.
pub(crate) fn log_in(
    server: SocketAddr,
    accounts: u64,
    count: usize,
) -> anyhow::Result<Vec<Tokens>> {
    let each = count.div_ceil(LOGINS_AT_A_TIME);
    runtime()?.block_on(async {
        let run = |index| {
            let exchange = Login::new(accounts, index);
            let source = source_address(1, index);
            tokio::spawn(collect(HttpClient { server, source, exchange }, each))
        };
        let tasks: Vec<_> = (0..LOGINS_AT_A_TIME).map(run).collect();
        let mut tokens = Vec::new();
        for task in tasks {
            tokens.extend(task.await.context("a client panicked")??);
        }
        tokens.truncate(count);
        Ok(tokens)
    })
}

async fn collect(mut client: HttpClient<Login>, count: usize) -> anyhow::Result<Vec<Tokens>> {
    let mut wire = client.connect().await?;
    let mut tokens = Vec::new();
    for _ in 0..count {
        client.step(&mut wire).await?;
        tokens.push(client.exchange.tokens()?.clone());
    }
    Ok(tokens)
}

/// Copies the first account until there are this many. They have the same password, and therefore
/// may have the same hash.
fn accounts_sql(accounts: u64) -> String {
    let id = uuid_sql("(extract(epoch FROM first.created_at) * 1000)::bigint - n");
    let last = accounts - 1;
    format!(
        "INSERT INTO users (id, username, email, email_verified, disabled, password_hash,
             credentials_version, created_at, updated_at)
         SELECT {id}, 'user' || lpad(n::text, 8, '0'),
             'user' || lpad(n::text, 8, '0') || '@example.org', first.email_verified,
             first.disabled, first.password_hash, first.credentials_version, first.created_at,
             first.updated_at
         FROM users first, generate_series(1, {last}) n
         WHERE first.username = 'user00000000'"
    )
}

/// Gives every account a session that is as old as the existing ones. No client has its token.
fn sessions_sql() -> String {
    let id = uuid_sql("since + (random() * (until - since))::bigint");
    format!(
        "INSERT INTO sessions (id, user_id, created_at, auth_time, lifetime_ends_at, ip,
             generation, rotated_at, expires_at, key_id, salt)
         SELECT {id}, users.id, first.created_at, first.auth_time, first.lifetime_ends_at, first.ip,
             first.generation, first.rotated_at, first.expires_at, first.key_id,
             decode(md5(random()::text) || md5(random()::text), 'hex')
         FROM users,
             (SELECT * FROM sessions LIMIT 1) first,
             (SELECT (extract(epoch FROM min(created_at)) * 1000)::bigint AS since,
                 (extract(epoch FROM max(created_at)) * 1000)::bigint AS until
              FROM sessions) existing"
    )
}

/// Returns an expression for an identifier of this time: a UUID of version 7, as Gateward creates
/// them.
fn uuid_sql(millis: &str) -> String {
    format!(
        "(lpad(to_hex({millis}), 12, '0') || '7' || left(md5(random()::text), 3) || '8' ||
             left(md5(random()::text), 15))::uuid"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;

    #[test]
    fn there_are_as_many_accounts_as_requested() {
        assert!(accounts_sql(10_000).contains("generate_series(1, 9999)"));
        assert_eq!(username(0), "user00000000");
    }

    #[test]
    fn no_account_exceeds_the_default_limit_of_sessions() {
        use clap::Parser;

        /// The default of `tokens.sessions_per_user_max`.
        const SESSIONS_PER_USER_MAX: u64 = 100;

        for arguments in [&["gateward-bench"][..], &["gateward-bench", "--quick"]] {
            let sessions = Options::parse_from(arguments).effort().sessions;
            let sessions = u64::try_from(sessions).unwrap();
            assert!(sessions.div_ceil(SQLITE_ACCOUNTS) <= SESSIONS_PER_USER_MAX);
        }
    }

    #[test]
    fn identifiers_have_thirty_two_digits() {
        let sql = uuid_sql("n");
        for part in ["12, '0'", "'7'", ", 3)", "'8'", ", 15)"] {
            assert!(sql.contains(part), "{sql}");
        }
    }
}
