//! One test per rule of refresh.

use super::*;
use crate::RequestInfo;

const SALT: Salt = Salt([7; 32]);
const NOW: i64 = 10_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

fn keyed(generation: i64) -> [u8; 32] {
    let mut keyed = [0; 32];
    keyed[..8].copy_from_slice(&generation.to_be_bytes());
    keyed
}

/// A session on generation 5, rotated at `NOW` - 5 s.
fn session(idempotency_key: Option<IdempotencyKeyHash>) -> Session {
    Session {
        id: SessionId::from_uuid(uuid::Uuid::nil()),
        user_id: UserId::from_uuid(uuid::Uuid::nil()),
        created_at: at(0),
        auth_time: at(0),
        lifetime_ends_at: at(100_000),
        request_info: RequestInfo::default(),
        client_name: None,
        refresh_state: RefreshState {
            generation: 5,
            rotated_at: at(NOW - 5),
            expires_at: at(NOW + 1000),
            key_id: KeyId("old".to_owned()),
            idempotency_key,
            salt: SALT,
        },
        ended: None,
    }
}

fn presented(generation: i64, idempotency_key: Option<IdempotencyKeyHash>) -> Rotation {
    let keyed = keyed(generation);
    Rotation {
        presented: PresentedToken {
            session_id: SessionId::from_uuid(uuid::Uuid::nil()),
            user_id: UserId::from_uuid(uuid::Uuid::nil()),
            generation,
            expires_at: at(NOW + 1000),
            proof: Proof { keyed, secret: Proof::secret(&keyed, &SALT) },
        },
        idempotency_key,
        now: at(NOW),
        key_id: KeyId("new".to_owned()),
        idle_seconds: 1000,
        leeway_seconds: 10,
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the key of a request is optional")]
fn key(text: &str) -> Option<IdempotencyKeyHash> {
    Some(IdempotencyKeyHash::of(text).unwrap())
}

#[test]
fn the_current_token_moves_the_refresh_state_on() {
    let rotation = presented(5, key("next"));
    assert_eq!(judge(&session(None), &rotation), RotationDecision::Rotate);
    let refresh_state = session(None).refresh_state.after(&rotation, at(10_500));
    assert_eq!((refresh_state.generation, refresh_state.rotated_at), (6, at(NOW)));
    assert_eq!(refresh_state.expires_at, at(10_500), "never beyond the session's longest life");
    assert_eq!((refresh_state.idempotency_key, refresh_state.salt), (key("next"), SALT));
    assert_eq!(refresh_state.key_id, rotation.key_id);
}

#[test]
fn without_keys_the_one_before_repeats_within_the_leeway() {
    let decision = |seconds_later: i64, leeway_seconds| {
        let now = at(NOW - 5 + seconds_later);
        judge(&session(None), &Rotation { now, leeway_seconds, ..presented(4, None) })
    };
    assert_eq!(decision(9, 10), RotationDecision::Repeat);
    assert_eq!(decision(10, 10), RotationDecision::Replay, "ten seconds have passed");
    assert_eq!(decision(0, 0), RotationDecision::Replay, "the leeway is off");
    assert_eq!(
        decision(-3, 0),
        RotationDecision::Replay,
        "also where another node's clock is ahead"
    );
}

#[test]
fn with_the_same_key_the_one_before_repeats_for_ever() {
    let late = Rotation { now: at(NOW + 900), ..presented(4, key("k")) };
    assert_eq!(judge(&session(key("k")), &late), RotationDecision::Repeat);
}

#[test]
fn another_key_or_one_too_many_is_a_replay() {
    assert_eq!(judge(&session(key("k")), &presented(4, key("other"))), RotationDecision::Replay);
    assert_eq!(judge(&session(key("k")), &presented(4, None)), RotationDecision::Replay);
    assert_eq!(judge(&session(None), &presented(4, key("k"))), RotationDecision::Replay);
}

#[test]
fn an_older_token_is_a_replay_whatever_comes_with_it() {
    for idempotency_key in [None, key("k")] {
        assert_eq!(
            judge(&session(idempotency_key), &presented(3, idempotency_key)),
            RotationDecision::Replay
        );
    }
}

#[test]
fn a_token_ahead_of_the_row_counts_as_the_current_one() {
    assert_eq!(judge(&session(None), &presented(7, None)), RotationDecision::Recover);
    assert_eq!(session(None).refresh_state.after(&presented(7, None), at(100_000)).generation, 8);
    let late = Rotation { now: at(NOW + 5000), ..presented(7, None) };
    assert_eq!(
        judge(&session(None), &late),
        RotationDecision::Recover,
        "the row's idle time is outdated"
    );
    let too_late = Rotation { now: at(100_000), ..presented(7, None) };
    let over = End { at: at(100_000), reason: EndReason::LifetimeOver };
    assert_eq!(judge(&session(None), &too_late), RotationDecision::Ended(over));
}

#[test]
fn an_ended_session_says_why_and_nothing_else() {
    let end = End { at: at(1), reason: EndReason::Logout };
    let ended = Session { ended: Some(end), ..session(None) };
    for generation in [3, 4, 5, 7] {
        assert_eq!(judge(&ended, &presented(generation, None)), RotationDecision::Ended(end));
    }
}

#[test]
fn time_alone_ends_a_session() {
    let late = Rotation { now: at(NOW + 1000), ..presented(5, None) };
    let over = End { at: at(NOW + 1000), reason: EndReason::IdleTimeout };
    assert_eq!(judge(&session(None), &late), RotationDecision::Ended(over));
}

#[test]
fn a_wrong_secret_changes_nothing_at_any_generation() {
    for generation in 3..=7 {
        let mut forged = presented(generation, None);
        forged.presented.proof.secret[31] ^= 1;
        assert_eq!(judge(&session(None), &forged), RotationDecision::Forged);
        let mut moved = presented(generation, None);
        moved.presented.proof.secret = Proof::secret(&keyed(generation + 1), &SALT);
        assert_eq!(judge(&session(None), &moved), RotationDecision::Forged);
    }
}

#[test]
fn an_idempotency_key_is_visible_ascii() {
    assert!(IdempotencyKeyHash::of("8e03978e-40d5-43dd-bc93-6894a57f9324").is_ok());
    assert!(IdempotencyKeyHash::of(&"x".repeat(255)).is_ok());
    for bad in ["", "a b", "ü", "a\n", &"x".repeat(256)] {
        assert_eq!(IdempotencyKeyHash::of(bad), Err(BadIdempotencyKey), "{bad:?}");
    }
}
