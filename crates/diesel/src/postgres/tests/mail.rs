//! How the server finds emails, and how a corrupt one affects the others.

use diesel::dsl::sql;
use diesel::sql_types::{BigInt, Text};
use diesel_async::RunQueryDsl;
use gateward_domain::email::{EmailKind, EmailState, OutboxEmail};
use gateward_domain::ports::{Access, Store, StoreError};
use gateward_testkit::fixtures::{self, NOW};

use crate::PostgresStore;
use crate::testing::PostgresDatabase;

async fn post(store: &PostgresStore, seed: u64) -> OutboxEmail {
    let user = fixtures::user(seed);
    let message = fixtures::outbox_email(seed, EmailKind::PasswordChanged, &user.email);
    let mut tx = store.begin(Access::SingleWrite).await.unwrap();
    assert!(tx.insert_outbox_email(&message).await.unwrap());
    message
}

/// Leases due emails, in a unit of work of its own.
async fn take(store: &PostgresStore, seconds: i64, limit: u32) -> Vec<OutboxEmail> {
    let mut tx = store.begin(Access::SingleWrite).await.unwrap();
    let now = NOW.plus_seconds(seconds);
    tx.lease_outbox_emails(now, now.plus_seconds(60), limit).await.unwrap()
}

#[tokio::test]
async fn to_take_emails_the_server_looks_at_those_alone_that_wait() {
    let database = PostgresDatabase::migrated().await;
    let sent = "INSERT INTO outbox_emails (id, kind, recipient, created_at, scheduled_at, next_attempt_at, attempts, \
                state, finished_at) SELECT gen_random_uuid(), 'signup', 'a@example.org', now(), \
                now(), '2026-01-01', 1, 'sent', now() FROM generate_series(1, 5000)";
    database.run_sql(sent).await;
    let store = PostgresStore::open(&database.url, 1).unwrap();
    for seed in 0..20 {
        post(&store, seed).await;
    }
    database.run_sql("ANALYZE outbox_emails").await;
    let scans = async || {
        let mut conn = store.connection().await.unwrap();
        sql::<Text>("SELECT pg_stat_force_next_flush()::text").execute(&mut conn).await.unwrap();
        let scans = "SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'outbox_emails'";
        sql::<BigInt>(scans).get_result::<i64>(&mut conn).await.unwrap()
    };
    let before = scans().await;
    let mut taken = 0;
    for round in 0..40 {
        taken += take(&store, round * 61, 5).await.len();
    }
    assert_eq!(taken, 200);
    assert_eq!(scans().await, before, "the whole table is never read");
}

#[tokio::test]
async fn f37_a_corrupt_email_is_named_and_keeps_no_other_from_being_sent() {
    let database = PostgresDatabase::migrated().await;
    let store = database.store();
    let (corrupt, healthy) = (post(&store, 1).await, post(&store, 2).await);
    let of = format!("WHERE id = '{}'", corrupt.id);
    for (round, (damage, column)) in [
        ("kind = 'poem'", "kind"),
        ("kind = 'signup', recipient = 'Ada'", "recipient"),
        ("recipient = 'ada@example.org', attempts = 4294967296", "attempts"),
        ("attempts = 1, ip = 'here'", "ip"),
    ]
    .into_iter()
    .enumerate()
    {
        database.run_sql(&format!("UPDATE outbox_emails SET {damage} {of}")).await;
        let taken = take(&store, i64::try_from(round).unwrap() * 61, 10).await;
        assert_eq!(taken.iter().map(|message| message.id).collect::<Vec<_>>(), [healthy.id]);
        let mut tx = store.begin(Access::Read).await.unwrap();
        let error = tx.find_outbox_email(corrupt.id).await.unwrap_err();
        assert!(
            matches!(error, StoreError::Corrupt { table: "outbox_emails", column: named } if named == column),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn an_email_has_an_end_exactly_if_it_does_not_wait() {
    let database = PostgresDatabase::migrated().await;
    let store = database.store();
    let message = post(&store, 1).await;
    let mut tx = store.begin(Access::SingleWrite).await.unwrap();
    assert!(tx.finish_outbox_email(message.id, EmailState::Waiting, None, NOW).await.is_err());
    let mut tx = store.begin(Access::SingleWrite).await.unwrap();
    let endless = OutboxEmail {
        state: EmailState::Sent,
        ..fixtures::outbox_email(2, EmailKind::Signup, &message.recipient)
    };
    assert!(tx.insert_outbox_email(&endless).await.is_err());
    assert_eq!(take(&store, 0, 10).await.len(), 1);
}
