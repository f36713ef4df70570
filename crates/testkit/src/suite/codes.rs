//! Promises about codes: an attempt counts before the code is known to the caller, and attempts are
//! limited.

use std::slice;

use gateward_domain::link::{Link, LinkPurpose, LinkSubject};
use gateward_domain::ports::{CODE_LINKS_MAX, CodeAttempt};
use gateward_domain::{EmailAddress, LinkId, Timestamp};

use super::StoreFixture;
use super::fixture::{after, race};
use crate::fixtures::signup_link;

/// Maximum number of attempts in these promises.
const TRIES_MAX: u32 = 5;

/// An attempt on every link that confirms this email address, after the links were created.
fn attempt(email: &EmailAddress) -> CodeAttempt {
    CodeAttempt {
        email: email.clone(),
        purposes: LinkPurpose::CONFIRMING.to_vec(),
        subject: None,
        attempts_max: TRIES_MAX,
        now: after(60),
    }
}

async fn try_code(fixture: &StoreFixture, attempt: &CodeAttempt) -> Vec<Link> {
    fixture.single().await.try_code(attempt).await.unwrap()
}

/// Stores a link that confirms a sign-up with this email address, created at that time.
async fn made(fixture: &StoreFixture, email: &EmailAddress, seconds: i64) -> Link {
    let plain = signup_link(fixture.seed(), &fixture.signup());
    let link = Link { email: email.clone(), created_at: after(seconds), ..plain };
    fixture.put_link(&link).await;
    link
}

/// Returns the number of attempts on a link.
async fn tries(fixture: &StoreFixture, id: LinkId) -> u32 {
    fixture.stored_link(id).await.unwrap().code_attempts
}

/// Returns the sorted identifiers of links.
fn ids<'a>(links: impl IntoIterator<Item = &'a Link>) -> Vec<LinkId> {
    let mut ids: Vec<_> = links.into_iter().map(|link| link.id).collect();
    ids.sort();
    ids
}

promises! {
    __promises_codes;


    async fn a_try_is_counted_and_the_link_is_given_as_it_is_then(fixture: StoreFixture) {
        let email = fixture.stranger().email;
        let link = made(&fixture, &email, 0).await;
        for code_attempts in 1..=TRIES_MAX {
            // A single write is committed: a caller that goes away has used an attempt.
            let given = try_code(&fixture, &attempt(&email)).await;
            let expected = Link { code_attempts, ..link.clone() };
            assert_eq!(given, slice::from_ref(&expected));
            assert_eq!(fixture.stored_link(link.id).await, Some(expected));
        }
        assert_eq!(try_code(&fixture, &attempt(&email)).await, []);
        assert_eq!(tries(&fixture, link.id).await, TRIES_MAX);
    }

    async fn a_link_that_was_tried_too_often_is_no_hindrance_to_others(fixture: StoreFixture) {
        let email = fixture.stranger().email;
        let spent = made(&fixture, &email, 0).await;
        for _ in 0..TRIES_MAX {
            try_code(&fixture, &attempt(&email)).await;
        }
        let fresh = made(&fixture, &email, 10).await;
        assert_eq!(try_code(&fixture, &attempt(&email)).await, [Link { code_attempts: 1, ..fresh }]);
        assert_eq!(tries(&fixture, spent.id).await, TRIES_MAX);
        let patient = CodeAttempt { attempts_max: TRIES_MAX + 1, ..attempt(&email) };
        assert_eq!(try_code(&fixture, &patient).await.len(), 2);
        assert_eq!(try_code(&fixture, &CodeAttempt { attempts_max: 0, ..patient }).await, []);
    }

    async fn racing_callers_try_no_more_often_than_is_allowed(fixture: StoreFixture) {
        let email = fixture.stranger().email;
        let link = made(&fixture, &email, 0).await;
        let given = race(40, |index| {
            let (fixture, attempt) = (fixture.clone(), attempt(&email));
            async move {
                if index % 4 != 0 {
                    return try_code(&fixture, &attempt).await;
                }
                let mut tx = fixture.write().await;
                let given = tx.try_code(&attempt).await.unwrap();
                tx.commit().await.unwrap();
                given
            }
        })
        .await
        .concat();
        assert!(given.iter().all(|given| given.id == link.id));
        let mut counted: Vec<_> = given.iter().map(|given| given.code_attempts).collect();
        counted.sort_unstable();
        assert_eq!(counted, [1, 2, 3, 4, 5], "each try is another");
        assert_eq!(tries(&fixture, link.id).await, TRIES_MAX);
    }

    async fn racing_tries_on_many_links_get_past_each_other(fixture: StoreFixture) {
        let email = fixture.stranger().email;
        let mut links = Vec::new();
        for seconds in 0..16 {
            links.push(made(&fixture, &email, seconds).await);
        }
        // Every fourth attempt names one link only.
        let is_narrow = |index: usize| index % 4 == 3;
        let given = race(links.len(), |index| {
            let (fixture, mut attempt) = (fixture.clone(), attempt(&email));
            attempt.attempts_max = 1000;
            let one = links.get(index).filter(|_| is_narrow(index));
            attempt.subject = one.map(|link| link.subject);
            async move { try_code(&fixture, &attempt).await.len() }
        })
        .await;
        for (index, given) in given.into_iter().enumerate() {
            assert_eq!(given, if is_narrow(index) { 1 } else { 16 });
        }
        for (index, link) in links.iter().enumerate() {
            let expected = if is_narrow(index) { 13 } else { 12 };
            assert_eq!(tries(&fixture, link.id).await, expected, "no try is lost");
        }
    }

    async fn a_try_is_for_one_address(fixture: StoreFixture) {
        let email = fixture.stranger().email;
        let (link, other) = (made(&fixture, &email, 0).await, fixture.stranger().email);
        let elsewhere = made(&fixture, &other, 0).await;
        assert_eq!(ids(&try_code(&fixture, &attempt(&email)).await), [link.id]);
        assert_eq!(tries(&fixture, elsewhere.id).await, 0);
        assert_eq!(try_code(&fixture, &attempt(&fixture.stranger().email)).await, []);
    }

    async fn a_try_is_for_some_purposes(fixture: StoreFixture) {
        let user = fixture.user().await;
        let link_for = async |purpose| {
            let link = fixture.link(purpose, &user);
            fixture.put_link(&link).await;
            link
        };
        let confirm = link_for(LinkPurpose::ConfirmEmail).await;
        let change = link_for(LinkPurpose::ChangeEmail).await;
        let undo = link_for(LinkPurpose::UndoEmail).await;
        let reset = link_for(LinkPurpose::ResetPassword).await;
        let signup = made(&fixture, &user.email, 0).await;
        let given = try_code(&fixture, &attempt(&user.email)).await;
        assert_eq!(ids(&given), ids([&confirm, &change, &signup]));
        let purposes = vec![LinkPurpose::ResetPassword];
        let of_reset = CodeAttempt { purposes, ..attempt(&user.email) };
        assert_eq!(ids(&try_code(&fixture, &of_reset).await), [reset.id]);
        let of_none = CodeAttempt { purposes: Vec::new(), ..attempt(&user.email) };
        assert_eq!(try_code(&fixture, &of_none).await, []);
        for (link, tried) in [(confirm, 1), (change, 1), (signup, 1), (reset, 1), (undo, 0)] {
            assert_eq!(tries(&fixture, link.id).await, tried, "{:?}", link.purpose);
        }
    }

    async fn a_subject_narrows_a_try(fixture: StoreFixture) {
        let user = fixture.user().await;
        let signup = made(&fixture, &user.email, 0).await;
        let another = made(&fixture, &user.email, 0).await;
        let confirm = fixture.link(LinkPurpose::ConfirmEmail, &user);
        fixture.put_link(&confirm).await;
        for link in [&signup, &confirm] {
            let narrow = CodeAttempt { subject: Some(link.subject), ..attempt(&user.email) };
            assert_eq!(ids(&try_code(&fixture, &narrow).await), [link.id]);
        }
        assert_eq!(tries(&fixture, another.id).await, 0);
        let nobody = LinkSubject::User(fixture.stranger().id);
        let narrow = CodeAttempt { subject: Some(nobody), ..attempt(&user.email) };
        assert_eq!(try_code(&fixture, &narrow).await, []);
        let all = try_code(&fixture, &attempt(&user.email)).await;
        assert_eq!(ids(&all), ids([&signup, &another, &confirm]), "no user in particular");
    }

    async fn a_link_that_is_out_of_time_is_not_tried(fixture: StoreFixture) {
        let email = fixture.stranger().email;
        let link = made(&fixture, &email, 0).await;
        for now in [link.expires_at, link.expires_at.plus_seconds(1)] {
            assert_eq!(try_code(&fixture, &CodeAttempt { now, ..attempt(&email) }).await, []);
        }
        assert_eq!(tries(&fixture, link.id).await, 0);
        let now = Timestamp::from_micros(link.expires_at.micros() - 1);
        assert_eq!(try_code(&fixture, &CodeAttempt { now, ..attempt(&email) }).await.len(), 1);
    }

    async fn of_very_many_links_the_newest_are_given(fixture: StoreFixture) {
        let email = fixture.stranger().email;
        let count = i64::from(CODE_LINKS_MAX) + 5;
        let mut links = Vec::new();
        // Neither the order of writing nor that of identifiers is that of time.
        for index in 0..count {
            links.push(made(&fixture, &email, index * 7 % count).await);
        }
        links.sort_by_key(|link| link.created_at);
        let newest = links.split_off(5);
        let given = try_code(&fixture, &attempt(&email)).await;
        assert_eq!(ids(&given), ids(&newest));
        assert!(given.iter().all(|link| link.code_attempts == 1));
        for link in newest {
            assert_eq!(tries(&fixture, link.id).await, 1);
        }
    }
}
