//! Creates emailed links, and finds the one that a caller presents.

use gateward_domain::link::LINK_SECONDS_MAX;
use gateward_domain::link::{Link, LinkCode, LinkPurpose, LinkSubject, SecretHash};
use gateward_domain::ports::{Access, CodeAttempt, StoreError, Tx};
use gateward_domain::refresh::Salt;
use gateward_domain::{EmailAddress, LinkId, Timestamp, TokenError, User};

use crate::App;

/// Lifetime of a confirmation link in seconds: people read their email within a day.
pub(crate) const CONFIRM_SECONDS: i64 = 24 * 3600;

/// Lifetime of a reset link in seconds: the person who requests it waits for it.
pub(crate) const RESET_SECONDS: i64 = 600;

/// Maximum number of links about one account that are read: more than it can have.
pub(crate) const USER_LINKS_MAX: u32 = 200;

/// Proof of access to a mailbox.
#[derive(Debug)]
pub enum LinkProof {
    /// The token of a link.
    Token(String),
    /// A code, and the email address to which it was sent.
    Code {
        /// The email address.
        email: EmailAddress,
        /// The code.
        code: LinkCode,
    },
}

impl App {
    /// Creates a link, without storing it.
    pub(crate) fn new_link(
        &self,
        purpose: LinkPurpose,
        subject: LinkSubject,
        email: &EmailAddress,
        now: Timestamp,
    ) -> Result<Link, TokenError> {
        let mut salt = [0; 32];
        self.ports.entropy.fill(&mut salt);
        let (key_id, salt) = (self.ports.links.link_key(now)?, Salt(salt));
        let secret = self.ports.links.link_secret(&key_id, &salt)?;
        let life_seconds = match purpose {
            LinkPurpose::ResetPassword | LinkPurpose::OperatorReset => RESET_SECONDS,
            LinkPurpose::UndoEmail | LinkPurpose::NotMe | LinkPurpose::Invitation => {
                LINK_SECONDS_MAX
            }
            LinkPurpose::ConfirmSignup | LinkPurpose::ConfirmEmail | LinkPurpose::ChangeEmail => {
                CONFIRM_SECONDS
            }
        };
        Ok(Link {
            id: LinkId::new(now, &*self.ports.entropy),
            purpose,
            subject,
            email: email.clone(),
            key_id,
            salt,
            secret: SecretHash::of(secret.token.expose()),
            code_attempts: 0,
            reserves_email: false,
            created_at: now,
            expires_at: now.plus_seconds(life_seconds),
        })
    }

    /// Returns the URL of a link for an email. The token is in the fragment, which browsers do not
    /// send and servers do not log. The host is the configured one, whatever the request's `Host`
    /// header contains.
    pub(crate) fn link_url(&self, link: &Link) -> Result<String, TokenError> {
        let secret = self.ports.links.link_secret(&link.key_id, &link.salt)?;
        let (base, page) = (&self.policy.public_url, link.purpose.page());
        Ok(format!("{base}{page}#token={}", secret.token.expose()))
    }

    /// Returns the code of a link.
    pub(crate) fn link_code(&self, link: &Link) -> Result<LinkCode, TokenError> {
        Ok(self.ports.links.link_secret(&link.key_id, &link.salt)?.code)
    }

    /// Returns the account that a link is about, as it is now.
    pub(crate) async fn find_owner(&self, link: &Link) -> Result<Option<User>, StoreError> {
        let Some(id) = link.user_id() else { return Ok(None) };
        let mut tx = self.ports.store.begin(Access::Read).await?;
        let user = tx.find_user(id).await?;
        tx.commit().await?;
        Ok(user)
    }

    /// Returns the presented link, if it has not expired and has one of these purposes. Trying a
    /// code counts as an attempt; presenting a token consumes nothing.
    pub(crate) async fn presented_link(
        &self,
        proof: &LinkProof,
        purposes: &[LinkPurpose],
        subject: Option<LinkSubject>,
        now: Timestamp,
    ) -> Result<Option<Link>, StoreError> {
        match proof {
            LinkProof::Token(token) => {
                let mut tx = self.ports.store.begin(Access::Read).await?;
                let link = tx.find_link_by_secret(&SecretHash::of(token)).await?;
                tx.commit().await?;
                Ok(link.filter(|link| link.expires_at > now && purposes.contains(&link.purpose)))
            }
            LinkProof::Code { email, code } => {
                let attempt = CodeAttempt {
                    email: email.clone(),
                    purposes: purposes.to_vec(),
                    subject,
                    attempts_max: self.policy.code_attempts_max,
                    now,
                };
                let mut tx = self.ports.store.begin(Access::SingleWrite).await?;
                let links = tx.try_code(&attempt).await?;
                tx.commit().await?;
                let is_it = |link: &Link| self.link_code(link).is_ok_and(|right| right == *code);
                Ok(links.into_iter().find(is_it))
            }
        }
    }
}

/// Returns the account that a link is about, locked, if it still has the email address of the link
/// and is enabled.
pub(crate) async fn lock_owner(tx: &mut dyn Tx, link: &Link) -> Result<Option<User>, StoreError> {
    let Some(id) = link.user_id() else { return Ok(None) };
    let user = tx.lock_user(id).await?;
    Ok(user.filter(|user| user.email == link.email && !user.disabled))
}
