//! Everything that needs cryptography: password hashes, tokens, keys, randomness; and the clock.
//!
//! - [`Argon2Hasher`] hashes passwords on threads of its own.
//! - [`Keyring`] makes and keeps keys, signs tokens with them and reads tokens strictly.
//! - [`MasterKey`] seals the private keys that lie in the store; [`MasterKeys`] are the present one
//!   and the one before it.
//! - [`BreachedFiles`] looks passwords up in a list of breached ones.
//! - [`SystemEntropy`] and [`SystemClock`] are the only sources of randomness and time.

mod breached;
mod claims;
mod clock;
mod entropy;
mod hasher;
mod json;
mod jws;
mod keyring;
mod master_key;
mod signing_key;

pub use breached::BreachedFiles;
pub use clock::SystemClock;
pub use entropy::SystemEntropy;
pub use hasher::{Argon2Error, Argon2Hasher, Argon2Settings, HashLoad};
pub use keyring::{Keyring, KeyringSettings};
pub use master_key::{MasterKey, MasterKeyError, MasterKeys};
