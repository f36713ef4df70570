//! Ports: what the use cases need from their environment. Adapters implement them.

mod audit;
mod auth_cache;
mod breached;
mod clock;
mod crypto;
mod entropy;
mod events;
mod feed;
mod keys;
mod known_devices;
mod links;
mod mailer;
mod metrics;
mod outbox;
mod outbox_notifier;
mod rate_limits;
mod roles;
mod signups;
mod store;
mod tasks;
mod tokens;
mod users;

pub use audit::AuditRepo;
pub use auth_cache::{AuthCache, NoAuthCache, ReadMark};
pub use breached::{BreachedPasswords, BreachedUnavailable, NoBreachedPasswords};
pub use clock::Clock;
pub use crypto::{
    AuditKeys, HashError, KeyError, KeyMaker, LinkMaker, PasswordHasher, TokenSigner,
};
pub use entropy::Entropy;
pub use events::EventRepo;
pub use feed::{FeedRepo, FeedWatch};
pub use keys::{Instance, KeyRepo};
pub use known_devices::KnownDeviceRepo;
pub use links::{CODE_LINKS_MAX, CodeAttempt, LinkRepo};
pub use mailer::{Inbox, InboxEmail, MailError, Mailer, SEND_SECONDS_MAX};
pub use metrics::{LoginOutcome, Metric, Metrics, NoMetrics, RateLimitScope, RefreshOutcome};
pub use outbox::{OutboxCounts, OutboxFilter, OutboxRepo};
pub use outbox_notifier::{NoOutboxNotifier, OutboxNotifier};
pub use rate_limits::RateLimitRepo;
pub use roles::RoleRepo;
pub use signups::SignupRepo;
pub use store::{Access, Store, StoreError, Taken, Tx};
pub use tasks::{InlineTasks, Task, Tasks};
pub use tokens::TokenStore;
pub use users::UserRepo;

#[cfg(feature = "mock")]
pub use {
    auth_cache::MockAuthCache,
    breached::MockBreachedPasswords,
    clock::MockClock,
    crypto::{MockAuditKeys, MockKeyMaker, MockLinkMaker, MockPasswordHasher, MockTokenSigner},
    entropy::MockEntropy,
    mailer::MockMailer,
    metrics::MockMetrics,
    outbox_notifier::MockOutboxNotifier,
};
