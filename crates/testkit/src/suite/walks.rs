//! The promise that refreshes follow the rules throughout a session's life: random walks over
//! refreshes, time, logouts, new keys, lost writes and disabled users.
//!
//! The reference is [`judge`] and [`RefreshState::after`]. The subject is the store, with the two
//! steps of a refresh: one statement and, if that returns nothing, all rules.

use gateward_domain::key::KeyId;
use gateward_domain::refresh::{
    IdempotencyKeyHash, RefreshState, Rotation, RotationDecision, judge,
};
use gateward_domain::{End, EndReason, Session, Timestamp, User};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use super::StoreFixture;
use crate::fixtures::{NOW, key_hash, presented};

/// Number of walks.
const WALKS: u32 = 64;

/// Maximum number of steps in a walk.
const STEPS_MAX: usize = 40;

/// Idle timeout of a session in a walk, in seconds.
const IDLE_SECONDS: i64 = 100;

/// Maximum lifetime of a session in a walk, in seconds.
const LIFETIME_SECONDS: i64 = 200;

/// Number of seconds for which a spent token may be presented again without a key, in a walk.
const LEEWAY_SECONDS: i64 = 10;

/// One step of a walk.
#[derive(Clone, Debug)]
enum Step {
    /// A token is presented: the newest ever issued, or one this many generations before.
    Refresh { back: i64, key: Option<&'static str>, forged: bool },
    /// Time passes.
    Wait { seconds: i64 },
    /// The client ends the session.
    Logout,
    /// The user starts another session, with which the walk continues.
    Login,
    /// Another key signs from now on.
    ChangeKey,
    /// The store is reset to the refresh state of this many rotations before.
    LoseWrites { back: usize },
    /// The user is disabled or enabled.
    Disable { disabled: bool },
}

/// Any step. Those that end everything are rare.
fn step() -> impl Strategy<Value = Step> {
    let back = prop_oneof![6 => Just(0), 4 => Just(1), 1 => 2..4_i64];
    let key = prop_oneof![3 => Just(None), 2 => Just(Some("a")), 1 => Just(Some("b"))];
    let refresh = (back, key, prop::bool::weighted(0.05))
        .prop_map(|(back, key, forged)| Step::Refresh { back, key, forged });
    let seconds =
        prop_oneof![4 => 0..=LEEWAY_SECONDS + 1, 2 => 30..60_i64, 1 => Just(IDLE_SECONDS)];
    prop_oneof![
        24 => refresh,
        6 => seconds.prop_map(|seconds| Step::Wait { seconds }),
        1 => Just(Step::Logout),
        4 => Just(Step::Login),
        2 => Just(Step::ChangeKey),
        3 => (1..4_usize).prop_map(|back| Step::LoseWrites { back }),
        2 => prop::bool::weighted(0.3).prop_map(|disabled| Step::Disable { disabled }),
    ]
}

/// The result for the client.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Response {
    /// The token of this refresh state.
    Given(RefreshState),
    /// Nothing, because the user is disabled.
    Refused,
    /// Nothing, because the session has ended.
    Ended(EndReason),
    /// Nothing, and the session has now ended.
    Reused,
    /// Nothing, because the token does not belong to this session.
    Forged,
}

/// The reference state of a walk.
struct Walk {
    user: User,
    session: Session,
    /// The refresh state after each rotation.
    lines: Vec<RefreshState>,
    newest: i64,
    now: Timestamp,
    key: i64,
}

impl Walk {
    async fn begin(fixture: &StoreFixture) -> Self {
        let user = fixture.user().await;
        let mut walk = Self {
            session: fixture.draft(&user),
            user,
            lines: Vec::new(),
            newest: RefreshState::FIRST_GENERATION,
            now: NOW,
            key: 1,
        };
        walk.login(fixture).await;
        walk
    }

    async fn login(&mut self, fixture: &StoreFixture) {
        let mut session = fixture.draft(&self.user);
        session.created_at = self.now;
        session.lifetime_ends_at = self.now.plus_seconds(LIFETIME_SECONDS);
        session.refresh_state.rotated_at = self.now;
        session.refresh_state.expires_at = self.now.plus_seconds(IDLE_SECONDS);
        fixture.add_session(&session).await;
        self.lines = vec![session.refresh_state.clone()];
        self.newest = RefreshState::FIRST_GENERATION;
        self.session = session;
    }

    /// Applies the rules to a rotation and returns their decision.
    fn judged(&mut self, rotation: &Rotation) -> Response {
        match judge(&self.session, rotation) {
            RotationDecision::Forged => Response::Forged,
            RotationDecision::Ended(end) => Response::Ended(end.reason),
            RotationDecision::Replay => {
                let reason = EndReason::RefreshTokenReused;
                self.session.ended = Some(End { at: self.now, reason });
                Response::Reused
            }
            _ if self.user.disabled => Response::Refused,
            RotationDecision::Repeat => Response::Given(self.session.refresh_state.clone()),
            RotationDecision::Rotate | RotationDecision::Recover => {
                let refresh_state =
                    self.session.refresh_state.after(rotation, self.session.lifetime_ends_at);
                self.newest = self.newest.max(refresh_state.generation);
                self.lines.push(refresh_state.clone());
                self.session.refresh_state = refresh_state.clone();
                Response::Given(refresh_state)
            }
        }
    }

    fn rotation(
        &self,
        back: i64,
        idempotency_key: Option<IdempotencyKeyHash>,
        forged: bool,
    ) -> Rotation {
        let mut presented =
            presented(&self.session, (self.newest - back).max(RefreshState::FIRST_GENERATION));
        if forged {
            presented.proof.secret[7] ^= 1;
        }
        Rotation {
            presented,
            idempotency_key,
            now: self.now,
            key_id: KeyId(format!("key-{}", self.key)),
            idle_seconds: IDLE_SECONDS,
            leeway_seconds: LEEWAY_SECONDS,
        }
    }

    /// Takes a step by the rules and in the store, and compares the results.
    async fn take(&mut self, fixture: &StoreFixture, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Refresh { back, key, forged } => {
                let rotation = self.rotation(back, key.map(key_hash), forged);
                let response = refresh(fixture, &rotation).await;
                prop_assert_eq!(response, self.judged(&rotation));
            }
            Step::Wait { seconds } => self.now = self.now.plus_seconds(seconds),
            Step::Logout => {
                let over = self.session.ended.is_some();
                let lapse = self.session.lapse(self.now).map(|end| end.reason);
                let end = End { at: self.now, reason: EndReason::Logout };
                prop_assert_eq!(fixture.end(self.session.id, end).await, !over);
                let reason = lapse.unwrap_or(EndReason::Logout);
                self.session.ended.get_or_insert(End { at: self.now, reason });
            }
            Step::Login => self.login(fixture).await,
            Step::ChangeKey => self.key += 1,
            Step::LoseWrites { back } => {
                let kept = self.lines.len().saturating_sub(back).max(1);
                self.lines.truncate(kept);
                self.session.refresh_state = self.lines.last().unwrap().clone();
                set_refresh_state(fixture, &self.session).await;
            }
            Step::Disable { disabled } => {
                let mut tx = fixture.single().await;
                let changed = tx.set_user_disabled(self.user.id, disabled, self.now).await;
                prop_assert_eq!(changed.unwrap(), self.user.disabled != disabled);
                self.user.disabled = disabled;
            }
        }
        let (session, user) =
            fixture.read().await.find_session(self.session.id).await.unwrap().unwrap();
        prop_assert_eq!(&session, &self.session);
        prop_assert_eq!(user.unwrap().disabled, self.user.disabled);
        Ok(())
    }
}

/// Sets the session's stored refresh state to the given one.
async fn set_refresh_state(fixture: &StoreFixture, session: &Session) {
    let mut tx = fixture.write().await;
    tx.lock_session(session.id).await.unwrap();
    tx.set_refresh_state(session.id, &session.refresh_state).await.unwrap();
    tx.commit().await.unwrap();
}

/// Refreshes as the use case does.
async fn refresh(fixture: &StoreFixture, rotation: &Rotation) -> Response {
    if let Some((session, _)) = fixture.rotate(rotation).await {
        return Response::Given(session.refresh_state);
    }
    let mut tx = fixture.write().await;
    let mut session = tx.lock_session(rotation.presented.session_id).await.unwrap().unwrap();
    match judge(&session, rotation) {
        RotationDecision::Forged => return Response::Forged,
        RotationDecision::Ended(end) => return Response::Ended(end.reason),
        RotationDecision::Replay => {
            let end = End { at: rotation.now, reason: EndReason::RefreshTokenReused };
            assert!(tx.end_session(session.id, end).await.unwrap());
            tx.commit().await.unwrap();
            return Response::Reused;
        }
        RotationDecision::Repeat => {}
        RotationDecision::Rotate | RotationDecision::Recover => {
            session.refresh_state = session.refresh_state.after(rotation, session.lifetime_ends_at);
            tx.set_refresh_state(session.id, &session.refresh_state).await.unwrap();
        }
    }
    if tx.find_user(session.user_id).await.unwrap().unwrap().disabled {
        // The writes are rolled back with the unit.
        return Response::Refused;
    }
    tx.commit().await.unwrap();
    Response::Given(session.refresh_state)
}

promises! {
    __promises_walks;


    /// A failure reports the shortest walk found that leads to it.
    async fn refreshes_follow_the_rules_on_any_walk(fixture: StoreFixture) {
        let runtime = Handle::current();
        let walk = |steps: Vec<Step>| {
            runtime.block_on(async {
                let mut walk = Walk::begin(&fixture).await;
                for step in steps {
                    walk.take(&fixture, step).await?;
                }
                Ok(())
            })
        };
        let config = Config { cases: WALKS, failure_persistence: None, ..Config::default() };
        let steps = vec(step(), 1..=STEPS_MAX);
        let outcome = block_in_place(|| TestRunner::new(config).run(&steps, walk));
        if let Err(failure) = outcome {
            panic!("{failure}");
        }
    }
}
