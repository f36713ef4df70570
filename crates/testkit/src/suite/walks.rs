//! The promise that refreshes follow the rules wherever a session's life leads: random walks over
//! refreshes, time, logouts, new keys, lost writes and disabled users.
//!
//! The reference is [`judge`] and [`Line::after`]; what is tested is the store under the two steps
//! in which a refresh is done: one statement, and the whole table where that gives nothing.

use gateward_domain::key::KeyId;
use gateward_domain::refresh::{KeyHash, Line, Rotation, Verdict, judge};
use gateward_domain::{End, EndReason, Session, Timestamp, User};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use super::Stage;
use crate::fixtures::{NOW, key_hash, shown};

/// How many walks are taken.
const WALKS: u32 = 64;

/// How many steps a walk has at most.
const STEPS_MAX: usize = 40;

/// For how long a session lives without a refresh, on a walk.
const IDLE_SECONDS: i64 = 100;

/// For how long a session lives in all, on a walk.
const LIFETIME_SECONDS: i64 = 200;

/// For how long a spent token without key may be shown again, on a walk.
const LEEWAY_SECONDS: i64 = 10;

/// One step of a walk.
#[derive(Clone, Debug)]
enum Step {
    /// A token is shown: the newest that was ever made, or one so many generations before.
    Refresh { back: i64, key: Option<&'static str>, forged: bool },
    /// Time passes.
    Wait { seconds: i64 },
    /// The session is ended by its client.
    Logout,
    /// The user begins another session, with which the walk goes on.
    Login,
    /// Another key signs from now on.
    ChangeKey,
    /// The store is put back to where the line stood so many moves before.
    LoseWrites { back: usize },
    /// The user is disabled or enabled.
    Disable { disabled: bool },
}

/// Any step; those that everything ends with are rare.
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

/// What a client gets.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Answer {
    /// The token that follows from this line.
    Given(Line),
    /// Nothing, because the user is disabled.
    Refused,
    /// Nothing, because the session is over.
    Over(EndReason),
    /// Nothing, and the session is over from now on.
    Reused,
    /// Nothing, because it is no token of this session.
    Forged,
}

/// Everything that the rules know of a walk.
struct Walk {
    user: User,
    session: Session,
    /// The line as it stood after each move.
    lines: Vec<Line>,
    newest: i64,
    now: Timestamp,
    key: i64,
}

impl Walk {
    async fn begin(stage: &Stage) -> Self {
        let user = stage.user().await;
        let mut walk = Self {
            session: stage.draft(&user),
            user,
            lines: Vec::new(),
            newest: Line::FIRST_GENERATION,
            now: NOW,
            key: 1,
        };
        walk.login(stage).await;
        walk
    }

    async fn login(&mut self, stage: &Stage) {
        let mut session = stage.draft(&self.user);
        session.created_at = self.now;
        session.lifetime_ends_at = self.now.plus_seconds(LIFETIME_SECONDS);
        session.line.rotated_at = self.now;
        session.line.expires_at = self.now.plus_seconds(IDLE_SECONDS);
        stage.add_session(&session).await;
        self.lines = vec![session.line.clone()];
        self.newest = Line::FIRST_GENERATION;
        self.session = session;
    }

    /// What the rules say of a rotation; does it.
    fn judged(&mut self, rotation: &Rotation) -> Answer {
        match judge(&self.session, rotation) {
            Verdict::Forged => Answer::Forged,
            Verdict::Over(end) => Answer::Over(end.reason),
            Verdict::Replay => {
                let reason = EndReason::RefreshTokenReused;
                self.session.ended = Some(End { at: self.now, reason });
                Answer::Reused
            }
            _ if self.user.disabled => Answer::Refused,
            Verdict::Repeat => Answer::Given(self.session.line.clone()),
            Verdict::Rotate | Verdict::CatchUp => {
                let line = self.session.line.after(rotation, self.session.lifetime_ends_at);
                self.newest = self.newest.max(line.generation);
                self.lines.push(line.clone());
                self.session.line = line.clone();
                Answer::Given(line)
            }
        }
    }

    fn rotation(&self, back: i64, idempotency: Option<KeyHash>, forged: bool) -> Rotation {
        let mut shown = shown(&self.session, (self.newest - back).max(Line::FIRST_GENERATION));
        if forged {
            shown.proof.secret[7] ^= 1;
        }
        Rotation {
            shown,
            idempotency,
            now: self.now,
            key_id: KeyId(format!("key-{}", self.key)),
            idle_seconds: IDLE_SECONDS,
            leeway_seconds: LEEWAY_SECONDS,
        }
    }

    /// Takes a step by the rules and in the store, and compares.
    async fn take(&mut self, stage: &Stage, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Refresh { back, key, forged } => {
                let rotation = self.rotation(back, key.map(key_hash), forged);
                let answer = refresh(stage, &rotation).await;
                prop_assert_eq!(answer, self.judged(&rotation));
            }
            Step::Wait { seconds } => self.now = self.now.plus_seconds(seconds),
            Step::Logout => {
                let over = self.session.ended.is_some();
                let lapse = self.session.lapse(self.now).map(|end| end.reason);
                let end = End { at: self.now, reason: EndReason::Logout };
                prop_assert_eq!(stage.end(self.session.id, end).await, !over);
                let reason = lapse.unwrap_or(EndReason::Logout);
                self.session.ended.get_or_insert(End { at: self.now, reason });
            }
            Step::Login => self.login(stage).await,
            Step::ChangeKey => self.key += 1,
            Step::LoseWrites { back } => {
                let kept = self.lines.len().saturating_sub(back).max(1);
                self.lines.truncate(kept);
                self.session.line = self.lines.last().unwrap().clone();
                set_line(stage, &self.session).await;
            }
            Step::Disable { disabled } => {
                let mut tx = stage.single().await;
                let changed = tx.set_user_disabled(self.user.id, disabled, self.now).await;
                prop_assert_eq!(changed.unwrap(), self.user.disabled != disabled);
                self.user.disabled = disabled;
            }
        }
        let (session, user) =
            stage.read().await.find_session(self.session.id).await.unwrap().unwrap();
        prop_assert_eq!(&session, &self.session);
        prop_assert_eq!(user.unwrap().disabled, self.user.disabled);
        Ok(())
    }
}

/// Puts the session's line to where it is given.
async fn set_line(stage: &Stage, session: &Session) {
    let mut tx = stage.write().await;
    tx.lock_session(session.id).await.unwrap();
    tx.set_session_line(session.id, &session.line).await.unwrap();
    tx.commit().await.unwrap();
}

/// Refreshes as the use case does.
async fn refresh(stage: &Stage, rotation: &Rotation) -> Answer {
    if let Some((session, _)) = stage.rotate(rotation).await {
        return Answer::Given(session.line);
    }
    let mut tx = stage.write().await;
    let mut session = tx.lock_session(rotation.shown.session_id).await.unwrap().unwrap();
    match judge(&session, rotation) {
        Verdict::Forged => return Answer::Forged,
        Verdict::Over(end) => return Answer::Over(end.reason),
        Verdict::Replay => {
            let end = End { at: rotation.now, reason: EndReason::RefreshTokenReused };
            assert!(tx.end_session(session.id, end).await.unwrap());
            tx.commit().await.unwrap();
            return Answer::Reused;
        }
        Verdict::Repeat => {}
        Verdict::Rotate | Verdict::CatchUp => {
            session.line = session.line.after(rotation, session.lifetime_ends_at);
            tx.set_session_line(session.id, &session.line).await.unwrap();
        }
    }
    if tx.find_user(session.user_id).await.unwrap().unwrap().disabled {
        // What was written is undone with the unit.
        return Answer::Refused;
    }
    tx.commit().await.unwrap();
    Answer::Given(session.line)
}

promises! {
    __promises_walks;


    /// A failure names the shortest walk that was found to lead to it.
    async fn refreshes_follow_the_rules_on_any_walk(stage: Stage) {
        let runtime = Handle::current();
        let walk = |steps: Vec<Step>| {
            runtime.block_on(async {
                let mut walk = Walk::begin(&stage).await;
                for step in steps {
                    walk.take(&stage, step).await?;
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
