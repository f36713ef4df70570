//! Exporting everything that is stored about the caller.

use gateward_domain::link::Link;
use gateward_domain::mail::QueuedLetter;
use gateward_domain::ports::{Access, LetterFilter, StoreError};
use gateward_domain::{Event, Session, User, UserId};

use crate::links::USER_LINKS_MAX;
use crate::reauthenticate::PasswordShown;
use crate::{App, Caller};

/// How many rows are read at once.
const PAGE: u32 = 500;

/// How many rows of one kind are exported: more than anybody makes in a life, and few enough to
/// hold.
const ROWS_MAX: usize = 20_000;

/// Everything that is stored about one account. Secrets and hashes are not written out by whoever
/// shows it.
#[derive(Debug)]
pub struct Export {
    /// The account.
    pub user: User,
    /// Its sessions, ended ones too.
    pub sessions: Vec<Session>,
    /// What was written down about it.
    pub events: Vec<Event>,
    /// The links that are open.
    pub links: Vec<Link>,
    /// The letters about it.
    pub letters: Vec<QueuedLetter>,
}

impl App {
    /// Everything that is stored about the caller.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn export(&self, caller: &Caller, _: PasswordShown) -> Result<Export, StoreError> {
        let id = caller.user.id;
        let mut tx = self.ports.store.begin(Access::Read).await?;
        let mut links = tx.list_user_links(id, USER_LINKS_MAX).await?;
        tx.commit().await?;
        let now = self.now();
        links.retain(|link| link.expires_at > now);
        Ok(Export {
            user: caller.user.clone(),
            sessions: self.all_sessions(id).await?,
            events: self.all_events(id).await?,
            links,
            letters: self.all_letters(id).await?,
        })
    }

    async fn all_sessions(&self, id: UserId) -> Result<Vec<Session>, StoreError> {
        let mut all: Vec<Session> = Vec::new();
        loop {
            let mut tx = self.ports.store.begin(Access::Read).await?;
            let page = tx.list_user_sessions(id, all.last().map(|last| last.id), PAGE).await?;
            tx.commit().await?;
            all.extend_from_slice(&page);
            if page.is_empty() || all.len() >= ROWS_MAX {
                return Ok(all);
            }
        }
    }

    async fn all_events(&self, id: UserId) -> Result<Vec<Event>, StoreError> {
        let mut all: Vec<Event> = Vec::new();
        loop {
            let mut tx = self.ports.store.begin(Access::Read).await?;
            let page = tx.list_user_events(id, all.last().map(|last| last.id), PAGE).await?;
            tx.commit().await?;
            all.extend_from_slice(&page);
            if page.is_empty() || all.len() >= ROWS_MAX {
                return Ok(all);
            }
        }
    }

    async fn all_letters(&self, id: UserId) -> Result<Vec<QueuedLetter>, StoreError> {
        let mut all: Vec<QueuedLetter> = Vec::new();
        loop {
            let before = all.last().map(|last| last.id);
            let filter = LetterFilter { user_id: Some(id), before, ..LetterFilter::default() };
            let page = self.list_letters(filter, PAGE).await?;
            all.extend_from_slice(&page);
            if page.is_empty() || all.len() >= ROWS_MAX {
                return Ok(all);
            }
        }
    }
}
