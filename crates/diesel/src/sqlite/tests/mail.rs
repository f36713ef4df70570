//! Effects of corrupt bytes on emails, links and sign-ups in a file.

use diesel::SqliteConnection;
use diesel::connection::SimpleConnection;
use gateward_domain::email::EmailKind;
use gateward_domain::link::LinkPurpose;
use gateward_domain::ports::{Access, Store, StoreError};
use gateward_testkit::fixtures::{self, NOW};

use super::super::file;
use crate::testing::SqliteDatabase;

/// A connection that may write what the tables refuse.
fn vandal(database: &SqliteDatabase) -> SqliteConnection {
    let path = database.folder.path().join("gateward.db");
    let mut conn = file::open_writer(&path, crate::CreateIfMissing::No).unwrap();
    conn.batch_execute("PRAGMA ignore_check_constraints = ON").unwrap();
    conn
}

/// Asserts that an error names a column.
fn names(error: &StoreError, table: &str, column: &str) {
    let StoreError::Corrupt { table: named, column: of } = error else { panic!("{error:?}") };
    assert_eq!((*named, *of), (table, column));
}

#[tokio::test]
async fn f37_a_corrupt_email_is_named_and_keeps_no_other_from_being_sent() {
    let database = SqliteDatabase::migrated().await;
    let store = database.store().await;
    let email = fixtures::user(1).email;
    let [corrupt, healthy] =
        [1, 2].map(|seed| fixtures::outbox_email(seed, EmailKind::Signup, &email));
    for message in [&corrupt, &healthy] {
        let mut tx = store.begin(Access::SingleWrite).await.unwrap();
        assert!(tx.insert_outbox_email(message).await.unwrap());
    }
    let mut vandal = vandal(&database);
    let mut now = NOW;
    for (damage, column) in [
        ("kind = 'poem'", "kind"),
        ("kind = 'signup', recipient = 'Ada'", "recipient"),
        ("recipient = 'ada@example.org', attempts = 4294967296", "attempts"),
        ("attempts = 1, ip = 'here'", "ip"),
    ] {
        let of = format!("WHERE id = x'{}'", corrupt.id.uuid().simple());
        vandal.batch_execute(&format!("UPDATE outbox_emails SET {damage} {of}")).unwrap();
        let mut tx = store.begin(Access::SingleWrite).await.unwrap();
        let taken = tx.lease_outbox_emails(now, now.plus_seconds(60), 10).await.unwrap();
        assert_eq!(taken.iter().map(|message| message.id).collect::<Vec<_>>(), [healthy.id]);
        now = now.plus_seconds(60);
        let mut tx = store.begin(Access::Read).await.unwrap();
        names(&tx.find_outbox_email(corrupt.id).await.unwrap_err(), "outbox_emails", column);
        assert!(tx.find_outbox_email(healthy.id).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn f37_a_corrupt_link_is_named_and_hurts_nobody_else() {
    let database = SqliteDatabase::migrated().await;
    let store = database.store().await;
    let [corrupt, healthy] =
        [1, 2].map(|seed| fixtures::link(seed, LinkPurpose::ResetPassword, &fixtures::user(seed)));
    for link in [&corrupt, &healthy] {
        store.begin(Access::SingleWrite).await.unwrap().put_link(link).await.unwrap();
    }
    let mut vandal = vandal(&database);
    for (damage, column) in [
        ("dedup_key = zeroblob(16)", "dedup_key"),
        ("dedup_key = subject_id, purpose = 'log_in'", "purpose"),
        ("purpose = 'reset_password', email = 'Ada'", "email"),
        ("email = 'ada@example.org', salt = x'00'", "salt"),
        ("salt = zeroblob(32), code_attempts = 4294967296", "code_attempts"),
        ("code_attempts = 0, secret = x'00'", "secret"),
        ("secret = zeroblob(32), subject_id = x'00'", "subject_id"),
    ] {
        let of = format!("WHERE id = x'{}'", corrupt.id.uuid().simple());
        vandal.batch_execute(&format!("UPDATE links SET {damage} {of}")).unwrap();
        let mut tx = store.begin(Access::Read).await.unwrap();
        assert_eq!(tx.find_link(healthy.id).await.unwrap().as_ref(), Some(&healthy));
        names(&tx.find_link(corrupt.id).await.unwrap_err(), "links", column);
    }
}

#[tokio::test]
async fn f37_a_corrupt_sign_up_is_named_and_hurts_nobody_else() {
    let database = SqliteDatabase::migrated().await;
    let store = database.store().await;
    let [corrupt, healthy] = [1, 2].map(fixtures::signup);
    for signup in [&corrupt, &healthy] {
        store.begin(Access::SingleWrite).await.unwrap().insert_signup(signup).await.unwrap();
    }
    let mut vandal = vandal(&database);
    for (damage, column) in [
        ("username = 'a b'", "username"),
        ("username = 'ada', email = 'Ada'", "email"),
        ("email = 'ada@example.org', secret = x'00'", "secret"),
    ] {
        let of = format!("WHERE id = x'{}'", corrupt.id.uuid().simple());
        vandal.batch_execute(&format!("UPDATE signups SET {damage} {of}")).unwrap();
        let mut tx = store.begin(Access::Read).await.unwrap();
        assert_eq!(tx.find_signup(healthy.id, NOW).await.unwrap().as_ref(), Some(&healthy));
        names(&tx.find_signup(corrupt.id, NOW).await.unwrap_err(), "signups", column);
    }
}
