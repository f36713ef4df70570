//! How the keyring signs tokens and derives the secrets of pages and emailed links.

use gateward_domain::key::{KeyId, KeyPurpose};
use gateward_domain::link::LinkSecret;
use gateward_domain::ports::{LinkMaker, TokenSigner};
use gateward_domain::refresh::{PresentedToken, Proof, Salt};
use gateward_domain::{
    AccessClaims, AccessGrant, CsrfUse, Session, SessionId, Timestamp, TokenError, TokenText,
    derived_csrf_token,
};

use super::ring::Material;
use super::{Keyring, KeyringSettings};
use crate::claims::DialectBody;
use crate::{claims, jws};

impl TokenSigner for Keyring {
    fn sign_access(&self, grant: &AccessGrant<'_>) -> Result<TokenText, TokenError> {
        let ring = self.ring();
        let key = ring.signing(KeyPurpose::Access, grant.issued_at).ok_or(TokenError::NoKey)?;
        let Material::Access { keys, .. } = key.material() else {
            return Err(TokenError::NoKey);
        };
        let KeyringSettings { issuer, audience, dialect_claims, .. } = &self.settings;
        let csrf = if dialect_claims.flask {
            let of_session = self.csrf_token(grant.session_id)?;
            Some(derived_csrf_token(&of_session, CsrfUse::FlaskAccess).expose().to_owned())
        } else {
            None
        };
        let dialects = DialectBody::new(*dialect_claims, grant, csrf);
        claims::write_access(issuer, audience, grant, dialects)
            .and_then(|claims| jws::sign(&key.opened.header_segment, &claims, &keys.signing))
            .map(TokenText::new)
            .ok_or(TokenError::NoKey)
    }

    /// A refresh state whose key was revoked has no token: it would be refused.
    fn sign_refresh(&self, session: &Session) -> Result<TokenText, TokenError> {
        let ring = self.ring();
        let key = ring.find(&session.refresh_state.key_id).ok_or(TokenError::NoKey)?;
        let Material::Refresh(keys) = key.material() else {
            return Err(TokenError::NoKey);
        };
        if key.is_revoked() {
            return Err(TokenError::Invalid);
        }
        keys.keyed(session.id, session.refresh_state.generation)
            .map(|keyed| Proof::secret(&keyed, &session.refresh_state.salt))
            .and_then(|secret| claims::write_refresh(&self.settings.issuer, session, &secret))
            .and_then(|claims| jws::sign(&key.opened.header_segment, &claims, &keys.signing))
            .map(TokenText::new)
            .ok_or(TokenError::NoKey)
    }

    fn verify_access(&self, token: &str, now: Timestamp) -> Result<AccessClaims, TokenError> {
        let claims = self.read_access(token, now)?;
        if claims.expires_at <= now { Err(TokenError::Expired) } else { Ok(claims) }
    }

    fn verify_access_ignoring_expiry(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<AccessClaims, TokenError> {
        self.read_past_access(token, now)
    }

    fn verify_refresh(&self, token: &str, now: Timestamp) -> Result<PresentedToken, TokenError> {
        self.read_refresh(token, now)
    }

    fn csrf_token(&self, session_id: SessionId) -> Result<TokenText, TokenError> {
        let ring = self.ring();
        // A revoked key counts too. Otherwise the CSRF token would change during the session.
        let key = ring.refresh_key_at(session_id.made_at()).ok_or(TokenError::NoKey)?;
        let Material::Refresh(keys) = key.material() else {
            return Err(TokenError::NoKey);
        };
        Ok(keys.csrf_token(session_id))
    }

    fn refresh_key(&self, now: Timestamp) -> Result<KeyId, TokenError> {
        let ring = self.ring();
        let key = ring.signing(KeyPurpose::Refresh, now).ok_or(TokenError::NoKey)?;
        Ok(key.stored.id.clone())
    }

    fn jwks(&self, now: Timestamp) -> Option<String> {
        let ring = self.ring();
        let keys: Vec<&str> = ring.published(now).collect();
        (!keys.is_empty()).then(|| format!(r#"{{"keys":[{}]}}"#, keys.join(",")))
    }
}

impl LinkMaker for Keyring {
    fn link_key(&self, now: Timestamp) -> Result<KeyId, TokenError> {
        let ring = self.ring();
        let key = ring.signing(KeyPurpose::Link, now).ok_or(TokenError::NoKey)?;
        Ok(key.stored.id.clone())
    }

    /// Nothing is derived from a revoked key: an attacker with the key could have made the link.
    fn link_secret(&self, key: &KeyId, salt: &Salt) -> Result<LinkSecret, TokenError> {
        let ring = self.ring();
        let key = ring.find(key).filter(|key| !key.is_revoked()).ok_or(TokenError::NoKey)?;
        let Material::Link(keys) = key.material() else { return Err(TokenError::NoKey) };
        keys.secret(salt).ok_or(TokenError::NoKey)
    }
}
