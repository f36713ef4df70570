//! Private keys: creates them, and prepares them for signing and verifying.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::hmac;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair,
};
use gateward_domain::key::{Algorithm, KeyId, KeyPurpose};
use gateward_domain::link::{LinkCode, LinkSecret};
use gateward_domain::ports::Entropy;
use gateward_domain::refresh::Salt;
use gateward_domain::{SessionId, TokenText};
use jsonwebtoken::DecodingKey;
use zeroize::Zeroizing;

use super::jwk::PublicKey;
use crate::jws;
use crate::master_key::derive;
use crate::signing_key::{PublicBytes, SigningKey};

/// Length of a symmetric key in bytes. Several keys of the same strength are derived from it.
const SYMMETRIC_KEY_LEN: usize = 32;

/// Derivation label of the key that signs refresh tokens.
const SIGNING_LABEL: &str = "gateward refresh token signature v1";

/// Derivation label of the key for the secrets of refresh tokens.
const SECRET_LABEL: &str = "gateward refresh token secret v1";

/// Derivation label of the key for CSRF tokens.
const CSRF_LABEL: &str = "gateward page text key v1";

/// Prefix of the session in the message of a CSRF token.
const CSRF_MESSAGE: &[u8] = b"gateward page text v1";

/// Derivation label of the key for the tokens of emailed links.
const LINK_TOKEN_LABEL: &str = "gateward mailed link token v1";

/// Derivation label of the key for the codes of emailed links.
const LINK_CODE_LABEL: &str = "gateward mailed link code v1";

/// Derivation label of the seed of the key that signs checkpoints of the audit trail.
const AUDIT_SIGNING_LABEL: &str = "gateward audit trail signature v1";

/// Derivation label of the key for pseudonyms.
const PSEUDONYM_LABEL: &str = "gateward pseudonym v1";

/// Returns whether keys of this algorithm fit this purpose.
pub(super) const fn fits(purpose: KeyPurpose, algorithm: Algorithm) -> bool {
    match purpose {
        KeyPurpose::Access => !matches!(algorithm, Algorithm::Hs256),
        KeyPurpose::Refresh | KeyPurpose::Link => matches!(algorithm, Algorithm::Hs256),
        KeyPurpose::Audit => matches!(algorithm, Algorithm::EdDsa),
    }
}

/// Creates a private key: PKCS#8 (RFC 5208) for access tokens, random bytes otherwise.
pub(super) fn generate(
    purpose: KeyPurpose,
    algorithm: Algorithm,
    entropy: &dyn Entropy,
) -> Option<Zeroizing<Vec<u8>>> {
    let private = match algorithm {
        _ if !matches!(purpose, KeyPurpose::Access) => symmetric(entropy),
        Algorithm::EdDsa => {
            let mut seed = Zeroizing::new([0; 32]);
            entropy.fill(seed.as_mut());
            let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_slice()).ok()?;
            pair.to_pkcs8().ok()?.as_ref().to_vec()
        }
        // The library accepts no external randomness for these. It uses the same source as
        // `SystemEntropy`.
        Algorithm::Es256 => {
            let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).ok()?;
            pair.to_pkcs8v1().ok()?.as_ref().to_vec()
        }
        // 3072 bits equal 128 bits of a symmetric key (NIST SP 800-57 part 1, table 2).
        Algorithm::Ps256 | Algorithm::Rs256 => {
            RsaKeyPair::generate(KeySize::Rsa3072).ok()?.as_der().ok()?.as_ref().to_vec()
        }
        Algorithm::Hs256 => symmetric(entropy),
    };
    Some(Zeroizing::new(private))
}

fn symmetric(entropy: &dyn Entropy) -> Vec<u8> {
    let mut key = vec![0; SYMMETRIC_KEY_LEN];
    entropy.fill(&mut key);
    key
}

/// A key pair that signs access tokens.
pub(super) struct AccessMaterial {
    pub(super) signing: SigningKey,
    pub(super) verifying: DecodingKey,
    pub(super) public: PublicKey,
}

impl AccessMaterial {
    /// Prepares a private key. The public key is computed from it and never read from the store,
    /// where nothing protects it.
    pub(super) fn prepare(algorithm: Algorithm, private: &[u8]) -> Option<Self> {
        let signing = SigningKey::parse(algorithm, private)?;
        let (verifying, public) = match signing.public()? {
            PublicBytes::Ed25519(bytes) => {
                (DecodingKey::from_ed_der(bytes), PublicKey::ed25519(bytes))
            }
            PublicBytes::P256(point) => (DecodingKey::from_ec_der(point), PublicKey::p256(point)?),
            PublicBytes::Rsa { modulus, exponent } => (
                DecodingKey::from_rsa_raw_components(&modulus, &exponent),
                PublicKey::rsa(&modulus, &exponent),
            ),
        };
        Some(Self { signing, verifying, public })
    }
}

/// The keys for refresh tokens and CSRF tokens. They are derived from one key, so that signatures,
/// secrets and CSRF tokens reveal nothing about each other.
pub(super) struct RefreshMaterial {
    pub(super) signing: SigningKey,
    pub(super) verifying: DecodingKey,
    secret: hmac::Key,
    csrf: hmac::Key,
}

impl RefreshMaterial {
    /// Derives the keys.
    pub(super) fn prepare(key: &[u8]) -> Option<Self> {
        if key.len() != SYMMETRIC_KEY_LEN {
            return None;
        }
        let signing = derive(key, SIGNING_LABEL)?;
        let secret = derive(key, SECRET_LABEL)?;
        let csrf = derive(key, CSRF_LABEL)?;
        Some(Self {
            signing: SigningKey::parse(Algorithm::Hs256, signing.as_slice())?,
            verifying: DecodingKey::from_secret(signing.as_slice()),
            secret: hmac::Key::new(hmac::HMAC_SHA256, secret.as_slice()),
            csrf: hmac::Key::new(hmac::HMAC_SHA256, csrf.as_slice()),
        })
    }

    /// Computes the MAC over session and generation that goes into the token's secret.
    pub(super) fn keyed(&self, session_id: SessionId, generation: i64) -> Option<[u8; 32]> {
        let mut message = hmac::Context::with_key(&self.secret);
        message.update(session_id.uuid().as_bytes());
        message.update(&generation.to_be_bytes());
        message.sign().as_ref().try_into().ok()
    }

    /// Returns the CSRF token of this session.
    pub(super) fn csrf_token(&self, session_id: SessionId) -> TokenText {
        let mut message = hmac::Context::with_key(&self.csrf);
        message.update(CSRF_MESSAGE);
        message.update(session_id.uuid().as_bytes());
        TokenText::new(jws::encode(message.sign().as_ref()))
    }
}

/// The two keys of emailed links, derived from one key, so that a code reveals nothing about a
/// token.
pub(super) struct LinkMaterial {
    token: hmac::Key,
    code: hmac::Key,
}

impl LinkMaterial {
    /// Derives the two keys.
    pub(super) fn prepare(key: &[u8]) -> Option<Self> {
        if key.len() != SYMMETRIC_KEY_LEN {
            return None;
        }
        let key_for = |label| {
            let derived = derive(key, label)?;
            Some(hmac::Key::new(hmac::HMAC_SHA256, derived.as_slice()))
        };
        Some(Self { token: key_for(LINK_TOKEN_LABEL)?, code: key_for(LINK_CODE_LABEL)? })
    }

    /// Derives the token and the code from a salt.
    pub(super) fn secret(&self, salt: &Salt) -> Option<LinkSecret> {
        let token = hmac::sign(&self.token, &salt.0);
        let code = hmac::sign(&self.code, &salt.0);
        // Of 2^64 numbers, one code has at most one in 10^11 more than another.
        let number = code.as_ref().first_chunk().copied().map(u64::from_be_bytes)?;
        Some(LinkSecret {
            token: TokenText::new(jws::encode(token.as_ref())),
            code: LinkCode::from_number(number),
        })
    }
}

/// The keys of the audit trail. They are derived from one key, so that signatures and pseudonyms
/// reveal nothing about each other.
pub(super) struct AuditMaterial {
    pub(super) signing: SigningKey,
    pub(super) verifying: DecodingKey,
    public: PublicKey,
    pseudonym: hmac::Key,
}

impl AuditMaterial {
    /// Derives the keys.
    pub(super) fn prepare(key: &[u8]) -> Option<Self> {
        if key.len() != SYMMETRIC_KEY_LEN {
            return None;
        }
        let seed = derive(key, AUDIT_SIGNING_LABEL)?;
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_slice()).ok()?;
        let public = pair.public_key().as_ref();
        let (verifying, public) = (DecodingKey::from_ed_der(public), PublicKey::ed25519(public));
        let pseudonym = derive(key, PSEUDONYM_LABEL)?;
        Some(Self {
            signing: SigningKey::Ed25519(pair),
            verifying,
            public,
            pseudonym: hmac::Key::new(hmac::HMAC_SHA256, pseudonym.as_slice()),
        })
    }

    /// Returns the identifier of the key: the thumbprint of the signing key.
    pub(super) fn id(&self) -> KeyId {
        self.public.id()
    }

    /// Returns the public key that verifies checkpoints.
    pub(super) fn jwk(&self) -> Option<String> {
        self.public.to_jwk(&self.id(), Algorithm::EdDsa)
    }

    /// Returns a digest that cannot be inverted or verified without the key.
    pub(super) fn pseudonym(&self, text: &str) -> Option<[u8; 32]> {
        hmac::sign(&self.pseudonym, text.as_bytes()).as_ref().try_into().ok()
    }
}
