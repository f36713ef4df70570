//! Fakes: simplified adapters for tokens, keys and the audit trail.

use gateward_domain::audit::{Checkpoint, CheckpointKind, Digest};
use gateward_domain::key::{Algorithm, KeyId, KeyPurpose, StoredKey};
use gateward_domain::link::SecretHash;
use gateward_domain::ports::{AuditKeys, KeyError, KeyMaker, TokenSigner};
use gateward_domain::refresh::{PresentedToken, Proof, Salt};
use gateward_domain::{
    AccessClaims, AccessGrant, RoleName, Session, SessionId, Timestamp, TokenError, TokenText,
};
use gateward_testkit::fixtures;

/// The identifier of the key that signs access tokens.
pub(super) const ACCESS_KEY: &str = "access";

/// Encodes tokens in clear text: kind, session, user, times and, for a refresh token, generation
/// and salt.
pub(super) struct PlainSigner;

impl TokenSigner for PlainSigner {
    fn sign_access(&self, grant: &AccessGrant<'_>) -> Result<TokenText, TokenError> {
        let roles: Vec<&str> = grant.user.roles.iter().map(RoleName::as_str).collect();
        Ok(TokenText::new(format!(
            "access {} {} {} {} {} {} {}",
            grant.session_id,
            grant.user.id,
            grant.expires_at.micros(),
            grant.issued_at.micros(),
            grant.id,
            grant.auth_time.micros(),
            roles.join("+"),
        )))
    }

    fn sign_refresh(&self, session: &Session) -> Result<TokenText, TokenError> {
        Ok(TokenText::new(format!(
            "refresh {} {} {} {} {}",
            session.id,
            session.user_id,
            session.refresh_state.expires_at.micros(),
            session.refresh_state.generation,
            hex(&session.refresh_state.salt),
        )))
    }

    fn verify_access(&self, token: &str, now: Timestamp) -> Result<AccessClaims, TokenError> {
        let claims = self.verify_access_ignoring_expiry(token, now)?;
        if claims.expires_at <= now { Err(TokenError::Expired) } else { Ok(claims) }
    }

    fn verify_access_ignoring_expiry(
        &self,
        token: &str,
        _: Timestamp,
    ) -> Result<AccessClaims, TokenError> {
        let parts: Vec<&str> = token.split(' ').collect();
        let micros = |part: &str| Timestamp::from_micros(part.parse().unwrap());
        match parts[0] {
            "access" => Ok(AccessClaims {
                id: parts[5].parse().unwrap(),
                key_id: KeyId(ACCESS_KEY.to_owned()),
                auth_time: micros(parts[6]),
                user_id: parts[2].parse().unwrap(),
                session_id: parts[1].parse().unwrap(),
                issued_at: micros(parts[4]),
                expires_at: micros(parts[3]),
            }),
            "refresh" => Err(TokenError::WrongKind),
            _ => Err(TokenError::Invalid),
        }
    }

    /// The proof is that of the fixtures; the token contains the salt.
    fn verify_refresh(&self, token: &str, _: Timestamp) -> Result<PresentedToken, TokenError> {
        let parts: Vec<&str> = token.split(' ').collect();
        if parts[0] != "refresh" {
            return Err(TokenError::WrongKind);
        }
        let (session_id, generation) = (parts[1].parse().unwrap(), parts[4].parse().unwrap());
        let keyed = fixtures::keyed(session_id, generation);
        Ok(PresentedToken {
            session_id,
            user_id: parts[2].parse().unwrap(),
            generation,
            expires_at: Timestamp::from_micros(parts[3].parse().unwrap()),
            proof: Proof { keyed, secret: Proof::secret(&keyed, &unhex(parts[5])) },
        })
    }

    fn csrf_token(&self, session_id: SessionId) -> Result<TokenText, TokenError> {
        Ok(TokenText::new(format!("csrf {session_id}")))
    }

    fn refresh_key(&self, _: Timestamp) -> Result<KeyId, TokenError> {
        Ok(KeyId("refresh".to_owned()))
    }

    fn jwks(&self, _: Timestamp) -> Option<String> {
        None
    }
}

/// A salt in hexadecimal.
pub(super) fn hex(salt: &Salt) -> String {
    let half = |at| u128::from_be_bytes(*salt.0[at..].first_chunk().unwrap());
    format!("{:032x}{:032x}", half(0), half(16))
}

fn unhex(text: &str) -> Salt {
    let half = |text| u128::from_str_radix(text, 16).unwrap().to_be_bytes();
    let (first, second) = text.split_at(32);
    Salt([half(first), half(second)].concat().try_into().unwrap())
}

/// Signs by encoding the checkpoint in clear text. Its pseudonyms use no key.
pub(super) struct PlainAuditKeys;

impl AuditKeys for PlainAuditKeys {
    fn sign_checkpoint(
        &self,
        kind: CheckpointKind,
        checkpoint: &Checkpoint,
    ) -> Result<String, TokenError> {
        Ok(format!("{kind:?} {} {} {}", checkpoint.seq, checkpoint.digest, checkpoint.at.micros()))
    }

    fn read_checkpoint(&self, signature: &str) -> Result<(CheckpointKind, Checkpoint), TokenError> {
        let parts: Vec<&str> = signature.split(' ').collect();
        let [kind, seq, digest, at] = parts[..] else { return Err(TokenError::Invalid) };
        let kind = if kind == "Latest" {
            CheckpointKind::Latest
        } else {
            CheckpointKind::RetentionBoundary
        };
        let digest = Digest::from_hex(digest).ok_or(TokenError::Invalid)?;
        let at = Timestamp::from_micros(at.parse().unwrap());
        Ok((kind, Checkpoint { seq: seq.parse().unwrap(), digest, at }))
    }

    fn pseudonym(&self, text: &str) -> Result<[u8; 32], TokenError> {
        Ok(SecretHash::of(text).0)
    }
}

/// Creates keys without content.
pub(super) struct HollowKeys;

impl KeyMaker for HollowKeys {
    fn make_key(
        &self,
        purpose: KeyPurpose,
        algorithm: Algorithm,
        now: Timestamp,
        active_from: Timestamp,
    ) -> Result<StoredKey, KeyError> {
        Ok(StoredKey {
            id: KeyId(format!("{}-{}", purpose.as_str(), active_from.micros())),
            purpose,
            algorithm,
            wrapped: Vec::new(),
            public_jwk: None,
            created_at: now,
            active_from,
            revoked_at: None,
        })
    }

    fn install_keys(&self, _: &[StoredKey]) -> Result<(), KeyError> {
        Ok(())
    }

    fn check_keys(&self, _: &[StoredKey]) -> Result<(), KeyError> {
        Ok(())
    }

    /// Wraps by adding the prefix `sealed`.
    fn rewrap_key(&self, key: &StoredKey) -> Result<StoredKey, KeyError> {
        Ok(StoredKey { wrapped: [b"sealed", key.wrapped.as_slice()].concat(), ..key.clone() })
    }
}
