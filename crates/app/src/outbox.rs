//! Queues emails in the outbox, in the transaction of the change they report.

use std::net::IpAddr;

use gateward_domain::email::{self, EmailKind, EmailState, OutboxEmail};
use gateward_domain::ports::{StoreError, Tx};
use gateward_domain::{EmailAddress, EmailId, Timestamp, User};

use crate::App;

/// Maximum number of waiting emails of one subject to one email address. Each has its own slot. No
/// person needs more in so short a time.
const SLOTS_MAX: i64 = 10;

impl App {
    /// Creates an email that is due now, without storing it.
    pub(crate) fn new_outbox_email(
        &self,
        kind: EmailKind,
        recipient: &EmailAddress,
        ip: Option<IpAddr>,
        now: Timestamp,
    ) -> OutboxEmail {
        OutboxEmail {
            id: EmailId::new(now, &*self.ports.entropy),
            kind,
            recipient: recipient.clone(),
            user_id: None,
            signup_id: None,
            link_id: None,
            created_at: now,
            ip,
            slot: None,
            scheduled_at: now,
            next_attempt_at: now,
            attempts: 0,
            state: EmailState::Waiting,
            finished_at: None,
            failure: None,
        }
    }

    /// Creates such an email for the owner of an account, about a change to it. An unconfirmed
    /// email address may belong to another person: it gets one such email per interval, whatever
    /// happens.
    pub(crate) fn new_account_email(
        &self,
        kind: EmailKind,
        user: &User,
        ip: Option<IpAddr>,
        now: Timestamp,
    ) -> OutboxEmail {
        let message = self.new_outbox_email(kind, &user.email, ip, now);
        let message = OutboxEmail { user_id: Some(user.id), ..message };
        if user.email_verified { message } else { self.with_slot(SLOT_NOTICE, message) }
    }

    /// Adds the slot to an email whose kind is limited: a second email of this subject to the same
    /// email address within the interval is not queued.
    pub(crate) fn with_slot(&self, about: &str, message: OutboxEmail) -> OutboxEmail {
        let Some(window) = self.policy.email_interval_seconds else { return message };
        let slot = email::slot(about, &message.recipient, message.scheduled_at, window);
        OutboxEmail { slot: Some(slot), ..message }
    }

    /// Queues an email that other requests must not block: if its slot is taken, it uses the next
    /// free one.
    pub(crate) async fn queue_in_free_slot(
        &self,
        tx: &mut dyn Tx,
        about: &str,
        message: OutboxEmail,
    ) -> Result<(), StoreError> {
        let window = self.policy.email_interval_seconds.unwrap_or(1);
        let first = message.scheduled_at.seconds().div_euclid(window);
        for step in 0..SLOTS_MAX {
            let start = Timestamp::from_seconds((first + step) * window);
            let scheduled_at = message.scheduled_at.max(start);
            let scheduled =
                OutboxEmail { scheduled_at, next_attempt_at: scheduled_at, ..message.clone() };
            if tx.insert_outbox_email(&self.with_slot(about, scheduled)).await? {
                return Ok(());
            }
        }
        tracing::info!(kind = %message.kind, "too many queued emails, email not queued");
        Ok(())
    }
}

/// Slot name of emails that confirm an email address.
pub(crate) const SLOT_CONFIRM: &str = "confirm";

/// Slot name of password reset emails.
pub(crate) const SLOT_RESET: &str = "reset";

/// Slot name of notices to an unconfirmed email address.
const SLOT_NOTICE: &str = "notice";

/// Slot name of emails about a changed username.
pub(crate) const SLOT_USERNAME: &str = "rename";
