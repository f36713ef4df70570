//! The keyring under test: its keys, its tokens, and handmade tokens.

mod attacks;
mod audit;
mod claims;
mod csrf;
mod headers;
mod keys;
mod links;
mod masters;
mod refresh;
mod revoked;
mod verified;
mod wycheproof;

use gateward_domain::key::{Algorithm, KeyId, KeyPurpose, KeyState, StoredKey, key_state};
use gateward_domain::ports::{KeyError, KeyMaker as _, LinkMaker as _, TokenSigner as _};
use gateward_domain::refresh::{PresentedToken, Proof, RefreshState, Salt};
use gateward_domain::{
    AccessClaims, AccessGrant, EmailAddress, PasswordHash, PermissionSet, PublicUserId,
    RequestInfo, RoleName, Session, SessionId, Timestamp, TokenError, TokenId, User, UserId,
    Username,
};
use serde_json::{Value, json};

use super::ring::Material;
use super::wrap::{self, AssociatedData};
use super::*;
use crate::{MasterKey, SystemEntropy, jws};

const ISSUER: &str = "https://id.example.org";
const AUDIENCE: &str = "https://api.example.org";
const NOW: i64 = 1_800_000_000;
const ACCESS_TTL: i64 = 900;
const SESSION_MAX: i64 = 2_592_000;
const VERIFIED_MAX: usize = 64;
const ACCESS_ALGORITHMS: [Algorithm; 4] =
    [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Ps256, Algorithm::Rs256];

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

fn settings() -> KeyringSettings {
    KeyringSettings {
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        access_ttl_seconds: ACCESS_TTL,
        session_max_seconds: SESSION_MAX,
        verified_max: VERIFIED_MAX,
        dialect_claims: DialectClaims::default(),
    }
}

fn keyring_with(settings: KeyringSettings, master: &MasterKey) -> Keyring {
    Keyring::new(settings, master.clone(), Arc::new(SystemEntropy::new()))
}

/// A keyring with an access key and a refresh key, both active since 1970, and one that differs
/// only in that it caches no verified tokens.
struct KeyringFixture {
    keyring: Keyring,
    forgetful: Keyring,
    master: MasterKey,
    keys: Vec<StoredKey>,
}

impl KeyringFixture {
    fn new(algorithm: Algorithm) -> Self {
        let master = MasterKey::generate(&SystemEntropy::new());
        let keyring = keyring_with(settings(), &master);
        let keys = vec![
            keyring.make_key(KeyPurpose::Access, algorithm, at(0), at(0)).unwrap(),
            keyring.make_key(KeyPurpose::Refresh, Algorithm::Hs256, at(0), at(0)).unwrap(),
        ];
        let forgetful = keyring_with(KeyringSettings { verified_max: 0, ..settings() }, &master);
        let fixture = Self { keyring, forgetful, master, keys };
        fixture.install(&fixture.keys).unwrap();
        fixture
    }

    fn install(&self, keys: &[StoredKey]) -> Result<(), KeyError> {
        self.forgetful.install_keys(keys)?;
        self.keyring.install_keys(keys)
    }

    /// Revokes a key and installs the change.
    fn revoke(&mut self, id: &KeyId, now: i64) {
        let key = self.keys.iter_mut().find(|key| key.id == *id).unwrap();
        key.revoked_at = Some(at(now));
        self.install(&self.keys).unwrap();
    }

    /// Creates another key and installs it with the others.
    fn add(&mut self, purpose: KeyPurpose, algorithm: Algorithm, active_from: i64) -> KeyId {
        let key = self.keyring.make_key(purpose, algorithm, at(NOW), at(active_from)).unwrap();
        self.keys.push(key.clone());
        self.install(&self.keys).unwrap();
        key.id
    }

    fn access_id(&self) -> &str {
        &self.keys[0].id.0
    }

    fn refresh_id(&self) -> &str {
        &self.keys[1].id.0
    }

    /// An access token issued at `NOW`.
    fn access(&self) -> String {
        self.access_at(NOW)
    }

    fn access_at(&self, now: i64) -> String {
        let user = user();
        self.keyring.sign_access(&grant(&user, now)).unwrap().expose().to_owned()
    }

    fn refresh(&self) -> String {
        self.keyring.sign_refresh(&self.session(1)).unwrap().expose().to_owned()
    }

    fn session(&self, generation: i64) -> Session {
        Session {
            id: session_id(),
            user_id: user().id,
            created_at: at(NOW),
            auth_time: at(NOW),
            lifetime_ends_at: at(NOW + SESSION_MAX),
            request_info: RequestInfo::default(),
            client_name: None,
            refresh_state: RefreshState {
                generation,
                rotated_at: at(NOW),
                expires_at: at(NOW + 604_800),
                key_id: self.keys[1].id.clone(),
                idempotency_key: None,
                salt: Salt([9; 32]),
            },
            ended: None,
        }
    }

    /// The header of an access token.
    fn access_header(&self) -> Value {
        json!({"alg": self.keys[0].algorithm.as_str(), "typ": "at+jwt", "kid": self.access_id()})
    }

    /// Signs header and payload with the key of this identifier, whatever they contain.
    fn forge(&self, key_id: &str, header: &str, payload: &str) -> String {
        let key_id = KeyId(key_id.to_owned());
        self.keyring.forge(&key_id, header.as_bytes(), payload.as_bytes()).unwrap()
    }

    /// Signs these claims as an access token of this installation.
    fn forge_access(&self, payload: &str) -> String {
        self.forge(self.access_id(), &self.access_header().to_string(), payload)
    }

    fn check_access(&self, token: &str) -> Result<AccessClaims, TokenError> {
        self.check_access_at(token, at(NOW))
    }

    /// Verifies several times, and with a keyring without a cache too. Asserts that all agree.
    fn check_access_at(&self, token: &str, now: Timestamp) -> Result<AccessClaims, TokenError> {
        let anew = self.forgetful.verify_access(token, now);
        let past = self.forgetful.verify_access_ignoring_expiry(token, now);
        for _ in 0..2 {
            assert_eq!(self.keyring.verify_access(token, now), anew, "{token}");
            assert_eq!(self.keyring.verify_access_ignoring_expiry(token, now), past, "{token}");
        }
        match anew {
            Err(TokenError::Expired) => assert!(past.unwrap().expires_at <= now),
            // A logout accepts a token whose key has retired. No other key has signed one that is
            // refused.
            Err(TokenError::Invalid) if past.is_ok() => {
                let id = past.unwrap().key_id;
                let key = self.keys.iter().find(|key| key.id == id).unwrap();
                assert_eq!(key.revoked_at, None);
                assert_eq!(key_state(key, &self.keys, ACCESS_TTL, now), KeyState::Retired);
            }
            _ => assert_eq!(past, anew),
        }
        anew
    }

    fn check_refresh(&self, token: &str) -> Result<PresentedToken, TokenError> {
        self.keyring.verify_refresh(token, at(NOW))
    }

    /// Asserts that the token is accepted as neither kind.
    fn assert_refused(&self, token: &str, why: &str) {
        assert_eq!(self.check_access(token), Err(TokenError::Invalid), "{why}");
        assert_eq!(self.check_refresh(token), Err(TokenError::Invalid), "{why}");
    }

    /// Asserts the same, and that it takes less than 50 ms. The quickest of three attempts counts,
    /// because the machine may be busy.
    fn assert_refused_fast(&self, token: &str, why: &str) {
        let tries = (0..3).map(|_| {
            let started = std::time::Instant::now();
            self.assert_refused(token, why);
            started.elapsed()
        });
        assert!(tries.min().unwrap() < std::time::Duration::from_millis(50), "{why}");
    }
}

fn session_id() -> SessionId {
    "0190b2a4-7c1e-7d3a-8f00-1234567890ab".parse().unwrap()
}

fn token_id() -> TokenId {
    "0190b2a4-7c1e-7d3a-8f00-aaaaaaaaaaaa".parse().unwrap()
}

fn user() -> User {
    User {
        id: "0190b2a4-7c1e-7d3a-8f00-bbbbbbbbbbbb".parse::<UserId>().unwrap(),
        username: Username::parse("Maria").unwrap(),
        email: EmailAddress::parse("maria@example.org").unwrap(),
        email_verified: true,
        roles: vec![RoleName::admin(), RoleName::user()],
        permissions: PermissionSet::all(),
        disabled: false,
        password_hash: PasswordHash::from_phc(String::new()),
        credentials_version: 1,
        created_at: at(0),
        updated_at: at(0),
    }
}

fn grant(user: &User, now: i64) -> AccessGrant<'_> {
    AccessGrant {
        id: token_id(),
        user,
        public_user_id: PublicUserId::Uuid(user.id),
        session_id: session_id(),
        is_fresh: true,
        auth_time: at(now - 60),
        issued_at: at(now),
        expires_at: at(now + ACCESS_TTL),
    }
}

/// The decoded segment of a token.
fn segment(token: &str, index: usize) -> Value {
    let segment = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&jws::decode(segment).unwrap()).unwrap()
}

/// The same object with one member set or removed.
fn with(object: &Value, name: &str, value: Option<Value>) -> String {
    let mut object = object.as_object().unwrap().clone();
    match value {
        Some(value) => drop(object.insert(name.to_owned(), value)),
        None => assert!(object.remove(name).is_some(), "{name} was there"),
    }
    Value::Object(object).to_string()
}
