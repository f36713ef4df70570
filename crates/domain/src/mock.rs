//! Mocks of the ports, for tests in which the call is the point.

use async_trait::async_trait;

use crate::key::StoredKey;
use crate::ports::{
    Access, EventLog, Instance, KeyRepo, Store, StoreError, TokenStore, Tx, UserRepo,
};
pub use crate::ports::{MockClock, MockEntropy, MockKeyMaker, MockPasswordHasher, MockTokenSigner};
use crate::refresh::{Line, Rotation};
use crate::{
    End, Event, Identifier, PasswordHash, Session, SessionId, Timestamp, User, UserId, Username,
};

mockall::mock! {
    pub Store {}

    #[async_trait]
    impl Store for Store {
        async fn begin(&self, access: Access) -> Result<Box<dyn Tx>, StoreError>;
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
        ) -> Result<u64, StoreError>;
        async fn end_oldest_sessions(
            &mut self,
            user_id: UserId,
            keep: u32,
            end: End,
        ) -> Result<Vec<SessionId>, StoreError>;
        async fn delete_sessions(
            &mut self,
            before: Timestamp,
            limit: u32,
        ) -> Result<u64, StoreError>;
    }

    #[async_trait]
    impl KeyRepo for Tx {
        async fn lock_instance(&mut self, proposed: &Instance) -> Result<Instance, StoreError>;
        async fn find_instance(&mut self) -> Result<Option<Instance>, StoreError>;
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
    }

    #[async_trait]
    impl Tx for Tx {
        async fn commit(self: Box<Self>) -> Result<(), StoreError>;
    }
}
