//! Exports everything that is stored about the caller.

use gateward_domain::email::OutboxEmail;
use gateward_domain::known_device::KnownDevice;
use gateward_domain::link::Link;
use gateward_domain::ports::{Access, OutboxFilter, StoreError};
use gateward_domain::{Actor, EmailId, Event, EventId, Session, SessionId, User, UserId};

use crate::links::USER_LINKS_MAX;
use crate::reauthenticate::PasswordConfirmed;
use crate::{App, Caller};

/// Number of rows read at once.
const PAGE: u32 = 500;

/// Maximum number of exported rows of one kind: more than a person creates, and few enough to hold
/// in memory.
const ROWS_MAX: usize = 20_000;

/// Everything that is stored about one account. Omit secrets and hashes when you render it.
#[derive(Debug)]
pub struct Export {
    /// The account.
    pub user: User,
    /// The number of the account, if it has one.
    pub number: Option<i64>,
    /// The account's sessions, including ended ones.
    pub sessions: Vec<Session>,
    /// The events about the account.
    pub events: Vec<Event>,
    /// The account's known devices.
    pub known_devices: Vec<KnownDevice>,
    /// The links about the account.
    pub links: Vec<Link>,
    /// The emails about the account.
    pub emails: Vec<OutboxEmail>,
}

impl App {
    /// Returns everything that is stored about the caller.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn export(
        &self,
        caller: &Caller,
        _: PasswordConfirmed,
    ) -> Result<Export, StoreError> {
        let id = caller.user.id;
        let mut tx = self.ports.store.begin(Access::Read).await?;
        let mut links = tx.list_user_links(id, USER_LINKS_MAX).await?;
        let known_devices = tx.list_known_devices(id, KnownDevice::PER_USER_MAX).await?;
        let number = tx.find_user_number(id).await?;
        tx.commit().await?;
        let now = self.now();
        links.retain(|link| link.expires_at > now);
        Ok(Export {
            user: User::clone(&caller.user),
            number,
            known_devices,
            sessions: self.all_sessions(id).await?,
            events: self.all_events(id).await?,
            links,
            emails: self.all_emails(id).await?,
        })
    }

    async fn all_sessions(&self, id: UserId) -> Result<Vec<Session>, StoreError> {
        all(async |last: Option<SessionId>| {
            let mut tx = self.ports.store.begin(Access::Read).await?;
            let page = tx.list_user_sessions(id, last, PAGE).await?;
            tx.commit().await?;
            Ok(page.into_iter().map(|session| (session.id, session)).collect())
        })
        .await
    }

    async fn all_events(&self, id: UserId) -> Result<Vec<Event>, StoreError> {
        all(async |last: Option<EventId>| {
            let mut tx = self.ports.store.begin(Access::Read).await?;
            let page = tx.list_user_events(id, last, PAGE).await?;
            tx.commit().await?;
            // The IP address of another person who acted on the account is that person's data.
            let presented = |event: Event| match event.actor {
                Actor::User(actor) if actor != id => Event { ip: None, ..event },
                _ => event,
            };
            Ok(page.into_iter().map(|event| (event.id, presented(event))).collect())
        })
        .await
    }

    async fn all_emails(&self, id: UserId) -> Result<Vec<OutboxEmail>, StoreError> {
        all(async |before: Option<EmailId>| {
            let filter = OutboxFilter { user_id: Some(id), before, ..OutboxFilter::default() };
            let page = self.list_outbox_emails(filter, PAGE).await?;
            Ok(page.into_iter().map(|message| (message.id, message)).collect())
        })
        .await
    }
}

/// Collects the rows of all pages. `page` receives the last row of the page before.
async fn all<I: Copy, T>(
    page: impl AsyncFn(Option<I>) -> Result<Vec<(I, T)>, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let (mut rows, mut last) = (Vec::new(), None);
    loop {
        let page = page(last).await?;
        last = page.last().map(|(id, _)| *id);
        rows.extend(page.into_iter().map(|(_, row)| row));
        if last.is_none() || rows.len() >= ROWS_MAX {
            return Ok(rows);
        }
    }
}
