//! Ports: what the use cases need from the world, and adapters provide.

mod bell;
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
mod outbox;
mod signups;
mod store;
mod tokens;
mod users;

pub use bell::{Bell, NoBell};
pub use clients::ClientRepo;
pub use clock::Clock;
pub use crypto::{HashError, KeyError, KeyMaker, LinkMaker, PasswordHasher, TokenSigner};
pub use entropy::Entropy;
pub use events::EventLog;
pub use feed::{Feed, FeedWatch};
pub use keys::{Instance, KeyRepo};
pub use knowledge::{Knowledge, NoKnowledge, ReadMark};
pub use links::{CODE_LINKS_MAX, CodeAttempt, LinkRepo};
pub use mailer::{Inbox, InboxLetter, MailError, Mailer, SEND_SECONDS_MAX};
pub use outbox::{LetterFilter, Outbox, OutboxCounts};
pub use signups::SignupRepo;
pub use store::{Access, Store, StoreError, Taken, Tx};
pub use tokens::TokenStore;
pub use users::UserRepo;

#[cfg(feature = "mock")]
pub use {
    bell::MockBell,
    clock::MockClock,
    crypto::{MockKeyMaker, MockLinkMaker, MockPasswordHasher, MockTokenSigner},
    entropy::MockEntropy,
    knowledge::MockKnowledge,
    mailer::MockMailer,
};
