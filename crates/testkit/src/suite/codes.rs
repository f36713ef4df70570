//! Promises about codes: a try counts before anybody learns the code, and tries come to an end.

use std::slice;

use gateward_domain::link::{Link, LinkPurpose, LinkSubject};
use gateward_domain::ports::{CODE_LINKS_MAX, CodeAttempt};
use gateward_domain::{Email, LinkId, Timestamp};

use super::Stage;
use super::stage::{after, race};
use crate::fixtures::signup_link;

/// How often a code may be tried in these promises.
const TRIES_MAX: u32 = 5;

/// A try on every link that confirms this address, a while after the links were made.
fn attempt(email: &Email) -> CodeAttempt {
    CodeAttempt {
        email: email.clone(),
        purposes: LinkPurpose::CONFIRMING.to_vec(),
        subject: None,
        tries_max: TRIES_MAX,
        now: after(60),
    }
}

/// Tries a code.
async fn try_code(stage: &Stage, attempt: &CodeAttempt) -> Vec<Link> {
    stage.single().await.try_code(attempt).await.unwrap()
}

/// A link that confirms a sign-up of this address, made at that time; it is stored.
async fn made(stage: &Stage, email: &Email, seconds: i64) -> Link {
    let plain = signup_link(stage.seed(), &stage.signup());
    let link = Link { email: email.clone(), created_at: after(seconds), ..plain };
    stage.put_link(&link).await;
    link
}

/// How often codes were tried on a link.
async fn tries(stage: &Stage, id: LinkId) -> u32 {
    stage.stored_link(id).await.unwrap().code_tries
}

/// The identifiers of links, sorted.
fn ids<'a>(links: impl IntoIterator<Item = &'a Link>) -> Vec<LinkId> {
    let mut ids: Vec<_> = links.into_iter().map(|link| link.id).collect();
    ids.sort();
    ids
}

promises! {
    __promises_codes;


    async fn a_try_is_counted_and_the_link_is_given_as_it_is_then(stage: Stage) {
        let email = stage.stranger().email;
        let link = made(&stage, &email, 0).await;
        for code_tries in 1..=TRIES_MAX {
            // A single write lasts: who asks and goes away has tried.
            let given = try_code(&stage, &attempt(&email)).await;
            let expected = Link { code_tries, ..link.clone() };
            assert_eq!(given, slice::from_ref(&expected));
            assert_eq!(stage.stored_link(link.id).await, Some(expected));
        }
        assert_eq!(try_code(&stage, &attempt(&email)).await, []);
        assert_eq!(tries(&stage, link.id).await, TRIES_MAX);
    }

    async fn a_link_that_was_tried_too_often_is_no_hindrance_to_others(stage: Stage) {
        let email = stage.stranger().email;
        let spent = made(&stage, &email, 0).await;
        for _ in 0..TRIES_MAX {
            try_code(&stage, &attempt(&email)).await;
        }
        let fresh = made(&stage, &email, 10).await;
        assert_eq!(try_code(&stage, &attempt(&email)).await, [Link { code_tries: 1, ..fresh }]);
        assert_eq!(tries(&stage, spent.id).await, TRIES_MAX);
        let patient = CodeAttempt { tries_max: TRIES_MAX + 1, ..attempt(&email) };
        assert_eq!(try_code(&stage, &patient).await.len(), 2);
        assert_eq!(try_code(&stage, &CodeAttempt { tries_max: 0, ..patient }).await, []);
    }

    async fn racing_callers_try_no_more_often_than_is_allowed(stage: Stage) {
        let email = stage.stranger().email;
        let link = made(&stage, &email, 0).await;
        let given = race(40, |index| {
            let (stage, attempt) = (stage.clone(), attempt(&email));
            async move {
                if index % 4 != 0 {
                    return try_code(&stage, &attempt).await;
                }
                let mut tx = stage.write().await;
                let given = tx.try_code(&attempt).await.unwrap();
                tx.commit().await.unwrap();
                given
            }
        })
        .await
        .concat();
        assert!(given.iter().all(|given| given.id == link.id));
        let mut counted: Vec<_> = given.iter().map(|given| given.code_tries).collect();
        counted.sort_unstable();
        assert_eq!(counted, [1, 2, 3, 4, 5], "each try is another");
        assert_eq!(tries(&stage, link.id).await, TRIES_MAX);
    }

    async fn racing_tries_on_many_links_get_past_each_other(stage: Stage) {
        let email = stage.stranger().email;
        let mut links = Vec::new();
        for seconds in 0..16 {
            links.push(made(&stage, &email, seconds).await);
        }
        // Every fourth means one link of them.
        let is_narrow = |index: usize| index % 4 == 3;
        let given = race(links.len(), |index| {
            let (stage, mut attempt) = (stage.clone(), attempt(&email));
            attempt.tries_max = 1000;
            let one = links.get(index).filter(|_| is_narrow(index));
            attempt.subject = one.map(|link| link.subject);
            async move { try_code(&stage, &attempt).await.len() }
        })
        .await;
        for (index, given) in given.into_iter().enumerate() {
            assert_eq!(given, if is_narrow(index) { 1 } else { 16 });
        }
        for (index, link) in links.iter().enumerate() {
            let expected = if is_narrow(index) { 13 } else { 12 };
            assert_eq!(tries(&stage, link.id).await, expected, "no try is lost");
        }
    }

    async fn a_try_is_for_one_address(stage: Stage) {
        let email = stage.stranger().email;
        let (link, other) = (made(&stage, &email, 0).await, stage.stranger().email);
        let elsewhere = made(&stage, &other, 0).await;
        assert_eq!(ids(&try_code(&stage, &attempt(&email)).await), [link.id]);
        assert_eq!(tries(&stage, elsewhere.id).await, 0);
        assert_eq!(try_code(&stage, &attempt(&stage.stranger().email)).await, []);
    }

    async fn a_try_is_for_some_purposes(stage: Stage) {
        let user = stage.user().await;
        let link_for = async |purpose| {
            let link = stage.link(purpose, &user);
            stage.put_link(&link).await;
            link
        };
        let confirm = link_for(LinkPurpose::ConfirmEmail).await;
        let change = link_for(LinkPurpose::ChangeEmail).await;
        let undo = link_for(LinkPurpose::UndoEmail).await;
        let reset = link_for(LinkPurpose::ResetPassword).await;
        let signup = made(&stage, &user.email, 0).await;
        let given = try_code(&stage, &attempt(&user.email)).await;
        assert_eq!(ids(&given), ids([&confirm, &change, &signup]));
        let purposes = vec![LinkPurpose::ResetPassword];
        let of_reset = CodeAttempt { purposes, ..attempt(&user.email) };
        assert_eq!(ids(&try_code(&stage, &of_reset).await), [reset.id]);
        let of_none = CodeAttempt { purposes: Vec::new(), ..attempt(&user.email) };
        assert_eq!(try_code(&stage, &of_none).await, []);
        for (link, tried) in [(confirm, 1), (change, 1), (signup, 1), (reset, 1), (undo, 0)] {
            assert_eq!(tries(&stage, link.id).await, tried, "{:?}", link.purpose);
        }
    }

    async fn a_subject_narrows_a_try(stage: Stage) {
        let user = stage.user().await;
        let signup = made(&stage, &user.email, 0).await;
        let another = made(&stage, &user.email, 0).await;
        let confirm = stage.link(LinkPurpose::ConfirmEmail, &user);
        stage.put_link(&confirm).await;
        for link in [&signup, &confirm] {
            let narrow = CodeAttempt { subject: Some(link.subject), ..attempt(&user.email) };
            assert_eq!(ids(&try_code(&stage, &narrow).await), [link.id]);
        }
        assert_eq!(tries(&stage, another.id).await, 0);
        let nobody = LinkSubject::User(stage.stranger().id);
        let narrow = CodeAttempt { subject: Some(nobody), ..attempt(&user.email) };
        assert_eq!(try_code(&stage, &narrow).await, []);
        let all = try_code(&stage, &attempt(&user.email)).await;
        assert_eq!(ids(&all), ids([&signup, &another, &confirm]), "nobody in particular");
    }

    async fn a_link_that_is_out_of_time_is_not_tried(stage: Stage) {
        let email = stage.stranger().email;
        let link = made(&stage, &email, 0).await;
        for now in [link.expires_at, link.expires_at.plus_seconds(1)] {
            assert_eq!(try_code(&stage, &CodeAttempt { now, ..attempt(&email) }).await, []);
        }
        assert_eq!(tries(&stage, link.id).await, 0);
        let now = Timestamp::from_micros(link.expires_at.micros() - 1);
        assert_eq!(try_code(&stage, &CodeAttempt { now, ..attempt(&email) }).await.len(), 1);
    }

    async fn of_very_many_links_the_newest_are_given(stage: Stage) {
        let email = stage.stranger().email;
        let count = i64::from(CODE_LINKS_MAX) + 5;
        let mut links = Vec::new();
        // Neither the order of writing nor that of identifiers is that of time.
        for index in 0..count {
            links.push(made(&stage, &email, index * 7 % count).await);
        }
        links.sort_by_key(|link| link.created_at);
        let newest = links.split_off(5);
        let given = try_code(&stage, &attempt(&email)).await;
        assert_eq!(ids(&given), ids(&newest));
        assert!(given.iter().all(|link| link.code_tries == 1));
        for link in newest {
            assert_eq!(tries(&stage, link.id).await, 1);
        }
    }
}
