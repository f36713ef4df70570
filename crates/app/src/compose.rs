//! Composes an email when it is sent, from the state at that time.

use gateward_domain::email::{EmailKind, EmailMessage, EmailTemplate, OutboxEmail};
use gateward_domain::link::{Link, LinkPurpose, LinkSubject};
use gateward_domain::ports::{Access, StoreError, Tx};
use gateward_domain::{Identifier, SignupId, Timestamp, TokenError, User};

use crate::App;
use crate::links::USER_LINKS_MAX;

/// Minimum remaining lifetime of a link in seconds when its email is sent, so that there is time to
/// read it.
const LINK_TTL_MIN_SECONDS: i64 = 120;

/// The end of time, for links that are bounded only by their own lifetime.
const NO_EXPIRY: Timestamp = Timestamp::from_micros(i64::MAX);

/// The result of composing an email.
pub(crate) enum Composed {
    /// The email to send.
    Ready(Box<EmailMessage>),
    /// There is nothing to send.
    Nothing {
        /// The reason, for the operator.
        why: &'static str,
        /// Whether a person waits for the email.
        in_vain: bool,
    },
}

/// Why an email could not be composed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ComposeError {
    /// The link could not be created.
    #[error("the link could not be created")]
    Token(#[from] TokenError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The template of an email and its link.
enum Content {
    Plain(EmailTemplate),
    /// An existing link.
    With(EmailTemplate, Link),
    /// A link to create, which expires at that time at the latest.
    Make(EmailTemplate, LinkPurpose, LinkSubject, Timestamp),
    Nothing(&'static str, bool),
}

impl App {
    /// Chooses the template of an email, and creates its link if it has no valid one.
    pub(crate) async fn compose(
        &self,
        queued: &OutboxEmail,
        now: Timestamp,
    ) -> Result<Composed, ComposeError> {
        let mut tx = self.ports.store.begin(Access::Write).await?;
        let content = match self.link_of(&mut *tx, queued, now).await? {
            Some(content) => content,
            None => content(&mut *tx, queued, now).await?,
        };
        let (text, link) = match content {
            Content::Nothing(why, in_vain) => return Ok(Composed::Nothing { why, in_vain }),
            Content::Plain(text) => (text, None),
            Content::With(text, link) => (text, Some(link)),
            Content::Make(text, purpose, subject, until) => {
                let link = self.new_link(purpose, subject, &queued.recipient, now)?;
                let tries = tries_so_far(&mut *tx, &link).await?;
                let link =
                    Link { expires_at: link.expires_at.min(until), code_attempts: tries, ..link };
                tx.put_link(&link).await?;
                tx.set_outbox_email_link(queued.id, link.id, link.user_id()).await?;
                (text, Some(link))
            }
        };
        tx.commit().await?;
        Ok(Composed::Ready(Box::new(self.filled(queued, text, link.as_ref())?)))
    }

    /// Fills in the email to send.
    fn filled(
        &self,
        queued: &OutboxEmail,
        text: EmailTemplate,
        link: Option<&Link>,
    ) -> Result<EmailMessage, TokenError> {
        // A link that is valid for seven days has no code: its page takes only the token, which
        // cannot be guessed.
        let by_link_alone = [LinkPurpose::UndoEmail, LinkPurpose::NotMe, LinkPurpose::Invitation];
        let coded = link.filter(|link| !by_link_alone.contains(&link.purpose));
        Ok(EmailMessage {
            id: queued.id,
            to: queued.recipient.clone(),
            text,
            link: link.map(|link| self.link_url(link)).transpose()?,
            code: coded.map(|link| self.link_code(link)).transpose()?,
            expires_at: link.map(|link| link.expires_at),
            created_at: queued.created_at,
            ip: queued.ip,
        })
    }

    /// Returns the content of an email whose link already exists. `None` if the link is still to be
    /// created or must be replaced.
    async fn link_of(
        &self,
        tx: &mut dyn Tx,
        queued: &OutboxEmail,
        now: Timestamp,
    ) -> Result<Option<Content>, StoreError> {
        let Some(id) = queued.link_id else { return Ok(None) };
        let Some(link) = tx.find_link(id).await? else {
            return Ok(Some(Content::Nothing("its link was used or replaced", false)));
        };
        if link.expires_at <= now.plus_seconds(LINK_TTL_MIN_SECONDS) {
            return Ok(None);
        }
        let text = match link.purpose {
            LinkPurpose::ConfirmSignup => {
                let id = SignupId::from_uuid(link.subject.uuid());
                match of_signup(tx, queued, id, now).await? {
                    Content::Make(text, ..) => text,
                    other => return Ok(Some(other)),
                }
            }
            LinkPurpose::ConfirmEmail => EmailTemplate::ConfirmEmail,
            LinkPurpose::UndoEmail => EmailTemplate::EmailChange,
            LinkPurpose::NotMe => EmailTemplate::NewDevice,
            LinkPurpose::Invitation => EmailTemplate::Invitation,
            LinkPurpose::ResetPassword | LinkPurpose::OperatorReset => EmailTemplate::ResetPassword,
            LinkPurpose::ChangeEmail => {
                let owner = tx.find_email_owner(&link.email, now).await?;
                match owner.filter(|owner| Some(*owner) != link.user_id()) {
                    Some(_) => return Ok(Some(Content::Plain(EmailTemplate::AddressInUse))),
                    None => EmailTemplate::ConfirmChange,
                }
            }
        };
        Ok(Some(Content::With(text, link)))
    }
}

/// Returns the content of an email, from the current state.
async fn content(
    tx: &mut dyn Tx,
    queued: &OutboxEmail,
    now: Timestamp,
) -> Result<Content, StoreError> {
    let plain = |text| Ok(Content::Plain(text));
    match queued.kind {
        EmailKind::Signup | EmailKind::ResendConfirmation => match queued.signup_id {
            Some(id) => of_signup(tx, queued, id, now).await,
            None => of_resend(tx, queued, now).await,
        },
        EmailKind::ConfirmEmail => match owner(tx, queued).await? {
            Some(user) => Ok(of_account(&user)),
            None => Ok(Content::Nothing("no account has this email address", false)),
        },
        EmailKind::ForgotPassword => Ok(match owner(tx, queued).await? {
            Some(user) if !user.disabled => Content::Make(
                EmailTemplate::ResetPassword,
                LinkPurpose::ResetPassword,
                LinkSubject::User(user.id),
                NO_EXPIRY,
            ),
            _ => Content::Nothing("no enabled account has this email address", false),
        }),
        // These links were created with the change, so that cancelling it reaches them.
        EmailKind::ChangeEmail
        | EmailKind::EmailChange
        | EmailKind::NewDevice
        | EmailKind::Invitation => Ok(Content::Nothing("its link was not sent in time", true)),
        EmailKind::EmailChanged => plain(EmailTemplate::EmailChanged),
        EmailKind::EmailUndone => plain(EmailTemplate::EmailUndone),
        EmailKind::PasswordChanged => plain(EmailTemplate::PasswordChanged),
        EmailKind::PasswordReset => plain(EmailTemplate::PasswordReset),
        EmailKind::UsernameChanged => plain(EmailTemplate::UsernameChanged),
        EmailKind::TokenReused => plain(EmailTemplate::TokenReused),
        EmailKind::AccountDeleted => plain(EmailTemplate::AccountDeleted),
    }
}

/// Returns the number of code attempts on the account's link that the new one replaces: requesting
/// another email grants no further attempts.
async fn tries_so_far(tx: &mut dyn Tx, link: &Link) -> Result<u32, StoreError> {
    let Some(user_id) = link.user_id() else { return Ok(0) };
    let links = tx.list_user_links(user_id, USER_LINKS_MAX).await?;
    let replaced = links.iter().find(|other| {
        other.dedup_key() == link.dedup_key()
            && other.purpose == link.purpose
            && other.expires_at > link.created_at
    });
    Ok(replaced.map_or(0, |link| link.code_attempts))
}

/// Returns the account with the recipient's email address, locked.
async fn owner(tx: &mut dyn Tx, queued: &OutboxEmail) -> Result<Option<User>, StoreError> {
    let identifier = Identifier::Email(queued.recipient.clone());
    let Some(found) = tx.find_user_by_identifier(&identifier).await? else { return Ok(None) };
    let user = tx.lock_user(found.id).await?;
    Ok(user.filter(|user| user.email == queued.recipient))
}

/// A sign-up is confirmed, unless its email address already has an account.
async fn of_signup(
    tx: &mut dyn Tx,
    queued: &OutboxEmail,
    id: SignupId,
    now: Timestamp,
) -> Result<Content, StoreError> {
    let ends_soon = now.plus_seconds(LINK_TTL_MIN_SECONDS);
    let Some(signup) = tx.find_signup(id, ends_soon).await? else {
        // Perhaps another sign-up with the same email address was confirmed.
        let is_known = tx.find_email_owner(&queued.recipient, now).await?.is_some();
        return Ok(Content::Nothing("the sign-up has ended", !is_known));
    };
    if tx.find_email_owner(&signup.email, now).await?.is_some() {
        return Ok(Content::Plain(EmailTemplate::AccountExists));
    }
    let (purpose, subject) = (LinkPurpose::ConfirmSignup, LinkSubject::Signup(signup.id));
    Ok(Content::Make(EmailTemplate::ConfirmSignup, purpose, subject, signup.expires_at))
}

/// Returns what waits for confirmation of this email address: its account, or the newest sign-up.
async fn of_resend(
    tx: &mut dyn Tx,
    queued: &OutboxEmail,
    now: Timestamp,
) -> Result<Content, StoreError> {
    if let Some(user) = owner(tx, queued).await? {
        return Ok(of_account(&user));
    }
    match tx.find_newest_signup(&queued.recipient, now).await? {
        Some(signup) => of_signup(tx, queued, signup.id, now).await,
        None => Ok(Content::Nothing("no account or sign-up has this email address", false)),
    }
}

/// The email address of an account is confirmed once.
fn of_account(user: &User) -> Content {
    if user.disabled || user.email_verified {
        return Content::Nothing("the account is disabled or already confirmed", false);
    }
    let subject = LinkSubject::User(user.id);
    Content::Make(EmailTemplate::ConfirmEmail, LinkPurpose::ConfirmEmail, subject, NO_EXPIRY)
}
