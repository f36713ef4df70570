//! Knowing clients again that have logged in before.

use gateward_domain::client::KnownClient;
use gateward_domain::link::{Link, LinkPurpose, LinkSubject, SecretHash};
use gateward_domain::mail::{LetterKind, QueuedLetter};
use gateward_domain::ports::{StoreError, Tx};
use gateward_domain::{
    Actor, ClientId, Event, EventKind, Session, Timestamp, TokenError, TokenText, User,
};

use crate::App;

/// For how many seconds after an account was made or its password reset its first login is expected,
/// and needs no letter.
const FIRST_LOGIN_SECONDS: i64 = 24 * 3600;

/// How many letters about new clients an address gets in [`NEW_CLIENT_WINDOW_SECONDS`]: whoever
/// knows the password could log in again and again to fill a mailbox.
const NEW_CLIENT_LETTERS_MAX: u32 = 5;

/// The span in which these letters are counted.
const NEW_CLIENT_WINDOW_SECONDS: i64 = 3600;

/// How a client is known after its login.
#[derive(Debug)]
pub(crate) struct Recognised {
    /// What it shows the next time.
    pub token: TokenText,
    /// Whether its owner was told of it by a letter.
    pub letter: bool,
}

/// How a client that logs in is known.
enum Acquaintance {
    /// By its token.
    Token(ClientId),
    /// By its address and program; somebody there has logged in before.
    Place,
    /// Not at all, but it is the first one, as was to be expected.
    First,
    /// Not at all.
    Stranger,
}

impl App {
    /// Knows the client of a login again, or gets to know it; a stranger is told to the owner of the
    /// account. The caller has locked the user.
    pub(crate) async fn recognise_client(
        &self,
        tx: &mut dyn Tx,
        (user, session): (&User, &Session),
        shown: Option<TokenText>,
        now: Timestamp,
    ) -> Result<Recognised, ClientError> {
        let clients = tx.list_user_clients(user.id, KnownClient::PER_USER_MAX + 1).await?;
        let acquaintance = acquaintance(&clients, shown.as_ref(), (user, session), now);
        if let (Acquaintance::Token(id), Some(token)) = (&acquaintance, shown) {
            let expires_at = now.plus_seconds(KnownClient::KNOWN_SECONDS);
            tx.touch_client(*id, &session.origin, now, expires_at).await?;
            return Ok(Recognised { token, letter: false });
        }
        for id in superfluous(&clients, now) {
            tx.delete_client(id).await?;
        }
        let token = self.new_secret();
        tx.insert_client(&self.new_client(session, &token, now)).await?;
        let letter = matches!(acquaintance, Acquaintance::Stranger)
            && self.tell_of_stranger(tx, user, session, now).await?;
        Ok(Recognised { token, letter })
    }

    fn new_client(&self, session: &Session, token: &TokenText, now: Timestamp) -> KnownClient {
        KnownClient {
            id: ClientId::new(now, &*self.ports.entropy),
            user_id: session.user_id,
            secret: SecretHash::of(token.expose()),
            origin: session.origin.clone(),
            created_at: now,
            last_used_at: now,
            expires_at: now.plus_seconds(KnownClient::KNOWN_SECONDS),
        }
    }

    /// Writes the letter about a login from a client that was never seen, with the link that ends
    /// its session.
    async fn tell_of_stranger(
        &self,
        tx: &mut dyn Tx,
        user: &User,
        session: &Session,
        now: Timestamp,
    ) -> Result<bool, ClientError> {
        let event = self.event(EventKind::NewClient, Actor::User(user.id), now);
        let (user_id, session_id) = (Some(user.id), Some(session.id));
        tx.insert_event(&Event { user_id, session_id, ip: session.origin.ip, ..event }).await?;
        let subject = LinkSubject::Session(session.id);
        let link: Link = self.new_link(LinkPurpose::NotMe, subject, &user.email, now)?;
        let letter = self.notice(LetterKind::NewClient, user, session.origin.ip, now);
        let letter = QueuedLetter { link_id: Some(link.id), ..letter };
        let written = self.post_few(tx, letter).await?;
        if written {
            tx.put_link(&link).await?;
        }
        Ok(written)
    }

    /// Writes a letter about a new client, unless the address has got as many of them as it gets.
    async fn post_few(&self, tx: &mut dyn Tx, letter: QueuedLetter) -> Result<bool, StoreError> {
        // An address that was never proved has its place already, and a scarcer one.
        if letter.slot.is_some() || self.policy.letters_per_address_seconds.is_none() {
            return tx.insert_letter(&letter).await;
        }
        for number in 0..NEW_CLIENT_LETTERS_MAX {
            let about = format!("new client {number}");
            let window = NEW_CLIENT_WINDOW_SECONDS;
            let slot =
                gateward_domain::mail::slot(&about, &letter.recipient, letter.planned_at, window);
            let placed = QueuedLetter { slot: Some(slot), ..letter.clone() };
            if tx.insert_letter(&placed).await? {
                return Ok(true);
            }
        }
        tracing::info!("too many new clients of one account in an hour; no letter is written");
        Ok(false)
    }
}

/// Why a client could not be got to know.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    /// The link of its letter could not be made.
    #[error("the link could not be made")]
    Token(#[from] TokenError),
    /// The store has failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn acquaintance(
    clients: &[KnownClient],
    shown: Option<&TokenText>,
    (user, session): (&User, &Session),
    now: Timestamp,
) -> Acquaintance {
    let shown = shown.map(|token| SecretHash::of(token.expose()));
    let mut living = clients.iter().filter(|client| client.expires_at > now);
    if let Some(client) = living.clone().find(|client| Some(client.secret) == shown) {
        return Acquaintance::Token(client.id);
    }
    if living.clone().any(|client| client.origin == session.origin) {
        return Acquaintance::Place;
    }
    let is_new = now.seconds_since(user.updated_at) < FIRST_LOGIN_SECONDS;
    if living.next().is_none() && is_new { Acquaintance::First } else { Acquaintance::Stranger }
}

/// The clients that make room for one more: those out of time, and then those that never came back
/// before those that did, the one first that was seen last the longest ago.
fn superfluous(clients: &[KnownClient], now: Timestamp) -> Vec<ClientId> {
    let room = KnownClient::PER_USER_MAX.saturating_sub(1) as usize;
    let mut worth: Vec<_> = clients
        .iter()
        .map(|client| {
            (client.expires_at > now, client.has_returned(), client.last_used_at, client.id)
        })
        .collect();
    worth.sort_unstable();
    let surplus = worth.len().saturating_sub(room);
    worth.into_iter().take(surplus).map(|(.., id)| id).collect()
}
