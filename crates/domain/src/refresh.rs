//! The rules of refresh: what happens when a refresh token is shown.
//!
//! A refresh token carries its session and its generation; the session's row holds the line on
//! which the current generation stands. [`judge`] is the one statement of the rules. A store may
//! decide [`RotationDecision::Rotate`] and [`RotationDecision::Repeat`] in a statement of its own,
//! and is held to these rules by the conformance suite.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::key::KeyId;
use crate::session::{End, EndReason, Session};
use crate::{SessionId, Timestamp, UserId};

/// The hash of an `Idempotency-Key`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKeyHash(pub [u8; 32]);

/// The text is not an idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an idempotency key is 1 to 255 visible ASCII characters")]
pub struct BadIdempotencyKey;

impl IdempotencyKeyHash {
    /// The most characters of a key.
    pub const KEY_LEN_MAX: usize = 255;

    /// Hashes the key that came with a request.
    pub fn of(key: &str) -> Result<Self, BadIdempotencyKey> {
        let visible = key.bytes().all(|byte| byte.is_ascii_graphic());
        if key.is_empty() || key.len() > Self::KEY_LEN_MAX || !visible {
            return Err(BadIdempotencyKey);
        }
        Ok(Self(Sha256::digest(key).into()))
    }
}

/// A random value of the session's row, without which no refresh token of it can be made.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Salt(pub [u8; 32]);

impl fmt::Debug for Salt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Salt(…)")
    }
}

/// What a refresh token shows to prove that it is genuine.
///
/// `secret` must be `SHA-256(keyed ‖ salt)`, where `keyed` is a MAC over session and generation
/// under a key that is not in the database in clear, and `salt` stands in the session's row alone.
/// So neither the database nor the keys suffice to make one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Proof {
    /// The MAC over session and generation, computed anew from the key.
    pub keyed: [u8; 32],
    /// The secret that the token carries.
    pub secret: [u8; 32],
}

impl Proof {
    /// The secret of a token, from its MAC and the salt of its session.
    #[must_use]
    pub fn secret(keyed: &[u8; 32], salt: &Salt) -> [u8; 32] {
        Sha256::new().chain_update(keyed).chain_update(salt.0).finalize().into()
    }

    /// Whether the token was made for the session with this salt; takes the same time either way.
    #[must_use]
    pub fn holds_for(&self, salt: &Salt) -> bool {
        Self::secret(&self.keyed, salt).ct_eq(&self.secret).into()
    }
}

impl fmt::Debug for Proof {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Proof(…)")
    }
}

/// A refresh token whose signature was found to be ours.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PresentedToken {
    /// Its session.
    pub session_id: SessionId,
    /// Its user.
    pub user_id: UserId,
    /// Its place in the line.
    pub generation: i64,
    /// When it expires.
    pub expires_at: Timestamp,
    /// Its proof, to be compared with the session's row.
    pub proof: Proof,
}

/// Where the line of a session's refresh tokens stands. All that a token holds follows from it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RefreshState {
    /// The generation of the current token.
    pub generation: i64,
    /// When the current token was made.
    pub rotated_at: Timestamp,
    /// When the current token expires, and with it the session if nobody refreshes it.
    pub expires_at: Timestamp,
    /// The key that signs the current token.
    pub key_id: KeyId,
    /// The idempotency key of the refresh that made the current token, if there was one.
    pub idempotency_key: Option<IdempotencyKeyHash>,
    /// The row's random value; the same for all generations.
    pub salt: Salt,
}

/// A request to move a session's line on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// The token that is shown.
    pub presented: PresentedToken,
    /// The idempotency key that came with it.
    pub idempotency_key: Option<IdempotencyKeyHash>,
    /// When.
    pub now: Timestamp,
    /// The key that signs the next token.
    pub key_id: KeyId,
    /// For how many seconds the next token can be used.
    pub idle_seconds: i64,
    /// For how many seconds a spent token without key may be shown again; 0 for never.
    pub leeway_seconds: i64,
}

impl Rotation {
    /// Rotations up to this time are too old for a repeat without a key; `None` if none is allowed.
    #[must_use]
    pub fn leeway_start(&self) -> Option<Timestamp> {
        (self.leeway_seconds > 0).then(|| self.now.minus_seconds(self.leeway_seconds))
    }
}

impl RefreshState {
    /// The generation that a login makes.
    pub const FIRST_GENERATION: i64 = 1;

    /// The line after the token of the request was accepted as the current one.
    #[must_use]
    pub fn after(&self, rotation: &Rotation, lifetime_ends_at: Timestamp) -> Self {
        Self {
            generation: rotation.presented.generation.saturating_add(1),
            rotated_at: rotation.now,
            expires_at: rotation.now.plus_seconds(rotation.idle_seconds).min(lifetime_ends_at),
            key_id: rotation.key_id.clone(),
            idempotency_key: rotation.idempotency_key,
            salt: self.salt,
        }
    }
}

/// What the rules say of a refresh token that is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RotationDecision {
    /// It is the current one: the next generation follows.
    Rotate,
    /// It is the one before, shown again by whoever lost the answer: the same answer again.
    Repeat,
    /// It is genuine and ahead of the row: the database has lost writes. It counts as the current
    /// one.
    Recover,
    /// It was spent, and whoever shows it has no right to: the session ends.
    Replay,
    /// The session is over already; nothing changes.
    Ended(End),
    /// It is not a token of this session; nothing changes.
    Forged,
}

/// Judges a refresh token that is shown against the row of its session.
///
/// Whether the token itself has expired is for the caller to say, before the store is asked.
#[must_use]
pub fn judge(session: &Session, rotation: &Rotation) -> RotationDecision {
    let (refresh_state, presented) = (&session.refresh_state, &rotation.presented);
    if !presented.proof.holds_for(&refresh_state.salt) {
        return RotationDecision::Forged;
    }
    if let Some(end) = session.ended {
        return RotationDecision::Ended(end);
    }
    let steps_behind = refresh_state.generation.saturating_sub(presented.generation);
    if let Some(end) = session.lapse(rotation.now) {
        // For a token ahead of the row, the row's idle time is that of an older generation; the
        // token's own was checked.
        if steps_behind >= 0 || end.reason != EndReason::IdleTimeout {
            return RotationDecision::Ended(end);
        }
    }
    match steps_behind {
        ..0 => RotationDecision::Recover,
        0 => RotationDecision::Rotate,
        1 if may_repeat(refresh_state, rotation) => RotationDecision::Repeat,
        _ => RotationDecision::Replay,
    }
}

/// Whether the token before the current one may be shown again.
///
/// The current one has never been shown, or the line would have moved on.
fn may_repeat(refresh_state: &RefreshState, rotation: &Rotation) -> bool {
    match (refresh_state.idempotency_key, rotation.idempotency_key) {
        (Some(first), Some(now)) => first == now,
        (None, None) => {
            rotation.leeway_start().is_some_and(|floor| refresh_state.rotated_at > floor)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
