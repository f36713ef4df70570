//! Writing emails: into the outbox, in the transaction of the change that they tell of.

use std::net::IpAddr;

use gateward_domain::email::{self, EmailKind, EmailState, OutboxEmail};
use gateward_domain::ports::{StoreError, Tx};
use gateward_domain::{EmailAddress, EmailId, Timestamp, User};

use crate::App;

/// How many emails of one subject may wait for one address; each has a span of its own, and who
/// wants more in so short a time is no person.
const SLOTS_MAX: i64 = 10;

impl App {
    /// An email that is due now, not stored yet.
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

    /// The same for the owner of an account, about what has happened to it. An address that was
    /// never proved may be a stranger's: it gets one such email in a span, whatever happens.
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

    /// The same email with its place in time, where those are few: a second one of this subject to
    /// the same address within the span is not written.
    pub(crate) fn with_slot(&self, about: &str, message: OutboxEmail) -> OutboxEmail {
        let Some(window) = self.policy.email_interval_seconds else { return message };
        let slot = email::slot(about, &message.recipient, message.scheduled_at, window);
        OutboxEmail { slot: Some(slot), ..message }
    }

    /// Writes an email that nobody else's may keep out: if its place in time is taken, it goes into
    /// the next one that is free.
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
        tracing::info!(kind = %message.kind, "too many emails wait for one address; not written");
        Ok(())
    }
}

/// What emails that confirm an address share a place in time under.
pub(crate) const SLOT_CONFIRM: &str = "confirm";

/// What emails that reset a password share a place in time under.
pub(crate) const SLOT_RESET: &str = "reset";

/// What notices to an address that was never proved share a place in time under.
const SLOT_NOTICE: &str = "notice";

/// What emails about a new name share a place in time under.
pub(crate) const SLOT_USERNAME: &str = "rename";
