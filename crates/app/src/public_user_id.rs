//! The identifier of an account as the dialects show it.

use gateward_domain::ports::{Access, StoreError};
use gateward_domain::{PublicUserId, UserId};

use crate::{App, UserIds};

impl App {
    /// Returns the identifier that dialects show for an account. Assigns a number to it if numbers
    /// are shown and it has none.
    pub async fn public_user_id(&self, id: UserId) -> Result<PublicUserId, StoreError> {
        if self.policy.user_ids == UserIds::Uuid {
            return Ok(PublicUserId::Uuid(id));
        }
        let mut tx = self.ports.store.begin(Access::Read).await?;
        let found = tx.find_user_number(id).await?;
        tx.commit().await?;
        if let Some(number) = found {
            return Ok(PublicUserId::Number(number));
        }
        let mut tx = self.ports.store.begin(Access::SingleWrite).await?;
        let assigned = tx.assign_user_number(id).await?;
        tx.commit().await?;
        // An account that was deleted meanwhile has no number, and its token is refused anyway.
        Ok(assigned.map_or(PublicUserId::Uuid(id), PublicUserId::Number))
    }
}
