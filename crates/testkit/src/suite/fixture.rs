//! The fixture of a promise: the store, and entities that no other promise uses.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use gateward_domain::email::{EmailKind, OutboxEmail};
use gateward_domain::feed::{FeedCursor, FeedItem, FeedPage};
use gateward_domain::known_device::KnownDevice;
use gateward_domain::link::{Link, LinkPurpose};
use gateward_domain::ports::{Access, FeedWatch, Store, StoreError, Taken, Tx};
use gateward_domain::refresh::Rotation;
use gateward_domain::signup::PendingSignup;
use gateward_domain::{
    EmailAddress, EmailId, End, EndReason, LinkId, Session, SessionId, Timestamp, User, UserId,
};
use tokio::sync::Barrier;

use crate::{SeededEntropy, fixtures};

/// The store under test, and a resource that must live as long as it.
pub struct Subject {
    store: Arc<dyn Store>,
    _guard: Box<dyn Any>,
}

impl Subject {
    /// Wraps a store together with `guard`, such as a folder or a temporary database.
    pub fn guarded(store: impl Store + 'static, guard: impl Any) -> Self {
        Self::shared(Arc::new(store), guard)
    }

    /// Like [`Subject::guarded`], for a store that is already shared.
    pub fn shared(store: Arc<dyn Store>, guard: impl Any) -> Self {
        Self { store, _guard: Box::new(guard) }
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }
}

impl<S: Store + 'static> From<S> for Subject {
    fn from(store: S) -> Self {
        Self::guarded(store, ())
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Subject(…)")
    }
}

/// The store of a promise, with helpers for common steps.
#[derive(Clone)]
pub struct StoreFixture {
    store: Arc<dyn Store>,
    seeds: Arc<SeededEntropy>,
}

impl StoreFixture {
    /// Creates the fixture for the promise of this name. Its entities are its own, so promises
    /// could share a store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, name: &str) -> Self {
        // FNV-1a: it only matters that different names yield different seeds.
        let seed = name.bytes().fold(0xcbf2_9ce4_8422_2325, |seed: u64, byte| {
            (seed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self { store, seeds: Arc::new(SeededEntropy::new(seed)) }
    }

    /// Begins a unit of work.
    async fn begin(&self, access: Access) -> Box<dyn Tx> {
        self.store.begin(access).await.unwrap()
    }

    /// Begins a unit of reads.
    pub async fn read(&self) -> Box<dyn Tx> {
        self.begin(Access::Read).await
    }

    /// Begins a single write. It needs no commit.
    pub async fn single(&self) -> Box<dyn Tx> {
        self.begin(Access::SingleWrite).await
    }

    /// Begins a unit of several writes.
    pub async fn write(&self) -> Box<dyn Tx> {
        self.begin(Access::Write).await
    }

    /// Returns an unused seed.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seeds.next_u64()
    }

    /// An account that is not stored yet.
    #[must_use]
    pub fn stranger(&self) -> User {
        fixtures::user(self.seed())
    }

    /// A stored account.
    pub async fn user(&self) -> User {
        let user = self.stranger();
        self.add_user(&user).await;
        user
    }

    /// Stores an account.
    pub async fn add_user(&self, user: &User) {
        self.single().await.insert_user(user).await.unwrap();
    }

    /// A session of the user that is not stored yet.
    #[must_use]
    pub fn draft(&self, user: &User) -> Session {
        fixtures::session(self.seed(), user)
    }

    /// A stored session of the user.
    pub async fn session_of(&self, user: &User) -> Session {
        let session = self.draft(user);
        self.add_session(&session).await;
        session
    }

    /// A stored session of a new stored user.
    pub async fn session(&self) -> Session {
        let user = self.user().await;
        self.session_of(&user).await
    }

    /// Stores a session.
    pub async fn add_session(&self, session: &Session) {
        self.single().await.insert_session(session).await.unwrap();
    }

    /// Returns the stored account. Panics if it is missing.
    pub async fn stored_user(&self, user: &User) -> User {
        self.read().await.find_user(user.id).await.unwrap().unwrap()
    }

    /// Returns the stored session. Panics if it is missing.
    pub async fn stored_session(&self, id: SessionId) -> Session {
        self.read().await.find_session(id).await.unwrap().unwrap().0
    }

    /// Rotates a session.
    pub async fn rotate(&self, rotation: &Rotation) -> Option<(Session, User)> {
        self.single().await.rotate_session(rotation).await.unwrap()
    }

    /// Ends a session.
    pub async fn end(&self, id: SessionId, end: End) -> bool {
        self.single().await.end_session(id, end).await.unwrap()
    }

    /// Sets the email address of an account, which may be unchanged.
    pub async fn set_email(&self, id: UserId, email: &EmailAddress, now: Timestamp) -> Change {
        self.single().await.set_email(id, email, true, now).await
    }

    /// A sign-up that is not stored yet.
    #[must_use]
    pub fn signup(&self) -> PendingSignup {
        fixtures::signup(self.seed())
    }

    /// Stores a sign-up.
    pub async fn add_signup(&self, signup: &PendingSignup) {
        self.single().await.insert_signup(signup).await.unwrap();
    }

    /// A link about the user that is not stored yet.
    #[must_use]
    pub fn link(&self, purpose: LinkPurpose, user: &User) -> Link {
        fixtures::link(self.seed(), purpose, user)
    }

    /// Stores a link.
    pub async fn put_link(&self, link: &Link) {
        self.single().await.put_link(link).await.unwrap();
    }

    /// Returns the stored link, if any.
    pub async fn stored_link(&self, id: LinkId) -> Option<Link> {
        self.read().await.find_link(id).await.unwrap()
    }

    /// An email that is not stored yet.
    #[must_use]
    pub fn email(&self) -> OutboxEmail {
        let seed = self.seed();
        fixtures::outbox_email(seed, EmailKind::ForgotPassword, &fixtures::user(seed).email)
    }

    /// Stores an email whose slot is free.
    pub async fn add_email(&self, message: &OutboxEmail) {
        assert!(self.single().await.insert_outbox_email(message).await.unwrap());
    }

    /// Returns the stored email. Panics if it is missing.
    pub async fn stored_email(&self, id: EmailId) -> OutboxEmail {
        self.read().await.find_outbox_email(id).await.unwrap().unwrap()
    }

    /// A device of the user that is not stored yet.
    #[must_use]
    pub fn known_device(&self, user: &User) -> KnownDevice {
        fixtures::known_device(self.seed(), user)
    }

    /// Stores a device.
    pub async fn add_known_device(&self, known_device: &KnownDevice) {
        self.single().await.insert_known_device(known_device).await.unwrap();
    }

    /// An invalidation event of a session that is not stored yet.
    #[must_use]
    pub fn invalidation(&self) -> FeedItem {
        fixtures::invalidation(self.seed())
    }

    /// Stores invalidation events.
    pub async fn add_invalidation_events(&self, items: &[FeedItem]) {
        self.single().await.insert_invalidation_events(items).await.unwrap();
    }

    /// A page of the feed.
    pub async fn list_invalidation_events(
        &self,
        since: Option<&FeedCursor>,
        limit: u32,
    ) -> FeedPage {
        self.read().await.list_invalidation_events(since.cloned(), limit).await.unwrap()
    }

    /// Watches the feed.
    pub async fn watch(&self) -> Box<dyn FeedWatch> {
        self.store.watch_feed().await.unwrap()
    }
}

/// The result of a change in a store.
pub type Change = Result<bool, StoreError>;

impl fmt::Debug for StoreFixture {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Stage(…)")
    }
}

/// The end by a logout, `seconds` after [`fixtures::NOW`].
#[must_use]
pub fn logout_after(seconds: i64) -> End {
    End { at: after(seconds), reason: EndReason::Logout }
}

/// The time `seconds` after [`fixtures::NOW`].
#[must_use]
pub fn after(seconds: i64) -> Timestamp {
    fixtures::NOW.plus_seconds(seconds)
}

/// Runs `count` actors concurrently, and returns their results.
pub async fn race<F>(count: usize, actor: impl Fn(usize) -> F) -> Vec<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let start = Arc::new(Barrier::new(count));
    let begin = |index| {
        let (start, act) = (Arc::clone(&start), actor(index));
        tokio::spawn(async move {
            start.wait().await;
            act.await
        })
    };
    let actors: Vec<_> = (0..count).map(begin).collect();
    let mut said = Vec::with_capacity(count);
    for actor in actors {
        said.push(actor.await.unwrap());
    }
    said
}

/// Returns the value that the store reports as taken. `None` if the write succeeded.
pub fn taken<T>(response: Result<T, StoreError>) -> Option<Taken> {
    match response {
        Ok(_) => None,
        Err(StoreError::Taken(what)) => Some(what),
        Err(error) => panic!("neither done nor taken: {error:?}"),
    }
}
