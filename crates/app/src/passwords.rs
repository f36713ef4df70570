//! Checks a new password.

use gateward_domain::ports::StoreError;
use gateward_domain::{EmailAddress, Password, PasswordError, Username};

use crate::App;

impl App {
    /// Refuses a password that is not allowed for this account. If the list of breached passwords
    /// cannot be read, every password is refused.
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
