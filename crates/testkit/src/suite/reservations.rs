//! Promises about reserved email addresses: while the undo link is valid, only the account that
//! gave up an email address can take it.

use gateward_domain::link::{Link, LinkPurpose};
use gateward_domain::ports::{StoreError, Taken};
use gateward_domain::{EmailAddress, Identifier, Timestamp, User};

use super::StoreFixture;
use super::fixture::{after, race, taken};
use crate::fixtures::{LINK_SECONDS, account_purposes};

/// Number of races.
const ROUNDS: usize = 25;

/// The link that restores the account's current email address.
fn undo(fixture: &StoreFixture, user: &User) -> Link {
    Link { reserves_email: true, ..fixture.link(LinkPurpose::UndoEmail, user) }
}

/// An account that has given up its email address, and the link that reserves it. The account is
/// returned with the old email address.
async fn moved(fixture: &StoreFixture) -> (User, Link) {
    let user = fixture.user().await;
    let link = undo(fixture, &user);
    fixture.put_link(&link).await;
    fixture.set_email(user.id, &fixture.stranger().email, after(1)).await.unwrap();
    (user, link)
}

/// Adds an account with this email address.
async fn sign_up(
    fixture: &StoreFixture,
    email: &EmailAddress,
    now: Timestamp,
) -> Result<(), StoreError> {
    let new = User { email: email.clone(), created_at: now, ..fixture.stranger() };
    fixture.single().await.insert_user(&new).await
}

/// Returns the results of a new and an existing account that try to take this email address. Both
/// attempts are rolled back.
async fn told(fixture: &StoreFixture, email: &EmailAddress, now: Timestamp) -> [Option<Taken>; 2] {
    let other = fixture.user().await;
    let mut tx = fixture.write().await;
    let new = User { email: email.clone(), created_at: now, ..fixture.stranger() };
    let inserted = taken(tx.insert_user(&new).await);
    drop(tx);
    let mut tx = fixture.write().await;
    [inserted, taken(tx.set_email(other.id, email, true, now).await)]
}

/// The results for an unavailable email address.
const REFUSED: [Option<Taken>; 2] = [Some(Taken::Email); 2];

/// The results for an available email address.
const FREE: [Option<Taken>; 2] = [None; 2];

/// Lets others try to take an email address during `change`, and asserts that none of them
/// succeeds.
async fn nobody_gets_it_during<F>(
    fixture: &StoreFixture,
    email: &EmailAddress,
    now: Timestamp,
    change: impl Fn() -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let other = fixture.user().await.id;
    let told = race(6, |index| {
        let (fixture, email, change) = (fixture.clone(), email.clone(), (index == 0).then(&change));
        async move {
            match (change, index % 2) {
                (Some(change), _) => {
                    change.await;
                    Some(Taken::Email)
                }
                (None, 0) => taken(fixture.set_email(other, &email, now).await),
                (None, _) => taken(sign_up(&fixture, &email, now).await),
            }
        }
    })
    .await;
    assert_eq!(told, [Some(Taken::Email); 6]);
}

promises! {
    __promises_reservations;


    async fn a_reserved_address_is_refused_to_everybody_else(fixture: StoreFixture) {
        let (user, _) = moved(&fixture).await;
        assert_eq!(told(&fixture, &user.email, after(5)).await, REFUSED);
        let refused = sign_up(&fixture, &user.email, after(5)).await;
        assert_eq!(taken(refused), Some(Taken::Email), "by a single write too");
        let other = fixture.user().await;
        let refused = fixture.set_email(other.id, &user.email, after(5)).await;
        assert_eq!(taken(refused), Some(Taken::Email));
        assert_eq!(fixture.stored_user(&other).await, other, "nothing has changed");
    }

    async fn an_account_gets_back_what_is_reserved_for_it(fixture: StoreFixture) {
        let (user, _) = moved(&fixture).await;
        assert!(fixture.set_email(user.id, &user.email, after(5)).await.unwrap());
        assert_eq!(fixture.stored_user(&user).await.email, user.email);
    }

    async fn an_address_is_reserved_until_the_time_of_the_link_is_over(fixture: StoreFixture) {
        let (user, link) = moved(&fixture).await;
        let last = Timestamp::from_micros(link.expires_at.micros() - 1);
        assert_eq!(told(&fixture, &user.email, last).await, REFUSED);
        assert_eq!(told(&fixture, &user.email, link.expires_at).await, FREE);
    }

    async fn an_address_is_reserved_until_its_link_is_gone(fixture: StoreFixture) {
        for way in 0..4 {
            let (user, link) = moved(&fixture).await;
            assert_eq!(told(&fixture, &user.email, after(5)).await, REFUSED);
            let mut tx = fixture.single().await;
            match way {
                0 => assert!(tx.spend_link(link.id, after(5)).await.unwrap()),
                1 => assert!(tx.delete_user(user.id).await.unwrap()),
                2 => {
                    let purposes = [LinkPurpose::UndoEmail];
                    let deleted = tx.delete_user_links(user.id, &purposes, after(0)).await;
                    assert_eq!(deleted.unwrap(), 1);
                }
                _ => {
                    let deleted = tx.delete_links(after(LINK_SECONDS + 1), 10).await;
                    assert_eq!(deleted.unwrap(), 1);
                }
            }
            assert_eq!(told(&fixture, &user.email, after(5)).await, FREE, "way {way}");
        }
    }

    async fn a_link_that_reserves_nothing_keeps_nobody_away(fixture: StoreFixture) {
        let user = fixture.user().await;
        for purpose in account_purposes() {
            fixture.put_link(&fixture.link(purpose, &user)).await;
        }
        let wanted = fixture.stranger().email;
        let change = Link { email: wanted, ..fixture.link(LinkPurpose::ChangeEmail, &user) };
        fixture.put_link(&change).await;
        fixture.set_email(user.id, &fixture.stranger().email, after(1)).await.unwrap();
        for email in [&user.email, &change.email] {
            assert_eq!(told(&fixture, email, after(5)).await, FREE);
            let owner = fixture.read().await.find_email_owner(email, after(5)).await.unwrap();
            assert_eq!(owner, None);
        }
    }

    async fn each_address_that_an_account_gave_up_is_reserved(fixture: StoreFixture) {
        let (first, _) = moved(&fixture).await;
        let second = fixture.stored_user(&first).await;
        fixture.put_link(&undo(&fixture, &second)).await;
        fixture.set_email(first.id, &fixture.stranger().email, after(2)).await.unwrap();
        for email in [&first.email, &second.email] {
            assert_eq!(told(&fixture, email, after(5)).await, REFUSED);
        }
        assert_eq!(told(&fixture, &fixture.stranger().email, after(5)).await, FREE);
    }

    async fn where_a_name_is_taken_and_an_address_reserved_the_name_is_reported(fixture: StoreFixture) {
        let ((one, _), two) = (moved(&fixture).await, fixture.user().await);
        for name_of in [&one, &two] {
            let both = User {
                username: name_of.username.clone(),
                email: one.email.clone(),
                ..fixture.stranger()
            };
            let response = fixture.single().await.insert_user(&both).await;
            assert_eq!(taken(response), Some(Taken::Username));
        }
    }

    async fn a_reserved_address_leads_to_its_owner_as_long_as_it_is_reserved(fixture: StoreFixture) {
        let (user, link) = moved(&fixture).await;
        let last = Timestamp::from_micros(link.expires_at.micros() - 1);
        for (now, owner) in
            [(after(5), Some(user.id)), (last, Some(user.id)), (link.expires_at, None)]
        {
            let found = fixture.read().await.find_email_owner(&user.email, now).await.unwrap();
            assert_eq!(found, owner, "{now:?}");
        }
        let identifier = Identifier::Email(user.email);
        let found = fixture.read().await.find_user_by_identifier(&identifier).await.unwrap();
        assert_eq!(found, None, "but no account logs in with it");
    }

    /// There is no moment between having the email address and having it reserved.
    async fn an_address_is_free_at_no_moment_of_its_change(fixture: StoreFixture) {
        for round in 0..ROUNDS {
            let user = fixture.user().await;
            let (link, next) = (undo(&fixture, &user), fixture.stranger().email);
            nobody_gets_it_during(&fixture, &user.email, after(5), || {
                let (fixture, user) = (fixture.clone(), user.clone());
                let (link, next) = (link.clone(), next.clone());
                async move {
                    let mut tx = fixture.write().await;
                    tx.lock_user(user.id).await.unwrap();
                    if round % 2 == 0 {
                        tx.put_link(&link).await.unwrap();
                    }
                    assert!(tx.set_email(user.id, &next, true, after(5)).await.unwrap());
                    if round % 2 == 1 {
                        tx.put_link(&link).await.unwrap();
                    }
                    tx.commit().await.unwrap();
                }
            })
            .await;
            assert_eq!(fixture.stored_user(&user).await.email, next);
        }
    }

    async fn an_address_is_free_at_no_moment_of_its_way_back(fixture: StoreFixture) {
        for _ in 0..ROUNDS {
            let (user, link) = moved(&fixture).await;
            nobody_gets_it_during(&fixture, &user.email, after(5), || {
                let (fixture, user, link) = (fixture.clone(), user.clone(), link.id);
                async move {
                    let mut tx = fixture.write().await;
                    tx.lock_user(user.id).await.unwrap();
                    assert!(tx.spend_link(link, after(5)).await.unwrap());
                    assert!(tx.set_email(user.id, &user.email, true, after(5)).await.unwrap());
                    tx.commit().await.unwrap();
                }
            })
            .await;
            assert_eq!(fixture.stored_user(&user).await.email, user.email);
        }
    }
}
