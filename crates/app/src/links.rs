//! Making mailed links, and finding the one that somebody shows.

use gateward_domain::link::LINK_SECONDS_MAX;
use gateward_domain::link::{Link, LinkCode, LinkPurpose, LinkSubject, SecretHash};
use gateward_domain::ports::{Access, CodeAttempt, StoreError, Tx};
use gateward_domain::refresh::Salt;
use gateward_domain::{EmailAddress, LinkId, Timestamp, TokenError, User};

use crate::App;

/// For how many seconds a link that confirms is good: people read their mail within a day.
pub(crate) const CONFIRM_SECONDS: i64 = 24 * 3600;

/// For how many seconds a link that resets is good: whoever asks for it waits for it.
pub(crate) const RESET_SECONDS: i64 = 600;

/// How many links about one account are looked at: more than it can have.
pub(crate) const USER_LINKS_MAX: u32 = 200;

/// What somebody shows of an email.
#[derive(Debug)]
pub enum LinkProof {
    /// The token of its link.
    Token(String),
    /// Its code, and the address that it went to.
    Code {
        /// The address.
        email: EmailAddress,
        /// The code.
        code: LinkCode,
    },
}

impl App {
    /// A link, not stored yet.
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

    /// The link as it stands in an email. The token is in the fragment, which no browser sends and
    /// no server logs. The host is the configured one, whatever a request calls us.
    pub(crate) fn link_url(&self, link: &Link) -> Result<String, TokenError> {
        let secret = self.ports.links.link_secret(&link.key_id, &link.salt)?;
        let (base, page) = (&self.policy.public_url, link.purpose.page());
        Ok(format!("{base}{page}#token={}", secret.token.expose()))
    }

    /// The code that goes with a link.
    pub(crate) fn link_code(&self, link: &Link) -> Result<LinkCode, TokenError> {
        Ok(self.ports.links.link_secret(&link.key_id, &link.salt)?.code)
    }

    /// The account that a link is about, as it is now.
    pub(crate) async fn find_owner(&self, link: &Link) -> Result<Option<User>, StoreError> {
        let Some(id) = link.user_id() else { return Ok(None) };
        let mut tx = self.ports.store.begin(Access::Read).await?;
        let user = tx.find_user(id).await?;
        tx.commit().await?;
        Ok(user)
    }

    /// The link that somebody shows, if it is in time and for one of these purposes. Trying a code
    /// counts; showing a token uses nothing up.
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

/// The account that a link is about, locked, if it still has the address of the email and is not
/// disabled.
pub(crate) async fn lock_owner(tx: &mut dyn Tx, link: &Link) -> Result<Option<User>, StoreError> {
    let Some(id) = link.user_id() else { return Ok(None) };
    let user = tx.lock_user(id).await?;
    Ok(user.filter(|user| user.email == link.email && !user.disabled))
}
