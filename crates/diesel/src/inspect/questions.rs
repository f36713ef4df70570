//! The queries of the consistency check.

use gateward_domain::Timestamp;

use super::{COUNT_MAX, Flaw};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// Which rows expire, by table and column, and for how many seconds they are kept afterwards. The
/// check allows their cleanup one more day.
const KEPT: &[(&str, &str, &str, i64)] = &[
    ("sessions", "id", "lifetime_ends_at", HOUR),
    ("signups", "id", "expires_at", HOUR),
    ("links", "id", "expires_at", 34 * DAY),
    ("known_devices", "id", "expires_at", HOUR),
    ("invalidation_events", "seq", "expires_at", HOUR),
    ("rate_limit_counters", "key", "expires_at", HOUR),
    ("erasures", "user_id", "requested_at", 0),
];

/// Like `KEPT`, for emails by their final state.
const EMAILS_KEPT: &[(&str, i64)] = &[("sent", 7 * DAY), ("discarded", DAY), ("failed", 30 * DAY)];

/// The condition for an active session with this alias.
macro_rules! alive {
    ($name:literal) => {
        concat!(
            $name,
            ".ended_at IS NULL AND ",
            $name,
            ".expires_at > {now} AND ",
            $name,
            ".lifetime_ends_at > {now}"
        )
    };
}

/// The syntax that differs between the databases.
pub struct Dialect {
    /// Formats a time.
    pub time: fn(Timestamp) -> String,
    /// Formats a key as text.
    pub text: fn(&str) -> String,
}

/// A query that finds the rows with a flaw.
pub struct Question {
    /// The flaw that it finds.
    pub flaw: Flaw,
    /// The statement. It returns the number of rows and the key of one of them.
    pub statement: String,
}

/// Returns all queries.
pub fn questions(dialect: &Dialect, now: Timestamp) -> Vec<Question> {
    let mut questions: Vec<_> = sessions().into_iter().chain(links()).chain(orphans()).collect();
    questions.extend(accounts());
    questions.extend(times());
    questions.into_iter().map(|(flaw, rows)| question(dialect, now, flaw, &rows)).collect()
}

/// Builds the query for the rows of a `SELECT` that returns their keys as `it`.
fn question(dialect: &Dialect, now: Timestamp, flaw: Flaw, rows: &str) -> Question {
    let key = (dialect.text)("it");
    let rows = at_times(dialect, now, rows);
    let statement = format!("SELECT count(*), min({key}) FROM ({rows} LIMIT {COUNT_MAX}) AS found");
    Question { flaw, statement }
}

/// Replaces the times `{now}`, `{60 from now}` and `{60 ago}`, in seconds.
fn at_times(dialect: &Dialect, now: Timestamp, rows: &str) -> String {
    let mut parts = rows.split(['{', '}']);
    let mut text = parts.next().unwrap_or_default().to_owned();
    while let Some(time) = parts.next() {
        let (seconds, direction) = time.split_once(' ').unwrap_or(("0", time));
        let seconds = seconds.parse().unwrap_or(0);
        let at = match direction {
            "ago" => now.minus_seconds(seconds),
            _ => now.plus_seconds(seconds),
        };
        text += &(dialect.time)(at);
        text += parts.next().unwrap_or_default();
    }
    text
}

fn sessions() -> Vec<(Flaw, String)> {
    let of_disabled = concat!(
        "SELECT sessions.id AS it FROM users JOIN sessions ON sessions.user_id = users.id \
         WHERE users.disabled AND ",
        alive!("sessions")
    );
    let without = concat!(
        "SELECT sessions.id AS it FROM sessions WHERE ",
        alive!("sessions"),
        " AND NOT EXISTS (SELECT 1 FROM users WHERE users.id = sessions.user_id)"
    );
    let shared = concat!(
        "SELECT one.id AS it FROM sessions AS one \
         JOIN sessions AS other ON other.salt = one.salt AND other.id <> one.id WHERE ",
        alive!("one"),
        " AND ",
        alive!("other")
    );
    let ended = concat!(
        "SELECT sessions.id AS it FROM sessions WHERE ",
        alive!("sessions"),
        " AND EXISTS (SELECT 1 FROM events WHERE events.session_id = sessions.id \
         AND events.kind = 'session_ended' AND events.happened_at >= sessions.created_at)"
    );
    let all = [
        (Flaw::SessionOfDisabledUser, of_disabled),
        (Flaw::SessionWithoutUser, without),
        (Flaw::SharedSalt, shared),
        (Flaw::EndedSessionLives, ended),
    ];
    all.map(|(flaw, rows)| (flaw, rows.to_owned())).into()
}

/// A link is consumed together with those created before it.
fn links() -> Vec<(Flaw, String)> {
    let rows = "SELECT links.id AS it FROM links WHERE links.expires_at > {now} AND (\
         (links.purpose = 'confirm_email' AND EXISTS (SELECT 1 FROM users \
         WHERE users.id = links.subject_id AND users.email_verified \
         AND users.email = links.email)) \
         OR (links.purpose = 'change_email' AND EXISTS (SELECT 1 FROM users \
         WHERE users.id = links.subject_id AND users.email = links.email)) \
         OR (links.purpose IN ('reset_password', 'operator_reset', 'invitation') \
         AND EXISTS (SELECT 1 FROM events WHERE events.user_id = links.subject_id \
         AND events.kind IN ('password_reset', 'password_changed', 'invitation_accepted') \
         AND events.happened_at > links.created_at)))";
    vec![(Flaw::UsedLinkOpen, rows.to_owned())]
}

/// A link whose sign-up is deleted is not an orphan: another sign-up with its email address may
/// have become an account. Neither is one about a session, which may have been cleaned up.
fn orphans() -> Vec<(Flaw, String)> {
    let about_nobody = |table, column| {
        format!(
            "SELECT {column} AS it FROM {table} WHERE NOT EXISTS \
             (SELECT 1 FROM users WHERE users.id = {table}.{column})"
        )
    };
    let links = about_nobody("links", "subject_id")
        + " AND links.purpose NOT IN ('confirm_signup', 'not_me')";
    vec![
        (Flaw::Orphan { table: "user_roles" }, about_nobody("user_roles", "user_id")),
        (Flaw::Orphan { table: "user_numbers" }, about_nobody("user_numbers", "user_id")),
        (Flaw::Orphan { table: "known_devices" }, about_nobody("known_devices", "user_id")),
        (Flaw::Orphan { table: "links" }, links),
    ]
}

fn accounts() -> Vec<(Flaw, String)> {
    let undefined = "SELECT user_id AS it FROM user_roles WHERE role NOT IN ('admin', 'user') \
                     AND NOT EXISTS (SELECT 1 FROM roles WHERE roles.name = user_roles.role)";
    let nobody = "SELECT it FROM (SELECT 'admin' AS it) AS role WHERE NOT EXISTS \
                  (SELECT 1 FROM user_roles JOIN users ON users.id = user_roles.user_id \
                  WHERE user_roles.role = 'admin' AND NOT users.disabled AND users.email_verified)";
    let all = [(Flaw::UndefinedRole, undefined), (Flaw::NoAdministrator, nobody)];
    all.map(|(flaw, rows)| (flaw, rows.to_owned())).into()
}

/// Rows that are overdue, and rows from the future.
fn times() -> Vec<(Flaw, String)> {
    let simple = [
        (Flaw::FailedEmail, "SELECT id AS it FROM outbox_emails WHERE state = 'failed'"),
        (
            Flaw::OverdueEmail,
            "SELECT id AS it FROM outbox_emails WHERE finished_at IS NULL AND next_attempt_at < {3600 ago}",
        ),
        (
            Flaw::UnchainedEvent,
            "SELECT id AS it FROM events WHERE seq IS NULL AND happened_at < {600 ago}",
        ),
        (
            Flaw::FromTheFuture { table: "sessions" },
            "SELECT id AS it FROM sessions WHERE created_at > {60 from now}",
        ),
        (
            Flaw::FromTheFuture { table: "events" },
            "SELECT id AS it FROM events WHERE happened_at > {60 from now}",
        ),
    ];
    let rows = KEPT.iter().map(|(table, key, column, seconds)| {
        let ago = seconds + DAY;
        let rows = format!("SELECT {key} AS it FROM {table} WHERE {column} < {{{ago} ago}}");
        (Flaw::CleanupOverdue { table }, rows)
    });
    let ended: Vec<_> = EMAILS_KEPT
        .iter()
        .map(|(state, seconds)| {
            let ago = seconds + DAY;
            format!("(state = '{state}' AND finished_at < {{{ago} ago}})")
        })
        .collect();
    let outbox_emails = format!("SELECT id AS it FROM outbox_emails WHERE {}", ended.join(" OR "));
    let simple = simple.map(|(flaw, rows)| (flaw, rows.to_owned())).into_iter();
    simple
        .chain(rows)
        .chain([(Flaw::CleanupOverdue { table: "outbox_emails" }, outbox_emails)])
        .collect()
}
