//! Promises about the numbers of accounts.

use gateward_domain::User;

use super::StoreFixture;
use super::fixture::race;

async fn assign(fixture: &StoreFixture, user: &User) -> Option<i64> {
    fixture.single().await.assign_user_number(user.id).await.unwrap()
}

async fn find(fixture: &StoreFixture, user: &User) -> Option<i64> {
    fixture.read().await.find_user_number(user.id).await.unwrap()
}

promises! {
    __promises_user_numbers;


    async fn an_account_keeps_the_number_that_it_was_assigned(fixture: StoreFixture) {
        let user = fixture.user().await;
        assert_eq!(find(&fixture, &user).await, None);
        let number = assign(&fixture, &user).await;
        assert!(number.is_some_and(|number| number > 0), "{number:?}");
        assert_eq!(find(&fixture, &user).await, number);
        assert_eq!(assign(&fixture, &user).await, number);
    }

    async fn a_stranger_is_assigned_no_number(fixture: StoreFixture) {
        assert_eq!(assign(&fixture, &fixture.stranger()).await, None);
        assert_eq!(find(&fixture, &fixture.stranger()).await, None);
    }

    async fn accounts_have_different_numbers_that_grow(fixture: StoreFixture) {
        let mut last = Some(0);
        for _ in 0..5 {
            let number = assign(&fixture, &fixture.user().await).await;
            assert!(number > last, "{number:?} after {last:?}");
            last = number;
        }
    }

    async fn the_number_of_a_deleted_account_is_not_assigned_again(fixture: StoreFixture) {
        let user = fixture.user().await;
        let number = assign(&fixture, &user).await;
        assert!(fixture.single().await.delete_user(user.id).await.unwrap());
        assert_eq!(find(&fixture, &user).await, None);
        let next = assign(&fixture, &fixture.user().await).await;
        assert!(next > number, "{next:?} after {number:?}");
    }

    async fn concurrent_requests_assign_an_account_one_number(fixture: StoreFixture) {
        let user = fixture.user().await;
        let numbers = race(8, |_| {
            let (fixture, user) = (fixture.clone(), user.clone());
            async move { assign(&fixture, &user).await }
        })
        .await;
        let first = numbers.first().copied().flatten();
        assert!(first.is_some() && numbers.iter().all(|number| *number == first));
    }

    async fn concurrent_requests_assign_accounts_different_numbers(fixture: StoreFixture) {
        let numbers = race(8, |_| {
            let fixture = fixture.clone();
            async move { assign(&fixture, &fixture.user().await).await }
        })
        .await;
        let mut different = numbers.clone();
        different.sort_unstable();
        different.dedup();
        assert_eq!(different.len(), numbers.len());
    }

    async fn a_number_that_was_rolled_back_is_not_assigned(fixture: StoreFixture) {
        let user = fixture.user().await;
        let mut tx = fixture.write().await;
        assert!(tx.assign_user_number(user.id).await.unwrap().is_some());
        drop(tx);
        assert_eq!(find(&fixture, &user).await, None);
        assert!(assign(&fixture, &user).await.is_some());
    }
}
