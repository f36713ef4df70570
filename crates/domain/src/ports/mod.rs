//! Ports: what the use cases need from the world, and adapters provide.

mod audit;
mod bell;
mod breached;
mod clients;
mod clock;
mod crypto;
mod entropy;
mod events;
mod feed;
mod keys;
mod knowledge;
mod links;
mod mailer;
mod meter;
mod outbox;
mod roles;
mod signups;
mod store;
mod tasks;
mod throttles;
mod tokens;
mod users;

pub use audit::AuditTrail;
pub use bell::{Bell, NoBell};
pub use breached::{BreachedPasswords, BreachedUnavailable, NoBreachedPasswords};
pub use clients::ClientRepo;
pub use clock::Clock;
pub use crypto::{
    AuditKeys, HashError, KeyError, KeyMaker, LinkMaker, PasswordHasher, TokenSigner,
};
pub use entropy::Entropy;
pub use events::EventLog;
pub use feed::{Feed, FeedWatch};
pub use keys::{Instance, KeyRepo};
pub use knowledge::{Knowledge, NoKnowledge, ReadMark};
pub use links::{CODE_LINKS_MAX, CodeAttempt, LinkRepo};
pub use mailer::{Inbox, InboxLetter, MailError, Mailer, SEND_SECONDS_MAX};
pub use meter::{LoginOutcome, Meter, NoMeter, Occurrence, Pathway, RefreshOutcome};
pub use outbox::{LetterFilter, Outbox, OutboxCounts};
pub use roles::RoleRepo;
pub use signups::SignupRepo;
pub use store::{Access, Store, StoreError, Taken, Tx};
pub use tasks::{InlineTasks, Task, Tasks};
pub use throttles::ThrottleRepo;
pub use tokens::TokenStore;
pub use users::UserRepo;

#[cfg(feature = "mock")]
pub use {
    bell::MockBell,
    breached::MockBreachedPasswords,
    clock::MockClock,
    crypto::{MockAuditKeys, MockKeyMaker, MockLinkMaker, MockPasswordHasher, MockTokenSigner},
    entropy::MockEntropy,
    knowledge::MockKnowledge,
    mailer::MockMailer,
    meter::MockMeter,
};
