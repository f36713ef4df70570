//! Promises about the address of an account: who gets it, and whose it is.

use gateward_domain::ports::Taken;
use gateward_domain::{Identifier, User};

use super::stage::{after, race, taken};

promises! {
    __promises_emails;


    async fn a_new_address_comes_with_its_proof_and_nothing_else_changes(stage: Stage) {
        let (user, other) = (stage.user().await, stage.user().await);
        let mut expected = user;
        for (seconds, email_verified) in [(5, true), (6, false)] {
            let email = stage.stranger().email;
            let mut tx = stage.single().await;
            let set = tx.set_email(expected.id, &email, email_verified, after(seconds)).await;
            assert!(set.unwrap());
            expected = User { email, email_verified, updated_at: after(seconds), ..expected };
            assert_eq!(stage.stored_user(&expected).await, expected);
        }
        assert_eq!(stage.stored_user(&other).await, other);
    }

    async fn an_address_that_is_set_again_is_noted_as_confirmed_or_not(stage: Stage) {
        let mut user = stage.user().await;
        for (seconds, email_verified) in [(5, true), (6, true), (7, false)] {
            let mut tx = stage.single().await;
            let set = tx.set_email(user.id, &user.email, email_verified, after(seconds)).await;
            assert!(set.unwrap());
            user = User { email_verified, updated_at: after(seconds), ..user };
            assert_eq!(stage.stored_user(&user).await, user);
        }
    }

    async fn nobody_gets_the_address_of_another(stage: Stage) {
        let (user, owner) = (stage.user().await, stage.user().await);
        let answer = stage.set_email(user.id, &owner.email, after(5)).await;
        assert_eq!(taken(answer), Some(Taken::Email));
        let mut tx = stage.write().await;
        tx.lock_user(user.id).await.unwrap();
        let answer = tx.set_email(user.id, &owner.email, true, after(5)).await;
        assert_eq!(taken(answer), Some(Taken::Email));
        drop(tx);
        assert_eq!(stage.stored_user(&user).await, user, "nothing has changed");
        assert_eq!(stage.stored_user(&owner).await, owner);
    }

    async fn an_address_is_free_once_its_owner_has_another(stage: Stage) {
        let user = stage.user().await;
        stage.set_email(user.id, &stage.stranger().email, after(5)).await.unwrap();
        let identifier = Identifier::Email(user.email.clone());
        let found = stage.read().await.find_user_by_identifier(&identifier).await.unwrap();
        assert_eq!(found, None);
        stage.add_user(&User { email: user.email, ..stage.stranger() }).await;
    }

    async fn nobody_who_is_not_there_gets_an_address(stage: Stage) {
        let (owner, stranger) = (stage.user().await, stage.stranger());
        for email in [&stranger.email, &owner.email] {
            assert!(!stage.set_email(stranger.id, email, after(5)).await.unwrap());
        }
        assert_eq!(stage.read().await.find_user(stranger.id).await.unwrap(), None);
    }

    async fn an_address_leads_to_its_owner(stage: Stage) {
        let (user, other) = (stage.user().await, stage.user().await);
        for owner in [&user, &other] {
            let found = stage.read().await.find_email_owner(&owner.email, after(5)).await.unwrap();
            assert_eq!(found, Some(owner.id));
        }
        let email = stage.stranger().email;
        assert_eq!(stage.read().await.find_email_owner(&email, after(5)).await.unwrap(), None);
        stage.set_email(user.id, &email, after(5)).await.unwrap();
        for (email, owner) in [(&email, Some(user.id)), (&user.email, None)] {
            let found = stage.read().await.find_email_owner(email, after(5)).await.unwrap();
            assert_eq!(found, owner);
        }
    }

    async fn of_racing_owners_exactly_one_gets_an_address(stage: Stage) {
        let email = stage.stranger().email;
        let mut owners = Vec::new();
        for _ in 0..8 {
            owners.push(stage.user().await);
        }
        let answers = race(owners.len(), |index| {
            let (stage, email) = (stage.clone(), email.clone());
            let id = owners.get(index).unwrap().id;
            async move { taken(stage.set_email(id, &email, after(5)).await).ok_or(id) }
        })
        .await;
        let winners: Vec<_> = answers.iter().filter_map(|answer| answer.err()).collect();
        assert_eq!(winners.len(), 1);
        assert!(answers.iter().filter_map(|answer| answer.ok()).all(|it| it == Taken::Email));
        let owner = stage.read().await.find_email_owner(&email, after(5)).await.unwrap();
        assert_eq!(owner, winners.first().copied());
    }

    async fn of_a_sign_up_and_a_change_that_race_for_an_address_one_gets_it(stage: Stage) {
        for _ in 0..20 {
            let email = stage.stranger().email;
            let owner = stage.user().await;
            let answers = race(2, |index| {
                let (stage, email, id) = (stage.clone(), email.clone(), owner.id);
                let new = User { email: email.clone(), ..stage.stranger() };
                async move {
                    if index == 0 {
                        taken(stage.single().await.insert_user(&new).await).ok_or(new.id)
                    } else {
                        taken(stage.set_email(id, &email, after(5)).await).ok_or(id)
                    }
                }
            })
            .await;
            let winners: Vec<_> = answers.iter().filter_map(|answer| answer.err()).collect();
            let found = stage.read().await.find_email_owner(&email, after(5)).await.unwrap();
            assert_eq!(found.into_iter().collect::<Vec<_>>(), winners, "{answers:?}");
        }
    }
}
