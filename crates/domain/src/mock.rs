//! Mocks of the ports, for tests in which the call is the point.
#![expect(
    clippy::struct_field_names,
    reason = "mockall names a field after each method, and methods name their noun"
)]

use async_trait::async_trait;

use crate::audit::{Chain, Entry, EventRange, Seal, SignedHead};
use crate::client::KnownClient;
use crate::feed::{FeedCursor, FeedItem, FeedPage};
use crate::key::{KeyId, StoredKey};
use crate::link::{Link, LinkPurpose, SecretHash};
use crate::mail::{LetterState, QueuedLetter};
use crate::ports::{
    Access, AuditTrail, ClientRepo, CodeAttempt, EventLog, Feed, FeedWatch, Instance, KeyRepo,
    LetterFilter, LinkRepo, Outbox, OutboxCounts, RoleRepo, SignupRepo, Store, StoreError,
    ThrottleRepo, TokenStore, Tx, UserRepo,
};
pub use crate::ports::{
    MockAuditKeys, MockBell, MockBreachedPasswords, MockClock, MockEntropy, MockKeyMaker,
    MockKnowledge, MockLinkMaker, MockMailer, MockMeter, MockPasswordHasher, MockTokenSigner,
};
use crate::refresh::{Line, Rotation};
use crate::signup::PendingSignup;
use crate::throttle::{Strike, Strikes, ThrottleKey};
use crate::{
    ClientId, Email, End, Event, EventId, Identifier, LetterId, LinkId, Origin, PasswordHash, Role,
    RoleName, Session, SessionId, SignupId, Timestamp, User, UserId, UserRange, Username,
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
            email: &Email,
            verified: bool,
            now: Timestamp,
        ) -> Result<bool, StoreError>;
        async fn find_email_owner(
            &mut self,
            email: &Email,
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
        async fn renew_password_hash(
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
        async fn set_session_line(&mut self, id: SessionId, line: &Line) -> Result<(), StoreError>;
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
        async fn end_sessions_begun_before(
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
        async fn list_living_sessions(
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
    impl AuditTrail for Tx {
        async fn list_unsealed_events(&mut self, limit: u32) -> Result<Vec<Entry>, StoreError>;
        async fn find_chain(&mut self) -> Result<Chain, StoreError>;
        async fn lock_chain(&mut self) -> Result<Chain, StoreError>;
        async fn seal_events(
            &mut self,
            seals: &[(EventId, Seal)],
            tip: &SignedHead,
        ) -> Result<(), StoreError>;
        async fn list_sealed_events(
            &mut self,
            after: i64,
            limit: u32,
        ) -> Result<Vec<Entry>, StoreError>;
        async fn cut_chain(&mut self, floor: &SignedHead) -> Result<u64, StoreError>;
        async fn request_erasure(
            &mut self,
            user_id: UserId,
            now: Timestamp,
        ) -> Result<(), StoreError>;
        async fn find_erasure(&mut self) -> Result<Option<UserId>, StoreError>;
        async fn erase_events(&mut self, user_id: UserId, limit: u32) -> Result<u64, StoreError>;
    }

    #[async_trait]
    impl ThrottleRepo for Tx {
        async fn find_strikes(&mut self, keys: &[ThrottleKey]) -> Result<Vec<Strikes>, StoreError>;
        async fn add_strike(&mut self, strike: &Strike) -> Result<Strikes, StoreError>;
        async fn clear_strikes(&mut self, keys: &[ThrottleKey]) -> Result<u64, StoreError>;
        async fn delete_strikes(
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
    impl EventLog for Tx {
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
            email: &Email,
            now: Timestamp,
        ) -> Result<Option<PendingSignup>, StoreError>;
        async fn delete_signups_of_email(&mut self, email: &Email) -> Result<u64, StoreError>;
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
    impl Outbox for Tx {
        async fn insert_letter(&mut self, letter: &QueuedLetter) -> Result<bool, StoreError>;
        async fn take_letters(
            &mut self,
            now: Timestamp,
            lease_until: Timestamp,
            limit: u32,
        ) -> Result<Vec<QueuedLetter>, StoreError>;
        async fn set_letter_link(
            &mut self,
            id: LetterId,
            link: LinkId,
            user_id: Option<UserId>,
        ) -> Result<bool, StoreError>;
        async fn finish_letter(
            &mut self,
            id: LetterId,
            state: LetterState,
            failure: Option<String>,
            now: Timestamp,
        ) -> Result<bool, StoreError>;
        async fn postpone_letter(
            &mut self,
            id: LetterId,
            attempts: u32,
            due_at: Timestamp,
            failure: &str,
        ) -> Result<bool, StoreError>;
        async fn retry_letter(&mut self, id: LetterId, now: Timestamp) -> Result<bool, StoreError>;
        async fn find_letter(&mut self, id: LetterId) -> Result<Option<QueuedLetter>, StoreError>;
        async fn list_letters(
            &mut self,
            filter: LetterFilter,
            limit: u32,
        ) -> Result<Vec<QueuedLetter>, StoreError>;
        async fn count_letters(&mut self) -> Result<OutboxCounts, StoreError>;
        async fn delete_letters(
            &mut self,
            state: LetterState,
            before: Timestamp,
            limit: u32,
        ) -> Result<u64, StoreError>;
    }

    #[async_trait]
    impl ClientRepo for Tx {
        async fn insert_client(&mut self, client: &KnownClient) -> Result<(), StoreError>;
        async fn touch_client(
            &mut self,
            id: ClientId,
            origin: &Origin,
            now: Timestamp,
            expires_at: Timestamp,
        ) -> Result<bool, StoreError>;
        async fn list_user_clients(
            &mut self,
            user_id: UserId,
            limit: u32,
        ) -> Result<Vec<KnownClient>, StoreError>;
        async fn delete_client(&mut self, id: ClientId) -> Result<bool, StoreError>;
        async fn delete_user_clients(&mut self, user_id: UserId) -> Result<u64, StoreError>;
        async fn delete_clients(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
    }

    #[async_trait]
    impl Feed for Tx {
        async fn insert_news(&mut self, items: &[FeedItem]) -> Result<(), StoreError>;
        async fn list_news(
            &mut self,
            since: Option<FeedCursor>,
            limit: u32,
        ) -> Result<FeedPage, StoreError>;
        async fn delete_news(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
    }

    #[async_trait]
    impl Tx for Tx {
        async fn commit(self: Box<Self>) -> Result<(), StoreError>;
    }
}
