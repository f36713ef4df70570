//! Fakes of mail: links that show their salt, pigeons instead of a relay, and what tests do with the
//! letters.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use gateward_domain::key::KeyId;
use gateward_domain::link::{LinkCode, LinkSecret};
use gateward_domain::mail::{Letter, LetterText};
use gateward_domain::ports::{Access, LinkMaker, MailError, Mailer};
use gateward_domain::refresh::Salt;
use gateward_domain::{
    Email, Origin, PasswordHash, Timestamp, TokenError, TokenText, User, UserId, Username,
};
use gateward_testkit::{MemoryStore, fixtures};

use super::fakes::{PASSWORD, World, hex, password, policy, world_with};
use crate::{
    AccountProof, Caller, ConfirmEmail, LetterProof, Policy, ResetPassword, SignedUp, Signup,
};

/// Makes secrets that show the salt that they follow from.
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

/// Keeps what it is to carry, and fails as long as it is told to.
#[derive(Default)]
pub(super) struct Pigeons {
    tried: Mutex<Vec<Letter>>,
    sent: Mutex<Vec<Letter>>,
    failure: Mutex<Option<MailError>>,
}

impl Pigeons {
    /// Fails from now on, or no more.
    pub(super) fn fail(&self, failure: Option<MailError>) {
        *self.failure.lock().unwrap() = failure;
    }

    /// Every letter of every try.
    pub(super) fn tried(&self) -> Vec<Letter> {
        self.tried.lock().unwrap().clone()
    }

    /// Those that were taken.
    pub(super) fn sent(&self) -> Vec<Letter> {
        self.sent.lock().unwrap().clone()
    }
}

#[async_trait]
impl Mailer for Pigeons {
    async fn send(&self, letter: &Letter) -> Result<(), MailError> {
        self.tried.lock().unwrap().push(letter.clone());
        if let Some(failure) = self.failure.lock().unwrap().clone() {
            return Err(failure);
        }
        self.sent.lock().unwrap().push(letter.clone());
        Ok(())
    }
}

pub(super) fn unreachable() -> MailError {
    MailError::Unreachable("connection refused".to_owned())
}

pub(super) fn refused(permanent: bool) -> MailError {
    MailError::Refused { permanent, answer: "no".to_owned() }
}

/// The policy under which there is no account before its address is confirmed.
pub(super) fn required() -> Policy {
    Policy { confirmation_required: true, ..policy() }
}

/// A world, and its store to look into.
pub(super) async fn open_world(policy: Policy) -> (World, MemoryStore) {
    let memory = MemoryStore::new();
    (world_with(policy, Arc::new(memory.clone())).await, memory)
}

pub(super) fn address(name: &str) -> Email {
    Email::parse(&format!("{name}@example.org")).unwrap()
}

pub(super) fn token(letter: &Letter) -> String {
    letter.link.as_ref().unwrap().split_once("#token=").unwrap().1.to_owned()
}

pub(super) fn by_token(letter: &Letter) -> LetterProof {
    LetterProof::Token(token(letter))
}

pub(super) fn by_code(letter: &Letter) -> LetterProof {
    LetterProof::Code { email: letter.to.clone(), code: letter.code.clone().unwrap() }
}

/// The code of the letter, a few too many.
pub(super) fn by_wrong_code(letter: &Letter, more: u64) -> LetterProof {
    let right: u64 = letter.code.as_ref().unwrap().expose().parse().unwrap();
    LetterProof::Code { email: letter.to.clone(), code: LinkCode::from_number(right + more) }
}

pub(super) fn by_password() -> AccountProof {
    AccountProof::Password(password(PASSWORD))
}

pub(super) fn confirm(mailbox: LetterProof, account: AccountProof) -> ConfirmEmail {
    ConfirmEmail { mailbox, account, username: None, origin: Origin::default() }
}

pub(super) fn reset(proof: LetterProof, new: &str) -> ResetPassword {
    ResetPassword { proof, new: password(new), origin: Origin::default() }
}

/// The one letter that says this.
pub(super) fn saying(letters: &[Letter], text: LetterText) -> Letter {
    let mut found = letters.iter().filter(|letter| letter.text == text);
    let letter = found.next().unwrap_or_else(|| panic!("nothing says {text}: {letters:?}"));
    assert!(found.next().is_none(), "said twice: {letters:?}");
    letter.clone()
}

/// What the letters say, in the order of the texts' names.
pub(super) fn texts(letters: &[Letter]) -> Vec<&'static str> {
    let mut texts: Vec<_> = letters.iter().map(|letter| letter.text.as_str()).collect();
    texts.sort_unstable();
    texts
}

impl World {
    /// Delivers all letters that are due; gives those that went out.
    pub(super) async fn post(&self) -> Vec<Letter> {
        let before = self.pigeons.sent().len();
        loop {
            let due = self.app.take_letters(100).await.unwrap();
            if due.is_empty() {
                return self.pigeons.sent().split_off(before);
            }
            for letter in due {
                self.app.deliver(letter).await.unwrap();
            }
        }
    }

    /// Delivers for so many minutes.
    pub(super) async fn post_for(&self, minutes: u32) -> Vec<Letter> {
        let mut sent = self.post().await;
        for _ in 0..minutes {
            self.clock.advance_seconds(60);
            sent.extend(self.post().await);
        }
        sent
    }

    /// An account whose address is confirmed, or what the test makes of it; nobody was told.
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

    /// The owner of an account, logged in.
    pub(super) async fn caller(&self, name: &str) -> Caller {
        let pair = self.login(name, PASSWORD).await.unwrap().pair;
        self.app.authenticate(pair.access.text.expose()).await.unwrap()
    }

    pub(super) async fn find(&self, id: UserId) -> Option<User> {
        let mut tx = self.store.begin(Access::Read).await.unwrap();
        tx.find_user(id).await.unwrap()
    }

    /// What is written down about an account, in the order in which it happened.
    pub(super) async fn told(&self, id: UserId) -> Vec<&'static str> {
        let mut tx = self.store.begin(Access::Read).await.unwrap();
        let mut events = tx.list_user_events(id, None, 100).await.unwrap();
        events.sort_by_key(|event| event.at);
        events.iter().map(|event| event.kind.as_str()).collect()
    }

    /// Signs up where confirmation is required; gives the secret.
    pub(super) async fn pending(&self, signup: Signup) -> String {
        match self.app.signup(signup).await.unwrap() {
            SignedUp::Pending { signup_secret } => signup_secret.expose().to_owned(),
            SignedUp::Account(_) => panic!("confirmation is not required"),
        }
    }

    /// Asks for a reset and gives the letter.
    pub(super) async fn forgotten(&self, name: &str) -> Letter {
        self.app.forgot_password(&address(name), &Origin::default()).await.unwrap();
        saying(&self.post().await, LetterText::ResetPassword)
    }
}
