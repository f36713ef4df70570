//! `PendingSignup`: a sign-up that becomes an account once its address is confirmed.

use crate::link::SecretHash;
use crate::{EmailAddress, PasswordHash, SignupId, Timestamp, Username};

/// A sign-up that waits for its address to be confirmed. It is no account: nobody logs in with it,
/// and it keeps neither the name nor the address from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingSignup {
    /// Which sign-up.
    pub id: SignupId,
    /// The hash of the secret that whoever signed up was given, as a proof of being that person.
    pub secret: SecretHash,
    /// The name that the account is to have.
    pub username: Username,
    /// The address that is to be confirmed.
    pub email: EmailAddress,
    /// The hash of the password that was chosen.
    pub password_hash: PasswordHash,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it can be confirmed.
    pub expires_at: Timestamp,
}
