//! What nobody sees from outside: nothing is left in an index when its rows are gone.

use gateward_domain::audit::{Digest, Head, Seal, SignedHead};
use gateward_domain::link::LinkPurpose;
use gateward_domain::mail::{LetterKind, LetterState};
use gateward_domain::ports::{Access, Store, Tx};
use gateward_domain::throttle::{Strike, ThrottleKey};
use gateward_domain::{EventKind, PermissionSet, Role, RoleName, Timestamp, User};
use gateward_testkit::fixtures;
use redb::{ReadableDatabase, ReadableTableMetadata, TableHandle};
use tempfile::tempdir;

use crate::RedbStore;

const END: Timestamp = Timestamp::from_micros(i64::MAX);

#[tokio::test]
async fn nothing_is_left_of_what_is_swept() {
    let folder = tempdir().unwrap();
    let store = RedbStore::open(folder.path().join("gateward.redb")).await.unwrap();
    let mut tx = store.begin(Access::Write).await.unwrap();
    fill(tx.as_mut()).await;
    tx.commit().await.unwrap();
    assert_eq!(filled_tables(&store).len(), 32, "all but instance, keys and letters due");

    let mut tx = store.begin(Access::Write).await.unwrap();
    assert!(tx.delete_user(fixtures::user(1).id).await.unwrap());
    assert_eq!(tx.delete_sessions(END, 9).await.unwrap(), 1);
    assert_eq!(tx.delete_signups(END, 9).await.unwrap(), 1);
    assert_eq!(tx.delete_links(END, 9).await.unwrap(), 1);
    assert_eq!(tx.delete_news(END, 9).await.unwrap(), 2);
    assert_eq!(tx.delete_letters(LetterState::Sent, END, 9).await.unwrap(), 2);
    assert!(tx.delete_role(&role().name).await.unwrap());
    assert_eq!(tx.delete_strikes(END, 9).await.unwrap(), 1);
    assert_eq!(tx.erase_events(fixtures::user(1).id, 9).await.unwrap(), 1);
    assert_eq!(tx.cut_chain(&head()).await.unwrap(), 1);
    tx.commit().await.unwrap();
    let left = ["chain_ends", "last_news"];
    assert_eq!(filled_tables(&store), left, "no place in chain or feed is given away twice");
}

/// Puts something into every table but those of keys and of the installation, from which nothing is
/// deleted. No letter stays due.
async fn fill(tx: &mut dyn Tx) {
    let (user, signup) = (fixtures::user(1), fixtures::signup(1));
    tx.insert_user(&user).await.unwrap();
    tx.insert_session(&fixtures::session(1, &user)).await.unwrap();
    tx.insert_signup(&signup).await.unwrap();
    tx.put_link(&fixtures::signup_link(1, &signup)).await.unwrap();
    tx.put_link(&fixtures::link(2, LinkPurpose::ResetPassword, &user)).await.unwrap();
    tx.put_link(&fixtures::link(3, LinkPurpose::ResetPassword, &user)).await.unwrap();
    let client = fixtures::client(1, &user);
    tx.insert_client(&client).await.unwrap();
    let (now, expires_at) = (fixtures::NOW, client.expires_at.plus_seconds(60));
    tx.touch_client(client.id, &client.origin, now, expires_at).await.unwrap();
    tx.insert_news(&[fixtures::news(1), fixtures::news(2)]).await.unwrap();
    for seed in [1, 2] {
        let mut letter = fixtures::letter(seed, LetterKind::Signup, &user.email);
        letter.slot = Some(format!("signup {seed}"));
        tx.insert_letter(&letter).await.unwrap();
        tx.take_letters(letter.due_at, fixtures::NOW.plus_seconds(60), 1).await.unwrap();
        tx.finish_letter(letter.id, LetterState::Sent, None, fixtures::NOW).await.unwrap();
    }
    tx.put_role(&role(), now).await.unwrap();
    let key = ThrottleKey([7; 32]);
    tx.add_strike(&Strike { key, at: now, expires_at, renews: true }).await.unwrap();
    fill_trail(tx, &user).await;
}

/// Puts something into the tables of the audit trail.
async fn fill_trail(tx: &mut dyn Tx, user: &User) {
    let event = fixtures::event(1, EventKind::SessionBegun, &fixtures::session(1, user));
    tx.insert_event(&event).await.unwrap();
    let tip = head();
    let seal = Seal { seq: tip.head.seq, digest: tip.head.digest, signature: None };
    tx.seal_events(&[(event.id, seal)], &tip).await.unwrap();
    tx.request_erasure(user.id, fixtures::NOW).await.unwrap();
}

fn role() -> Role {
    Role { name: RoleName::parse("support").unwrap(), permissions: PermissionSet::all() }
}

fn head() -> SignedHead {
    let head = Head { seq: 1, digest: Digest([7; 32]), at: fixtures::NOW };
    SignedHead { head, signature: "signature".to_owned() }
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
