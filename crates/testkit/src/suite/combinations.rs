//! The promise that `rotate_session` follows the rules of refresh in every combination of their
//! inputs.

use gateward_domain::refresh::{IdempotencyKeyHash, Rotation, RotationDecision, judge};
use gateward_domain::{Session, User};

use super::StoreFixture;
use super::fixture::logout_after;
use crate::fixtures::{IDLE_SECONDS, LEEWAY_SECONDS, key_hash, presented, rotation};

/// The current generation.
const CURRENT: i64 = 3;

/// A refresh state created with this idempotency key, on an active or ended session.
fn standing(
    fixture: &StoreFixture,
    user: &User,
    idempotency_key: Option<IdempotencyKeyHash>,
    over: bool,
) -> Session {
    let mut session = fixture.draft(user);
    session.refresh_state.generation = CURRENT;
    session.refresh_state.idempotency_key = idempotency_key;
    session.ended = over.then_some(logout_after(0));
    session
}

/// All requests that can be made with such a session.
fn requests(session: &Session) -> Vec<Rotation> {
    let mut requests = Vec::new();
    for generation in CURRENT - 2..=CURRENT + 1 {
        for idempotency_key in [None, Some(key_hash("a")), Some(key_hash("b"))] {
            for leeway_seconds in [0, LEEWAY_SECONDS] {
                for seconds in [0, LEEWAY_SECONDS - 1, LEEWAY_SECONDS, IDLE_SECONDS] {
                    for forged in [false, true] {
                        let mut presented = presented(session, generation);
                        if forged {
                            presented.proof.secret[0] ^= 0x80;
                        }
                        requests.push(Rotation {
                            presented,
                            idempotency_key,
                            leeway_seconds,
                            now: session.refresh_state.rotated_at.plus_seconds(seconds),
                            ..rotation(session)
                        });
                    }
                }
            }
        }
    }
    requests
}

/// Returns the response that the store must give, and the state that it must hold afterwards.
fn expected(session: &Session, user: &User, request: &Rotation) -> (Option<Session>, Session) {
    let mut after = session.clone();
    match judge(session, request) {
        RotationDecision::Rotate if !user.disabled => {
            after.refresh_state = session.refresh_state.after(request, session.lifetime_ends_at);
            (Some(after.clone()), after)
        }
        RotationDecision::Repeat if !user.disabled => (Some(after.clone()), after),
        _ => (None, after),
    }
}

promises! {
    __promises_combinations;


    async fn rotation_decides_as_the_rules_do_in_every_combination(fixture: StoreFixture) {
        let good = fixture.user().await;
        let disabled = User { disabled: true, ..fixture.stranger() };
        fixture.add_user(&disabled).await;
        for (user, over) in [(&good, false), (&good, true), (&disabled, false)] {
            for idempotency_key in [None, Some(key_hash("a"))] {
                let mut session = standing(&fixture, user, idempotency_key, over);
                fixture.add_session(&session).await;
                for index in 0..requests(&session).len() {
                    let request = requests(&session).swap_remove(index);
                    let (response, after) = expected(&session, user, &request);
                    let given = fixture.rotate(&request).await.map(|(session, _)| session);
                    assert_eq!(given, response, "{request:?}");
                    assert_eq!(fixture.stored_session(session.id).await, after, "{request:?}");
                    if after != session {
                        // The refresh state has advanced: the next request needs a new session.
                        session = standing(&fixture, user, idempotency_key, over);
                        fixture.add_session(&session).await;
                    }
                }
            }
        }
    }
}
