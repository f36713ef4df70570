//! The promise that `rotate_session` decides as the rules of refresh do, in every combination of
//! what they look at.

use gateward_domain::refresh::{KeyHash, Rotation, Verdict, judge};
use gateward_domain::{Session, User};

use super::Stage;
use super::stage::logout_after;
use crate::fixtures::{IDLE_SECONDS, LEEWAY_SECONDS, key_hash, rotation, shown};

/// The generation on which the line stands.
const CURRENT: i64 = 3;

/// A line that was made with this key, on a session that is over or not.
fn standing(stage: &Stage, user: &User, idempotency: Option<KeyHash>, over: bool) -> Session {
    let mut session = stage.draft(user);
    session.line.generation = CURRENT;
    session.line.idempotency = idempotency;
    session.ended = over.then_some(logout_after(0));
    session
}

/// Everything that can be shown to such a line.
fn requests(session: &Session) -> Vec<Rotation> {
    let mut requests = Vec::new();
    for generation in CURRENT - 2..=CURRENT + 1 {
        for idempotency in [None, Some(key_hash("a")), Some(key_hash("b"))] {
            for leeway_seconds in [0, LEEWAY_SECONDS] {
                for seconds in [0, LEEWAY_SECONDS - 1, LEEWAY_SECONDS, IDLE_SECONDS] {
                    for forged in [false, true] {
                        let mut shown = shown(session, generation);
                        if forged {
                            shown.proof.secret[0] ^= 0x80;
                        }
                        requests.push(Rotation {
                            shown,
                            idempotency,
                            leeway_seconds,
                            now: session.line.rotated_at.plus_seconds(seconds),
                            ..rotation(session)
                        });
                    }
                }
            }
        }
    }
    requests
}

/// What the store must answer, and what must stand in it afterwards.
fn expected(session: &Session, user: &User, request: &Rotation) -> (Option<Session>, Session) {
    let mut after = session.clone();
    match judge(session, request) {
        Verdict::Rotate if !user.disabled => {
            after.line = session.line.after(request, session.lifetime_ends_at);
            (Some(after.clone()), after)
        }
        Verdict::Repeat if !user.disabled => (Some(after.clone()), after),
        _ => (None, after),
    }
}

promises! {
    __promises_combinations;


    async fn rotation_decides_as_the_rules_do_in_every_combination(stage: Stage) {
        let good = stage.user().await;
        let disabled = User { disabled: true, ..stage.stranger() };
        stage.add_user(&disabled).await;
        for (user, over) in [(&good, false), (&good, true), (&disabled, false)] {
            for idempotency in [None, Some(key_hash("a"))] {
                let mut session = standing(&stage, user, idempotency, over);
                stage.add_session(&session).await;
                for index in 0..requests(&session).len() {
                    let request = requests(&session).swap_remove(index);
                    let (answer, after) = expected(&session, user, &request);
                    let given = stage.rotate(&request).await.map(|(session, _)| session);
                    assert_eq!(given, answer, "{request:?}");
                    assert_eq!(stage.stored_session(session.id).await, after, "{request:?}");
                    if after != session {
                        // The line has moved: the next request wants a new one.
                        session = standing(&stage, user, idempotency, over);
                        stage.add_session(&session).await;
                    }
                }
            }
        }
    }
}
