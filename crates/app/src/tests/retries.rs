//! Letters that cannot be sent: tried again, given up, tried again by an operator, swept away.

use gateward_domain::mail::{LetterState, LetterText};
use gateward_domain::ports::{LetterFilter, MailError};
use gateward_domain::{EventKind, Origin};

use super::fakes::{World, policy, signup};
use super::mailbox::{
    address, by_token, open_world, refused, required, reset, saying, texts, unreachable,
};
use crate::Delivery;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// Takes and delivers the one letter that is due; gives what became of it.
async fn deliver(world: &World) -> Delivery {
    let mut due = world.app.take_letters(10).await.unwrap();
    assert_eq!(due.len(), 1);
    world.app.deliver(due.remove(0)).await.unwrap()
}

/// Row F18: the pauses grow up to a minute, and chance takes at most half of each.
#[tokio::test]
async fn f18_a_letter_is_tried_again_after_pauses_that_grow_up_to_a_minute() {
    for failure in [unreachable(), refused(false), refused(true)] {
        let (world, memory) = open_world(policy()).await;
        world.user("ada").await;
        let outcome = match failure {
            MailError::Unreachable(_) => Delivery::Unreachable,
            _ => Delivery::Postponed,
        };
        world.pigeons.fail(Some(failure.clone()));
        let mut pauses = Vec::new();
        for attempt in 1..=40 {
            assert_eq!(deliver(&world).await, outcome);
            let letter = memory.letters().remove(0);
            assert_eq!((letter.state, letter.attempts), (LetterState::Waiting, attempt));
            assert_eq!(letter.failure, Some(failure.to_string()));
            let pause = letter.due_at.seconds_since(world.app.now());
            let longest = 2_i64.pow(attempt.min(10)).min(50);
            assert!((longest - longest / 2..=longest).contains(&pause), "{attempt}: {pause}");
            pauses.push(pause);
            world.clock.advance_seconds(pause);
        }
        pauses.drain(..6);
        pauses.sort_unstable();
        pauses.dedup();
        assert!(pauses.len() > 3, "chance parts letters that failed together: {pauses:?}");
        world.pigeons.fail(None);
        assert_eq!(deliver(&world).await, Delivery::Sent);
    }
}

#[tokio::test]
async fn f18_no_letter_of_an_outage_is_lost_and_none_waits_longer_than_a_minute_after_it() {
    let (world, _) = open_world(policy()).await;
    world.pigeons.fail(Some(unreachable()));
    for number in 0..20 {
        world.user(&format!("ada{number}")).await;
        world.clock.advance_seconds(180);
        world.post().await;
    }
    world.pigeons.fail(None);
    world.clock.advance_seconds(60);
    assert_eq!(world.post().await.len(), 20);
}

#[tokio::test]
async fn a_letter_is_given_up_after_three_days_or_six_hours_of_refusals_for_good() {
    let patience = [
        (unreachable(), 3 * DAY),
        (refused(false), 3 * DAY),
        (refused(true), 6 * HOUR),
        (MailError::Unfit("no such template".to_owned()), 6 * HOUR),
    ];
    for (failure, seconds) in patience {
        let (world, memory) = open_world(policy()).await;
        let user = world.user("ada").await;
        let planned_at = memory.letters()[0].planned_at;
        world.pigeons.fail(Some(failure.clone()));
        deliver(&world).await;
        world.clock.set(planned_at.plus_seconds(seconds - 61));
        assert_ne!(deliver(&world).await, Delivery::GivenUp, "{failure}");
        world.clock.set(planned_at.plus_seconds(seconds));
        assert_eq!(deliver(&world).await, Delivery::GivenUp, "{failure}");
        let letter = memory.letters().remove(0);
        assert_eq!(letter.state, LetterState::Dead);
        assert_eq!(letter.failure, Some(failure.to_string()));
        let told = memory.events();
        let told: Vec<_> =
            told.iter().filter(|event| event.kind == EventKind::LetterGivenUp).collect();
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].user_id, Some(user.id));
        world.pigeons.fail(None);
        world.clock.advance_seconds(DAY);
        assert_eq!(texts(&world.post().await), [""; 0], "it is not tried any more");
    }
}

#[tokio::test]
async fn an_operator_has_a_letter_tried_again_that_was_given_up() {
    let (world, memory) = open_world(policy()).await;
    world.owner("ada", |_| ()).await;
    world.app.forgot_password(&address("ada"), &Origin::default()).await.unwrap();
    let id = memory.letters()[0].id;
    assert!(!world.app.retry_letter(id).await.unwrap(), "it waits");
    world.pigeons.fail(Some(refused(true)));
    deliver(&world).await;
    world.clock.advance_seconds(6 * HOUR);
    assert_eq!(deliver(&world).await, Delivery::GivenUp);

    assert!(world.app.retry_letter(id).await.unwrap());
    assert!(!world.app.retry_letter(id).await.unwrap(), "once");
    assert_eq!(deliver(&world).await, Delivery::Postponed, "it has all its time again");
    world.pigeons.fail(None);
    world.clock.advance_seconds(60);
    let letter = saying(&world.post().await, LetterText::ResetPassword);
    assert_eq!(letter.id, id);
    world.app.reset_password(reset(by_token(&letter), "another horse")).await.unwrap();
}

/// A link that was swept away was not used: it is made anew, as long as the letter can be retried.
#[tokio::test]
async fn a_letter_that_is_tried_again_after_a_week_carries_a_link_that_is_good() {
    let (world, memory) = open_world(policy()).await;
    world.user("ada").await;
    world.pigeons.fail(Some(refused(true)));
    deliver(&world).await;
    world.clock.advance_seconds(6 * HOUR);
    assert_eq!(deliver(&world).await, Delivery::GivenUp);
    world.clock.advance_seconds(7 * DAY);
    world.app.sweep().await.unwrap();
    assert!(world.app.retry_letter(memory.letters()[0].id).await.unwrap());
    world.pigeons.fail(None);
    let letter = saying(&world.post().await, LetterText::ConfirmEmail);
    assert!(letter.good_until.unwrap() > world.app.now());
}

#[tokio::test]
async fn an_operator_has_all_letters_tried_again_that_were_given_up() {
    let (world, _) = open_world(policy()).await;
    for name in ["ada", "bob", "eve"] {
        world.user(name).await;
    }
    world.pigeons.fail(Some(refused(true)));
    world.clock.advance_seconds(6 * HOUR);
    world.post().await;
    let counts = world.app.count_letters().await.unwrap();
    assert_eq!((counts.waiting, counts.dead), (0, 3));
    assert_eq!(world.app.retry_dead_letters().await.unwrap(), 3);
    let counts = world.app.count_letters().await.unwrap();
    assert_eq!((counts.waiting, counts.dead), (3, 0));
    assert_eq!(counts.oldest_planned_at, Some(world.app.now()));
    world.pigeons.fail(None);
    assert_eq!(world.post().await.len(), 3);
    assert_eq!(world.app.retry_dead_letters().await.unwrap(), 0);
}

#[tokio::test]
async fn an_operator_finds_a_letter_and_lists_those_in_one_state() {
    let (world, memory) = open_world(policy()).await;
    let ada = world.user("ada").await;
    world.post().await;
    world.clock.advance_seconds(1);
    world.user("eve").await;
    let [first, second] = memory.letters().try_into().unwrap();
    assert_eq!(world.app.find_letter(first.id).await.unwrap(), Some(first.clone()));
    let list = async |filter| world.app.list_letters(filter, 10).await.unwrap();
    assert_eq!(list(LetterFilter::default()).await, [second.clone(), first.clone()]);
    let waiting = LetterFilter { state: Some(LetterState::Waiting), ..LetterFilter::default() };
    assert_eq!(list(waiting).await, [second]);
    let of_ada = LetterFilter { user_id: Some(ada.id), ..LetterFilter::default() };
    assert_eq!(list(of_ada).await, [first]);
}

#[tokio::test]
async fn signups_links_and_letters_are_swept_away_when_nobody_needs_them() {
    let (world, memory) = open_world(required()).await;
    world.pending(signup("ada")).await;
    world.post().await;
    let at = async |seconds: i64| {
        world.clock.set(gateward_testkit::fixtures::NOW.plus_seconds(seconds));
        world.app.sweep().await.unwrap();
        (memory.signups().len(), memory.letters().len())
    };
    assert_eq!(at(4 * DAY + HOUR).await, (1, 1));
    assert_eq!(at(4 * DAY + HOUR + 1).await, (0, 1));
    assert_eq!(memory.links().len(), 1, "a letter that waits may still ask for it");
    assert_eq!(at(7 * DAY).await, (0, 1));
    assert_eq!(at(7 * DAY + 1).await, (0, 0));
    at(60 * DAY).await;
    assert!(memory.links().is_empty());
}
