//! Refusing what a caller may not do, and writing it down.

use gateward_domain::ports::Occurrence;
use gateward_domain::{Actor, Event, EventKind, Origin, Permission};

use crate::administer::{AdminError, By};
use crate::rate_limited::ThrottleError;
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
        self.deny(caller, permission.as_str(), origin).await;
        Err(refusal)
    }

    /// Writes down that somebody who administers was refused by a rule, if they were.
    pub(crate) async fn noted<T>(
        &self,
        by: By<'_>,
        done: Result<T, AdminError>,
    ) -> Result<T, AdminError> {
        if let (By::Caller(caller, origin), Err(error)) = (by, &done) {
            match error {
                AdminError::Forbidden(Forbidden(permission)) => {
                    self.deny(caller, permission.as_str(), origin).await;
                }
                AdminError::NotHeld(role) => {
                    self.deny(caller, &format!("role {role}"), origin).await;
                }
                AdminError::LastAdmin => self.deny(caller, "last administrator", origin).await,
                _ => {}
            }
        }
        done
    }

    async fn deny(&self, caller: &Caller, what: &str, origin: &Origin) {
        self.ports.meter.count(Occurrence::Denied, 1);
        tracing::warn!(
            user_id = %caller.user.id, session_id = %caller.session_id, what, "not permitted"
        );
        // The answer is no, whether or not it can be written down.
        match self.note_denial(caller, what, origin).await {
            Ok(()) | Err(ThrottleError::RateLimited(_)) => {}
            Err(error) => tracing::error!(%error, "a refusal could not be written down"),
        }
    }

    async fn note_denial(
        &self,
        caller: &Caller,
        what: &str,
        origin: &Origin,
    ) -> Result<(), ThrottleError> {
        // Its own unit of work after the refused one, which may have waited for a lock.
        let now = self.now();
        let mut tally = self.denial_tally(&caller.user, origin)?;
        self.weigh_alone(&mut tally, now).await?;
        let event = self.event(EventKind::AccessDenied, Actor::User(caller.user.id), now);
        let event = Event {
            actor_session_id: Some(caller.session_id),
            detail: Some(what.to_owned()),
            ip: origin.ip,
            ..event
        };
        self.strike(&tally, Some(event), now).await
    }
}
