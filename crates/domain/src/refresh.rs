//! The rules of refresh: what happens when a refresh token is presented.
//!
//! A refresh token carries its session and its generation. The session's row holds the refresh
//! state with the current generation. [`judge`] is the only definition of the rules. A store may
//! decide [`RotationDecision::Rotate`] and [`RotationDecision::Repeat`] in a statement of its own;
//! the conformance suite checks it against these rules.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::key::KeyId;
use crate::session::{End, EndReason, Session};
use crate::{SessionId, Timestamp, UserId};

/// The hash of an `Idempotency-Key`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKeyHash(pub [u8; 32]);

/// The string is not a valid idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an idempotency key must have 1 to 255 visible ASCII characters")]
pub struct BadIdempotencyKey;

impl IdempotencyKeyHash {
    /// Maximum length of a key in characters.
    pub const KEY_LEN_MAX: usize = 255;

    /// Hashes the key of a request.
    pub fn of(key: &str) -> Result<Self, BadIdempotencyKey> {
        let visible = key.bytes().all(|byte| byte.is_ascii_graphic());
        if key.is_empty() || key.len() > Self::KEY_LEN_MAX || !visible {
            return Err(BadIdempotencyKey);
        }
        Ok(Self(Sha256::digest(key).into()))
    }
}

/// A random value in the session's row. No refresh token of the session can be made without it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Salt(pub [u8; 32]);

impl fmt::Debug for Salt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Salt(…)")
    }
}

/// The proof that a refresh token is genuine.
///
/// `secret` must be `SHA-256(keyed ‖ salt)`, where `keyed` is a MAC over session and generation
/// under a key that the database does not hold in clear text, and `salt` is stored only in the
/// session's row. Neither the database nor the keys alone are enough to make a token.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Proof {
    /// The MAC over session and generation, recomputed from the key.
    pub keyed: [u8; 32],
    /// The secret that the token carries.
    pub secret: [u8; 32],
}

impl Proof {
    /// Computes the secret of a token from its MAC and the salt of its session.
    #[must_use]
    pub fn secret(keyed: &[u8; 32], salt: &Salt) -> [u8; 32] {
        Sha256::new().chain_update(keyed).chain_update(salt.0).finalize().into()
    }

    /// Returns whether the token was made for the session with this salt. Runs in constant time.
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

/// A refresh token with a valid signature.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PresentedToken {
    /// The token's session.
    pub session_id: SessionId,
    /// The token's user.
    pub user_id: UserId,
    /// The token's generation.
    pub generation: i64,
    /// Expiry, UTC.
    pub expires_at: Timestamp,
    /// The proof, to be checked against the session's row.
    pub proof: Proof,
}

/// The refresh state of a session. Everything in its refresh token is derived from it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RefreshState {
    /// The generation of the current token.
    pub generation: i64,
    /// Time of the last rotation, UTC.
    pub rotated_at: Timestamp,
    /// Expiry of the current token, UTC. The session expires with it unless it is refreshed.
    pub expires_at: Timestamp,
    /// The key that signs the current token.
    pub key_id: KeyId,
    /// The idempotency key of the refresh that issued the current token, if it had one.
    pub idempotency_key: Option<IdempotencyKeyHash>,
    /// The row's random value, the same for all generations.
    pub salt: Salt,
}

/// A request to rotate a session's refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// The presented token.
    pub presented: PresentedToken,
    /// The idempotency key of the request.
    pub idempotency_key: Option<IdempotencyKeyHash>,
    /// Time of the request, UTC.
    pub now: Timestamp,
    /// The key that signs the next token.
    pub key_id: KeyId,
    /// Number of seconds for which the next token is valid.
    pub idle_seconds: i64,
    /// Number of seconds for which a spent token may be presented again without an idempotency key.
    /// 0 for never.
    pub leeway_seconds: i64,
}

impl Rotation {
    /// Returns the time of the newest rotation that is too old for a repeat without a key. `None`
    /// if no repeat is allowed.
    #[must_use]
    pub fn leeway_start(&self) -> Option<Timestamp> {
        (self.leeway_seconds > 0).then(|| self.now.minus_seconds(self.leeway_seconds))
    }
}

impl RefreshState {
    /// The generation that a login issues.
    pub const FIRST_GENERATION: i64 = 1;

    /// Returns the refresh state after the presented token was accepted as the current one.
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

/// The decision on a presented refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RotationDecision {
    /// The token is the current one: issue the next generation.
    Rotate,
    /// The token is the previous one, presented again by a client that lost the response: return
    /// the same response.
    Repeat,
    /// The token is genuine and ahead of the row, so the database has lost writes. It counts as the
    /// current one.
    Recover,
    /// The token was already used and may not be repeated: the session ends.
    Replay,
    /// The session has already ended. Nothing changes.
    Ended(End),
    /// The token does not belong to this session. Nothing changes.
    Forged,
}

/// Decides on a presented refresh token, given the row of its session.
///
/// The caller checks the expiry of the token itself before it reads the store.
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
        // If the token is ahead of the row, the row's idle timeout belongs to an older generation.
        // The token's own expiry was checked.
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

/// Returns whether the token before the current one may be presented again.
///
/// The current token has never been presented. Otherwise the refresh state would have advanced.
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
