//! `FailingStore`: a store of which one call fails, as the test chooses.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use async_trait::async_trait;
use gateward_domain::audit::{Chain, ChainPosition, Entry, EventRange, SignedCheckpoint};
use gateward_domain::email::{EmailState, OutboxEmail};
use gateward_domain::feed::{FeedCursor, FeedItem, FeedPage};
use gateward_domain::key::{KeyId, StoredKey};
use gateward_domain::known_device::KnownDevice;
use gateward_domain::link::{Link, LinkPurpose, SecretHash};
use gateward_domain::ports::{
    Access, AuditRepo, CodeAttempt, EventRepo, FeedRepo, FeedWatch, Instance, KeyRepo,
    KnownDeviceRepo, LinkRepo, OutboxCounts, OutboxFilter, OutboxRepo, RateLimitRepo, RoleRepo,
    SignupRepo, Store, StoreError, TokenStore, Tx, UserRepo,
};
use gateward_domain::rate_limit::{AttemptCounter, FailedAttempt, RateLimitKey};
use gateward_domain::refresh::{RefreshState, Rotation};
use gateward_domain::signup::PendingSignup;
use gateward_domain::{
    EmailAddress, EmailId, End, Event, EventId, Identifier, KnownDeviceId, LinkId, PasswordHash,
    RequestInfo, Role, RoleName, Session, SessionId, SignupId, Timestamp, User, UserId, UserRange,
    Username,
};
use gateward_testkit::MemoryStore;

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The store cannot be reached.
    Unavailable,
    /// A lock is held for too long.
    Busy,
    /// The call is executed, but its response is lost.
    ResponseLost,
}

/// Which call fails, and how many calls were made.
#[derive(Default)]
struct Fault {
    calls: AtomicU32,
    plan: std::sync::Mutex<Option<(u32, Failure)>>,
    has_struck: AtomicBool,
}

impl Fault {
    /// Counts a call. Returns how it fails, if it is the chosen one.
    fn next(&self) -> Option<Failure> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed) + 1;
        let plan = *self.plan.lock().unwrap();
        let failure = plan.and_then(|(number, failure)| (number == call).then_some(failure));
        self.has_struck.fetch_or(failure.is_some(), Ordering::Relaxed);
        failure
    }
}

fn error(failure: Failure) -> StoreError {
    match failure {
        Failure::Busy => StoreError::Busy,
        Failure::Unavailable | Failure::ResponseLost => StoreError::Unavailable("a test".into()),
    }
}

/// An in-memory store of which one call fails: of its own methods, and of those of its units of
/// work.
#[derive(Clone)]
pub(super) struct FailingStore {
    inner: MemoryStore,
    fault: Arc<Fault>,
}

impl FailingStore {
    pub(super) fn new(inner: MemoryStore) -> Self {
        Self { inner, fault: Arc::default() }
    }

    /// Resets the count, and fails at the call with this number, if any.
    pub(super) fn fail_at(&self, plan: Option<(u32, Failure)>) {
        *self.fault.plan.lock().unwrap() = plan;
        self.fault.calls.store(0, Ordering::Relaxed);
        self.fault.has_struck.store(false, Ordering::Relaxed);
    }

    /// Returns the number of calls.
    pub(super) fn calls(&self) -> u32 {
        self.fault.calls.load(Ordering::Relaxed)
    }

    /// Returns whether a call has failed.
    pub(super) fn has_failed(&self) -> bool {
        self.fault.has_struck.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Store for FailingStore {
    async fn begin(&self, access: Access) -> Result<Box<dyn Tx>, StoreError> {
        match self.fault.next() {
            Some(failure) => Err(error(failure)),
            None => Ok(Box::new(FailingTx {
                inner: self.inner.begin(access).await?,
                access,
                fault: Arc::clone(&self.fault),
                has_ended: false,
            })),
        }
    }

    async fn watch_feed(&self) -> Result<Box<dyn FeedWatch>, StoreError> {
        match self.fault.next() {
            Some(failure) => Err(error(failure)),
            None => self.inner.watch_feed().await,
        }
    }
}

struct FailingTx {
    inner: Box<dyn Tx>,
    access: Access,
    fault: Arc<Fault>,
    /// A call has failed: from then on all do.
    has_ended: bool,
}

impl FailingTx {
    /// Returns whether the response of the new call is lost. Fails at once if the call is to fail.
    fn begin_call(&mut self) -> Result<bool, StoreError> {
        let failure = self.fault.next();
        let had_ended = self.has_ended;
        self.has_ended |= failure.is_some();
        match failure {
            None if had_ended => Err(error(Failure::Unavailable)),
            None => Ok(false),
            Some(Failure::ResponseLost) if !had_ended => Ok(true),
            Some(failure) => Err(error(failure)),
        }
    }
}

#[async_trait]
impl Tx for FailingTx {
    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        // If nothing is left to do, the store is not called.
        if self.access != Access::Write && !self.has_ended {
            return self.inner.commit().await;
        }
        let is_lost = self.begin_call()?;
        self.inner.commit().await?;
        if is_lost { Err(error(Failure::ResponseLost)) } else { Ok(()) }
    }
}

/// Methods that forward their arguments, unless they fail.
macro_rules! passed_on {
    ($($port:ident { $($name:ident($($input:ident: $kind:ty),*) -> $response:ty;)* })*) => {$(
        #[async_trait]
        impl $port for FailingTx {
            $(async fn $name(&mut self, $($input: $kind),*) -> Result<$response, StoreError> {
                let is_lost = self.begin_call()?;
                let response = self.inner.$name($($input),*).await?;
                if is_lost { Err(error(Failure::ResponseLost)) } else { Ok(response) }
            })*
        }
    )*};
}

passed_on! {
    UserRepo {
        insert_user(user: &User) -> ();
        find_user(id: UserId) -> Option<User>;
        find_user_number(id: UserId) -> Option<i64>;
        assign_user_number(id: UserId) -> Option<i64>;
        find_user_by_identifier(identifier: &Identifier) -> Option<User>;
        lock_user(id: UserId) -> Option<User>;
        set_username(id: UserId, username: &Username, now: Timestamp) -> bool;
        set_email(id: UserId, email: &EmailAddress, verified: bool, now: Timestamp) -> bool;
        find_email_owner(email: &EmailAddress, now: Timestamp) -> Option<UserId>;
        delete_user(id: UserId) -> bool;
        list_users(range: &UserRange, after: Option<String>, limit: u32) -> Vec<User>;
        count_users_with_role(role: &RoleName) -> u64;
        set_password(id: UserId, version: i64, hash: &PasswordHash, now: Timestamp) -> bool;
        set_rehashed_password(id: UserId, version: i64, hash: &PasswordHash) -> bool;
        set_user_disabled(id: UserId, disabled: bool, now: Timestamp) -> bool;
    }
    TokenStore {
        insert_session(session: &Session) -> ();
        find_session(id: SessionId) -> Option<(Session, Option<User>)>;
        rotate_session(rotation: &Rotation) -> Option<(Session, User)>;
        lock_session(id: SessionId) -> Option<Session>;
        set_refresh_state(id: SessionId, refresh_state: &RefreshState) -> ();
        set_session_auth_time(id: SessionId, auth_time: Timestamp) -> bool;
        end_session(id: SessionId, end: End) -> bool;
        end_sessions_of_user(id: UserId, except: Option<SessionId>, end: End) -> Vec<SessionId>;
        end_oldest_sessions(id: UserId, keep: u32, end: End) -> Vec<SessionId>;
        list_user_sessions(id: UserId, after: Option<SessionId>, limit: u32) -> Vec<Session>;
        end_sessions_started_before(
            before: Timestamp, after: Option<SessionId>, end: End, limit: u32
        ) -> Vec<SessionId>;
        end_sessions_of_key(key: &KeyId, end: End, limit: u32) -> Vec<Session>;
        list_active_sessions(
            id: UserId, now: Timestamp, after: Option<SessionId>, limit: u32
        ) -> Vec<Session>;
        delete_sessions(before: Timestamp, limit: u32) -> u64;
    }
    KeyRepo {
        lock_instance(proposed: &Instance) -> Instance;
        find_instance() -> Option<Instance>;
        set_issuer(issuer: &str) -> ();
        insert_key(key: &StoredKey) -> ();
        update_key(key: &StoredKey) -> bool;
        list_keys() -> Vec<StoredKey>;
    }
    EventRepo {
        insert_event(event: &Event) -> ();
        list_session_events(id: SessionId, limit: u32) -> Vec<Event>;
        list_user_events(id: UserId, after: Option<EventId>, limit: u32) -> Vec<Event>;
        list_events(
            range: EventRange, since: Option<EventId>, before: Option<EventId>, limit: u32
        ) -> Vec<Event>;
    }
    AuditRepo {
        list_unchained_events(limit: u32) -> Vec<Entry>;
        find_chain() -> Chain;
        lock_chain() -> Chain;
        append_to_chain(positions: &[(EventId, ChainPosition)], latest: &SignedCheckpoint) -> ();
        list_chained_events(after: i64, limit: u32) -> Vec<Entry>;
        truncate_chain(retention_boundary: &SignedCheckpoint) -> u64;
        request_erasure(user_id: UserId, now: Timestamp) -> ();
        find_erasure() -> Option<UserId>;
        erase_events(user_id: UserId, limit: u32) -> u64;
    }
    RoleRepo {
        list_roles() -> Vec<Role>;
        put_role(role: &Role, now: Timestamp) -> bool;
        delete_role(name: &RoleName) -> bool;
        set_user_roles(id: UserId, roles: &[RoleName], now: Timestamp) -> bool;
    }
    RateLimitRepo {
        find_attempt_counters(keys: &[RateLimitKey]) -> Vec<AttemptCounter>;
        record_failed_attempt(fail: &FailedAttempt) -> AttemptCounter;
        reset_attempt_counters(keys: &[RateLimitKey]) -> u64;
        delete_attempt_counters(before: Timestamp, limit: u32) -> u64;
    }
    SignupRepo {
        insert_signup(signup: &PendingSignup) -> ();
        find_signup(id: SignupId, now: Timestamp) -> Option<PendingSignup>;
        find_signup_by_secret(secret: &SecretHash, now: Timestamp) -> Option<PendingSignup>;
        find_newest_signup(email: &EmailAddress, now: Timestamp) -> Option<PendingSignup>;
        delete_signups_of_email(email: &EmailAddress) -> u64;
        delete_signups(before: Timestamp, limit: u32) -> u64;
    }
    LinkRepo {
        put_link(link: &Link) -> ();
        find_link(id: LinkId) -> Option<Link>;
        find_link_by_secret(secret: &SecretHash) -> Option<Link>;
        try_code(attempt: &CodeAttempt) -> Vec<Link>;
        spend_link(id: LinkId, now: Timestamp) -> bool;
        delete_user_links(id: UserId, purposes: &[LinkPurpose], from: Timestamp) -> u64;
        delete_links_of_key(key: &KeyId, limit: u32) -> u64;
        list_user_links(id: UserId, limit: u32) -> Vec<Link>;
        delete_links(before: Timestamp, limit: u32) -> u64;
    }
    OutboxRepo {
        insert_outbox_email(message: &OutboxEmail) -> bool;
        lease_outbox_emails(now: Timestamp, lease_until: Timestamp, limit: u32) -> Vec<OutboxEmail>;
        set_outbox_email_link(id: EmailId, link: LinkId, user_id: Option<UserId>) -> bool;
        finish_outbox_email(
            id: EmailId, state: EmailState, failure: Option<String>, now: Timestamp
        ) -> bool;
        postpone_outbox_email(id: EmailId, attempts: u32, next_attempt_at: Timestamp, failure: &str) -> bool;
        retry_outbox_email(id: EmailId, now: Timestamp) -> bool;
        find_outbox_email(id: EmailId) -> Option<OutboxEmail>;
        list_outbox_emails(filter: OutboxFilter, limit: u32) -> Vec<OutboxEmail>;
        count_outbox_emails() -> OutboxCounts;
        delete_outbox_emails(state: EmailState, before: Timestamp, limit: u32) -> u64;
    }
    KnownDeviceRepo {
        insert_known_device(client: &KnownDevice) -> ();
        touch_known_device(
            id: KnownDeviceId, request_info: &RequestInfo, now: Timestamp, expires_at: Timestamp
        ) -> bool;
        list_known_devices(id: UserId, limit: u32) -> Vec<KnownDevice>;
        delete_known_device(id: KnownDeviceId) -> bool;
        delete_user_known_devices(id: UserId) -> u64;
        delete_known_devices(before: Timestamp, limit: u32) -> u64;
    }
    FeedRepo {
        insert_invalidation_events(items: &[FeedItem]) -> ();
        list_invalidation_events(since: Option<FeedCursor>, limit: u32) -> FeedPage;
        delete_invalidation_events(before: Timestamp, limit: u32) -> u64;
    }
}
