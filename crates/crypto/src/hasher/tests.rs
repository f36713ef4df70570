//! Hashing and verification of passwords.

use super::*;
use crate::SystemEntropy;

fn hasher(memory_kib: u32, iterations: u32) -> Argon2Hasher {
    let threads = NonZeroUsize::new(2);
    let settings = Argon2Settings { memory_kib, iterations, threads, queue_max_per_thread: 64 };
    Argon2Hasher::new(settings, Arc::new(SystemEntropy::new())).unwrap()
}

fn password(text: &str) -> Password {
    Password::received(text.to_owned()).unwrap()
}

fn phc(text: &str) -> PasswordHash {
    PasswordHash::from_phc(text.to_owned())
}

/// Hashes one password and returns whether another one is accepted for it.
async fn passes(chosen: &str, tried: &str) -> bool {
    let hasher = hasher(8, 1);
    let hash = hasher.hash(&password(chosen)).await.unwrap();
    assert!(hasher.verify(&password(chosen), &hash).await.unwrap(), "{chosen:?} itself");
    hasher.verify(&password(tried), &hash).await.unwrap()
}

/// Row P1: nothing after the 72nd byte, or any other, is cut off.
#[tokio::test]
async fn p1_every_byte_of_a_long_password_counts() {
    for length in [72, 255, 1023] {
        let common = "a".repeat(length);
        assert!(!passes(&format!("{common}X"), &format!("{common}Y")).await, "{length}");
        assert!(!passes(&format!("{common}X"), &common).await, "{length}");
    }
}

/// Row P2: a NUL or another control character does not end a password.
#[tokio::test]
async fn p2_a_control_character_ends_nothing() {
    for control in ["\0", "\n", "\r\n", "\u{1b}", "\u{7f}"] {
        let whole = format!("abcdefgh{control}tail");
        assert!(!passes(&whole, "abcdefgh").await);
        assert!(!passes(&whole, &format!("abcdefgh{control}")).await);
        assert!(!passes(&whole, "abcdefghtail").await);
    }
}

/// Row P3: the exact bytes are hashed, and 64 code points of four bytes are accepted.
#[tokio::test]
async fn p3_the_exact_bytes_are_hashed() {
    assert!(!passes("caf\u{e9} noir", "cafe\u{301} noir").await, "NFC is not NFD");
    assert!(!passes("\u{ff21}bcdefgh", "Abcdefgh").await, "full width is not half width");
    let emoji = "\u{1f512}".repeat(64);
    assert!(!passes(&emoji, &"\u{1f512}".repeat(63)).await);
}

/// Row P4: case and surrounding space count.
#[tokio::test]
async fn p4_case_and_space_count() {
    for tried in ["correct horse", "CORRECT HORSE", " Correct Horse", "Correct Horse "] {
        assert!(!passes("Correct Horse", tried).await, "{tried:?}");
    }
}

/// Row P10: Argon2id with the configured parameters and a salt of its own for each hash.
#[tokio::test]
async fn p10_hashes_are_argon2id_with_present_parameters_and_unique_salts() {
    let hasher = Argon2Hasher::new(Argon2Settings::default(), Arc::new(SystemEntropy::new()));
    let hasher = hasher.unwrap();
    let one = hasher.hash(&password("correct horse")).await.unwrap();
    let other = hasher.hash(&password("correct horse")).await.unwrap();
    assert_ne!(one.expose(), other.expose());
    for hash in [&one, &other] {
        let rest = hash.expose().strip_prefix("$argon2id$v=19$m=19456,t=2,p=1$").unwrap();
        let (salt, output) = rest.split_once('$').unwrap();
        assert_eq!((salt.len(), output.len()), (22, 43), "16 and 32 bytes");
        assert!(hasher.verify(&password("correct horse"), hash).await.unwrap());
        assert!(!hasher.needs_rehash(hash));
    }
}

/// Row P10: a hash with other parameters is outdated, so that the next login replaces it.
#[tokio::test]
async fn p10_a_hash_with_other_parameters_is_verified_and_outdated() {
    let (present, weaker, stronger) = (hasher(16, 2), hasher(8, 1), hasher(32, 3));
    for other in [&weaker, &stronger] {
        let hash = other.hash(&password("correct horse")).await.unwrap();
        assert!(present.verify(&password("correct horse"), &hash).await.unwrap());
        assert!(!present.verify(&password("wrong"), &hash).await.unwrap());
        assert!(present.needs_rehash(&hash));
        assert!(!other.needs_rehash(&hash));
    }
    assert!(present.needs_rehash(&phc("plain")));
}

/// The hashes of the reference implementation's own tests (phc-winner-argon2, `test.c`).
#[tokio::test]
async fn hashes_of_the_reference_implementation_are_verified() {
    let hasher = hasher(8, 1);
    for hash in [
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    ] {
        assert_eq!(hasher.verify(&password("password"), &phc(hash)).await, Ok(true), "{hash}");
        assert_eq!(hasher.verify(&password("Password"), &phc(hash)).await, Ok(false), "{hash}");
    }
}

#[tokio::test]
async fn a_hash_that_cannot_be_read_is_an_error_and_no_response() {
    let hasher = hasher(8, 1);
    for bad in ["", "correct horse", "$2b$12$abcdefghijklmnopqrstuu", "$argon2id$v=19$m=8,t=1,p=1$"]
    {
        let result = hasher.verify(&password("correct horse"), &phc(bad)).await;
        assert_eq!(result, Err(HashError::Malformed), "{bad}");
    }
}

#[test]
fn parameters_out_of_range_make_no_hasher() {
    for (memory_kib, iterations) in [(7, 1), (8, 0), (phc::MEMORY_KIB_MAX + 1, 1), (8, 33)] {
        let settings = Argon2Settings { memory_kib, iterations, ..Argon2Settings::default() };
        let made = Argon2Hasher::new(settings, Arc::new(SystemEntropy::new()));
        assert!(matches!(made, Err(Argon2Error::Parameters)), "{memory_kib} {iterations}");
    }
}

#[test]
fn there_is_a_thread_for_each_core_and_room_for_64_before_each() {
    let hasher = Argon2Hasher::new(Argon2Settings::default(), Arc::new(SystemEntropy::new()));
    let cores = available_parallelism().unwrap().get();
    let idle = HashLoad { queued: 0, queue_max: 64 * cores, busy: 0, threads: cores };
    assert_eq!(hasher.unwrap().load(), idle);
}
