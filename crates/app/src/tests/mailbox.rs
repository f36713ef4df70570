//! Fakes for mail: links that contain their salt, a recording mailer instead of an SMTP server, and
//! helpers for emails.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use gateward_domain::email::{EmailMessage, EmailTemplate};
use gateward_domain::key::KeyId;
use gateward_domain::link::{LinkCode, LinkSecret};
use gateward_domain::ports::{Access, LinkMaker, MailError, Mailer};
use gateward_domain::refresh::Salt;
use gateward_domain::{
    EmailAddress, PasswordHash, RequestInfo, Timestamp, TokenError, TokenText, User, UserId,
    Username,
};
use gateward_testkit::{MemoryStore, fixtures};

use super::fakes::hex;
use super::test_app::{PASSWORD, TestApp, password, policy, test_app_with};
use crate::{
    AccountProof, Caller, ChangeEmailError, ConfirmEmail, LinkProof, Policy, ResetPassword,
    SignedUp, Signup,
};

/// Derives secrets that contain their salt.
pub(super) struct PlainLinks;

impl LinkMaker for PlainLinks {
    fn link_key(&self, _: Timestamp) -> Result<KeyId, TokenError> {
        Ok(KeyId("link".to_owned()))
    }

    fn link_secret(&self, _: &KeyId, salt: &Salt) -> Result<LinkSecret, TokenError> {
        let number = u64::from_be_bytes(*salt.0.first_chunk().unwrap());
        Ok(LinkSecret {
            token: TokenText::new(format!("token-{}", hex(salt))),
            code: LinkCode::from_number(number),
        })
    }
}

/// Records the emails, and fails while the test tells it to.
#[derive(Default)]
pub(super) struct RecordingMailer {
    tried: Mutex<Vec<EmailMessage>>,
    sent: Mutex<Vec<EmailMessage>>,
    failure: Mutex<Option<MailError>>,
}

impl RecordingMailer {
    /// Makes the mailer fail from now on, or stop failing.
    pub(super) fn fail(&self, failure: Option<MailError>) {
        *self.failure.lock().unwrap() = failure;
    }

    /// Returns the emails of all attempts.
    pub(super) fn tried(&self) -> Vec<EmailMessage> {
        self.tried.lock().unwrap().clone()
    }

    /// Returns the accepted emails.
    pub(super) fn sent(&self) -> Vec<EmailMessage> {
        self.sent.lock().unwrap().clone()
    }
}

#[async_trait]
impl Mailer for RecordingMailer {
    async fn send(&self, message: &EmailMessage) -> Result<(), MailError> {
        self.tried.lock().unwrap().push(message.clone());
        if let Some(failure) = self.failure.lock().unwrap().clone() {
            return Err(failure);
        }
        self.sent.lock().unwrap().push(message.clone());
        Ok(())
    }
}

pub(super) fn unreachable() -> MailError {
    MailError::Unreachable("connection refused".to_owned())
}

pub(super) fn refused(permanent: bool) -> MailError {
    MailError::Refused { permanent, response: "no".to_owned() }
}

/// The policy that requires a confirmed email address before the account is created.
pub(super) fn required() -> Policy {
    Policy { confirmation_required: true, ..policy() }
}

/// A fixture, and its store for inspection.
pub(super) async fn open_test_app(policy: Policy) -> (TestApp, MemoryStore) {
    let memory = MemoryStore::new();
    (test_app_with(policy, Arc::new(memory.clone())).await, memory)
}

pub(super) fn address(name: &str) -> EmailAddress {
    EmailAddress::parse(&format!("{name}@example.org")).unwrap()
}

pub(super) fn token(message: &EmailMessage) -> String {
    message.link.as_ref().unwrap().split_once("#token=").unwrap().1.to_owned()
}

pub(super) fn by_token(message: &EmailMessage) -> LinkProof {
    LinkProof::Token(token(message))
}

pub(super) fn by_code(message: &EmailMessage) -> LinkProof {
    LinkProof::Code { email: message.to.clone(), code: message.code.clone().unwrap() }
}

/// Returns the email's code plus `more`, which makes it wrong.
pub(super) fn by_wrong_code(message: &EmailMessage, more: u64) -> LinkProof {
    let right: u64 = message.code.as_ref().unwrap().expose().parse().unwrap();
    LinkProof::Code { email: message.to.clone(), code: LinkCode::from_number(right + more) }
}

pub(super) fn by_password() -> AccountProof {
    AccountProof::Password(password(PASSWORD))
}

pub(super) fn confirm(mailbox: LinkProof, account: AccountProof) -> ConfirmEmail {
    ConfirmEmail { mailbox, account, username: None, request_info: RequestInfo::default() }
}

pub(super) fn reset(proof: LinkProof, new: &str) -> ResetPassword {
    ResetPassword { proof, new: password(new), request_info: RequestInfo::default() }
}

/// Returns the only email with this template.
pub(super) fn saying(emails: &[EmailMessage], text: EmailTemplate) -> EmailMessage {
    let mut found = emails.iter().filter(|message| message.text == text);
    let message = found.next().unwrap_or_else(|| panic!("nothing says {text}: {emails:?}"));
    assert!(found.next().is_none(), "said twice: {emails:?}");
    message.clone()
}

/// Returns the templates of the emails, ordered by name.
pub(super) fn texts(emails: &[EmailMessage]) -> Vec<&'static str> {
    let mut texts: Vec<_> = emails.iter().map(|message| message.text.as_str()).collect();
    texts.sort_unstable();
    texts
}

impl TestApp {
    /// Delivers all due emails. Returns those that were sent.
    pub(super) async fn post(&self) -> Vec<EmailMessage> {
        let before = self.recording_mailer.sent().len();
        loop {
            let due = self.app.lease_outbox_emails(100).await.unwrap();
            if due.is_empty() {
                return self.recording_mailer.sent().split_off(before);
            }
            for message in due {
                self.app.deliver(message).await.unwrap();
            }
        }
    }

    /// Delivers for this many minutes.
    pub(super) async fn post_for(&self, minutes: u32) -> Vec<EmailMessage> {
        let mut sent = self.post().await;
        for _ in 0..minutes {
            self.clock.advance_seconds(60);
            sent.extend(self.post().await);
        }
        sent
    }

    /// Stores an account with a confirmed email address, modified by the test, without any notice.
    pub(super) async fn owner(&self, name: &str, change: impl FnOnce(&mut User)) -> User {
        let seed = name.bytes().fold(0, |seed, byte| seed * 31 + u64::from(byte));
        let mut user = User {
            username: Username::parse(name).unwrap(),
            email: address(name),
            email_verified: true,
            password_hash: PasswordHash::from_phc(format!("plain:{PASSWORD}")),
            ..fixtures::user(seed)
        };
        change(&mut user);
        let mut tx = self.store.begin(Access::SingleWrite).await.unwrap();
        tx.insert_user(&user).await.unwrap();
        tx.commit().await.unwrap();
        user
    }

    /// Logs the owner of an account in.
    pub(super) async fn caller(&self, name: &str) -> Caller {
        let pair = self.login(name, PASSWORD).await.unwrap().pair;
        self.app.authenticate(pair.access.text.expose()).await.unwrap()
    }

    pub(super) async fn find(&self, id: UserId) -> Option<User> {
        let mut tx = self.store.begin(Access::Read).await.unwrap();
        tx.find_user(id).await.unwrap()
    }

    /// Returns the events of an account in the order in which they happened.
    pub(super) async fn told(&self, id: UserId) -> Vec<&'static str> {
        let mut tx = self.store.begin(Access::Read).await.unwrap();
        let mut events = tx.list_user_events(id, None, 100).await.unwrap();
        events.sort_by_key(|event| event.at);
        events.iter().map(|event| event.kind.as_str()).collect()
    }

    /// Signs up with required confirmation. Returns the secret.
    pub(super) async fn pending(&self, signup: Signup) -> String {
        match self.app.signup(signup).await.unwrap() {
            SignedUp::Pending { signup_secret } => signup_secret.expose().to_owned(),
            SignedUp::Account(_) => panic!("confirmation is not required"),
        }
    }

    /// Requests a password reset and returns the email.
    pub(super) async fn forgotten(&self, name: &str) -> EmailMessage {
        self.app.forgot_password(&address(name), &RequestInfo::default()).await.unwrap();
        saying(&self.post().await, EmailTemplate::ResetPassword)
    }

    /// Requests a change to another email address with the right password.
    pub(super) async fn request_email_change(
        &self,
        caller: &Caller,
        new: &str,
    ) -> Result<(), ChangeEmailError> {
        let request_info = RequestInfo::default();
        let current = password(PASSWORD);
        let presented = self.app.verify_again(caller, &current, &request_info).await.unwrap();
        self.app.change_email(caller, presented, address(new), &request_info).await
    }

    /// Changes the owner's email address. Returns the email with the undo link.
    pub(super) async fn change_email(&self, caller: &Caller, new: &str) -> EmailMessage {
        self.request_email_change(caller, new).await.unwrap();
        let emails = self.post().await;
        let mailbox = by_token(&saying(&emails, EmailTemplate::ConfirmChange));
        let account = AccountProof::LoggedIn(caller.user.id);
        self.app.confirm_email(confirm(mailbox, account)).await.unwrap();
        self.clock.advance_seconds(60);
        saying(&emails, EmailTemplate::EmailChange)
    }
}
