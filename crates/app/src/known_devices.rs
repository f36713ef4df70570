//! Knowing clients again that have logged in before.

use gateward_domain::email::{EmailKind, OutboxEmail};
use gateward_domain::known_device::KnownDevice;
use gateward_domain::link::{Link, LinkPurpose, LinkSubject, SecretHash};
use gateward_domain::ports::{StoreError, Tx};
use gateward_domain::{
    Actor, Event, EventKind, KnownDeviceId, Session, Timestamp, TokenError, TokenText, User,
};

use crate::App;

/// For how many seconds after an account was made or its password reset its first login is
/// expected, and needs no email.
const FIRST_LOGIN_SECONDS: i64 = 24 * 3600;

/// How many emails about new devices an address gets in [`NEW_DEVICE_WINDOW_SECONDS`]: whoever
/// knows the password could log in again and again to fill a mailbox.
const NEW_DEVICE_EMAILS_MAX: u32 = 5;

/// The span in which these emails are counted.
const NEW_DEVICE_WINDOW_SECONDS: i64 = 3600;

/// How a client is known after its login.
#[derive(Debug)]
pub(crate) struct DeviceRegistration {
    /// What it shows the next time.
    pub token: TokenText,
    /// Whether its owner was told of it by an email.
    pub email_queued: bool,
}

/// How a client that logs in is known.
enum DeviceMatch {
    /// By its token.
    Token(KnownDeviceId),
    /// By its address and program; somebody there has logged in before.
    SameIpAndUserAgent,
    /// Not at all, but it is the first one, as was to be expected.
    FirstDevice,
    /// Not at all.
    Unknown,
}

impl App {
    /// Knows the client of a login again, or gets to know it; a stranger is told to the owner of
    /// the account. The caller has locked the user.
    pub(crate) async fn recognise_device(
        &self,
        tx: &mut dyn Tx,
        (user, session): (&User, &Session),
        presented: Option<TokenText>,
        now: Timestamp,
    ) -> Result<DeviceRegistration, KnownDeviceError> {
        let devices = tx.list_known_devices(user.id, KnownDevice::PER_USER_MAX + 1).await?;
        let device_match = device_match(&devices, presented.as_ref(), (user, session), now);
        if let (DeviceMatch::Token(id), Some(token)) = (&device_match, presented) {
            let expires_at = now.plus_seconds(KnownDevice::KNOWN_SECONDS);
            tx.touch_known_device(*id, &session.request_info, now, expires_at).await?;
            return Ok(DeviceRegistration { token, email_queued: false });
        }
        for id in devices_to_evict(&devices, now) {
            tx.delete_known_device(id).await?;
        }
        let token = self.new_secret();
        tx.insert_known_device(&self.new_device(session, &token, now)).await?;
        let email_queued = matches!(device_match, DeviceMatch::Unknown)
            && self.notify_new_device(tx, user, session, now).await?;
        Ok(DeviceRegistration { token, email_queued })
    }

    fn new_device(&self, session: &Session, token: &TokenText, now: Timestamp) -> KnownDevice {
        KnownDevice {
            id: KnownDeviceId::new(now, &*self.ports.entropy),
            user_id: session.user_id,
            secret: SecretHash::of(token.expose()),
            request_info: session.request_info.clone(),
            created_at: now,
            last_used_at: now,
            expires_at: now.plus_seconds(KnownDevice::KNOWN_SECONDS),
        }
    }

    /// Writes the email about a login from a client that was never seen, with the link that ends
    /// its session.
    async fn notify_new_device(
        &self,
        tx: &mut dyn Tx,
        user: &User,
        session: &Session,
        now: Timestamp,
    ) -> Result<bool, KnownDeviceError> {
        let event = self.event(EventKind::NewDevice, Actor::User(user.id), now);
        let (user_id, session_id) = (Some(user.id), Some(session.id));
        tx.insert_event(&Event { user_id, session_id, ip: session.request_info.ip, ..event })
            .await?;
        let subject = LinkSubject::Session(session.id);
        let link: Link = self.new_link(LinkPurpose::NotMe, subject, &user.email, now)?;
        let message =
            self.new_account_email(EmailKind::NewDevice, user, session.request_info.ip, now);
        let message = OutboxEmail { link_id: Some(link.id), ..message };
        let written = self.queue_with_cap(tx, message).await?;
        if written {
            tx.put_link(&link).await?;
        }
        Ok(written)
    }

    /// Writes an email about a new device, unless the address has got as many of them as it gets.
    async fn queue_with_cap(
        &self,
        tx: &mut dyn Tx,
        message: OutboxEmail,
    ) -> Result<bool, StoreError> {
        // An address that was never proved has its place already, and a scarcer one.
        if message.slot.is_some() || self.policy.email_interval_seconds.is_none() {
            return tx.insert_outbox_email(&message).await;
        }
        for number in 0..NEW_DEVICE_EMAILS_MAX {
            let about = format!("new device {number}");
            let window = NEW_DEVICE_WINDOW_SECONDS;
            let slot = gateward_domain::email::slot(
                &about,
                &message.recipient,
                message.scheduled_at,
                window,
            );
            let slotted = OutboxEmail { slot: Some(slot), ..message.clone() };
            if tx.insert_outbox_email(&slotted).await? {
                return Ok(true);
            }
        }
        tracing::info!("too many new devices of one account in an hour; no email is written");
        Ok(false)
    }
}

/// Why a client could not be got to know.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KnownDeviceError {
    /// The link of its email could not be made.
    #[error("the link could not be made")]
    Token(#[from] TokenError),
    /// The store has failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn device_match(
    devices: &[KnownDevice],
    presented: Option<&TokenText>,
    (user, session): (&User, &Session),
    now: Timestamp,
) -> DeviceMatch {
    let presented = presented.map(|token| SecretHash::of(token.expose()));
    let mut active = devices.iter().filter(|device| device.expires_at > now);
    if let Some(device) = active.clone().find(|device| Some(device.secret) == presented) {
        return DeviceMatch::Token(device.id);
    }
    if active.clone().any(|device| device.request_info == session.request_info) {
        return DeviceMatch::SameIpAndUserAgent;
    }
    let is_new = now.seconds_since(user.updated_at) < FIRST_LOGIN_SECONDS;
    if active.next().is_none() && is_new { DeviceMatch::FirstDevice } else { DeviceMatch::Unknown }
}

/// The clients that make room for one more: those out of time, and then those that never came back
/// before those that did, the one first that was seen last the longest ago.
fn devices_to_evict(devices: &[KnownDevice], now: Timestamp) -> Vec<KnownDeviceId> {
    let capacity = KnownDevice::PER_USER_MAX.saturating_sub(1) as usize;
    let mut ranked: Vec<_> = devices
        .iter()
        .map(|device| {
            (device.expires_at > now, device.has_returned(), device.last_used_at, device.id)
        })
        .collect();
    ranked.sort_unstable();
    let surplus = ranked.len().saturating_sub(capacity);
    ranked.into_iter().take(surplus).map(|(.., id)| id).collect()
}
