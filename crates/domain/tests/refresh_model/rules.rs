//! `Rules`: the bridge to the domain. The decisions and the next refresh state are the domain's
//! own.

use gateward_domain::key::KeyId;
use gateward_domain::refresh::{
    IdempotencyKeyHash, PresentedToken, Proof, RefreshState, Rotation, RotationDecision, Salt,
    judge,
};
use gateward_domain::{End, EndReason, RequestInfo, Session, SessionId, Timestamp, UserId};

use crate::config::{Config, Fault};
use crate::state::{Key, Node, Request, Row};
use crate::symmetry::key_number;

const SALT: Salt = Salt([7; 32]);

/// The current time. A tick is a second, and the times of rows and requests are relative to it.
const NOW: i64 = 1000;

/// Long enough for no session of the model to expire.
const LONG_SECONDS: i64 = 1_000_000;

/// The service's rules in one run of the checker.
#[derive(Clone, Debug)]
pub struct Rules {
    config: Config,
    /// The secrets of the generations.
    secrets: Vec<[u8; 32]>,
}

impl Rules {
    pub fn new(config: Config) -> Self {
        let secrets = (0..8).map(|generation| Proof::secret(&[generation; 32], &SALT)).collect();
        Self { config, secrets }
    }

    /// The decision on a request, with the fault of this run.
    pub fn decision(&self, row: Row, request: &Request, node: Node) -> RotationDecision {
        let mut session = session(row);
        let mut rotation = self.rotation(request, node);
        let behind = session.refresh_state.generation - rotation.presented.generation;
        match self.config.fault {
            Fault::KeyNotCompared if row.key.is_some() && request.key.is_some() => {
                rotation.idempotency_key = session.refresh_state.idempotency_key;
            }
            Fault::LeewayTooLong => rotation.leeway_seconds += 1,
            Fault::LeewayTooShort => rotation.leeway_seconds -= 1,
            Fault::RepeatAfterSuccessor if behind == 2 => {
                rotation.presented = self.presented(request.generation + 1, request.forged);
            }
            Fault::OldSecretUnchecked if behind > 0 => {
                rotation.presented = self.presented(request.generation, false);
            }
            Fault::NewSecretUnchecked if behind < 0 => {
                rotation.presented = self.presented(request.generation, false);
            }
            Fault::EndedAgain => {
                let alive = Session { ended: None, ..session.clone() };
                if judge(&alive, &rotation) == RotationDecision::Replay {
                    session = alive;
                }
            }
            Fault::EndIgnored => session.ended = None,
            Fault::NoCatchUp if behind < 0 => {
                // Two ahead of the token, so that it is neither current nor the previous one.
                session.refresh_state.generation += 2 - behind;
            }
            _ => {}
        }
        judge(&session, &rotation)
    }

    /// The row after a decision is applied.
    pub fn applied(
        &self,
        row: Row,
        request: &Request,
        node: Node,
        decision: RotationDecision,
    ) -> Row {
        match decision {
            RotationDecision::Rotate | RotationDecision::Recover => self.moved(row, request, node),
            RotationDecision::Repeat if self.config.fault == Fault::RepeatExtendsLeeway => {
                Row { age: 0, ..row }
            }
            RotationDecision::Replay => Row { ended: Some(EndReason::RefreshTokenReused), ..row },
            RotationDecision::Repeat | RotationDecision::Ended(_) | RotationDecision::Forged => row,
        }
    }

    fn moved(&self, row: Row, request: &Request, node: Node) -> Row {
        let session = session(row);
        let rotation = self.rotation(request, node);
        let refresh_state = session.refresh_state.after(&rotation, session.lifetime_ends_at);
        let age = at(NOW).seconds_since(refresh_state.rotated_at);
        assert_eq!(refresh_state.idempotency_key, rotation.idempotency_key);
        Row {
            generation: u8::try_from(refresh_state.generation).unwrap(),
            age: i8::try_from(age).unwrap(),
            true_age: 0,
            key: request.key,
            ended: row.ended,
        }
    }

    fn rotation(&self, request: &Request, node: Node) -> Rotation {
        let ahead = if node == Node::Two { i64::from(self.config.skew) } else { 0 };
        Rotation {
            presented: self.presented(request.generation, request.forged),
            idempotency_key: key_hash(request.key),
            now: at(NOW + ahead),
            key_id: KeyId(String::new()),
            idle_seconds: LONG_SECONDS,
            leeway_seconds: i64::from(self.config.leeway),
        }
    }

    fn presented(&self, generation: u8, forged: bool) -> PresentedToken {
        // A forger has every part right except the one that requires both the key and the row.
        let secret = if forged { [0; 32] } else { self.secrets[usize::from(generation)] };
        PresentedToken {
            session_id: SessionId::from_uuid(uuid::Uuid::nil()),
            user_id: UserId::from_uuid(uuid::Uuid::nil()),
            generation: i64::from(generation),
            expires_at: at(LONG_SECONDS),
            proof: Proof { keyed: [generation; 32], secret },
        }
    }
}

fn session(row: Row) -> Session {
    Session {
        id: SessionId::from_uuid(uuid::Uuid::nil()),
        user_id: UserId::from_uuid(uuid::Uuid::nil()),
        created_at: at(0),
        auth_time: at(0),
        lifetime_ends_at: at(LONG_SECONDS),
        request_info: RequestInfo::default(),
        client_name: None,
        refresh_state: RefreshState {
            generation: i64::from(row.generation),
            rotated_at: at(NOW - i64::from(row.age)),
            expires_at: at(LONG_SECONDS),
            key_id: KeyId(String::new()),
            idempotency_key: key_hash(row.key),
            salt: SALT,
        },
        ended: row.ended.map(|reason| End { at: at(0), reason }),
    }
}

fn key_hash(key: Option<Key>) -> Option<IdempotencyKeyHash> {
    key.map(|_| IdempotencyKeyHash([u8::try_from(key_number(key)).unwrap(); 32]))
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}
