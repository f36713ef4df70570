//! Fixtures: accounts, sessions, tokens, keys, events, known devices, invalidation events and mail,
//! each from a seed.
//!
//! The same seed yields the same value. Different seeds share no identifier, username or email
//! address. To set another value in a field, write `User { disabled: true, ..user(1) }`.

mod mail;

use gateward_domain::feed::{FeedItem, InvalidationEvent};
use gateward_domain::key::{Algorithm, KeyId, KeyPurpose, StoredKey};
use gateward_domain::known_device::KnownDevice;
use gateward_domain::link::SecretHash;
use gateward_domain::ports::Entropy;
use gateward_domain::refresh::{
    IdempotencyKeyHash, PresentedToken, Proof, RefreshState, Rotation, Salt,
};
use gateward_domain::{
    Actor, EmailAddress, EndReason, Event, EventId, EventKind, EventSalt, KnownDeviceId,
    PasswordHash, PermissionSet, RequestInfo, RoleName, Session, SessionId, Timestamp, User,
    UserId, Username,
};

use crate::entropy::{SeededEntropy, mix};

pub use mail::{
    LINK_KEY, LINK_SECONDS, SIGNUP_SECONDS, account_purposes, link, outbox_email, session_link,
    signup, signup_link,
};

/// The time of all fixtures: 2026-11-20T04:10:00.123457Z. Its fraction shows whether microseconds
/// are kept.
pub const NOW: Timestamp = Timestamp::from_micros(1_795_147_800_123_457);

/// Number of seconds after which a session expires without a refresh.
pub const IDLE_SECONDS: i64 = 7 * 24 * 3600;

/// Maximum lifetime of a session in seconds.
pub const LIFETIME_SECONDS: i64 = 30 * 24 * 3600;

/// Number of seconds for which a spent token may be presented again without an idempotency key.
pub const LEEWAY_SECONDS: i64 = 10;

/// Number of seconds for which invalidation events are relevant.
pub const INVALIDATION_SECONDS: i64 = 900;

/// The key that signs the first refresh token of a session.
pub const KEY: &str = "refresh-1";

/// An account with the role `user`, not confirmed, not disabled.
#[must_use]
pub fn user(seed: u64) -> User {
    let name = mix(seed);
    User {
        id: UserId::new(NOW, &SeededEntropy::new(seed)),
        username: Username::parse(&format!("User-{name:x}")).unwrap(),
        email: EmailAddress::parse(&format!("user-{name:x}@example.org")).unwrap(),
        email_verified: false,
        roles: vec![RoleName::user()],
        permissions: PermissionSet::EMPTY,
        disabled: false,
        password_hash: password_hash(seed),
        credentials_version: 1,
        created_at: NOW,
        updated_at: NOW,
    }
}

/// A string in the form of a password hash. It is not a real hash.
#[must_use]
pub fn password_hash(seed: u64) -> PasswordHash {
    let digest = mix(seed);
    PasswordHash::from_phc(format!("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ${digest:016x}"))
}

/// A session that the user starts at [`NOW`], with its first refresh state.
#[must_use]
pub fn session(seed: u64, user: &User) -> Session {
    let entropy = SeededEntropy::new(seed);
    let mut salt = [0; 32];
    entropy.fill(&mut salt);
    Session {
        id: SessionId::new(NOW, &entropy),
        user_id: user.id,
        created_at: NOW,
        auth_time: NOW,
        lifetime_ends_at: NOW.plus_seconds(LIFETIME_SECONDS),
        request_info: RequestInfo::default(),
        client_name: None,
        refresh_state: RefreshState {
            generation: RefreshState::FIRST_GENERATION,
            rotated_at: NOW,
            expires_at: NOW.plus_seconds(IDLE_SECONDS),
            key_id: KeyId(KEY.to_owned()),
            idempotency_key: None,
            salt: Salt(salt),
        },
        ended: None,
    }
}

/// The session's genuine refresh token of a generation.
#[must_use]
pub fn presented(session: &Session, generation: i64) -> PresentedToken {
    let keyed = keyed(session.id, generation);
    PresentedToken {
        session_id: session.id,
        user_id: session.user_id,
        generation,
        expires_at: session.refresh_state.expires_at,
        proof: Proof { keyed, secret: Proof::secret(&keyed, &session.refresh_state.salt) },
    }
}

/// Replaces the MAC over session and generation: different for each, and computable without a key.
#[must_use]
pub fn keyed(session_id: SessionId, generation: i64) -> [u8; 32] {
    let (high, low) = session_id.uuid().as_u64_pair();
    let mut keyed = [0; 32];
    SeededEntropy::new(high ^ mix(low ^ mix(generation.cast_unsigned()))).fill(&mut keyed);
    keyed
}

/// A refresh with the session's current token and without an idempotency key, a minute after the
/// last one.
#[must_use]
pub fn rotation(session: &Session) -> Rotation {
    Rotation {
        presented: presented(session, session.refresh_state.generation),
        idempotency_key: None,
        now: session.refresh_state.rotated_at.plus_seconds(60),
        key_id: session.refresh_state.key_id.clone(),
        idle_seconds: IDLE_SECONDS,
        leeway_seconds: LEEWAY_SECONDS,
    }
}

/// The hash of an idempotency key.
#[must_use]
pub fn key_hash(text: &str) -> IdempotencyKeyHash {
    IdempotencyKeyHash::of(text).unwrap()
}

/// A key that signs refresh tokens from [`NOW`] on.
#[must_use]
pub fn key(seed: u64) -> StoredKey {
    let mut wrapped = vec![0; 60];
    SeededEntropy::new(seed).fill(&mut wrapped);
    StoredKey {
        id: KeyId(format!("key-{:x}", mix(seed))),
        purpose: KeyPurpose::Refresh,
        algorithm: Algorithm::Hs256,
        wrapped,
        public_jwk: None,
        created_at: NOW,
        active_from: NOW,
        revoked_at: None,
    }
}

/// An event of a session, caused by its user at [`NOW`].
#[must_use]
pub fn event(seed: u64, kind: EventKind, session: &Session) -> Event {
    let entropy = SeededEntropy::new(seed);
    let mut salt = [0; 16];
    entropy.fill(&mut salt);
    Event {
        id: EventId::new(NOW, &entropy),
        at: NOW,
        kind,
        actor: Actor::User(session.user_id),
        actor_session_id: None,
        user_id: Some(session.user_id),
        session_id: Some(session.id),
        detail: None,
        ip: None,
        salt: Some(EventSalt(salt)),
    }
}

/// A device that logged in to the account at [`NOW`], and has not returned.
#[must_use]
pub fn known_device(seed: u64, user: &User) -> KnownDevice {
    KnownDevice {
        id: KnownDeviceId::new(NOW, &SeededEntropy::new(seed)),
        user_id: user.id,
        secret: SecretHash::of(&format!("client {seed}")),
        request_info: RequestInfo::default(),
        created_at: NOW,
        last_used_at: NOW,
        expires_at: NOW.plus_seconds(KnownDevice::KNOWN_SECONDS),
    }
}

/// The invalidation event for the session of the same seed, ended by a logout at [`NOW`].
#[must_use]
pub fn invalidation(seed: u64) -> FeedItem {
    let id = SessionId::new(NOW, &SeededEntropy::new(seed));
    FeedItem {
        invalidation: InvalidationEvent::SessionEnded { id, reason: EndReason::Logout },
        at: NOW,
        until: NOW.plus_seconds(INVALIDATION_SECONDS),
    }
}

#[cfg(test)]
mod tests {
    use gateward_domain::refresh::{RotationDecision, judge};

    use super::*;

    #[test]
    fn a_seed_gives_the_same_thing_again_and_another_seed_another() {
        let (one, other) = (user(1), user(2));
        assert_eq!(one, user(1));
        assert_ne!(one.id, other.id);
        assert_ne!(one.username, other.username);
        assert_ne!(one.email, other.email);
        assert_eq!(session(3, &one), session(3, &one));
        assert_ne!(session(3, &one).id, session(4, &one).id);
        assert_ne!(session(3, &one).refresh_state.salt, session(4, &one).refresh_state.salt);
        assert_ne!(key(1).id, key(2).id);
        assert_eq!(known_device(1, &one), known_device(1, &one));
        assert_ne!(known_device(1, &one).id, known_device(2, &one).id);
        assert_ne!(known_device(1, &one).secret, known_device(2, &one).secret);
        assert_eq!(invalidation(1), invalidation(1));
        assert_ne!(invalidation(1), invalidation(2));
    }

    #[test]
    fn a_session_is_good_for_a_rotation() {
        let session = session(1, &user(1));
        assert_eq!(judge(&session, &rotation(&session)), RotationDecision::Rotate);
        let ahead = Rotation { presented: presented(&session, 2), ..rotation(&session) };
        assert_eq!(judge(&session, &ahead), RotationDecision::Recover);
    }
}
