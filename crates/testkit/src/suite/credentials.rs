//! Promises about changes of an account: its username, its password, and whether it is disabled.

use gateward_domain::ports::Taken;
use gateward_domain::{Identifier, User, Username};

use super::fixture::{after, race, taken};
use crate::fixtures::password_hash;

promises! {
    __promises_credentials;


    async fn a_new_name_is_kept_as_typed_and_nothing_else_changes(fixture: StoreFixture) {
        let (user, other) = (fixture.user().await, fixture.user().await);
        let username = Username::parse("Ada.LOVELACE_1").unwrap();
        let renamed = fixture.single().await.set_username(user.id, &username, after(5)).await;
        assert!(renamed.unwrap());
        let found = fixture.stored_user(&user).await;
        assert_eq!(found.username.as_str(), "Ada.LOVELACE_1");
        assert_eq!(found, User { username, updated_at: after(5), ..user });
        assert_eq!(fixture.stored_user(&other).await, other);
    }

    async fn a_name_is_free_once_its_owner_has_another(fixture: StoreFixture) {
        let user = fixture.user().await;
        let username = fixture.stranger().username;
        fixture.single().await.set_username(user.id, &username, after(5)).await.unwrap();
        let identifier = Identifier::Username(user.username.clone());
        let found = fixture.read().await.find_user_by_identifier(&identifier).await.unwrap();
        assert_eq!(found, None);
        fixture.add_user(&User { username: user.username, ..fixture.stranger() }).await;
    }

    async fn nobody_gets_the_name_of_another(fixture: StoreFixture) {
        let (user, owner) = (fixture.user().await, fixture.user().await);
        let capitals = owner.username.as_str().to_ascii_uppercase();
        for username in [owner.username, Username::parse(&capitals).unwrap()] {
            let response = fixture.single().await.set_username(user.id, &username, after(5)).await;
            assert_eq!(taken(response), Some(Taken::Username));
            assert_eq!(fixture.stored_user(&user).await, user, "nothing has changed");
        }
    }

    async fn an_owner_may_write_the_own_name_in_another_case(fixture: StoreFixture) {
        let user = fixture.user().await;
        let capitals = user.username.as_str().to_ascii_uppercase();
        let username = Username::parse(&capitals).unwrap();
        let renamed = fixture.single().await.set_username(user.id, &username, after(5)).await;
        assert!(renamed.unwrap());
        assert_eq!(fixture.stored_user(&user).await.username.as_str(), capitals);
    }

    async fn of_racing_owners_exactly_one_gets_a_name(fixture: StoreFixture) {
        let username = fixture.stranger().username;
        let mut owners = Vec::new();
        for _ in 0..8 {
            owners.push(fixture.user().await);
        }
        let responses = race(owners.len(), |index| {
            let (fixture, username) = (fixture.clone(), username.clone());
            let id = owners.get(index).unwrap().id;
            async move {
                let response = fixture.single().await.set_username(id, &username, after(5)).await;
                taken(response).ok_or(id)
            }
        })
        .await;
        let winners: Vec<_> = responses.iter().filter_map(|response| response.err()).collect();
        assert_eq!(winners.len(), 1);
        assert!(responses.iter().filter_map(|response| response.ok()).all(|it| it == Taken::Username));
        let identifier = Identifier::Username(username);
        let found = fixture.read().await.find_user_by_identifier(&identifier).await.unwrap();
        assert_eq!(found.map(|user| user.id), winners.first().copied());
    }

    async fn a_new_password_moves_the_version_on(fixture: StoreFixture) {
        let (user, other) = (fixture.user().await, fixture.user().await);
        let hash = password_hash(fixture.seed());
        let changed = fixture.single().await.set_password(user.id, 1, &hash, after(5)).await;
        assert!(changed.unwrap());
        let expected =
            User { password_hash: hash, credentials_version: 2, updated_at: after(5), ..user };
        assert_eq!(fixture.stored_user(&expected).await, expected);
        assert_eq!(fixture.stored_user(&other).await, other);
    }

    async fn a_password_is_not_set_over_one_that_is_newer(fixture: StoreFixture) {
        let user = User { credentials_version: 7, ..fixture.stranger() };
        fixture.add_user(&user).await;
        let hash = password_hash(fixture.seed());
        for version in [6, 8] {
            let response = fixture.single().await.set_password(user.id, version, &hash, after(5)).await;
            assert!(!response.unwrap());
        }
        assert_eq!(fixture.stored_user(&user).await, user);
    }

    async fn of_racing_password_changes_exactly_one_wins(fixture: StoreFixture) {
        let user = fixture.user().await;
        let responses = race(16, |_| {
            let (fixture, id) = (fixture.clone(), user.id);
            let hash = password_hash(fixture.seed());
            async move {
                let changed = fixture.single().await.set_password(id, 1, &hash, after(5)).await;
                changed.unwrap().then_some(hash)
            }
        })
        .await;
        let won: Vec<_> = responses.into_iter().flatten().collect();
        let found = fixture.stored_user(&user).await;
        assert_eq!((won, found.credentials_version), (vec![found.password_hash], 2));
    }

    async fn a_renewed_hash_changes_nothing_but_itself(fixture: StoreFixture) {
        let (user, other) = (fixture.user().await, fixture.user().await);
        let hash = password_hash(fixture.seed());
        assert!(fixture.single().await.set_rehashed_password(user.id, 1, &hash).await.unwrap());
        let expected = User { password_hash: hash, ..user };
        assert_eq!(fixture.stored_user(&expected).await, expected);
        assert_eq!(fixture.stored_user(&other).await, other);
    }

    async fn a_hash_is_not_renewed_over_a_newer_password(fixture: StoreFixture) {
        let user = fixture.user().await;
        let (new, old) = (password_hash(fixture.seed()), password_hash(fixture.seed()));
        fixture.single().await.set_password(user.id, 1, &new, after(5)).await.unwrap();
        assert!(!fixture.single().await.set_rehashed_password(user.id, 1, &old).await.unwrap());
        assert_eq!(fixture.stored_user(&user).await.password_hash, new);
    }

    async fn an_account_is_disabled_and_enabled_once_each(fixture: StoreFixture) {
        let (user, other) = (fixture.user().await, fixture.user().await);
        // Setting the same state again changes nothing, not even the time of the last change.
        for (step, disabled) in [false, true, true, false, false].into_iter().enumerate() {
            let now = after(i64::try_from(step).unwrap());
            let before = fixture.stored_user(&user).await;
            let changed =
                fixture.single().await.set_user_disabled(user.id, disabled, now).await.unwrap();
            assert_eq!(changed, before.disabled != disabled, "step {step}");
            let updated_at = if changed { now } else { before.updated_at };
            let expected = User { disabled, updated_at, ..before };
            assert_eq!(fixture.stored_user(&user).await, expected, "step {step}");
        }
        assert_eq!(fixture.stored_user(&other).await, other);
    }

    async fn of_racing_disablings_exactly_one_changes_something(fixture: StoreFixture) {
        let user = fixture.user().await;
        let responses = race(16, |_| {
            let (fixture, id) = (fixture.clone(), user.id);
            async move { fixture.single().await.set_user_disabled(id, true, after(5)).await.unwrap() }
        })
        .await;
        assert_eq!(responses.into_iter().filter(|changed| *changed).count(), 1);
    }

    async fn an_account_that_is_not_there_cannot_be_changed(fixture: StoreFixture) {
        let stranger = fixture.stranger();
        let (id, hash) = (stranger.id, &stranger.password_hash);
        let now = after(5);
        assert!(!fixture.single().await.set_username(id, &stranger.username, now).await.unwrap());
        assert!(!fixture.single().await.set_password(id, 1, hash, now).await.unwrap());
        assert!(!fixture.single().await.set_rehashed_password(id, 1, hash).await.unwrap());
        for disabled in [true, false] {
            let changed = fixture.single().await.set_user_disabled(id, disabled, now).await;
            assert!(!changed.unwrap());
        }
        assert_eq!(fixture.read().await.find_user(id).await.unwrap(), None);
    }
}
