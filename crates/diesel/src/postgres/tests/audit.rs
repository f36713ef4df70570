//! Events cannot be changed, even over a direct connection to the server.

use gateward_domain::audit::{ChainPosition, Checkpoint, Digest, Entry, SignedCheckpoint};
use gateward_domain::ports::{Access, Store};
use gateward_domain::{Event, EventKind};
use gateward_testkit::fixtures::{self, NOW};

use crate::testing::{CHANGES_TO_AN_EVENT, PostgresDatabase};

#[tokio::test]
async fn a16_4_2_an_event_is_neither_changed_nor_deleted_before_it_is_chained() {
    let database = PostgresDatabase::migrated().await;
    let user = fixtures::user(1);
    let event = fixtures::event(1, EventKind::SessionStarted, &fixtures::session(1, &user));
    let event = Event { ip: Some([192, 0, 2, 1].into()), ..event };
    let mut tx = database.store().begin(Access::SingleWrite).await.unwrap();
    tx.insert_event(&event).await.unwrap();
    for change in CHANGES_TO_AN_EVENT {
        let refused = database.try_sql(change).await.unwrap_err().to_string();
        assert!(refused.contains("an event cannot be changed"), "{change}: {refused}");
    }
    let refused = database.try_sql("DELETE FROM events").await.unwrap_err().to_string();
    assert!(refused.contains("cannot be deleted"), "{refused}");
    assert!(database.try_sql("TRUNCATE events").await.is_err());

    let mut tx = database.store().begin(Access::Write).await.unwrap();
    tx.lock_chain().await.unwrap();
    let checkpoint = Checkpoint { seq: 1, digest: Digest([1; 32]), at: NOW };
    let position =
        ChainPosition { seq: 1, digest: checkpoint.digest, signature: Some("signed".to_owned()) };
    let latest = SignedCheckpoint { checkpoint, signature: "signed".to_owned() };
    tx.append_to_chain(&[(event.id, position)], &latest).await.unwrap();
    tx.commit().await.unwrap();
    for change in ["seq = 2", "seq = NULL, digest = NULL, signature = NULL", "signature = NULL"] {
        let change = format!("UPDATE events SET {change}");
        assert!(database.try_sql(&change).await.is_err(), "{change}");
    }
    database.run_sql("UPDATE events SET ip = NULL, salt = NULL; DELETE FROM events").await;
}

#[tokio::test]
async fn an_event_without_a_commitment_is_chained_like_any_other() {
    let database = PostgresDatabase::migrated().await;
    // The program writes no such row, but the schema allows one.
    let insert = "INSERT INTO events (id, happened_at, kind, actor) VALUES \
                  (gen_random_uuid(), now(), 'keys_rewrapped', 'service')";
    database.run_sql(insert).await;
    let mut tx = database.store().begin(Access::Write).await.unwrap();
    let [entry] = &tx.list_unchained_events(9).await.unwrap()[..] else { panic!("one") };
    assert_eq!((entry.commitment, entry.event.salt), (Digest::START, None));
    tx.lock_chain().await.unwrap();
    let checkpoint = Checkpoint { seq: 1, digest: Digest([1; 32]), at: NOW };
    let position = ChainPosition { seq: 1, digest: checkpoint.digest, signature: None };
    let latest = SignedCheckpoint { checkpoint, signature: "signed".to_owned() };
    tx.append_to_chain(&[(entry.event.id, position.clone())], &latest).await.unwrap();
    let chained = tx.list_chained_events(0, 9).await.unwrap();
    assert_eq!(chained, [Entry { position: Some(position), ..entry.clone() }]);
}
