//! Invisible from outside: no index entry is left once its rows are deleted.

use gateward_domain::audit::{ChainPosition, Checkpoint, Digest, SignedCheckpoint};
use gateward_domain::email::{EmailKind, EmailState};
use gateward_domain::link::LinkPurpose;
use gateward_domain::ports::{Access, Store, Tx};
use gateward_domain::rate_limit::{FailedAttempt, RateLimitKey};
use gateward_domain::{EventKind, PermissionSet, Role, RoleName, Timestamp, User};
use gateward_testkit::fixtures;
use redb::{ReadableDatabase, ReadableTableMetadata, TableHandle};
use tempfile::tempdir;

use crate::RedbStore;

const END: Timestamp = Timestamp::from_micros(i64::MAX);

#[tokio::test]
async fn nothing_is_left_of_what_is_cleaned_up() {
    let folder = tempdir().unwrap();
    let store = RedbStore::open(folder.path().join("gateward.redb")).await.unwrap();
    let mut tx = store.begin(Access::Write).await.unwrap();
    fill(tx.as_mut()).await;
    tx.commit().await.unwrap();
    assert_eq!(filled_tables(&store).len(), 32, "all but instance, keys and emails due");

    let mut tx = store.begin(Access::Write).await.unwrap();
    assert!(tx.delete_user(fixtures::user(1).id).await.unwrap());
    assert_eq!(tx.delete_sessions(END, 9).await.unwrap(), 1);
    assert_eq!(tx.delete_signups(END, 9).await.unwrap(), 1);
    assert_eq!(tx.delete_links(END, 9).await.unwrap(), 1);
    assert_eq!(tx.delete_invalidation_events(END, 9).await.unwrap(), 2);
    assert_eq!(tx.delete_outbox_emails(EmailState::Sent, END, 9).await.unwrap(), 2);
    assert!(tx.delete_role(&role().name).await.unwrap());
    assert_eq!(tx.delete_attempt_counters(END, 9).await.unwrap(), 1);
    assert_eq!(tx.erase_events(fixtures::user(1).id, 9).await.unwrap(), 1);
    assert_eq!(tx.truncate_chain(&checkpoint()).await.unwrap(), 1);
    tx.commit().await.unwrap();
    let left = ["chain_ends", "last_sequence"];
    assert_eq!(filled_tables(&store), left, "no place in chain or feed is given away twice");
}

/// Fills every table except those of keys and of the installation, from which nothing is deleted.
/// No email stays due.
async fn fill(tx: &mut dyn Tx) {
    let (user, signup) = (fixtures::user(1), fixtures::signup(1));
    tx.insert_user(&user).await.unwrap();
    tx.insert_session(&fixtures::session(1, &user)).await.unwrap();
    tx.insert_signup(&signup).await.unwrap();
    tx.put_link(&fixtures::signup_link(1, &signup)).await.unwrap();
    tx.put_link(&fixtures::link(2, LinkPurpose::ResetPassword, &user)).await.unwrap();
    tx.put_link(&fixtures::link(3, LinkPurpose::ResetPassword, &user)).await.unwrap();
    let client = fixtures::known_device(1, &user);
    tx.insert_known_device(&client).await.unwrap();
    let (now, expires_at) = (fixtures::NOW, client.expires_at.plus_seconds(60));
    tx.touch_known_device(client.id, &client.request_info, now, expires_at).await.unwrap();
    tx.insert_invalidation_events(&[fixtures::invalidation(1), fixtures::invalidation(2)])
        .await
        .unwrap();
    for seed in [1, 2] {
        let mut message = fixtures::outbox_email(seed, EmailKind::Signup, &user.email);
        message.slot = Some(format!("signup {seed}"));
        tx.insert_outbox_email(&message).await.unwrap();
        tx.lease_outbox_emails(message.next_attempt_at, fixtures::NOW.plus_seconds(60), 1)
            .await
            .unwrap();
        tx.finish_outbox_email(message.id, EmailState::Sent, None, fixtures::NOW).await.unwrap();
    }
    tx.put_role(&role(), now).await.unwrap();
    let key = RateLimitKey([7; 32]);
    tx.record_failed_attempt(&FailedAttempt { key, at: now, expires_at, renews: true })
        .await
        .unwrap();
    fill_trail(tx, &user).await;
}

/// Fills the tables of the audit trail.
async fn fill_trail(tx: &mut dyn Tx, user: &User) {
    let event = fixtures::event(1, EventKind::SessionStarted, &fixtures::session(1, user));
    tx.insert_event(&event).await.unwrap();
    let latest = checkpoint();
    let position = ChainPosition {
        seq: latest.checkpoint.seq,
        digest: latest.checkpoint.digest,
        signature: None,
    };
    tx.append_to_chain(&[(event.id, position)], &latest).await.unwrap();
    tx.request_erasure(user.id, fixtures::NOW).await.unwrap();
}

fn role() -> Role {
    Role { name: RoleName::parse("support").unwrap(), permissions: PermissionSet::all() }
}

fn checkpoint() -> SignedCheckpoint {
    let checkpoint = Checkpoint { seq: 1, digest: Digest([7; 32]), at: fixtures::NOW };
    SignedCheckpoint { checkpoint, signature: "signature".to_owned() }
}

fn filled_tables(store: &RedbStore) -> Vec<String> {
    let transaction = store.database.begin_read().unwrap();
    let tables = transaction.list_tables().unwrap();
    let mut filled = Vec::new();
    for table in tables {
        let name = table.name().to_owned();
        if !transaction.open_untyped_table(table).unwrap().is_empty().unwrap() {
            filled.push(name);
        }
    }
    filled
}
