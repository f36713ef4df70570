//! `Keyring`: makes keys, signs tokens and reads them.

mod jwk;
mod material;
mod ring;
mod seal;

use std::sync::{Arc, PoisonError, RwLock};

use gateward_domain::key::{Algorithm, KeyId, KeyPurpose, StoredKey};
use gateward_domain::link::LinkSecret;
use gateward_domain::ports::{Entropy, KeyError, KeyMaker, LinkMaker, TokenSigner};
use gateward_domain::refresh::{Proof, Salt, ShownToken};
use gateward_domain::{AccessClaims, AccessGrant, Session, Timestamp, TokenError, TokenText};

use self::material::AccessMaterial;
use self::ring::{Lives, Material, ReadyKey, Ring};
use self::seal::Bond;
use crate::jws::Compact;
use crate::{MasterKey, claims, jws};

/// Random bytes in the name of a symmetric key: 128 bits, so that no two keys ever share one.
const SYMMETRIC_KEY_ID_LEN: usize = 16;

/// What the tokens say, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyringSettings {
    /// The issuer of all tokens, and the audience of refresh tokens.
    pub issuer: String,
    /// The audience of access tokens.
    pub audience: String,
    /// The longest life of an access token, in seconds.
    pub access_ttl_seconds: i64,
    /// The longest life of a session, in seconds, and so of what a refresh key signs.
    pub session_max_seconds: i64,
}

/// The keys in use, and what is done with them. Holds none until some are installed.
pub struct Keyring {
    settings: KeyringSettings,
    master: MasterKey,
    entropy: Arc<dyn Entropy>,
    ring: RwLock<Arc<Ring>>,
}

/// What a token with a good signature says, by its kind.
enum Genuine {
    Access(AccessClaims),
    Refresh(ShownToken),
}

impl Keyring {
    /// Makes a keyring without keys.
    #[must_use]
    pub fn new(settings: KeyringSettings, master: MasterKey, entropy: Arc<dyn Entropy>) -> Self {
        let ring = RwLock::new(Arc::new(Ring::empty(settings.lives())));
        Self { settings, master, entropy, ring }
    }

    fn ring(&self) -> Arc<Ring> {
        // Only a whole ring is ever put there, so it is sound even if a writer has panicked.
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads a token of either kind, all but its expiry.
    ///
    /// The key is found by its name, and decides by which algorithm and for which kind the token
    /// is checked. Nothing in the payload is looked at before the signature is found good.
    fn read(&self, ring: &Ring, token: &str, now: Timestamp) -> Option<Genuine> {
        let compact = Compact::parse(token)?;
        let id = KeyId(compact.header.kid.clone()?);
        let key = ring.find(&id).filter(|key| ring.believes(key, now))?;
        if compact.header.typ.as_deref()? != key.material.typ()? {
            return None;
        }
        let KeyringSettings { issuer, audience, .. } = &self.settings;
        match &key.material {
            Material::Access { keys, .. } => {
                let payload = compact.verify(&keys.verifying, key.stored.algorithm)?;
                claims::read_access(&payload, issuer, audience, now).map(Genuine::Access)
            }
            Material::Refresh(keys) => {
                let payload = compact.verify(&keys.verifying, key.stored.algorithm)?;
                let claims = claims::read_refresh(&payload, issuer, now)?;
                let keyed = keys.keyed(claims.session_id, claims.generation)?;
                Some(Genuine::Refresh(ShownToken {
                    session_id: claims.session_id,
                    user_id: claims.user_id,
                    generation: claims.generation,
                    expires_at: claims.expires_at,
                    proof: Proof { keyed, secret: claims.secret },
                }))
            }
            Material::Link(_) => None,
        }
    }

    /// Makes a key pair and names it.
    fn make_material(
        &self,
        purpose: KeyPurpose,
        algorithm: Algorithm,
    ) -> Option<(KeyId, Option<String>, Vec<u8>)> {
        let private = material::generate(algorithm, &*self.entropy)?;
        let (id, public_jwk) = match purpose {
            KeyPurpose::Access => {
                let public = AccessMaterial::prepare(algorithm, &private)?.public;
                let id = public.id();
                let jwk = public.to_jwk(&id, algorithm)?;
                (id, Some(jwk))
            }
            KeyPurpose::Refresh | KeyPurpose::Link => {
                let mut random = [0; SYMMETRIC_KEY_ID_LEN];
                self.entropy.fill(&mut random);
                (KeyId(jws::encode(&random)), None)
            }
        };
        let bond = Bond { id: &id, purpose, algorithm };
        let sealed = seal::seal(&self.master, &*self.entropy, &bond, &private)?;
        Some((id, public_jwk, sealed))
    }
}

impl KeyringSettings {
    const fn lives(&self) -> Lives {
        Lives { access: self.access_ttl_seconds, refresh: self.session_max_seconds }
    }
}

impl KeyMaker for Keyring {
    /// Makes a key: Ed25519, P-256 or RSA of 3072 bits for access tokens, 32 random bytes for
    /// refresh tokens and for links. Fails for an algorithm that is not for the purpose. RSA takes long.
    fn make_key(
        &self,
        purpose: KeyPurpose,
        algorithm: Algorithm,
        now: Timestamp,
        active_from: Timestamp,
    ) -> Result<StoredKey, KeyError> {
        let symmetric = algorithm == Algorithm::Hs256;
        if symmetric == (purpose == KeyPurpose::Access) {
            return Err(KeyError::Failed);
        }
        let made = self.make_material(purpose, algorithm);
        let (id, public_jwk, sealed) = made.ok_or(KeyError::Failed)?;
        Ok(StoredKey { id, purpose, algorithm, sealed, public_jwk, created_at: now, active_from })
    }

    fn install_keys(&self, keys: &[StoredKey]) -> Result<(), KeyError> {
        let ring = Arc::new(Ring::open(&self.master, keys, self.settings.lives())?);
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = ring;
        Ok(())
    }
}

impl TokenSigner for Keyring {
    fn sign_access(&self, grant: &AccessGrant<'_>) -> Result<TokenText, TokenError> {
        let ring = self.ring();
        let key = ring.signing(KeyPurpose::Access, grant.issued_at);
        let ReadyKey { header_segment, material, .. } = key.ok_or(TokenError::NoKey)?;
        let Material::Access { keys, .. } = material else {
            return Err(TokenError::NoKey);
        };
        let KeyringSettings { issuer, audience, .. } = &self.settings;
        claims::write_access(issuer, audience, grant)
            .and_then(|claims| jws::sign(header_segment, &claims, &keys.signing))
            .map(TokenText::new)
            .ok_or(TokenError::NoKey)
    }

    fn sign_refresh(&self, session: &Session) -> Result<TokenText, TokenError> {
        let ring = self.ring();
        let key = ring.find(&session.line.key_id).ok_or(TokenError::NoKey)?;
        let Material::Refresh(keys) = &key.material else {
            return Err(TokenError::NoKey);
        };
        keys.keyed(session.id, session.line.generation)
            .map(|keyed| Proof::secret(&keyed, &session.line.salt))
            .and_then(|secret| claims::write_refresh(&self.settings.issuer, session, &secret))
            .and_then(|claims| jws::sign(&key.header_segment, &claims, &keys.signing))
            .map(TokenText::new)
            .ok_or(TokenError::NoKey)
    }

    fn verify_access(&self, token: &str, now: Timestamp) -> Result<AccessClaims, TokenError> {
        let ring = self.ring();
        if !ring.has(KeyPurpose::Access) {
            return Err(TokenError::NoKey);
        }
        match self.read(&ring, token, now).ok_or(TokenError::Invalid)? {
            Genuine::Refresh(_) => Err(TokenError::WrongKind),
            Genuine::Access(claims) if claims.expires_at <= now => Err(TokenError::Expired),
            Genuine::Access(claims) => Ok(claims),
        }
    }

    fn verify_refresh(&self, token: &str, now: Timestamp) -> Result<ShownToken, TokenError> {
        let ring = self.ring();
        if !ring.has(KeyPurpose::Refresh) {
            return Err(TokenError::NoKey);
        }
        match self.read(&ring, token, now).ok_or(TokenError::Invalid)? {
            Genuine::Access(_) => Err(TokenError::WrongKind),
            Genuine::Refresh(shown) => Ok(shown),
        }
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

    fn link_secret(&self, key: &KeyId, salt: &Salt) -> Result<LinkSecret, TokenError> {
        let ring = self.ring();
        let key = ring.find(key).ok_or(TokenError::NoKey)?;
        let Material::Link(keys) = &key.material else { return Err(TokenError::NoKey) };
        keys.secret(salt).ok_or(TokenError::NoKey)
    }
}

#[cfg(test)]
mod tests;
