//! Changes the issuer of the installation.

use gateward_domain::feed::InvalidationEvent;
use gateward_domain::ports::Access;
use gateward_domain::{Actor, EventKind};

use crate::after_commit::AfterCommit;
use crate::{App, KeysError};

impl App {
    /// Sets the issuer from the settings, and ends all sessions of the previous issuer. Returns the
    /// previous issuer and the number of ended sessions. `None` if the issuer is unchanged.
    ///
    /// Nodes that are still configured with the previous issuer then report that they are not
    /// ready.
    pub async fn set_issuer(
        &self,
        mut progress: impl FnMut(u64) + Send,
    ) -> Result<Option<(String, u64)>, KeysError> {
        let now = self.now();
        let before = self.find_issuer().await?;
        if before == self.policy.issuer {
            return Ok(None);
        }
        // First, so that an interrupted command can be repeated.
        let mut ended = self.end_all_sessions(now, &mut progress).await?;
        let mut tx = self.ports.store.begin(Access::Write).await?;
        let found = tx.find_instance().await?.ok_or(KeysError::NoInstance)?;
        tx.lock_instance(&found).await?;
        tx.set_issuer(&self.policy.issuer).await?;
        tx.insert_event(&self.event(EventKind::IssuerChanged, Actor::Operator, now)).await?;
        self.commit_and_publish(
            tx,
            AfterCommit::default().invalidate(InvalidationEvent::KeysChanged),
            now,
        )
        .await?;
        // Nodes with the previous issuer may have started sessions meanwhile, so the time is read
        // again.
        ended += self.end_all_sessions(self.now(), progress).await?;
        Ok(Some((before, ended)))
    }

    async fn find_issuer(&self) -> Result<String, KeysError> {
        let mut tx = self.ports.store.begin(Access::Read).await?;
        let instance = tx.find_instance().await?;
        tx.commit().await?;
        Ok(instance.ok_or(KeysError::NoInstance)?.issuer)
    }
}
