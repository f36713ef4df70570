//! Ports: what the use cases need from the world, and adapters provide.

mod clock;
mod crypto;
mod entropy;
mod events;
mod keys;
mod store;
mod tokens;
mod users;

pub use clock::Clock;
pub use crypto::{HashError, KeyError, KeyMaker, PasswordHasher, TokenSigner};
pub use entropy::Entropy;
pub use events::EventLog;
pub use keys::{Instance, KeyRepo};
pub use store::{Access, Store, StoreError, Taken, Tx};
pub use tokens::TokenStore;
pub use users::UserRepo;

#[cfg(feature = "mock")]
pub use {
    clock::MockClock,
    crypto::{MockKeyMaker, MockPasswordHasher, MockTokenSigner},
    entropy::MockEntropy,
};
