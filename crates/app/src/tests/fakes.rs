//! Fakes: simplified adapters.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use gateward_domain::audit::{Checkpoint, CheckpointKind, Digest};
use gateward_domain::key::{Algorithm, KeyId, KeyPurpose, StoredKey};
use gateward_domain::link::SecretHash;
use gateward_domain::ports::{
    Access, AuditKeys, AuthCache, HashError, InlineTasks, KeyError, KeyMaker, NoAuthCache,
    NoBreachedPasswords, NoMetrics, NoOutboxNotifier, PasswordHasher, Store, TokenSigner,
};
use gateward_domain::refresh::{PresentedToken, Proof, Salt};
use gateward_domain::{
    AccessClaims, AccessGrant, EmailAddress, Password, PasswordHash, RequestInfo, RoleName,
    Session, SessionId, Timestamp, TokenError, TokenText, User, Username,
};
use gateward_testkit::{FixedClock, MemoryStore, SeededEntropy, fixtures};

use super::mailbox::{PlainLinks, RecordingMailer};
use crate::{
    AdminActor, App, LoggedIn, Login, LoginError, Policy, Ports, Refresh, SignedUp, Signup,
};

/// The identifier of the key that signs access tokens.
pub(super) const ACCESS_KEY: &str = "access";

pub(super) const PASSWORD: &str = "correct horse battery";

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

/// Hashes by adding the prefix `plain:` to the password, and counts.
#[derive(Default)]
pub(super) struct PlainHasher {
    pub(super) verified: AtomicU32,
    pub(super) hashed: AtomicU32,
}

#[async_trait]
impl PasswordHasher for PlainHasher {
    async fn hash(&self, password: &Password) -> Result<PasswordHash, HashError> {
        self.hashed.fetch_add(1, Ordering::Relaxed);
        Ok(PasswordHash::from_phc(format!("plain:{}", password.expose())))
    }

    async fn verify(&self, password: &Password, hash: &PasswordHash) -> Result<bool, HashError> {
        self.verified.fetch_add(1, Ordering::Relaxed);
        let text = hash.expose();
        let bare = text.strip_prefix("plain:").or_else(|| text.strip_prefix("old:"));
        Ok(bare == Some(password.expose()))
    }

    fn needs_rehash(&self, hash: &PasswordHash) -> bool {
        hash.expose().starts_with("old:")
    }
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

/// An application on an in-memory store, with a clock that the test controls.
pub(super) struct TestApp {
    pub(super) app: App,
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<FixedClock>,
    pub(super) hasher: Arc<PlainHasher>,
    pub(super) recording_mailer: Arc<RecordingMailer>,
}

pub(super) fn policy() -> Policy {
    Policy { sessions_per_user_max: 3, ..Policy::new("https://auth.example.org") }
}

pub(super) async fn test_app() -> TestApp {
    test_app_with(policy(), Arc::new(MemoryStore::new())).await
}

pub(super) async fn test_app_with(policy: Policy, store: Arc<dyn Store>) -> TestApp {
    put_access_key(&*store).await;
    test_app_that(policy, store, Arc::new(NoAuthCache)).await
}

/// A fixture with this cache. The store has only the keys that were put there.
pub(super) async fn test_app_that(
    policy: Policy,
    store: Arc<dyn Store>,
    auth_cache: Arc<dyn AuthCache>,
) -> TestApp {
    let clock = Arc::new(FixedClock::new(fixtures::NOW));
    let hasher = Arc::new(PlainHasher::default());
    let recording_mailer = Arc::new(RecordingMailer::default());
    let ports = Ports {
        store: store.clone(),
        hasher: hasher.clone(),
        signer: Arc::new(PlainSigner),
        links: Arc::new(PlainLinks),
        audit_keys: Arc::new(PlainAuditKeys),
        breached: Arc::new(NoBreachedPasswords),
        metrics: Arc::new(NoMetrics),
        tasks: Arc::new(InlineTasks),
        auth_cache,
        outbox_notifier: Arc::new(NoOutboxNotifier),
        mailer: recording_mailer.clone(),
        key_maker: Arc::new(HollowKeys),
        clock: clock.clone(),
        entropy: Arc::new(SeededEntropy::new(1)),
    };
    TestApp { app: App::new(ports, policy).await.unwrap(), store, clock, hasher, recording_mailer }
}

/// Stores the key that the plain signer signs with.
pub(super) async fn put_access_key(store: &dyn Store) {
    let key = StoredKey {
        id: KeyId(ACCESS_KEY.to_owned()),
        purpose: KeyPurpose::Access,
        algorithm: Algorithm::Es256,
        wrapped: Vec::new(),
        public_jwk: None,
        created_at: fixtures::NOW,
        active_from: fixtures::NOW,
        revoked_at: None,
    };
    let mut tx = store.begin(Access::Write).await.unwrap();
    if tx.list_keys().await.unwrap().is_empty() {
        tx.insert_key(&key).await.unwrap();
        tx.commit().await.unwrap();
    }
}

pub(super) fn password(text: &str) -> Password {
    Password::received(text.to_owned()).unwrap()
}

pub(super) fn signup(name: &str) -> Signup {
    Signup {
        username: Username::parse(name).unwrap(),
        email: EmailAddress::parse(&format!("{name}@example.org")).unwrap(),
        password: password(PASSWORD),
        request_info: RequestInfo::default(),
    }
}

impl TestApp {
    pub(super) async fn user(&self, name: &str) -> User {
        match self.app.signup(signup(name)).await.unwrap() {
            SignedUp::Account(user) => user,
            SignedUp::Pending { .. } => panic!("confirmation is required"),
        }
    }

    pub(super) async fn login(&self, name: &str, text: &str) -> Result<LoggedIn, LoginError> {
        let login = Login {
            identifier: gateward_domain::Identifier::parse(name),
            password: password(text),
            client_name: None,
            known_device_token: None,
            request_info: RequestInfo::default(),
        };
        self.app.login(login).await
    }

    /// A user and a session of theirs.
    pub(super) async fn logged_in(&self, name: &str) -> LoggedIn {
        self.user(name).await;
        self.login(name, PASSWORD).await.unwrap()
    }

    /// Disables or enables an account as an operator does. Returns whether that changed anything.
    pub(super) async fn set_disabled(&self, name: &str, disabled: bool) -> bool {
        let identifier = gateward_domain::Identifier::parse(name).unwrap();
        let id = self.app.find_account(&identifier).await.unwrap().id;
        let done = if disabled {
            self.app.disable_user(AdminActor::Operator, id).await
        } else {
            self.app.enable_user(AdminActor::Operator, id).await
        };
        done.unwrap().1
    }

    pub(super) fn refresh(&self, token: &TokenText, key: Option<&str>) -> Refresh {
        Refresh {
            rotate: true,
            token: token.clone(),
            idempotency_key: key.map(fixtures::key_hash),
            received_at: self.app.now(),
            request_info: RequestInfo::default(),
        }
    }

    /// Returns the events of a session. Simultaneous ones are in alphabetical order.
    pub(super) async fn timeline(&self, session: gateward_domain::SessionId) -> Vec<String> {
        let mut tx = self.store.begin(Access::Read).await.unwrap();
        let events = tx.list_session_events(session, 100).await.unwrap();
        let told = |event: &gateward_domain::Event| match event.kind.reason() {
            Some(reason) => format!("{} {reason}", event.kind.as_str()),
            None => event.kind.as_str().to_owned(),
        };
        let mut told: Vec<_> = events.iter().map(|event| (event.at, told(event))).collect();
        told.sort();
        told.into_iter().map(|(_, words)| words).collect()
    }
}
