//! Promises about accounts: every field is stored, and usernames and email addresses are unique.

use gateward_domain::ports::Taken;
use gateward_domain::{
    EmailAddress, Identifier, PermissionSet, RoleName, Timestamp, User, Username,
};

use super::fixture::{after, race, taken};

fn in_capitals(user: &User) -> Username {
    Username::parse(&user.username.as_str().to_ascii_uppercase()).unwrap()
}

promises! {
    __promises_accounts;


    async fn every_field_of_an_account_comes_back(fixture: StoreFixture) {
        let plain = fixture.stranger();
        let full = User {
            email: EmailAddress::parse(&format!("jürgen+{:x}@bücher.example", fixture.seed())).unwrap(),
            email_verified: true,
            roles: vec![RoleName::admin(), RoleName::user()],
            permissions: PermissionSet::all(),
            disabled: true,
            // Needs more than 32 bits.
            credentials_version: 5_000_000_000,
            created_at: after(-3600),
            updated_at: after(-1800),
            ..fixture.stranger()
        };
        for user in [plain, full] {
            fixture.add_user(&user).await;
            let found = fixture.read().await.find_user(user.id).await.unwrap().unwrap();
            assert_eq!(found, user);
            assert_eq!(found.username.as_str(), user.username.as_str(), "kept as typed");
        }
    }

    async fn an_account_may_hold_no_role(fixture: StoreFixture) {
        let user = User { roles: Vec::new(), ..fixture.stranger() };
        fixture.add_user(&user).await;
        assert_eq!(fixture.stored_user(&user).await, user);
    }

    async fn roles_come_back_in_alphabetical_order(fixture: StoreFixture) {
        let user = User { roles: vec![RoleName::user(), RoleName::admin()], ..fixture.stranger() };
        fixture.add_user(&user).await;
        assert_eq!(fixture.stored_user(&user).await.roles, [RoleName::admin(), RoleName::user()]);
    }

    async fn times_keep_their_microseconds(fixture: StoreFixture) {
        for micros in [0, 1, -1, 946_684_799_999_999, 1_795_147_800_999_999, 4_102_444_800_000_001]
        {
            let at = Timestamp::from_micros(micros);
            let user = User { created_at: at, updated_at: at, ..fixture.stranger() };
            fixture.add_user(&user).await;
            assert_eq!(fixture.stored_user(&user).await, user, "{micros}");
        }
    }

    async fn an_account_is_found_by_its_address_and_by_its_name(fixture: StoreFixture) {
        let user = fixture.user().await;
        fixture.user().await;
        for identifier in [
            Identifier::Email(user.email.clone()),
            Identifier::Username(user.username.clone()),
            Identifier::Username(in_capitals(&user)),
        ] {
            let found = fixture.read().await.find_user_by_identifier(&identifier).await.unwrap();
            assert_eq!(found.as_ref(), Some(&user), "{identifier:?}");
        }
        let locked = fixture.write().await.lock_user(user.id).await.unwrap();
        assert_eq!(locked, Some(user), "the lock gives the account too");
    }

    async fn an_account_that_is_not_there_is_not_found(fixture: StoreFixture) {
        fixture.user().await;
        let stranger = fixture.stranger();
        assert_eq!(fixture.read().await.find_user(stranger.id).await.unwrap(), None);
        assert_eq!(fixture.write().await.lock_user(stranger.id).await.unwrap(), None);
        for identifier in
            [Identifier::Email(stranger.email), Identifier::Username(stranger.username)]
        {
            let found = fixture.read().await.find_user_by_identifier(&identifier).await.unwrap();
            assert_eq!(found, None, "{identifier:?}");
        }
    }

    async fn a_name_belongs_to_one_account_in_any_case(fixture: StoreFixture) {
        let owner = fixture.user().await;
        for username in [owner.username.clone(), in_capitals(&owner)] {
            let other = User { username, ..fixture.stranger() };
            let response = fixture.single().await.insert_user(&other).await;
            assert_eq!(taken(response), Some(Taken::Username));
        }
    }

    async fn an_address_belongs_to_one_account(fixture: StoreFixture) {
        let owner = fixture.user().await;
        let other = User { email: owner.email.clone(), ..fixture.stranger() };
        let response = fixture.single().await.insert_user(&other).await;
        assert_eq!(taken(response), Some(Taken::Email));
    }

    async fn where_name_and_address_are_taken_the_name_is_reported(fixture: StoreFixture) {
        let (one, two) = (fixture.user().await, fixture.user().await);
        for (name_of, email_of) in [(&one, &one), (&one, &two), (&two, &one)] {
            let both = User {
                username: in_capitals(name_of),
                email: email_of.email.clone(),
                ..fixture.stranger()
            };
            let response = fixture.single().await.insert_user(&both).await;
            assert_eq!(taken(response), Some(Taken::Username));
            let mut tx = fixture.write().await;
            assert_eq!(taken(tx.insert_user(&both).await), Some(Taken::Username));
        }
    }

    async fn an_account_that_is_refused_leaves_nothing_behind(fixture: StoreFixture) {
        let owner = fixture.user().await;
        let refused = User { email: owner.email.clone(), ..fixture.stranger() };
        let response = fixture.single().await.insert_user(&refused).await;
        assert_eq!(taken(response), Some(Taken::Email));
        assert_eq!(fixture.read().await.find_user(refused.id).await.unwrap(), None);
        let again = User { email: fixture.stranger().email, roles: Vec::new(), ..refused };
        fixture.add_user(&again).await;
        assert_eq!(fixture.stored_user(&again).await, again, "name and identifier are still free");
    }

    async fn fifty_racing_sign_ups_with_one_address_make_one_account(fixture: StoreFixture) {
        let email = fixture.stranger().email;
        let responses = race(50, |_| {
            let fixture = fixture.clone();
            let user = User { email: email.clone(), ..fixture.stranger() };
            async move { taken(fixture.single().await.insert_user(&user).await).ok_or(user) }
        })
        .await;
        let made: Vec<_> = responses.iter().filter_map(|response| response.as_ref().err()).collect();
        assert_eq!(made.len(), 1);
        let refused = responses.iter().filter(|response| **response == Ok(Taken::Email));
        assert_eq!(refused.count(), 49);
        let identifier = Identifier::Email(email);
        let found = fixture.read().await.find_user_by_identifier(&identifier).await.unwrap();
        assert_eq!(found.as_ref(), made.first().copied());
    }

    async fn racing_sign_ups_with_one_name_make_one_account(fixture: StoreFixture) {
        let owner = fixture.stranger();
        let responses = race(16, |index| {
            let fixture = fixture.clone();
            let capitals = index % 2 == 0;
            let username = if capitals { in_capitals(&owner) } else { owner.username.clone() };
            let user = User { username, ..fixture.stranger() };
            async move {
                // Like a sign-up, with more writes in the same unit.
                let mut tx = fixture.write().await;
                let response = taken(tx.insert_user(&user).await);
                if response.is_none() {
                    tx.insert_session(&fixture.draft(&user)).await.unwrap();
                    tx.commit().await.unwrap();
                }
                response
            }
        })
        .await;
        assert_eq!(responses.iter().filter(|response| response.is_none()).count(), 1);
        let refused = responses.iter().filter(|response| **response == Some(Taken::Username));
        assert_eq!(refused.count(), 15);
    }
}
