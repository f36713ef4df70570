//! `TestApp`: the use cases with an in-memory store, fakes and a clock that the test controls.

use std::sync::Arc;

use gateward_domain::key::{Algorithm, KeyId, KeyPurpose, StoredKey};
use gateward_domain::ports::{
    Access, AuthCache, InlineTasks, NoAuthCache, NoBreachedPasswords, NoMetrics, NoOutboxNotifier,
    Store,
};
use gateward_domain::{
    EmailAddress, Event, Identifier, Password, RequestInfo, SessionId, TokenText, User, Username,
};
use gateward_testkit::{
    DroppingMailer, FixedClock, MemoryStore, PlainHasher, SeededEntropy, fixtures,
};

use super::fakes::{ACCESS_KEY, HollowKeys, PlainAuditKeys, PlainSigner};
use super::mailbox::{PlainLinks, RecordingMailer};
use crate::{
    AdminActor, App, LoggedIn, Login, LoginError, Policy, Ports, Refresh, SignedUp, Signup,
};

pub(super) const PASSWORD: &str = "correct horse battery";

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

/// Fakes of all ports but the store.
pub(super) fn ports(store: Arc<dyn Store>) -> Ports {
    Ports {
        store,
        hasher: Arc::new(PlainHasher::default()),
        signer: Arc::new(PlainSigner),
        links: Arc::new(PlainLinks),
        audit_keys: Arc::new(PlainAuditKeys),
        breached: Arc::new(NoBreachedPasswords),
        metrics: Arc::new(NoMetrics),
        tasks: Arc::new(InlineTasks),
        auth_cache: Arc::new(NoAuthCache),
        outbox_notifier: Arc::new(NoOutboxNotifier),
        mailer: Arc::new(DroppingMailer),
        key_maker: Arc::new(HollowKeys),
        clock: Arc::new(FixedClock::default()),
        entropy: Arc::new(SeededEntropy::new(1)),
    }
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
    let clock = Arc::new(FixedClock::default());
    let hasher = Arc::new(PlainHasher::default());
    let recording_mailer = Arc::new(RecordingMailer::default());
    let ports = Ports {
        hasher: hasher.clone(),
        auth_cache,
        mailer: recording_mailer.clone(),
        clock: clock.clone(),
        ..ports(store.clone())
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
            identifier: Identifier::parse(name),
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
        let identifier = Identifier::parse(name).unwrap();
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
    pub(super) async fn timeline(&self, session: SessionId) -> Vec<String> {
        let mut tx = self.store.begin(Access::Read).await.unwrap();
        let events = tx.list_session_events(session, 100).await.unwrap();
        let told = |event: &Event| match event.kind.reason() {
            Some(reason) => format!("{} {reason}", event.kind.as_str()),
            None => event.kind.as_str().to_owned(),
        };
        let mut told: Vec<_> = events.iter().map(|event| (event.at, told(event))).collect();
        told.sort();
        told.into_iter().map(|(_, words)| words).collect()
    }
}
