//! Fuzz target: the parsers of single values. Its input is a word, a line break and the value.
#![no_main]
#![expect(clippy::expect_used, reason = "a target fails by a panic")]

use std::cell::LazyCell;
use std::fmt::{Debug, Display};
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::sync::Arc;

use actix_web::rt::{System, SystemRunner};
use gateward_crypto::{Argon2Hasher, Argon2Settings, MasterKey};
use gateward_domain::link::LinkCode;
use gateward_domain::ports::{HashError, PasswordHasher as _};
use gateward_domain::refresh::IdempotencyKeyHash;
use gateward_domain::{
    EmailAddress, Identifier, Password, PasswordHash, PasswordPolicy, PermissionSet, RoleName,
    SessionId, Username,
};
use gateward_fuzz::PASSWORD;
use gateward_testkit::SeededEntropy;
use libfuzzer_sys::fuzz_target;

/// Up to this cost, KiB times iterations, a hash is computed: a few milliseconds.
const COST_MAX: u64 = 1024;

thread_local! {
    static HASHER: LazyCell<&'static Hasher> =
        LazyCell::new(|| Box::leak(Box::new(Hasher::new())));
}

fuzz_target!(|input: &[u8]| f32_no_value_is_read_in_two_ways(input));

/// Row F32: a value is refused, or it is read as itself again.
fn f32_no_value_is_read_in_two_ways(input: &[u8]) {
    let mut lines = input.splitn(2, |byte| *byte == b'\n');
    let (word, rest) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let Ok(text) = std::str::from_utf8(rest) else { return };
    match word {
        b"email" => check_email(text),
        b"username" => check_username(text),
        b"role" => check_role(text),
        b"id" => check_id::<SessionId>(text),
        b"code" => check_code(text),
        b"password" => check_password(text),
        b"hash" => HASHER.with(|hasher| hasher.check(text)),
        b"master" => check_master_key(text),
        _ => {
            let hash = IdempotencyKeyHash::of(text);
            assert_eq!(hash, IdempotencyKeyHash::of(text));
        }
    }
}

fn check_email(text: &str) {
    let Ok(email) = EmailAddress::parse(text) else { return };
    let shown = email.as_str();
    assert_eq!(EmailAddress::parse(shown).as_ref(), Ok(&email), "{text:?}");
    assert_eq!(Identifier::parse(text), Some(Identifier::Email(email.clone())), "{text:?}");
    assert!(shown.len() <= EmailAddress::LEN_MAX, "{text:?}");
    assert!(email.local().len() <= EmailAddress::LOCAL_LEN_MAX, "{text:?}");
    assert_eq!(format!("{}@{}", email.local(), email.domain()), shown);
    assert_eq!(shown.matches('@').count(), 1, "{text:?}");
    let unsafe_character =
        |c: char| c.is_control() || c.is_whitespace() || "<>,;:\"()[]\\".contains(c);
    assert!(!shown.contains(unsafe_character), "{text:?}");
    // Another parser of host names leaves the domain as it is.
    match url::Host::parse(email.domain()) {
        Ok(host) => assert_eq!(host.to_string(), email.domain(), "{text:?}"),
        Err(error) => panic!("{text:?}: {error}"),
    }
}

fn check_username(text: &str) {
    let Ok(username) = Username::parse(text) else { return };
    assert_eq!(Username::parse(username.as_str()).as_ref(), Ok(&username), "{text:?}");
    assert_eq!(Username::parse_existing(username.as_str()).as_ref(), Ok(&username), "{text:?}");
    let length = username.as_str().chars().count();
    assert!((Username::LEN_MIN..=Username::LEN_MAX).contains(&length), "{text:?}");
    let folded = username.folded();
    let again = Username::parse_existing(&folded).map(|folded| folded.folded());
    assert_eq!(again.as_deref(), Ok(folded.as_str()), "{text:?}");
}

fn check_role(text: &str) {
    if let Ok(role) = RoleName::parse(text) {
        assert_eq!(role.as_str(), text);
    }
    let permissions = PermissionSet::from_text(text);
    assert_eq!(PermissionSet::from_text(&permissions.to_text()), permissions, "{text:?}");
}

fn check_id<T: FromStr + Display + PartialEq + Debug>(text: &str) {
    let Ok(id) = text.parse::<T>() else { return };
    let again = id.to_string().parse::<T>().ok();
    assert_eq!(again, Some(id), "{text:?}");
}

fn check_code(text: &str) {
    let Some(code) = LinkCode::parse(text) else { return };
    assert_eq!(
        LinkCode::parse(code.expose()).map(|code| code.expose().to_owned()).as_deref(),
        Some(code.expose())
    );
    assert!(code.expose().len() == 8 && code.expose().bytes().all(|byte| byte.is_ascii_digit()));
}

fn check_password(text: &str) {
    let Ok(password) = Password::received(text.to_owned()) else { return };
    let again = Password::received(password.expose().to_owned());
    assert_eq!(
        again.map(|again| again.expose().to_owned()).as_deref().ok(),
        Some(password.expose())
    );
    let _ = PasswordPolicy { length_min: 8 }.check_alone(&password);
}

fn check_master_key(text: &str) {
    let Ok(key) = MasterKey::from_base64(text) else { return };
    let shown = key.to_base64();
    let again = MasterKey::from_base64(&shown).map(|again| again.to_base64());
    assert!(again.is_ok_and(|again| again == shown), "{text:?}");
}

/// The hasher, with cheap parameters.
struct Hasher {
    system: SystemRunner,
    argon2: Argon2Hasher,
    password: Password,
}

impl Hasher {
    fn new() -> Self {
        let settings = Argon2Settings {
            memory_kib: 8,
            iterations: 1,
            threads: Some(NonZeroUsize::MIN),
            queue_max_per_thread: 1,
        };
        let argon2 = Argon2Hasher::new(settings, Arc::new(SeededEntropy::new(1)));
        let Ok(password) = Password::received(PASSWORD.to_owned()) else { panic!("a password") };
        Self { system: System::new(), argon2: argon2.expect("valid settings"), password }
    }

    /// A hash is refused, or it is computed again at the cost that it states.
    fn check(&self, text: &str) {
        let hash = PasswordHash::from_phc(text.to_owned());
        let needs_rehash = self.argon2.needs_rehash(&hash);
        if cost(text).is_some_and(|cost| cost > COST_MAX) {
            return;
        }
        let verified = self.system.block_on(self.argon2.verify(&self.password, &hash));
        if verified == Err(HashError::Malformed) {
            assert!(needs_rehash, "a hash that cannot be read counts as current: {text}");
        } else {
            assert!(verified.is_ok(), "{text}: {verified:?}");
        }
    }
}

/// The cost of a hash as it states itself, by a simple reading.
fn cost(text: &str) -> Option<u64> {
    let number = |name: &str| {
        let digits = text.split(['$', ',']).find_map(|part| part.strip_prefix(name));
        digits?.parse::<u64>().ok()
    };
    Some(number("m=")?.saturating_mul(number("t=")?))
}
