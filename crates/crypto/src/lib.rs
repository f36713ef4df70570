//! Cryptography: password hashes, tokens, keys and randomness. Also the system clock.
//!
//! - [`Argon2Hasher`] hashes passwords on dedicated threads.
//! - [`Keyring`] creates and keeps keys, signs tokens with them and verifies tokens strictly.
//! - [`MasterKey`] wraps the private keys in the store. [`MasterKeys`] holds the current and the
//!   previous one.
//! - [`BreachedFiles`] looks up passwords in a list of breached ones.
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
pub use keyring::{DialectClaims, Keyring, KeyringSettings};
pub use master_key::{MasterKey, MasterKeyError, MasterKeys};
