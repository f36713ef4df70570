//! Explaining a session: when it began, what happened to it, why it is over.

use gateward_domain::ports::{Access, StoreError};
use gateward_domain::{EventId, Permission, SessionId};

use crate::{App, Caller, Forbidden, SessionTimeline};

/// How many events of one session are told; more would be told by the audit log.
const EVENTS_MAX: u32 = 100;

/// How many events of an account are looked at around the end of a session.
const EVENTS_ABOUT_END_MAX: u32 = 20;

/// Why a session was not explained.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// The caller may not see sessions of others.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// There is no such session, or it was forgotten.
    #[error("there is no such session")]
    NotFound,
    /// The store has failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// Tells the timeline of a session to whoever may see sessions.
    pub async fn explain_session(
        &self,
        caller: &Caller,
        id: SessionId,
    ) -> Result<SessionTimeline, ExplainError> {
        caller.require(Permission::SessionsRead)?;
        self.session_timeline(id).await?.ok_or(ExplainError::NotFound)
    }

    /// Tells the timeline of a session to an operator; `None` if there is no such session, or no
    /// more.
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
            // What ends many sessions at once is written down once, about their account.
            Some(end) => {
                let before = Some(EventId::before_all_at(end.at));
                tx.list_user_events(session.user_id, before, EVENTS_ABOUT_END_MAX).await?
            }
        };
        tx.commit().await?;
        Ok(Some(SessionTimeline::build(session, &events, &account_events, now)))
    }
}
