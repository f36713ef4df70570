//! `PendingSignup`: a sign-up that becomes an account once its email address is confirmed.

use crate::link::SecretHash;
use crate::{EmailAddress, PasswordHash, SignupId, Timestamp, Username};

/// A sign-up that waits for confirmation of its email address. It is not an account: it cannot log
/// in, and it reserves neither the username nor the email address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingSignup {
    /// The sign-up's identifier.
    pub id: SignupId,
    /// Hash of the secret that the client received at sign-up, as proof that both come from the
    /// same client.
    pub secret: SecretHash,
    /// The username of the future account.
    pub username: Username,
    /// The email address to confirm.
    pub email: EmailAddress,
    /// Hash of the chosen password.
    pub password_hash: PasswordHash,
    /// Time of creation, UTC.
    pub created_at: Timestamp,
    /// Expiry of the confirmation, UTC.
    pub expires_at: Timestamp,
}
