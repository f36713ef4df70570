//! Explains a session: when it started, what happened to it, and why it ended.

use gateward_domain::ports::{Access, StoreError};
use gateward_domain::{EventId, Permission, SessionId};

use crate::{App, Caller, Forbidden, SessionTimeline};

/// Maximum number of events in one timeline. The audit log has the rest.
const EVENTS_MAX: u32 = 100;

/// Maximum number of account events read around the end of a session.
const EVENTS_ABOUT_END_MAX: u32 = 20;

/// Why a session was not explained.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// The caller may not read sessions of others.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The session does not exist, or was deleted.
    #[error("the session does not exist")]
    NotFound,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// Returns the timeline of a session to a caller with permission to read sessions.
    pub async fn explain_session(
        &self,
        caller: &Caller,
        id: SessionId,
    ) -> Result<SessionTimeline, ExplainError> {
        caller.require(Permission::SessionsRead)?;
        self.session_timeline(id).await?.ok_or(ExplainError::NotFound)
    }

    /// Returns the timeline of a session to an operator. `None` if the session does not exist or
    /// was deleted.
    pub async fn session_timeline(
        &self,
        id: SessionId,
    ) -> Result<Option<SessionTimeline>, StoreError> {
        let now = self.now();
        let mut tx = self.ports.store.begin(Access::Read).await?;
        let Some((session, _)) = tx.find_session(id).await? else { return Ok(None) };
        let events = tx.list_session_events(id, EVENTS_MAX).await?;
        let account_events = match session.end(now) {
            None => Vec::new(),
            // An action that ends many sessions at once writes one event about their account.
            Some(end) => {
                let before = Some(EventId::before_all_at(end.at));
                tx.list_user_events(session.user_id, before, EVENTS_ABOUT_END_MAX).await?
            }
        };
        tx.commit().await?;
        Ok(Some(SessionTimeline::build(session, &events, &account_events, now)))
    }
}
