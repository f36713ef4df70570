//! Promises about pending sign-ups: found while they are valid, and never blocking another.

use gateward_domain::link::SecretHash;
use gateward_domain::ports::StoreError;
use gateward_domain::signup::PendingSignup;
use gateward_domain::{EmailAddress, Identifier, SignupId, Timestamp, User};

use super::StoreFixture;
use super::fixture::{after, race};
use crate::SeededEntropy;
use crate::fixtures::SIGNUP_SECONDS;

/// Returns the newest valid sign-up of an email address.
async fn newest(
    fixture: &StoreFixture,
    email: &EmailAddress,
    now: Timestamp,
) -> Option<PendingSignup> {
    fixture.read().await.find_newest_signup(email, now).await.unwrap()
}

/// Looks the sign-up up in all three ways.
async fn found(
    fixture: &StoreFixture,
    signup: &PendingSignup,
    now: Timestamp,
) -> [Option<PendingSignup>; 3] {
    let mut tx = fixture.read().await;
    [
        tx.find_signup(signup.id, now).await.unwrap(),
        tx.find_signup_by_secret(&signup.secret, now).await.unwrap(),
        tx.find_newest_signup(&signup.email, now).await.unwrap(),
    ]
}

promises! {
    __promises_signups;


    async fn every_field_of_a_sign_up_comes_back(fixture: StoreFixture) {
        let odd = PendingSignup {
            email: EmailAddress::parse(&format!("jürgen+{:x}@bücher.example", fixture.seed())).unwrap(),
            created_at: after(-3600),
            expires_at: Timestamp::from_micros(4_102_444_800_000_001),
            ..fixture.signup()
        };
        for signup in [fixture.signup(), odd] {
            fixture.add_signup(&signup).await;
            fixture.add_signup(&fixture.signup()).await;
            for way in found(&fixture, &signup, after(5)).await {
                let way = way.unwrap();
                assert_eq!(way, signup);
                assert_eq!(way.username.as_str(), signup.username.as_str(), "kept as typed");
            }
        }
    }

    async fn a_sign_up_that_is_not_there_is_not_found(fixture: StoreFixture) {
        fixture.add_signup(&fixture.signup()).await;
        assert_eq!(found(&fixture, &fixture.signup(), after(5)).await, [None, None, None]);
        let unknown = SecretHash([0; 32]);
        let mut tx = fixture.read().await;
        assert_eq!(tx.find_signup_by_secret(&unknown, after(5)).await.unwrap(), None);
    }

    async fn any_number_may_want_one_name_or_one_address(fixture: StoreFixture) {
        let (owner, first) = (fixture.user().await, fixture.signup());
        let mut wanting = vec![first.clone()];
        for (username, email) in [
            (&first.username, &first.email),
            (&first.username, &owner.email),
            (&owner.username, &first.email),
            (&owner.username, &owner.email),
        ] {
            let (username, email) = (username.clone(), email.clone());
            wanting.push(PendingSignup { username, email, ..fixture.signup() });
        }
        for signup in &wanting {
            fixture.add_signup(signup).await;
        }
        for signup in wanting {
            let mut tx = fixture.read().await;
            let stored = tx.find_signup(signup.id, after(5)).await.unwrap();
            assert_eq!(stored.as_ref(), Some(&signup));
            let stored = tx.find_signup_by_secret(&signup.secret, after(5)).await.unwrap();
            assert_eq!(stored, Some(signup));
        }
    }

    async fn a_sign_up_is_not_written_over_another(fixture: StoreFixture) {
        let signup = fixture.signup();
        fixture.add_signup(&signup).await;
        let same_id = PendingSignup { id: signup.id, ..fixture.signup() };
        let response = fixture.single().await.insert_signup(&same_id).await;
        assert!(matches!(response, Err(StoreError::Unavailable(_))), "{response:?}");
        let found = fixture.read().await.find_signup(signup.id, after(5)).await.unwrap();
        assert_eq!(found, Some(signup));
    }

    async fn a_sign_up_is_no_account_and_keeps_nothing_from_anybody(fixture: StoreFixture) {
        let signup = fixture.signup();
        fixture.add_signup(&signup).await;
        for identifier in
            [Identifier::Email(signup.email.clone()), Identifier::Username(signup.username.clone())]
        {
            let found = fixture.read().await.find_user_by_identifier(&identifier).await.unwrap();
            assert_eq!(found, None, "{identifier:?}");
        }
        let owner = fixture.read().await.find_email_owner(&signup.email, after(5)).await.unwrap();
        assert_eq!(owner, None);
        let PendingSignup { username, email, .. } = signup.clone();
        fixture.add_user(&User { username, email, ..fixture.stranger() }).await;
        assert_eq!(newest(&fixture, &signup.email, after(5)).await, Some(signup));
    }

    async fn a_sign_up_is_not_found_once_its_time_is_over(fixture: StoreFixture) {
        let signup = fixture.signup();
        fixture.add_signup(&signup).await;
        let last = Timestamp::from_micros(signup.expires_at.micros() - 1);
        assert!(found(&fixture, &signup, last).await.iter().all(Option::is_some));
        assert_eq!(found(&fixture, &signup, signup.expires_at).await, [None, None, None]);
    }

    async fn of_many_sign_ups_of_an_address_the_newest_in_time_is_found(fixture: StoreFixture) {
        let email = fixture.stranger().email;
        let made = |seconds: i64, life| PendingSignup {
            // If both orders were the same, a wrong one would pass.
            id: SignupId::new(after(-seconds), &SeededEntropy::new(fixture.seed())),
            email: email.clone(),
            created_at: after(seconds),
            expires_at: after(seconds + life),
            ..fixture.signup()
        };
        let (old, newest_of_all, middle) = (made(10, 1000), made(30, 60), made(20, 1000));
        let elsewhere = PendingSignup { created_at: after(40), ..fixture.signup() };
        for signup in [&old, &newest_of_all, &middle, &elsewhere] {
            fixture.add_signup(signup).await;
        }
        assert_eq!(newest(&fixture, &email, after(50)).await, Some(newest_of_all));
        assert_eq!(newest(&fixture, &email, after(100)).await, Some(middle));
    }

    async fn all_sign_ups_of_an_address_are_deleted_at_once(fixture: StoreFixture) {
        let (email, other) = (fixture.stranger().email, fixture.signup());
        fixture.add_signup(&other).await;
        let mut gone = Vec::new();
        for expires_at in [after(-5), after(60), after(SIGNUP_SECONDS)] {
            let signup = PendingSignup { email: email.clone(), expires_at, ..fixture.signup() };
            fixture.add_signup(&signup).await;
            gone.push(signup);
        }
        for deleted in [3, 0] {
            let mut tx = fixture.single().await;
            assert_eq!(tx.delete_signups_of_email(&email).await.unwrap(), deleted);
        }
        for signup in gone {
            assert_eq!(found(&fixture, &signup, after(-10)).await, [None, None, None]);
        }
        assert!(found(&fixture, &other, after(5)).await.iter().all(Option::is_some));
    }

    async fn of_racing_deletions_each_sign_up_counts_once(fixture: StoreFixture) {
        for _ in 0..10 {
            let email = fixture.stranger().email;
            for _ in 0..5 {
                fixture.add_signup(&PendingSignup { email: email.clone(), ..fixture.signup() }).await;
            }
            let counts = race(6, |_| {
                let (fixture, email) = (fixture.clone(), email.clone());
                async move {
                    fixture.single().await.delete_signups_of_email(&email).await.unwrap()
                }
            })
            .await;
            assert_eq!(counts.iter().sum::<u64>(), 5, "{counts:?}");
        }
    }

    async fn sign_ups_are_cleaned_up_once_their_time_is_over(fixture: StoreFixture) {
        let before = after(100);
        let mut signups = Vec::new();
        for seconds in [50, 99, 100, 101] {
            let signup = PendingSignup { expires_at: after(seconds), ..fixture.signup() };
            fixture.add_signup(&signup).await;
            signups.push(signup);
        }
        assert_eq!(fixture.single().await.delete_signups(before, 100).await.unwrap(), 2);
        for signup in signups {
            let found = fixture.read().await.find_signup(signup.id, after(0)).await.unwrap();
            assert_eq!(found.is_some(), signup.expires_at >= before, "the moment is not before it");
        }
    }

    async fn no_more_sign_ups_are_cleaned_up_than_asked(fixture: StoreFixture) {
        for _ in 0..7 {
            fixture.add_signup(&fixture.signup()).await;
        }
        let before = after(SIGNUP_SECONDS + 1);
        for (limit, deleted) in [(0, 0), (3, 3), (3, 3), (3, 1), (3, 0)] {
            assert_eq!(fixture.single().await.delete_signups(before, limit).await.unwrap(), deleted);
        }
    }
}
