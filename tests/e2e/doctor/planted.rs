//! Faults planted in a database: the doctor finds each, and its remedy fixes it.

use gateward_e2e::{Database, PASSWORD, on_both, run};

use super::system::{System, examine};

on_both!(
    a_migration_that_lacks_or_was_altered_is_found,
    what_cannot_be_is_found_and_its_remedy_puts_it_right,
    what_a_node_should_have_done_is_found_and_done_by_the_next_one,
    a_broken_audit_trail_is_found,
    f37_damaged_rows_of_keys_and_of_the_audit_trail_are_found,
);

/// A remedy of a fault.
enum Remedy {
    /// A command of the program.
    Run(&'static [&'static str]),
    /// A row is deleted by hand.
    Sql(&'static str),
}

/// A fault, the statement that plants it, and its remedy. Bob has active sessions and one that has
/// ended, and has not confirmed his email address.
const PLANTS: &[(&str, &str, &[Remedy])] = &[
    (
        "emails_failed",
        "UPDATE outbox_emails SET state = 'failed', failure = 'no such box'",
        &[Remedy::Run(&["mail", "retry", "--all"])],
    ),
    (
        "no_administrator",
        "DELETE FROM user_roles WHERE role = 'admin'",
        &[Remedy::Run(&["user", "grant", "ada", "admin"])],
    ),
    (
        "ended_session_lives",
        "UPDATE sessions SET ended_at = NULL, end_reason = NULL",
        &[Remedy::Run(&["session", "end-all"])],
    ),
    (
        "session_twice",
        "UPDATE sessions SET salt = (SELECT salt FROM sessions ORDER BY id LIMIT 1)",
        &[Remedy::Run(&["session", "end-all"])],
    ),
    (
        "session_of_disabled_user",
        "UPDATE users SET disabled = NOT disabled WHERE username = 'bob'",
        &[
            Remedy::Run(&["user", "logout", "bob", "--yes"]),
            Remedy::Run(&["user", "enable", "bob"]),
        ],
    ),
    (
        "used_link_open",
        "UPDATE users SET email_verified = NOT email_verified WHERE username = 'bob'",
        &[Remedy::Sql("DELETE FROM links")],
    ),
    (
        "orphan",
        "INSERT INTO user_roles (user_id, role) VALUES ($NOBODY, 'user')",
        &[Remedy::Sql("DELETE FROM user_roles WHERE user_id = $NOBODY")],
    ),
    (
        "undefined_role",
        "INSERT INTO user_roles (user_id, role) \
         SELECT id, 'support' FROM users WHERE username = 'bob'",
        &[Remedy::Run(&["user", "revoke", "bob", "support"])],
    ),
];

/// Plants a fault, which must be the only finding.
async fn plant(system: &System, statement: &str, codes: &[&str]) {
    system.sql(statement).await;
    assert_eq!(examine(&system.plan).findings, codes, "{statement}");
}

async fn put_right(system: &System, remedies: &[Remedy]) {
    for remedy in remedies {
        match remedy {
            Remedy::Run(arguments) => {
                let done = run(&system.plan, arguments, "");
                assert!(done.status.success(), "{done:?}");
            }
            Remedy::Sql(statement) => drop(system.sql(statement).await),
        }
    }
}

async fn what_cannot_be_is_found_and_its_remedy_puts_it_right(kind: Database) {
    let Some(system) = System::to_plant(kind).await else { return };
    let client = system.client();
    assert_eq!(client.signup("bob").await.status, 201);
    for (code, statement, remedies) in PLANTS {
        for _ in 0..2 {
            assert_eq!(client.login("bob", PASSWORD).await.status, 200);
        }
        let over = client.login("bob", PASSWORD).await;
        assert_eq!(client.logout(over.refresh_token()).await.status, 204);
        system.wait_for("SELECT count(*) FROM outbox_emails WHERE state = 'waiting'", "0").await;
        assert_eq!(examine(&system.plan).findings, [""; 0], "before {code}");
        plant(&system, statement, &[code]).await;
        put_right(&system, remedies).await;
        assert_eq!(examine(&system.plan).findings, [""; 0], "after {code}");
    }
}

async fn a_migration_that_lacks_or_was_altered_is_found(kind: Database) {
    let Some(system) = System::to_plant(kind).await else { return };
    let forget = |version: &str| {
        format!("DELETE FROM __diesel_schema_migrations WHERE version = '{version}'")
    };
    // The table still exists, so the doctor can run every check.
    let rate_limits = "20261130000009";
    plant(&system, &forget(rate_limits), &["migrations_pending"]).await;
    let remedies = [Remedy::Sql("DROP TABLE rate_limit_counters"), Remedy::Run(&["migrate"])];
    put_right(&system, &remedies).await;
    assert_eq!(examine(&system.plan).findings, [""; 0]);

    // Without the table, one check fails.
    let without = "DROP TABLE rate_limit_counters; ".to_owned() + &forget(rate_limits);
    plant(&system, &without, &["migrations_pending", "unanswered"]).await;
    put_right(&system, &[Remedy::Run(&["migrate"])]).await;
    assert_eq!(examine(&system.plan).findings, [""; 0]);

    let altered = "UPDATE gateward_migration_sums SET sum = 'another' \
                   WHERE version = '20261130000003'";
    plant(&system, altered, &["migrations_altered"]).await;
}

async fn what_a_node_should_have_done_is_found_and_done_by_the_next_one(kind: Database) {
    let Some(mut system) = System::to_plant(kind).await else { return };
    system.client().begin("bob").await;
    system.wait_for("SELECT count(*) FROM outbox_emails WHERE state = 'waiting'", "0").await;
    // The check shows whether the remedy is complete.
    for (code, statement, question, response) in [
        (
            "key_overdue",
            "UPDATE keys SET created_at = created_at - 92 * $DAY, \
             active_from = active_from - 92 * $DAY WHERE purpose = 'access'",
            "SELECT count(*) FROM keys WHERE purpose = 'access'",
            "2",
        ),
        (
            "emails_overdue",
            "UPDATE outbox_emails SET state = 'waiting', finished_at = NULL, next_attempt_at = next_attempt_at - $DAY",
            "SELECT count(*) FROM outbox_emails WHERE state = 'waiting'",
            "0",
        ),
        (
            "cleanup_overdue",
            "UPDATE sessions SET lifetime_ends_at = lifetime_ends_at - 40 * $DAY",
            "SELECT count(*) FROM sessions",
            "0",
        ),
    ] {
        system.node = None;
        plant(&system, statement, &[code]).await;
        system.node = Some(system.plan.start().await);
        system.wait_for(question, response).await;
        let report = examine(&system.plan);
        assert!(report.findings.is_empty() && report.warnings.is_empty(), "{code}: {report:?}");
    }
}

async fn a_broken_audit_trail_is_found(kind: Database) {
    for forgery in [
        "UPDATE events SET happened_at = happened_at - $DAY WHERE seq = 1",
        "UPDATE events SET actor = 'nobody' WHERE seq = 2",
        "DELETE FROM events WHERE seq = 2",
        "DELETE FROM events WHERE seq = (SELECT max(seq) FROM events)",
        "UPDATE events SET ip = '203.0.113.7' WHERE ip IS NOT NULL",
        "UPDATE audit_chain SET checkpoint_seq = checkpoint_seq - 1",
        "DELETE FROM audit_chain",
        "DELETE FROM events",
    ] {
        let Some(mut system) = System::to_plant(kind).await else { return };
        system.client().begin("bob").await;
        system.wait_for("SELECT count(*) FROM events WHERE seq IS NULL", "0").await;
        // A running node would not notice, and continue the chain.
        system.node = None;
        plant(&system, forgery, &["audit_chain"]).await;
    }
}

/// Row F37: unreadable rows are reported as such, and do not stop other checks.
async fn f37_damaged_rows_of_keys_and_of_the_audit_trail_are_found(kind: Database) {
    let Some(mut system) = System::to_plant(kind).await else { return };
    system.wait_for("SELECT count(*) FROM events WHERE seq IS NULL", "0").await;
    system.node = None;
    system.sql("CREATE TABLE kept AS SELECT id, wrapped FROM keys").await;
    for (damage, code, repair) in [
        (
            "UPDATE keys SET wrapped = $GARBAGE WHERE purpose = 'access'",
            "master_key",
            "UPDATE keys SET wrapped = (SELECT wrapped FROM kept WHERE kept.id = keys.id)",
        ),
        (
            "UPDATE keys SET algorithm = 'none' WHERE purpose = 'refresh'",
            "unanswered",
            "UPDATE keys SET algorithm = 'HS256' WHERE purpose = 'refresh'",
        ),
        ("UPDATE events SET kind = 'nonsense' WHERE seq = 1", "audit_chain", ""),
    ] {
        plant(&system, damage, &[code]).await;
        let statement = "DELETE FROM user_roles WHERE role = 'admin'";
        plant(&system, statement, &["no_administrator", code]).await;
        system.sql(repair).await;
        put_right(&system, &[Remedy::Run(&["user", "grant", "ada", "admin"])]).await;
    }
}
