//! Promises about emailed links: one is valid per purpose and subject, and it is used once.

use gateward_domain::key::KeyId;
use gateward_domain::link::{Link, LinkPurpose, SecretHash};
use gateward_domain::ports::StoreError;
use gateward_domain::refresh::Salt;
use gateward_domain::{EmailAddress, LinkId, Timestamp, User};

use super::StoreFixture;
use super::fixture::{after, race};
use crate::fixtures::{LINK_SECONDS, account_purposes, session_link, signup_link};

/// One link for each purpose, about this account or, if the purpose needs one, a session of its
/// owner. Not stored yet.
fn one_of_each(fixture: &StoreFixture, user: &User) -> Vec<Link> {
    let signup = signup_link(fixture.seed(), &fixture.signup());
    let session = session_link(fixture.seed(), &fixture.draft(user), user);
    let links = account_purposes().map(|purpose| fixture.link(purpose, user));
    let links: Vec<_> = links.chain([signup, session]).collect();
    assert_eq!(links.len(), LinkPurpose::ALL.len());
    links
}

/// Looks the link up in both ways.
async fn found(fixture: &StoreFixture, link: &Link) -> [Option<Link>; 2] {
    let mut tx = fixture.read().await;
    [tx.find_link(link.id).await.unwrap(), tx.find_link_by_secret(&link.secret).await.unwrap()]
}

/// Asserts that the link is stored as given, or is absent.
async fn is_there(fixture: &StoreFixture, link: &Link, there: bool) {
    let expected = there.then_some(link);
    for way in found(fixture, link).await {
        assert_eq!(way.as_ref(), expected, "{:?}", link.purpose);
    }
}

/// Consumes a link.
async fn spend(fixture: &StoreFixture, id: LinkId, now: Timestamp) -> bool {
    fixture.single().await.spend_link(id, now).await.unwrap()
}

async fn listed(fixture: &StoreFixture, user: &User) -> Vec<Link> {
    fixture.read().await.list_user_links(user.id, 100).await.unwrap()
}

promises! {
    __promises_links;


    async fn every_field_of_a_link_comes_back(fixture: StoreFixture) {
        let user = fixture.user().await;
        let plain = fixture.link(LinkPurpose::UndoEmail, &user);
        let odd = Link {
            email: EmailAddress::parse(&format!("jürgen+{:x}@bücher.example", fixture.seed())).unwrap(),
            key_id: KeyId("kéy.2026-11_ö".to_owned()),
            salt: Salt([0xff; 32]),
            code_attempts: 7,
            reserves_email: true,
            created_at: Timestamp::from_micros(-1),
            expires_at: Timestamp::from_micros(4_102_444_800_000_001),
            ..plain
        };
        let mut links = one_of_each(&fixture, &user);
        links.push(odd);
        for link in &links {
            fixture.put_link(link).await;
        }
        for link in &links {
            is_there(&fixture, link, true).await;
        }
    }

    async fn a_link_that_is_not_there_is_not_found(fixture: StoreFixture) {
        let user = fixture.user().await;
        fixture.put_link(&fixture.link(LinkPurpose::ResetPassword, &user)).await;
        is_there(&fixture, &fixture.link(LinkPurpose::ResetPassword, &user), false).await;
        let mut tx = fixture.read().await;
        assert_eq!(tx.find_link_by_secret(&SecretHash([0; 32])).await.unwrap(), None);
    }

    async fn a_link_is_found_though_its_time_is_over(fixture: StoreFixture) {
        let user = fixture.user().await;
        let link = fixture.link(LinkPurpose::ResetPassword, &user);
        let over = Link { created_at: after(-7200), expires_at: after(-3600), ..link };
        fixture.put_link(&over).await;
        is_there(&fixture, &over, true).await;
        assert_eq!(listed(&fixture, &user).await, [over]);
    }

    async fn a_link_is_not_written_over_one_that_is_about_another(fixture: StoreFixture) {
        let (user, other) = (fixture.user().await, fixture.user().await);
        for purpose in [LinkPurpose::ResetPassword, LinkPurpose::ConfirmEmail] {
            let link = fixture.link(purpose, &user);
            fixture.put_link(&link).await;
            let same_id = Link { id: link.id, ..fixture.link(purpose, &other) };
            let response = fixture.single().await.put_link(&same_id).await;
            assert!(matches!(response, Err(StoreError::Unavailable(_))), "{response:?}");
            is_there(&fixture, &link, true).await;
        }
    }

    async fn a_newer_link_takes_the_place_of_its_purpose_and_subject(fixture: StoreFixture) {
        let (user, other) = (fixture.user().await, fixture.user().await);
        let olds = one_of_each(&fixture, &user);
        let bystanders = one_of_each(&fixture, &other);
        for link in olds.iter().chain(&bystanders) {
            fixture.put_link(link).await;
        }
        for (index, old) in olds.iter().enumerate().filter(|(_, old)| old.purpose.is_superseded()) {
            // With another email address, and not even newer: the last one stored counts.
            let drawn = fixture.link(old.purpose, &fixture.stranger());
            let new = Link { subject: old.subject, created_at: after(-60), ..drawn };
            fixture.put_link(&new).await;
            is_there(&fixture, old, false).await;
            is_there(&fixture, &new, true).await;
            for untouched in olds.iter().skip(index + 1).chain(&bystanders) {
                is_there(&fixture, untouched, true).await;
            }
        }
    }

    async fn a_newer_link_begins_with_no_tries(fixture: StoreFixture) {
        let user = fixture.user().await;
        let old = Link { code_attempts: 5, ..fixture.link(LinkPurpose::ResetPassword, &user) };
        fixture.put_link(&old).await;
        let new = fixture.link(LinkPurpose::ResetPassword, &user);
        fixture.put_link(&new).await;
        assert_eq!(listed(&fixture, &user).await, [new]);
    }

    async fn a_link_that_undoes_a_change_is_replaced_by_none(fixture: StoreFixture) {
        let user = fixture.user().await;
        let links = [10, 20, 30].map(|seconds| {
            let link = fixture.link(LinkPurpose::UndoEmail, &user);
            Link { created_at: after(seconds), reserves_email: seconds != 20, ..link }
        });
        for link in &links {
            fixture.put_link(link).await;
        }
        for link in &links {
            is_there(&fixture, link, true).await;
        }
        assert_eq!(listed(&fixture, &user).await, links);
    }

    async fn of_racing_makings_of_a_link_one_is_left(fixture: StoreFixture) {
        for _ in 0..10 {
            let user = fixture.user().await;
            let made = race(8, |index| {
                let (fixture, id) = (fixture.clone(), user.id);
                let link = fixture.link(LinkPurpose::ResetPassword, &user);
                async move {
                    if index % 2 == 0 {
                        fixture.put_link(&link).await;
                    } else {
                        let mut tx = fixture.write().await;
                        tx.lock_user(id).await.unwrap();
                        tx.put_link(&link).await.unwrap();
                        tx.commit().await.unwrap();
                    }
                    link
                }
            })
            .await;
            let left = listed(&fixture, &user).await;
            assert_eq!(left.len(), 1);
            for link in &made {
                is_there(&fixture, link, left.contains(link)).await;
            }
        }
    }

    async fn a_replacement_is_seen_by_nobody_half_way(fixture: StoreFixture) {
        let user = fixture.user().await;
        fixture.put_link(&fixture.link(LinkPurpose::ResetPassword, &user)).await;
        race(3, |index| {
            let (fixture, user) = (fixture.clone(), user.clone());
            async move {
                for _ in 0..40 {
                    if index == 0 {
                        fixture.put_link(&fixture.link(LinkPurpose::ResetPassword, &user)).await;
                    } else {
                        assert_eq!(listed(&fixture, &user).await.len(), 1);
                    }
                }
            }
        })
        .await;
    }

    async fn a_link_is_spent_once(fixture: StoreFixture) {
        let user = fixture.user().await;
        let links = one_of_each(&fixture, &user);
        for link in &links {
            fixture.put_link(link).await;
        }
        for (index, link) in links.iter().enumerate() {
            assert!(spend(&fixture, link.id, after(5)).await);
            assert!(!spend(&fixture, link.id, after(5)).await);
            is_there(&fixture, link, false).await;
            for other in links.iter().skip(index + 1) {
                is_there(&fixture, other, true).await;
            }
        }
        assert!(!spend(&fixture, fixture.link(LinkPurpose::UndoEmail, &user).id, after(5)).await);
    }

    async fn of_racing_callers_exactly_one_spends_a_link(fixture: StoreFixture) {
        for _ in 0..5 {
            let user = fixture.user().await;
            let link = fixture.link(LinkPurpose::ResetPassword, &user);
            fixture.put_link(&link).await;
            let spent = race(20, |index| {
                let (fixture, id) = (fixture.clone(), link.id);
                async move {
                    if index % 2 == 0 {
                        return spend(&fixture, id, after(5)).await;
                    }
                    let mut tx = fixture.write().await;
                    let spent = tx.spend_link(id, after(5)).await.unwrap();
                    tx.commit().await.unwrap();
                    spent
                }
            })
            .await;
            assert_eq!(spent.iter().filter(|spent| **spent).count(), 1);
            is_there(&fixture, &link, false).await;
        }
    }

    async fn a_link_that_is_out_of_time_is_not_spent_and_stays(fixture: StoreFixture) {
        let user = fixture.user().await;
        let link = fixture.link(LinkPurpose::ResetPassword, &user);
        fixture.put_link(&link).await;
        for now in [link.expires_at, link.expires_at.plus_seconds(1)] {
            assert!(!spend(&fixture, link.id, now).await);
            is_there(&fixture, &link, true).await;
        }
        let last = Timestamp::from_micros(link.expires_at.micros() - 1);
        assert!(spend(&fixture, link.id, last).await);
    }

    async fn a_link_is_there_again_when_its_spending_is_undone(fixture: StoreFixture) {
        let user = fixture.user().await;
        let link = fixture.link(LinkPurpose::ResetPassword, &user);
        fixture.put_link(&link).await;
        let mut tx = fixture.write().await;
        assert!(tx.spend_link(link.id, after(5)).await.unwrap());
        assert!(!tx.spend_link(link.id, after(5)).await.unwrap());
        drop(tx);
        is_there(&fixture, &link, true).await;
        assert!(spend(&fixture, link.id, after(5)).await);
    }

    async fn a_newer_link_outlives_a_race_with_the_spending_of_the_older(fixture: StoreFixture) {
        for _ in 0..20 {
            let user = fixture.user().await;
            let [old, new] = [0; 2].map(|_| fixture.link(LinkPurpose::ResetPassword, &user));
            fixture.put_link(&old).await;
            race(2, |index| {
                let (fixture, id, new) = (fixture.clone(), old.id, new.clone());
                async move {
                    if index == 0 {
                        spend(&fixture, id, after(5)).await;
                    } else {
                        fixture.put_link(&new).await;
                    }
                }
            })
            .await;
            assert_eq!(listed(&fixture, &user).await, [new]);
            assert!(!spend(&fixture, old.id, after(5)).await);
        }
    }

    async fn links_of_some_purposes_from_some_time_on_are_deleted(fixture: StoreFixture) {
        let (user, other) = (fixture.user().await, fixture.user().await);
        let at = |seconds, purpose, user: &User| {
            let plain = fixture.link(purpose, user);
            Link { created_at: after(seconds), expires_at: after(seconds + 1), ..plain }
        };
        let undone = [9, 10, 11].map(|seconds| at(seconds, LinkPurpose::UndoEmail, &user));
        let change = at(20, LinkPurpose::ChangeEmail, &user);
        let reset = at(20, LinkPurpose::ResetPassword, &user);
        let others = at(20, LinkPurpose::UndoEmail, &other);
        for link in undone.iter().chain([&change, &reset, &others]) {
            fixture.put_link(link).await;
        }
        let purposes = [LinkPurpose::UndoEmail, LinkPurpose::ChangeEmail];
        for (purposes, deleted) in [(&purposes[..0], 0), (&purposes[..], 3), (&purposes[..], 0)] {
            let mut tx = fixture.single().await;
            let count = tx.delete_user_links(user.id, purposes, after(10)).await.unwrap();
            assert_eq!(count, deleted);
        }
        let [kept, ..] = undone;
        assert_eq!(listed(&fixture, &user).await, [kept, reset]);
        assert_eq!(listed(&fixture, &other).await, [others]);
    }

    async fn the_links_about_an_account_are_listed_oldest_first(fixture: StoreFixture) {
        let user = fixture.user().await;
        for of in [&user, &fixture.user().await] {
            for seconds in [30, 10, 40, 20] {
                let link = fixture.link(LinkPurpose::UndoEmail, of);
                fixture.put_link(&Link { created_at: after(seconds), ..link }).await;
            }
        }
        for limit in [0, 1, 3, 4, 100] {
            let found = fixture.read().await.list_user_links(user.id, limit).await.unwrap();
            let times: Vec<_> = found.iter().map(|link| link.created_at).collect();
            let expected = [10, 20, 30, 40].map(after);
            let count = usize::try_from(limit).unwrap().min(4);
            assert_eq!(Some(times.as_slice()), expected.get(..count), "the oldest {limit}");
            assert!(found.iter().all(|link| link.user_id() == Some(user.id)));
        }
    }

    async fn links_are_cleaned_up_once_their_time_is_over(fixture: StoreFixture) {
        let user = fixture.user().await;
        let before = after(100);
        for seconds in [50, 99, 100, 101] {
            let link = fixture.link(LinkPurpose::UndoEmail, &user);
            fixture.put_link(&Link { expires_at: after(seconds), ..link }).await;
        }
        assert_eq!(fixture.single().await.delete_links(before, 100).await.unwrap(), 2);
        let left = listed(&fixture, &user).await;
        assert_eq!(left.len(), 2);
        assert!(left.iter().all(|link| link.expires_at >= before), "the moment is not before it");
    }

    async fn no_more_links_are_cleaned_up_than_asked(fixture: StoreFixture) {
        let user = fixture.user().await;
        for _ in 0..7 {
            fixture.put_link(&fixture.link(LinkPurpose::UndoEmail, &user)).await;
        }
        let before = after(LINK_SECONDS + 1);
        for (limit, deleted) in [(0, 0), (3, 3), (3, 3), (3, 1), (3, 0)] {
            assert_eq!(fixture.single().await.delete_links(before, limit).await.unwrap(), deleted);
        }
    }
}
