//! Promises about `rotate_session`: it follows the rules of refresh, one by one.
//!
//! `combinations.rs` compares it with the rules in every combination.

use gateward_domain::key::KeyId;
use gateward_domain::refresh::{Proof, RefreshState, Rotation, RotationDecision, judge};
use gateward_domain::{Session, Timestamp, User};

use super::StoreFixture;
use super::fixture::{after, logout_after};
use crate::fixtures::{
    IDLE_SECONDS, LEEWAY_SECONDS, LIFETIME_SECONDS, key_hash, keyed, presented, rotation,
};

/// Refreshes with the session's current token and returns the session after it.
async fn refreshed(fixture: &StoreFixture, session: &Session, key: Option<&str>) -> Session {
    let request = Rotation { idempotency_key: key.map(key_hash), ..rotation(session) };
    fixture.rotate(&request).await.unwrap().0
}

/// The token of `generation` is presented, with or without an idempotency key, this many seconds
/// after the rotation.
fn again(session: &Session, generation: i64, key: Option<&str>, seconds: i64) -> Rotation {
    Rotation {
        presented: presented(session, generation),
        idempotency_key: key.map(key_hash),
        now: session.refresh_state.rotated_at.plus_seconds(seconds),
        // A repeat must not take any value from this request.
        key_id: KeyId("newer".to_owned()),
        idle_seconds: IDLE_SECONDS + 1,
        ..rotation(session)
    }
}

/// Asserts that this rotation returns nothing and changes nothing.
async fn is_left_to_others(fixture: &StoreFixture, session: &Session, request: &Rotation) {
    assert_eq!(fixture.rotate(request).await, None);
    assert_eq!(&fixture.stored_session(session.id).await, session);
}

/// Asserts that this rotation returns the refresh state unchanged.
async fn repeats(fixture: &StoreFixture, session: &Session, request: &Rotation) {
    assert_eq!(judge(session, request), RotationDecision::Repeat);
    assert_eq!(fixture.rotate(request).await.unwrap().0, *session);
    assert_eq!(&fixture.stored_session(session.id).await, session);
}

promises! {
    __promises_rotation;


    async fn the_current_token_moves_the_refresh_state_on(fixture: StoreFixture) {
        let user = fixture.user().await;
        let (session, other) = (fixture.session_of(&user).await, fixture.session_of(&user).await);
        for idempotency_key in [None, Some(key_hash("k"))] {
            let before = fixture.stored_session(session.id).await;
            let key_id = KeyId("another".to_owned());
            let request = Rotation { idempotency_key, key_id, ..rotation(&before) };
            let refresh_state = before.refresh_state.after(&request, before.lifetime_ends_at);
            let expected = Session { refresh_state, ..before };
            let response = fixture.rotate(&request).await;
            assert_eq!(response, Some((expected.clone(), user.clone())));
            assert_eq!(fixture.stored_session(session.id).await, expected);
        }
        assert_eq!(fixture.stored_session(other.id).await, other);
    }

    async fn a_line_moves_on_and_on(fixture: StoreFixture) {
        let mut session = fixture.session().await;
        for generation in 2..=20 {
            let key = (generation % 3 == 0).then_some("k");
            session = refreshed(&fixture, &session, key).await;
            assert_eq!(session.refresh_state.generation, generation);
        }
        assert_eq!(fixture.stored_session(session.id).await, session);
    }

    async fn the_next_token_never_outlives_the_session(fixture: StoreFixture) {
        let session = fixture.session().await;
        let mut request = rotation(&session);
        for (idle_seconds, expires_at) in [
            (LIFETIME_SECONDS - 61, after(LIFETIME_SECONDS - 1)),
            (LIFETIME_SECONDS, after(LIFETIME_SECONDS)),
            (2 * LIFETIME_SECONDS, after(LIFETIME_SECONDS)),
        ] {
            request = Rotation { idle_seconds, now: after(60), ..request };
            let (session, _) = fixture.rotate(&request).await.unwrap();
            assert_eq!(session.refresh_state.expires_at, expires_at);
            assert_eq!(session.lifetime_ends_at, after(LIFETIME_SECONDS), "no refresh moves it");
            request = rotation(&session);
        }
    }

    async fn a_spent_token_cannot_be_spent_again(fixture: StoreFixture) {
        let first = fixture.session().await;
        let session = refreshed(&fixture, &first, None).await;
        for seconds in [-1, 0, 1, 60] {
            let request = Rotation { leeway_seconds: 0, ..again(&session, 1, None, seconds) };
            is_left_to_others(&fixture, &session, &request).await;
        }
    }

    async fn with_the_same_key_the_token_before_repeats_without_limit(fixture: StoreFixture) {
        let first = fixture.session().await;
        let session = refreshed(&fixture, &first, Some("k")).await;
        for seconds in [-5, 0, 1, LEEWAY_SECONDS, 3600, IDLE_SECONDS - 1] {
            for leeway_seconds in [0, LEEWAY_SECONDS] {
                let request = again(&session, 1, Some("k"), seconds);
                repeats(&fixture, &session, &Rotation { leeway_seconds, ..request }).await;
            }
        }
    }

    async fn without_key_the_token_before_repeats_within_the_leeway(fixture: StoreFixture) {
        let first = fixture.session().await;
        let session = refreshed(&fixture, &first, None).await;
        // A clock that is behind, and a repeat in between, change nothing.
        for seconds in [-5, 0, 1, LEEWAY_SECONDS - 1] {
            repeats(&fixture, &session, &again(&session, 1, None, seconds)).await;
        }
        let over = again(&session, 1, None, LEEWAY_SECONDS);
        let last = Rotation { now: Timestamp::from_micros(over.now.micros() - 1), ..over.clone() };
        repeats(&fixture, &session, &last).await;
        is_left_to_others(&fixture, &session, &over).await;
    }

    async fn another_key_than_the_first_time_repeats_nothing(fixture: StoreFixture) {
        for (first, second) in [(Some("a"), Some("b")), (Some("a"), None), (None, Some("a"))] {
            let session = fixture.session().await;
            let session = refreshed(&fixture, &session, first).await;
            is_left_to_others(&fixture, &session, &again(&session, 1, second, 1)).await;
        }
    }

    async fn a_token_whose_successor_was_shown_repeats_nothing(fixture: StoreFixture) {
        for key in [None, Some("k")] {
            let first = fixture.session().await;
            let second = refreshed(&fixture, &first, key).await;
            let third = refreshed(&fixture, &second, key).await;
            is_left_to_others(&fixture, &third, &again(&third, 1, key, 1)).await;
            repeats(&fixture, &third, &again(&third, 2, key, 1)).await;
        }
    }

    async fn a_token_ahead_of_the_row_is_left_to_the_whole_table(fixture: StoreFixture) {
        let session = fixture.session().await;
        for generation in [2, 3, 5_000_000_000] {
            is_left_to_others(&fixture, &session, &again(&session, generation, None, 1)).await;
        }
    }

    async fn a_wrong_secret_moves_and_repeats_nothing(fixture: StoreFixture) {
        let first = fixture.session().await;
        let session = refreshed(&fixture, &first, Some("k")).await;
        let foreign = fixture.session().await;
        for generation in 0..=4 {
            let genuine = again(&session, generation, Some("k"), 1);
            let keyed_next = keyed(session.id, generation + 1);
            let mut flipped = genuine.presented.proof;
            flipped.secret[31] ^= 1;
            let proofs = [
                flipped,
                // The secret of another generation, of another session, and of the database alone.
                Proof { secret: presented(&session, generation + 1).proof.secret, ..flipped },
                Proof { secret: Proof::secret(&flipped.keyed, &foreign.refresh_state.salt), ..flipped },
                Proof { secret: session.refresh_state.salt.0, ..flipped },
                Proof { keyed: keyed_next, secret: genuine.presented.proof.secret },
                Proof { keyed: [0; 32], secret: [0; 32] },
            ];
            for proof in proofs {
                let mut forged = genuine.clone();
                forged.presented.proof = proof;
                assert_eq!(judge(&session, &forged), RotationDecision::Forged);
                is_left_to_others(&fixture, &session, &forged).await;
            }
        }
    }

    async fn an_ended_session_gives_no_token(fixture: StoreFixture) {
        let first = fixture.session().await;
        let session = refreshed(&fixture, &first, Some("k")).await;
        fixture.end(session.id, logout_after(60)).await;
        let ended = Session { ended: Some(logout_after(60)), ..session };
        for generation in 0..=3 {
            is_left_to_others(&fixture, &ended, &again(&ended, generation, Some("k"), 1)).await;
        }
    }

    async fn a_session_idle_for_too_long_gives_no_token(fixture: StoreFixture) {
        let first = fixture.session().await;
        let session = refreshed(&fixture, &first, Some("k")).await;
        let over = session.refresh_state.expires_at;
        for generation in [1, 2] {
            let request = Rotation { now: over, ..again(&session, generation, Some("k"), 0) };
            is_left_to_others(&fixture, &session, &request).await;
        }
        let in_time = Timestamp::from_micros(over.micros() - 1);
        let request = Rotation { now: in_time, ..again(&session, 2, None, 0) };
        assert!(fixture.rotate(&request).await.is_some());
    }

    async fn a_session_at_the_end_of_its_longest_life_gives_no_token(fixture: StoreFixture) {
        let user = fixture.user().await;
        let mut session = fixture.draft(&user);
        // No login creates such a refresh state, but the maximum lifetime still applies.
        session.refresh_state =
            RefreshState { expires_at: after(LIFETIME_SECONDS + 60), generation: 2, ..session.refresh_state };
        session.refresh_state.idempotency_key = Some(key_hash("k"));
        fixture.add_session(&session).await;
        let over = after(LIFETIME_SECONDS);
        for generation in [1, 2] {
            let request = Rotation { now: over, ..again(&session, generation, Some("k"), 0) };
            is_left_to_others(&fixture, &session, &request).await;
        }
        let in_time = Timestamp::from_micros(over.micros() - 1);
        let request = Rotation { now: in_time, ..again(&session, 2, None, 0) };
        assert!(fixture.rotate(&request).await.is_some());
    }

    async fn a_disabled_user_gets_no_token(fixture: StoreFixture) {
        let user = fixture.user().await;
        let session = refreshed(&fixture, &fixture.session_of(&user).await, Some("k")).await;
        fixture.single().await.set_user_disabled(user.id, true, after(90)).await.unwrap();
        for generation in [1, 2] {
            is_left_to_others(&fixture, &session, &again(&session, generation, Some("k"), 1)).await;
        }
        fixture.single().await.set_user_disabled(user.id, false, after(91)).await.unwrap();
        let (_, found) = fixture.rotate(&again(&session, 1, Some("k"), 1)).await.unwrap();
        assert_eq!(found, User { updated_at: after(91), ..user }, "the user as they are now");
        assert!(fixture.rotate(&again(&session, 2, None, 1)).await.is_some());
    }

    async fn a_user_who_is_gone_gets_no_token(fixture: StoreFixture) {
        let mut session = fixture.draft(&fixture.stranger());
        session.refresh_state.generation = 2;
        session.refresh_state.idempotency_key = Some(key_hash("k"));
        fixture.add_session(&session).await;
        for generation in [1, 2] {
            is_left_to_others(&fixture, &session, &again(&session, generation, Some("k"), 1)).await;
        }
    }

    async fn a_session_that_is_not_there_gives_no_token(fixture: StoreFixture) {
        let session = fixture.draft(&fixture.user().await);
        assert_eq!(fixture.rotate(&rotation(&session)).await, None);
        assert_eq!(fixture.read().await.find_session(session.id).await.unwrap(), None);
    }

    async fn a_rotation_within_a_larger_unit_is_undone_with_it(fixture: StoreFixture) {
        let session = fixture.session().await;
        let mut tx = fixture.write().await;
        let (moved, _) = tx.rotate_session(&rotation(&session)).await.unwrap().unwrap();
        assert_eq!(tx.find_session(session.id).await.unwrap().unwrap().0, moved);
        drop(tx);
        assert_eq!(fixture.stored_session(session.id).await, session);
    }
}
