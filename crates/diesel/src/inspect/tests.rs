//! Each flaw is planted in a consistent database, and is the only one found there.

use gateward_domain::email::EmailKind;
use gateward_domain::link::LinkPurpose;
use gateward_domain::ports::{Access, Store};
use gateward_domain::rate_limit::{LimitRule, RateLimitKey};
use gateward_domain::{EventKind, RoleName, User};
use gateward_testkit::fixtures::{self, NOW};
use uuid::Uuid;

use super::{Flaw, inspect, server_time};
use crate::testing::{PostgresDatabase, SqliteDatabase, log_in};

/// Flaws and statements that plant them. `$USER` is a user and `$SESSION` a session of theirs. The
/// third variable is an unused identifier. `{-60}` moves a time back by a minute.
const PLANTS: &[(Flaw, &str)] = &[
    (Flaw::SessionOfDisabledUser, "UPDATE users SET disabled = NOT disabled WHERE id = $USER"),
    (Flaw::SessionWithoutUser, "UPDATE sessions SET user_id = $NOBODY WHERE id = $SESSION"),
    (
        Flaw::SharedSalt,
        "UPDATE sessions SET salt = (SELECT salt FROM sessions WHERE id = $SESSION)",
    ),
    (
        Flaw::EndedSessionLives,
        "UPDATE events SET kind = 'session_ended', reason = 'logout' WHERE session_id = $SESSION",
    ),
    (Flaw::UsedLinkOpen, "UPDATE users SET email_verified = NOT email_verified WHERE id = $USER"),
    (
        Flaw::UsedLinkOpen,
        "UPDATE links SET purpose = 'operator_reset', created_at = created_at {-60}; \
         UPDATE events SET kind = 'password_reset' WHERE user_id = $USER",
    ),
    (
        Flaw::Orphan { table: "user_roles" },
        "INSERT INTO user_roles (user_id, role) VALUES ($NOBODY, 'user')",
    ),
    (Flaw::Orphan { table: "known_devices" }, "UPDATE known_devices SET user_id = $NOBODY"),
    (Flaw::Orphan { table: "links" }, "UPDATE links SET subject_id = $NOBODY"),
    (Flaw::UndefinedRole, "INSERT INTO user_roles (user_id, role) VALUES ($USER, 'support')"),
    (Flaw::FailedEmail, "UPDATE outbox_emails SET state = 'failed', finished_at = next_attempt_at"),
    (Flaw::OverdueEmail, "UPDATE outbox_emails SET next_attempt_at = next_attempt_at {-3700}"),
    (Flaw::NoAdministrator, "UPDATE users SET disabled = (id <> $USER); DELETE FROM sessions"),
    (Flaw::NoAdministrator, "DELETE FROM user_roles WHERE role = 'admin'"),
    (Flaw::UnchainedEvent, "UPDATE events SET happened_at = happened_at {-700}"),
    (Flaw::FromTheFuture { table: "sessions" }, "UPDATE sessions SET created_at = created_at {70}"),
    (Flaw::FromTheFuture { table: "events" }, "UPDATE events SET happened_at = happened_at {70}"),
    (
        Flaw::CleanupOverdue { table: "sessions" },
        "UPDATE sessions SET lifetime_ends_at = created_at {-90100}",
    ),
    (
        Flaw::CleanupOverdue { table: "signups" },
        "UPDATE signups SET expires_at = created_at {-90100}",
    ),
    (
        Flaw::CleanupOverdue { table: "links" },
        "UPDATE links SET expires_at = created_at {-3024100}",
    ),
    (
        Flaw::CleanupOverdue { table: "known_devices" },
        "UPDATE known_devices SET expires_at = created_at {-90100}",
    ),
    (
        Flaw::CleanupOverdue { table: "invalidation_events" },
        "UPDATE invalidation_events SET expires_at = happened_at {-90100}",
    ),
    (
        Flaw::CleanupOverdue { table: "rate_limit_counters" },
        "UPDATE rate_limit_counters SET expires_at = last_at {-90100}",
    ),
    (
        Flaw::CleanupOverdue { table: "outbox_emails" },
        "UPDATE outbox_emails SET state = 'discarded', finished_at = next_attempt_at {-172900}",
    ),
];

/// Creates rows of every kind, all of them consistent.
async fn furnish(store: &dyn Store) {
    let (user, session) = log_in(store, 1).await;
    let roles = vec![RoleName::admin(), RoleName::user()];
    let admin = User { roles, email_verified: true, ..fixtures::user(2) };
    let attempt =
        LimitRule::FixedWindow { limit: 1, seconds: 900 }.attempt(RateLimitKey([1; 32]), NOW);
    let mut tx = store.begin(Access::Write).await.unwrap();
    tx.insert_user(&admin).await.unwrap();
    tx.insert_session(&fixtures::session(2, &admin)).await.unwrap();
    tx.put_link(&fixtures::link(1, LinkPurpose::ConfirmEmail, &user)).await.unwrap();
    tx.insert_known_device(&fixtures::known_device(1, &user)).await.unwrap();
    let message = fixtures::outbox_email(1, EmailKind::PasswordChanged, &user.email);
    tx.insert_outbox_email(&message).await.unwrap();
    tx.insert_signup(&fixtures::signup(3)).await.unwrap();
    tx.insert_invalidation_events(&[fixtures::invalidation(1)]).await.unwrap();
    tx.record_failed_attempt(&attempt).await.unwrap();
    let started = fixtures::event(1, EventKind::SessionStarted, &session);
    tx.insert_event(&started).await.unwrap();
    tx.commit().await.unwrap();
}

/// Translates the statements of a plant into a database's dialect.
fn in_words_of(plant: &str, id: fn(Uuid) -> String, second: &str) -> String {
    let user = fixtures::user(1);
    let session = fixtures::session(1, &user);
    let text = plant
        .replace("$USER", &id(user.id.uuid()))
        .replace("$SESSION", &id(session.id.uuid()))
        .replace("$NOBODY", &id(Uuid::from_u128(7)));
    text.replace('{', "+ (").replace('}', &format!(") * {second}"))
}

/// Looks for the planted flaw.
async fn find(url: &str, flaw: Flaw, plant: &str) {
    let found = inspect(url, NOW).await.unwrap();
    assert!(found.iter().any(|anomaly| anomaly.what == flaw), "{plant}: {found:?}");
    assert_eq!(found.len(), 1, "{plant}: {found:?}");
    assert!(found.iter().all(|anomaly| anomaly.count > 0 && !anomaly.example.is_empty()));
}

#[tokio::test]
async fn what_cannot_be_is_found_on_sqlite() {
    let id = |id: Uuid| format!("x'{}'", id.simple());
    for (flaw, plant) in PLANTS {
        let database = SqliteDatabase::migrated().await;
        furnish(&database.store().await).await;
        assert_eq!(inspect(&database.url, NOW).await.unwrap(), []);
        let statements = in_words_of(plant, id, "1000000");
        database.run_sql(&format!("DROP TRIGGER events_forbid_update; {statements}"));
        find(&database.url, *flaw, plant).await;
    }
}

#[tokio::test]
async fn what_cannot_be_is_found_on_postgres() {
    let id = |id: Uuid| format!("'{id}'");
    for (flaw, plant) in PLANTS {
        let database = PostgresDatabase::migrated().await;
        furnish(&database.store()).await;
        assert_eq!(inspect(&database.url, NOW).await.unwrap(), []);
        let statements = in_words_of(plant, id, "INTERVAL '1 second'");
        // Without foreign keys and triggers.
        database.run_sql(&format!("SET session_replication_role = replica; {statements}")).await;
        find(&database.url, *flaw, plant).await;
    }
}

#[tokio::test]
async fn the_example_is_a_key_as_others_write_it() {
    let database = SqliteDatabase::migrated().await;
    furnish(&database.store().await).await;
    database.run_sql("UPDATE outbox_emails SET state = 'failed', finished_at = next_attempt_at");
    let [found] = &inspect(&database.url, NOW).await.unwrap()[..] else { panic!("one") };
    let user = fixtures::user(1);
    let message = fixtures::outbox_email(1, EmailKind::PasswordChanged, &user.email);
    assert_eq!((found.count, &*found.example), (1, &*message.id.to_string()));
}

#[tokio::test]
async fn a_server_has_a_clock_of_its_own() {
    let database = PostgresDatabase::migrated().await;
    let before = database.number("SELECT extract(epoch FROM clock_timestamp())::bigint").await;
    let time = server_time(&database.url).await.unwrap().unwrap();
    let after = database.number("SELECT extract(epoch FROM clock_timestamp())::bigint + 1").await;
    assert!((before - 1..=after).contains(&time.seconds()));
    let database = SqliteDatabase::migrated().await;
    assert_eq!(server_time(&database.url).await.unwrap(), None);
}

#[tokio::test]
async fn a_database_that_lacks_tables_gives_an_error() {
    assert!(inspect(&PostgresDatabase::empty().await.url, NOW).await.is_err());
    let database = SqliteDatabase::missing();
    assert!(inspect(&database.url, NOW).await.is_err());
    assert!(!database.folder.path().join("gateward.db").exists());
}
