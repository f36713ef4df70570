//! Refuses requests without permission, and writes them to the audit log.

use gateward_domain::ports::Metric;
use gateward_domain::{Actor, Event, EventKind, Permission, RequestInfo};

use crate::admin::{AdminActor, AdminError};
use crate::rate_limited::RateLimitError;
use crate::{App, Caller, Forbidden};

impl App {
    /// Refuses a caller whose current roles do not grant a permission. The refusal is written to
    /// the audit log, rate limited like wrong secrets of a client: more would flood it.
    pub async fn require(
        &self,
        caller: &Caller,
        permission: Permission,
        request_info: &RequestInfo,
    ) -> Result<(), Forbidden> {
        let Err(refusal) = caller.require(permission) else { return Ok(()) };
        self.deny(caller, permission.as_str(), request_info).await;
        Err(refusal)
    }

    /// Writes an audit event if a rule refused the administrator.
    pub(crate) async fn audit_denial<T>(
        &self,
        admin: AdminActor<'_>,
        done: Result<T, AdminError>,
    ) -> Result<T, AdminError> {
        if let (AdminActor::Caller(caller, request_info), Err(error)) = (admin, &done) {
            match error {
                AdminError::Forbidden(Forbidden(permission)) => {
                    self.deny(caller, permission.as_str(), request_info).await;
                }
                AdminError::RoleNotHeld(role) => {
                    self.deny(caller, &format!("role {role}"), request_info).await;
                }
                AdminError::LastAdmin => {
                    self.deny(caller, "last administrator", request_info).await;
                }
                _ => {}
            }
        }
        done
    }

    async fn deny(&self, caller: &Caller, what: &str, request_info: &RequestInfo) {
        self.ports.metrics.count(Metric::Denied, 1);
        tracing::warn!(
            user_id = %caller.user.id, session_id = %caller.session_id, what, "permission denied"
        );
        // The request is refused whether or not the event can be written.
        match self.record_denial(caller, what, request_info).await {
            Ok(()) | Err(RateLimitError::RateLimited(_)) => {}
            Err(error) => tracing::error!(%error, "recording a denied request failed"),
        }
    }

    async fn record_denial(
        &self,
        caller: &Caller,
        what: &str,
        request_info: &RequestInfo,
    ) -> Result<(), RateLimitError> {
        // A separate unit of work after the refused one, which may have waited for a lock.
        let now = self.now();
        let mut limits = self.denial_rate_limit(&caller.user, request_info)?;
        self.check_rate_limit_in_own_tx(&mut limits, now).await?;
        let event = self.event(EventKind::AccessDenied, Actor::User(caller.user.id), now);
        let event = Event {
            actor_session_id: Some(caller.session_id),
            detail: Some(what.to_owned()),
            ip: request_info.ip,
            ..event
        };
        self.record_failure(&limits, Some(event), now).await
    }
}
