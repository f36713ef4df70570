//! Promises about the email address of an account: which account may take it, and which one has it.

use gateward_domain::ports::Taken;
use gateward_domain::{Identifier, User};

use super::fixture::{after, race, taken};

promises! {
    __promises_email_addresses;


    async fn a_new_address_comes_with_its_proof_and_nothing_else_changes(fixture: StoreFixture) {
        let (user, other) = (fixture.user().await, fixture.user().await);
        let mut expected = user;
        for (seconds, email_verified) in [(5, true), (6, false)] {
            let email = fixture.stranger().email;
            let mut tx = fixture.single().await;
            let set = tx.set_email(expected.id, &email, email_verified, after(seconds)).await;
            assert!(set.unwrap());
            expected = User { email, email_verified, updated_at: after(seconds), ..expected };
            assert_eq!(fixture.stored_user(&expected).await, expected);
        }
        assert_eq!(fixture.stored_user(&other).await, other);
    }

    async fn an_address_that_is_set_again_is_noted_as_confirmed_or_not(fixture: StoreFixture) {
        let mut user = fixture.user().await;
        for (seconds, email_verified) in [(5, true), (6, true), (7, false)] {
            let mut tx = fixture.single().await;
            let set = tx.set_email(user.id, &user.email, email_verified, after(seconds)).await;
            assert!(set.unwrap());
            user = User { email_verified, updated_at: after(seconds), ..user };
            assert_eq!(fixture.stored_user(&user).await, user);
        }
    }

    async fn nobody_gets_the_address_of_another(fixture: StoreFixture) {
        let (user, owner) = (fixture.user().await, fixture.user().await);
        let response = fixture.set_email(user.id, &owner.email, after(5)).await;
        assert_eq!(taken(response), Some(Taken::Email));
        let mut tx = fixture.write().await;
        tx.lock_user(user.id).await.unwrap();
        let response = tx.set_email(user.id, &owner.email, true, after(5)).await;
        assert_eq!(taken(response), Some(Taken::Email));
        drop(tx);
        assert_eq!(fixture.stored_user(&user).await, user, "nothing has changed");
        assert_eq!(fixture.stored_user(&owner).await, owner);
    }

    async fn an_address_is_free_once_its_owner_has_another(fixture: StoreFixture) {
        let user = fixture.user().await;
        fixture.set_email(user.id, &fixture.stranger().email, after(5)).await.unwrap();
        let identifier = Identifier::Email(user.email.clone());
        let found = fixture.read().await.find_user_by_identifier(&identifier).await.unwrap();
        assert_eq!(found, None);
        fixture.add_user(&User { email: user.email, ..fixture.stranger() }).await;
    }

    async fn nobody_who_is_not_there_gets_an_address(fixture: StoreFixture) {
        let (owner, stranger) = (fixture.user().await, fixture.stranger());
        for email in [&stranger.email, &owner.email] {
            assert!(!fixture.set_email(stranger.id, email, after(5)).await.unwrap());
        }
        assert_eq!(fixture.read().await.find_user(stranger.id).await.unwrap(), None);
    }

    async fn an_address_leads_to_its_owner(fixture: StoreFixture) {
        let (user, other) = (fixture.user().await, fixture.user().await);
        for owner in [&user, &other] {
            let found = fixture.read().await.find_email_owner(&owner.email, after(5)).await.unwrap();
            assert_eq!(found, Some(owner.id));
        }
        let email = fixture.stranger().email;
        assert_eq!(fixture.read().await.find_email_owner(&email, after(5)).await.unwrap(), None);
        fixture.set_email(user.id, &email, after(5)).await.unwrap();
        for (email, owner) in [(&email, Some(user.id)), (&user.email, None)] {
            let found = fixture.read().await.find_email_owner(email, after(5)).await.unwrap();
            assert_eq!(found, owner);
        }
    }

    async fn of_racing_owners_exactly_one_gets_an_address(fixture: StoreFixture) {
        let email = fixture.stranger().email;
        let mut owners = Vec::new();
        for _ in 0..8 {
            owners.push(fixture.user().await);
        }
        let responses = race(owners.len(), |index| {
            let (fixture, email) = (fixture.clone(), email.clone());
            let id = owners.get(index).unwrap().id;
            async move { taken(fixture.set_email(id, &email, after(5)).await).ok_or(id) }
        })
        .await;
        let winners: Vec<_> = responses.iter().filter_map(|response| response.err()).collect();
        assert_eq!(winners.len(), 1);
        assert!(responses.iter().filter_map(|response| response.ok()).all(|it| it == Taken::Email));
        let owner = fixture.read().await.find_email_owner(&email, after(5)).await.unwrap();
        assert_eq!(owner, winners.first().copied());
    }

    async fn of_a_sign_up_and_a_change_that_race_for_an_address_one_gets_it(fixture: StoreFixture) {
        for _ in 0..20 {
            let email = fixture.stranger().email;
            let owner = fixture.user().await;
            let responses = race(2, |index| {
                let (fixture, email, id) = (fixture.clone(), email.clone(), owner.id);
                let new = User { email: email.clone(), ..fixture.stranger() };
                async move {
                    if index == 0 {
                        taken(fixture.single().await.insert_user(&new).await).ok_or(new.id)
                    } else {
                        taken(fixture.set_email(id, &email, after(5)).await).ok_or(id)
                    }
                }
            })
            .await;
            let winners: Vec<_> = responses.iter().filter_map(|response| response.err()).collect();
            let found = fixture.read().await.find_email_owner(&email, after(5)).await.unwrap();
            assert_eq!(found.into_iter().collect::<Vec<_>>(), winners, "{responses:?}");
        }
    }
}
