//! Recognizes devices that have logged in before.

use gateward_domain::email::{EmailKind, OutboxEmail};
use gateward_domain::known_device::KnownDevice;
use gateward_domain::link::{Link, LinkPurpose, LinkSubject, SecretHash};
use gateward_domain::ports::{StoreError, Tx};
use gateward_domain::{
    Actor, Event, EventKind, KnownDeviceId, Session, Timestamp, TokenError, TokenText, User,
};

use crate::App;

/// Number of seconds after the last change of an account, such as its creation or a password reset,
/// in which its first login is expected and triggers no email.
const FIRST_LOGIN_SECONDS: i64 = 24 * 3600;

/// Maximum number of new-device emails to one email address in [`NEW_DEVICE_WINDOW_SECONDS`]. An
/// attacker who knows the password could otherwise flood the mailbox with logins.
const NEW_DEVICE_EMAILS_MAX: u32 = 5;

/// Length of the window for these emails in seconds.
const NEW_DEVICE_WINDOW_SECONDS: i64 = 3600;

/// The known device of a login.
#[derive(Debug)]
pub(crate) struct DeviceRegistration {
    /// The token that the device presents at its next login.
    pub token: TokenText,
    /// Whether an email about the device was queued for the owner.
    pub email_queued: bool,
}

/// How the device of a login was recognized.
enum DeviceMatch {
    /// By its token.
    Token(KnownDeviceId),
    /// By its IP address and user agent, which have logged in before.
    SameIpAndUserAgent,
    /// Not recognized, but the expected first device of the account.
    FirstDevice,
    /// Not recognized.
    Unknown,
}

impl App {
    /// Recognizes the device of a login, or registers it. The owner is notified of an unknown
    /// device. The caller has locked the user.
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

    /// Queues the email about a login from an unknown device, with the link that ends its session.
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

    /// Queues an email about a new device, unless the email address has reached its limit.
    async fn queue_with_cap(
        &self,
        tx: &mut dyn Tx,
        message: OutboxEmail,
    ) -> Result<bool, StoreError> {
        // An unconfirmed email address already has a slot, with a stricter limit.
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
        tracing::info!("too many new devices in one hour, email not queued");
        Ok(false)
    }
}

/// Why a device could not be registered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KnownDeviceError {
    /// The link of its email could not be created.
    #[error("the link could not be created")]
    Token(#[from] TokenError),
    /// The store failed.
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

/// Returns the devices to evict for one more: expired ones first, then those that never returned,
/// then the others, each least recently used first.
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
