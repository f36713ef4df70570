//! Refusing what a caller may not do, and writing it down.

use gateward_domain::ports::Occurrence;
use gateward_domain::{Actor, Event, EventKind, Origin, Permission};

use crate::throttles::ThrottleError;
use crate::{App, Caller, Forbidden};

impl App {
    /// Refuses a caller whose roles do not give a permission, as they are now. The refusal is written
    /// down, as often as a client may give wrong secrets; more would fill the audit trail.
    pub async fn require(
        &self,
        caller: &Caller,
        permission: Permission,
        origin: &Origin,
    ) -> Result<(), Forbidden> {
        let Err(refusal) = caller.require(permission) else { return Ok(()) };
        self.ports.meter.count(Occurrence::Denied, 1);
        tracing::warn!(
            user_id = %caller.user.id, session_id = %caller.session_id,
            permission = permission.as_str(), "not permitted"
        );
        // The answer is no, whether or not it can be written down.
        match self.note_denial(caller, permission, origin).await {
            Ok(()) | Err(ThrottleError::RateLimited(_)) => {}
            Err(error) => tracing::error!(%error, "a refusal could not be written down"),
        }
        Err(refusal)
    }

    async fn note_denial(
        &self,
        caller: &Caller,
        permission: Permission,
        origin: &Origin,
    ) -> Result<(), ThrottleError> {
        let now = self.now();
        let mut tally = self.denial_tally(&caller.user)?;
        self.weigh_alone(&mut tally, now).await?;
        let event = self.event(EventKind::AccessDenied, Actor::User(caller.user.id), now);
        let event = Event {
            actor_session_id: Some(caller.session_id),
            detail: Some(permission.as_str().to_owned()),
            ip: origin.ip,
            ..event
        };
        self.strike(&tally, Some(event), now).await
    }
}
