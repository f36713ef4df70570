//! Checking a password that somebody chooses.

use gateward_domain::ports::StoreError;
use gateward_domain::{EmailAddress, Password, PasswordError, Username};

use crate::App;

impl App {
    /// Refuses a password that nobody may choose for this account. Where the list of breached ones
    /// cannot be read, none is accepted.
    pub(crate) async fn validate_new_password<E: From<PasswordError> + From<StoreError>>(
        &self,
        password: &Password,
        username: &Username,
        email: &EmailAddress,
    ) -> Result<(), E> {
        self.policy.password.check(password, username, email)?;
        match self.ports.breached.is_breached(password).await {
            Ok(false) => Ok(()),
            Ok(true) => Err(PasswordError::Breached.into()),
            Err(error) => Err(StoreError::Unavailable(Box::new(error)).into()),
        }
    }
}
