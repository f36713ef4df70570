//! Giving the installation another issuer.

use gateward_domain::feed::News;
use gateward_domain::ports::Access;
use gateward_domain::{Actor, EventKind};

use crate::aftermath::Aftermath;
use crate::{App, KeysError};

impl App {
    /// Gives the installation the issuer of the settings, and ends what the one before has issued;
    /// gives which that was, and how many sessions ended. `None` if it has this issuer already.
    ///
    /// Nodes that are still set to the one before are not ready from then on.
    pub async fn set_issuer(
        &self,
        progress: impl FnMut(u64) + Send,
    ) -> Result<Option<(String, u64)>, KeysError> {
        let now = self.now();
        let mut tx = self.ports.store.begin(Access::Write).await?;
        let found = tx.find_instance().await?.ok_or(KeysError::NoInstance)?;
        let instance = tx.lock_instance(&found).await?;
        if instance.issuer == self.policy.issuer {
            return Ok(None);
        }
        tx.set_issuer(&self.policy.issuer).await?;
        tx.insert_event(&self.event(EventKind::IssuerChanged, Actor::Operator, now)).await?;
        self.conclude(tx, Aftermath::default().news(News::KeysChanged), now).await?;
        // Tokens name the issuer that made them, so none of these is believed any more.
        let ended = self.end_all_sessions(now, progress).await?;
        Ok(Some((instance.issuer, ended)))
    }
}
