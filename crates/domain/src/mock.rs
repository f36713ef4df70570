//! Mocks of the ports, for tests that check calls.
#![expect(
    clippy::struct_field_names,
    reason = "mockall names a field after each method, and methods contain the entity's name"
)]

use async_trait::async_trait;

use crate::audit::{Chain, ChainPosition, Entry, EventRange, SignedCheckpoint};
use crate::email::{EmailState, OutboxEmail};
use crate::feed::{FeedCursor, FeedItem, FeedPage};
use crate::key::{KeyId, StoredKey};
use crate::known_device::KnownDevice;
use crate::link::{Link, LinkPurpose, SecretHash};
use crate::ports::{
    Access, AuditRepo, CodeAttempt, EventRepo, FeedRepo, FeedWatch, Instance, KeyRepo,
    KnownDeviceRepo, LinkRepo, OutboxCounts, OutboxFilter, OutboxRepo, RateLimitRepo, RoleRepo,
    SignupRepo, Store, StoreError, TokenStore, Tx, UserRepo,
};
pub use crate::ports::{
    MockAuditKeys, MockAuthCache, MockBreachedPasswords, MockClock, MockEntropy, MockKeyMaker,
    MockLinkMaker, MockMailer, MockMetrics, MockOutboxNotifier, MockPasswordHasher,
    MockTokenSigner,
};
use crate::rate_limit::{AttemptCounter, FailedAttempt, RateLimitKey};
use crate::refresh::{RefreshState, Rotation};
use crate::signup::PendingSignup;
use crate::{
    EmailAddress, EmailId, End, Event, EventId, Identifier, KnownDeviceId, LinkId, PasswordHash,
    RequestInfo, Role, RoleName, Session, SessionId, SignupId, Timestamp, User, UserId, UserRange,
    Username,
};

mockall::mock! {
    pub Store {}

    #[async_trait]
    impl Store for Store {
        async fn begin(&self, access: Access) -> Result<Box<dyn Tx>, StoreError>;
        async fn watch_feed(&self) -> Result<Box<dyn FeedWatch>, StoreError>;
    }
}

mockall::mock! {
    pub Tx {}

    #[async_trait]
    impl UserRepo for Tx {
        async fn insert_user(&mut self, user: &User) -> Result<(), StoreError>;
        async fn find_user(&mut self, id: UserId) -> Result<Option<User>, StoreError>;
        async fn find_user_number(&mut self, id: UserId) -> Result<Option<i64>, StoreError>;
        async fn assign_user_number(&mut self, id: UserId) -> Result<Option<i64>, StoreError>;
        async fn find_user_by_identifier(
            &mut self,
            identifier: &Identifier,
        ) -> Result<Option<User>, StoreError>;
        async fn lock_user(&mut self, id: UserId) -> Result<Option<User>, StoreError>;
        async fn set_username(
            &mut self,
            id: UserId,
            username: &Username,
            now: Timestamp,
        ) -> Result<bool, StoreError>;
        async fn set_email(
            &mut self,
            id: UserId,
            email: &EmailAddress,
            verified: bool,
            now: Timestamp,
        ) -> Result<bool, StoreError>;
        async fn find_email_owner(
            &mut self,
            email: &EmailAddress,
            now: Timestamp,
        ) -> Result<Option<UserId>, StoreError>;
        async fn delete_user(&mut self, id: UserId) -> Result<bool, StoreError>;
        async fn list_users(
            &mut self,
            range: &UserRange,
            after: Option<String>,
            limit: u32,
        ) -> Result<Vec<User>, StoreError>;
        async fn count_users_with_role(&mut self, role: &RoleName) -> Result<u64, StoreError>;
        async fn set_password(
            &mut self,
            id: UserId,
            version: i64,
            hash: &PasswordHash,
            now: Timestamp,
        ) -> Result<bool, StoreError>;
        async fn set_rehashed_password(
            &mut self,
            id: UserId,
            version: i64,
            hash: &PasswordHash,
        ) -> Result<bool, StoreError>;
        async fn set_user_disabled(
            &mut self,
            id: UserId,
            disabled: bool,
            now: Timestamp,
        ) -> Result<bool, StoreError>;
    }

    #[async_trait]
    impl TokenStore for Tx {
        async fn insert_session(&mut self, session: &Session) -> Result<(), StoreError>;
        async fn find_session(
            &mut self,
            id: SessionId,
        ) -> Result<Option<(Session, Option<User>)>, StoreError>;
        async fn rotate_session(
            &mut self,
            rotation: &Rotation,
        ) -> Result<Option<(Session, User)>, StoreError>;
        async fn lock_session(&mut self, id: SessionId) -> Result<Option<Session>, StoreError>;
        async fn set_refresh_state(&mut self, id: SessionId, refresh_state: &RefreshState) -> Result<(), StoreError>;
        async fn set_session_auth_time(
            &mut self,
            id: SessionId,
            auth_time: Timestamp,
        ) -> Result<bool, StoreError>;
        async fn end_session(&mut self, id: SessionId, end: End) -> Result<bool, StoreError>;
        async fn end_sessions_of_user(
            &mut self,
            user_id: UserId,
            except: Option<SessionId>,
            end: End,
        ) -> Result<Vec<SessionId>, StoreError>;
        async fn end_oldest_sessions(
            &mut self,
            user_id: UserId,
            keep: u32,
            end: End,
        ) -> Result<Vec<SessionId>, StoreError>;
        async fn list_user_sessions(
            &mut self,
            user_id: UserId,
            after: Option<SessionId>,
            limit: u32,
        ) -> Result<Vec<Session>, StoreError>;
        async fn end_sessions_started_before(
            &mut self,
            before: Timestamp,
            after: Option<SessionId>,
            end: End,
            limit: u32,
        ) -> Result<Vec<SessionId>, StoreError>;
        async fn end_sessions_of_key(
            &mut self,
            key: &KeyId,
            end: End,
            limit: u32,
        ) -> Result<Vec<Session>, StoreError>;
        async fn list_active_sessions(
            &mut self,
            user_id: UserId,
            now: Timestamp,
            after: Option<SessionId>,
            limit: u32,
        ) -> Result<Vec<Session>, StoreError>;
        async fn delete_sessions(
            &mut self,
            before: Timestamp,
            limit: u32,
        ) -> Result<u64, StoreError>;
    }

    #[async_trait]
    impl RoleRepo for Tx {
        async fn list_roles(&mut self) -> Result<Vec<Role>, StoreError>;
        async fn put_role(&mut self, role: &Role, now: Timestamp) -> Result<bool, StoreError>;
        async fn delete_role(&mut self, name: &RoleName) -> Result<bool, StoreError>;
        async fn set_user_roles(
            &mut self,
            id: UserId,
            roles: &[RoleName],
            now: Timestamp,
        ) -> Result<bool, StoreError>;
    }

    #[async_trait]
    impl AuditRepo for Tx {
        async fn list_unchained_events(&mut self, limit: u32) -> Result<Vec<Entry>, StoreError>;
        async fn find_chain(&mut self) -> Result<Chain, StoreError>;
        async fn lock_chain(&mut self) -> Result<Chain, StoreError>;
        async fn append_to_chain(
            &mut self,
            positions: &[(EventId, ChainPosition)],
            latest: &SignedCheckpoint,
        ) -> Result<(), StoreError>;
        async fn list_chained_events(
            &mut self,
            after: i64,
            limit: u32,
        ) -> Result<Vec<Entry>, StoreError>;
        async fn truncate_chain(&mut self, retention_boundary: &SignedCheckpoint) -> Result<u64, StoreError>;
        async fn request_erasure(
            &mut self,
            user_id: UserId,
            now: Timestamp,
        ) -> Result<(), StoreError>;
        async fn find_erasure(&mut self) -> Result<Option<UserId>, StoreError>;
        async fn erase_events(&mut self, user_id: UserId, limit: u32) -> Result<u64, StoreError>;
    }

    #[async_trait]
    impl RateLimitRepo for Tx {
        async fn find_attempt_counters(&mut self, keys: &[RateLimitKey]) -> Result<Vec<AttemptCounter>, StoreError>;
        async fn record_failed_attempt(&mut self, attempt: &FailedAttempt) -> Result<AttemptCounter, StoreError>;
        async fn reset_attempt_counters(&mut self, keys: &[RateLimitKey]) -> Result<u64, StoreError>;
        async fn delete_attempt_counters(
            &mut self,
            before: Timestamp,
            limit: u32,
        ) -> Result<u64, StoreError>;
    }

    #[async_trait]
    impl KeyRepo for Tx {
        async fn lock_instance(&mut self, proposed: &Instance) -> Result<Instance, StoreError>;
        async fn find_instance(&mut self) -> Result<Option<Instance>, StoreError>;
        async fn set_issuer(&mut self, issuer: &str) -> Result<(), StoreError>;
        async fn update_key(&mut self, key: &StoredKey) -> Result<bool, StoreError>;
        async fn insert_key(&mut self, key: &StoredKey) -> Result<(), StoreError>;
        async fn list_keys(&mut self) -> Result<Vec<StoredKey>, StoreError>;
    }

    #[async_trait]
    impl EventRepo for Tx {
        async fn insert_event(&mut self, event: &Event) -> Result<(), StoreError>;
        async fn list_session_events(
            &mut self,
            session_id: SessionId,
            limit: u32,
        ) -> Result<Vec<Event>, StoreError>;
        async fn list_user_events(
            &mut self,
            user_id: UserId,
            after: Option<EventId>,
            limit: u32,
        ) -> Result<Vec<Event>, StoreError>;
        async fn list_events(
            &mut self,
            range: EventRange,
            since: Option<EventId>,
            before: Option<EventId>,
            limit: u32,
        ) -> Result<Vec<Event>, StoreError>;
    }

    #[async_trait]
    impl SignupRepo for Tx {
        async fn insert_signup(&mut self, signup: &PendingSignup) -> Result<(), StoreError>;
        async fn find_signup(
            &mut self,
            id: SignupId,
            now: Timestamp,
        ) -> Result<Option<PendingSignup>, StoreError>;
        async fn find_signup_by_secret(
            &mut self,
            secret: &SecretHash,
            now: Timestamp,
        ) -> Result<Option<PendingSignup>, StoreError>;
        async fn find_newest_signup(
            &mut self,
            email: &EmailAddress,
            now: Timestamp,
        ) -> Result<Option<PendingSignup>, StoreError>;
        async fn delete_signups_of_email(&mut self, email: &EmailAddress) -> Result<u64, StoreError>;
        async fn delete_signups(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
    }

    #[async_trait]
    impl LinkRepo for Tx {
        async fn put_link(&mut self, link: &Link) -> Result<(), StoreError>;
        async fn find_link(&mut self, id: LinkId) -> Result<Option<Link>, StoreError>;
        async fn find_link_by_secret(
            &mut self,
            secret: &SecretHash,
        ) -> Result<Option<Link>, StoreError>;
        async fn try_code(&mut self, attempt: &CodeAttempt) -> Result<Vec<Link>, StoreError>;
        async fn spend_link(&mut self, id: LinkId, now: Timestamp) -> Result<bool, StoreError>;
        async fn delete_user_links(
            &mut self,
            user_id: UserId,
            purposes: &[LinkPurpose],
            from: Timestamp,
        ) -> Result<u64, StoreError>;
        async fn delete_links_of_key(
            &mut self,
            key: &KeyId,
            limit: u32,
        ) -> Result<u64, StoreError>;
        async fn list_user_links(
            &mut self,
            user_id: UserId,
            limit: u32,
        ) -> Result<Vec<Link>, StoreError>;
        async fn delete_links(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
    }

    #[async_trait]
    impl OutboxRepo for Tx {
        async fn insert_outbox_email(&mut self, message: &OutboxEmail) -> Result<bool, StoreError>;
        async fn lease_outbox_emails(
            &mut self,
            now: Timestamp,
            lease_until: Timestamp,
            limit: u32,
        ) -> Result<Vec<OutboxEmail>, StoreError>;
        async fn set_outbox_email_link(
            &mut self,
            id: EmailId,
            link: LinkId,
            user_id: Option<UserId>,
        ) -> Result<bool, StoreError>;
        async fn finish_outbox_email(
            &mut self,
            id: EmailId,
            state: EmailState,
            failure: Option<String>,
            now: Timestamp,
        ) -> Result<bool, StoreError>;
        async fn postpone_outbox_email(
            &mut self,
            id: EmailId,
            attempts: u32,
            next_attempt_at: Timestamp,
            failure: &str,
        ) -> Result<bool, StoreError>;
        async fn retry_outbox_email(&mut self, id: EmailId, now: Timestamp) -> Result<bool, StoreError>;
        async fn find_outbox_email(&mut self, id: EmailId) -> Result<Option<OutboxEmail>, StoreError>;
        async fn list_outbox_emails(
            &mut self,
            filter: OutboxFilter,
            limit: u32,
        ) -> Result<Vec<OutboxEmail>, StoreError>;
        async fn count_outbox_emails(&mut self) -> Result<OutboxCounts, StoreError>;
        async fn delete_outbox_emails(
            &mut self,
            state: EmailState,
            before: Timestamp,
            limit: u32,
        ) -> Result<u64, StoreError>;
    }

    #[async_trait]
    impl KnownDeviceRepo for Tx {
        async fn insert_known_device(&mut self, known_device: &KnownDevice) -> Result<(), StoreError>;
        async fn touch_known_device(
            &mut self,
            id: KnownDeviceId,
            request_info: &RequestInfo,
            now: Timestamp,
            expires_at: Timestamp,
        ) -> Result<bool, StoreError>;
        async fn list_known_devices(
            &mut self,
            user_id: UserId,
            limit: u32,
        ) -> Result<Vec<KnownDevice>, StoreError>;
        async fn delete_known_device(&mut self, id: KnownDeviceId) -> Result<bool, StoreError>;
        async fn delete_user_known_devices(&mut self, user_id: UserId) -> Result<u64, StoreError>;
        async fn delete_known_devices(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
    }

    #[async_trait]
    impl FeedRepo for Tx {
        async fn insert_invalidation_events(&mut self, items: &[FeedItem]) -> Result<(), StoreError>;
        async fn list_invalidation_events(
            &mut self,
            since: Option<FeedCursor>,
            limit: u32,
        ) -> Result<FeedPage, StoreError>;
        async fn delete_invalidation_events(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
    }

    #[async_trait]
    impl Tx for Tx {
        async fn commit(self: Box<Self>) -> Result<(), StoreError>;
    }
}
