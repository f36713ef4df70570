//! The vectors of Project Wycheproof for JSON Web Signatures and Keys.
//!
//! Tokens go through the code that parses and verifies the service's own. The service reads no JSON
//! Web Key: it keeps private keys wrapped, in PKCS#8 or as the bytes of a MAC key, each with its
//! one purpose and algorithm. The private key of a vector is therefore converted to that form,
//! wrapped, and installed like a stored key. The further members of the vector (`use`, `key_ops`)
//! have no equivalent, and those vectors are listed in the tables of inapplicable ones.

use std::collections::BTreeSet;
use std::path::PathBuf;

use jsonwebtoken::DecodingKey;

use super::super::jwk::PublicKey;
use super::super::ring::{Lives, Ring};
use super::*;
use crate::jws::Compact;

/// Valid signatures that are deliberately refused, by the number of the vector.
const REFUSED_SIGNATURES: &[(u64, &str)] = &[
    (259, NO_PAYLOAD),
    (264, NO_ALGORITHM),
    (265, NO_ALGORITHM),
    (266, NO_ALGORITHM),
    (267, NO_ALGORITHM),
    (268, NO_ALGORITHM),
    (269, NO_ALGORITHM),
    (270, NO_ALGORITHM),
    (271, NO_ALGORITHM),
    (272, NO_PAYLOAD),
    (320, NO_ALGORITHM),
    (321, NO_ALGORITHM),
    (322, NO_ALGORITHM),
    (323, NO_ALGORITHM),
    (325, NO_ALGORITHM),
    (326, NO_ALGORITHM),
    (327, NO_ALGORITHM),
    (328, NO_ALGORITHM),
    (346, "the key is for PS256, the token says PS384"),
    (347, NO_ALGORITHM),
    (350, "the key is for PS256, the token says PS384"),
    (351, NO_ALGORITHM),
    (372, NO_BASE64URL),
    (373, NO_BASE64URL),
];

/// Valid keys that are deliberately refused.
const REFUSED_KEYS: &[(u64, &str)] =
    &[(13, "a MAC key that has not 32 bytes"), (14, NO_ALGORITHM), (15, NO_ALGORITHM)];

/// Signatures whose vector tests an input that the service does not have.
const INAPPLICABLE_SIGNATURES: &[(u64, &str)] =
    &[(353, NO_USE), (354, NO_USE), (355, NO_USE), (356, NO_USE)];

/// The same for keys.
const INAPPLICABLE_KEYS: &[(u64, &str)] = &[
    (1, "purposes keep MAC keys and key pairs apart, not sets"),
    (2, DERIVED),
    (3, DERIVED),
    (7, "no RSA key comes from elsewhere, so none is looked at for ROCA"),
    (21, NO_USE),
];

/// Vectors that are marked invalid and are, byte for byte, the valid vector 357.
const COPIES_OF_A_VALID_ONE: [u64; 2] = [367, 370];

const NO_ALGORITHM: &str = "an algorithm that no key of ours is for";
const NO_USE: &str = "a stored key has a purpose and an algorithm, but no `use` and no `key_ops`";
const DERIVED: &str = "the service signs with a MAC key that it derives from the stored one";
const NO_PAYLOAD: &str = "an empty payload, which holds no claims";
const NO_BASE64URL: &str = "a '?', which is no character of base64url";

/// The folder of the vectors, if it is given. Fails on a machine that must run all tests.
fn folder() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "a test has no settings but its environment")]
    let (folder, ci) = (std::env::var_os("GATEWARD_VECTORS"), std::env::var("CI"));
    if folder.is_none() {
        assert!(ci.as_deref() != Ok("true"), "GATEWARD_VECTORS must be set where CI=true");
        println!(
            "SKIPPED: set GATEWARD_VECTORS to a folder with wycheproof/json_web_signature_test.json \
             and wycheproof/json_web_key_test.json, to be had from \
             https://github.com/C2SP/wycheproof, folder testvectors_v1"
        );
    }
    folder.map(PathBuf::from)
}

fn read(folder: &std::path::Path, name: &str) -> Value {
    let text = std::fs::read(folder.join("wycheproof").join(name)).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// One element of DER.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    let length = match length {
        [0, short @ ..128] => vec![short],
        [0, short] => vec![0x81, short],
        long => [&[0x82], long.as_slice()].concat(),
    };
    [&[tag], length.as_slice(), content].concat()
}

/// The private key of a vector as it would be stored: PKCS#8 (RFC 5208), or the bytes of a MAC key.
fn private_key(jwk: &Value) -> Vec<u8> {
    // Leniently, because the last character of a key has unused bits (vector 4).
    let lenient = base64::engine::general_purpose::NO_PAD.with_decode_allow_trailing_bits(true);
    let base64url = base64::engine::GeneralPurpose::new(&base64::alphabet::URL_SAFE, lenient);
    let bytes =
        |name: &str| base64::Engine::decode(&base64url, jwk[name].as_str().unwrap()).unwrap();
    if jwk["kty"] == "oct" {
        return bytes("k");
    }
    // RFC 8017, appendix A.1.2; RFC 5915, section 3.
    let key = if jwk.get("crv").is_none() {
        // A leading zero if the number would be negative, and not otherwise.
        let number = |name: &str| match bytes(name) {
            bytes if bytes[0] < 128 => der(2, &bytes),
            bytes => der(2, &[&[0], bytes.as_slice()].concat()),
        };
        let numbers = ["n", "e", "d", "p", "q", "dp", "dq", "qi"].map(number);
        der(0x30, &[der(2, &[0]), numbers.concat()].concat())
    } else {
        let point = der(3, &[&[0, 4], bytes("x").as_slice(), &bytes("y")].concat());
        der(0x30, &[der(2, &[1]), der(4, &bytes("d")), der(0xa1, &point)].concat())
    };
    let curve = match jwk["crv"].as_str() {
        Some("P-256") => b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07".as_slice(),
        Some("P-384") => b"\x06\x05\x2b\x81\x04\x00\x22",
        Some("P-521") => b"\x06\x05\x2b\x81\x04\x00\x23",
        _ => b"\x05\x00",
    };
    let family = match jwk["kty"].as_str().unwrap() {
        "RSA" => b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01".as_slice(),
        "EC" => b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01",
        other => panic!("{other} is no kind of key that the vectors have"),
    };
    let identifier = der(0x30, &[family, curve].concat());
    der(0x30, &[der(2, &[0]), identifier, der(4, &key)].concat())
}

/// The key of a vector as a row of the store, with the identifier of its public key. `None` if the
/// service has no key for its algorithm.
fn stored_key(master: &MasterKey, jwk: &Value) -> Option<StoredKey> {
    let algorithm = Algorithm::from_name(jwk["alg"].as_str()?)?;
    let text = |name: &str| jwk[name].as_str().unwrap_or_default().to_owned();
    let (purpose, id) = match algorithm {
        Algorithm::Hs256 => (KeyPurpose::Refresh, KeyId(text("kid"))),
        Algorithm::Ps256 | Algorithm::Rs256 => {
            (KeyPurpose::Access, PublicKey::Rsa { n: text("n"), e: text("e") }.id())
        }
        Algorithm::Es256 => {
            (KeyPurpose::Access, PublicKey::P256 { x: text("x"), y: text("y") }.id())
        }
        Algorithm::EdDsa => (KeyPurpose::Access, PublicKey::Ed25519 { x: text("x") }.id()),
    };
    let associated_data = AssociatedData { id: &id, purpose, algorithm };
    let wrapped =
        wrap::wrap(master, &SystemEntropy::new(), &associated_data, &private_key(jwk)).unwrap();
    let (created_at, active_from) = (at(0), at(0));
    let (public_jwk, revoked_at) = (None, None);
    Some(StoredKey {
        id,
        purpose,
        algorithm,
        wrapped,
        public_jwk,
        created_at,
        active_from,
        revoked_at,
    })
}

/// The ring of the keys of a set, if the service would install every one of them.
fn ring_of(keys: &[&Value]) -> Option<Ring> {
    let master = MasterKey::generate(&SystemEntropy::new());
    let stored: Option<Vec<_>> = keys.iter().map(|jwk| stored_key(&master, jwk)).collect();
    let lives = Lives { access: ACCESS_TTL, refresh: SESSION_MAX };
    Ring::empty(lives).renewed(&master.into(), &stored?).ok()
}

/// The public key with which the service would verify signatures of the only access key of a ring.
fn verifying(ring: &Ring) -> Option<(Algorithm, DecodingKey)> {
    let key = ring.signing(KeyPurpose::Access, at(NOW))?;
    match key.material() {
        Material::Access { keys, .. } => Some((key.stored.algorithm, keys.verifying.clone())),
        _ => None,
    }
}

fn is_accepted(token: &str, algorithm: Algorithm, key: &DecodingKey) -> bool {
    Compact::parse(token).is_some_and(|compact| compact.verify(key, algorithm).is_some())
}

/// The results of the vectors of a file.
#[derive(Default)]
struct Outcome {
    run: usize,
    wrongly_accepted: Vec<u64>,
    refused: BTreeSet<u64>,
}

impl Outcome {
    fn note(&mut self, test: &Value, accepted: bool) {
        self.run += 1;
        let number = test["tcId"].as_u64().unwrap();
        match (test["result"].as_str().unwrap(), accepted) {
            ("invalid", true) => self.wrongly_accepted.push(number),
            ("valid", false) => drop(self.refused.insert(number)),
            ("valid", true) | ("invalid", false) => {}
            (other, _) => panic!("{number} is {other}: decide what is to become of it"),
        }
    }

    /// Asserts that exactly the vectors in the table were refused.
    fn assert_named(&self, table: &[(u64, &str)], inapplicable: &[(u64, &str)], file: &Value) {
        let all = self.run + inapplicable.len();
        assert_eq!(all as u64, file["numberOfTests"].as_u64().unwrap());
        let named: BTreeSet<u64> = table.iter().map(|(number, _)| *number).collect();
        let unnamed: Vec<_> = self.refused.difference(&named).collect();
        let stale: Vec<_> = named.difference(&self.refused).collect();
        assert!(unnamed.is_empty(), "valid, refused and not in the table: {unnamed:?}");
        assert!(stale.is_empty(), "in the table, but not refused any more: {stale:?}");
        for (number, reason) in table {
            println!("refused on purpose: {number}: {reason}");
        }
        for (number, reason) in inapplicable {
            println!("does not apply: {number}: {reason}");
        }
    }
}

/// The keys of each group, with their private keys, and its applicable tests.
fn groups<'a>(
    file: &'a Value,
    inapplicable: &'static [(u64, &str)],
) -> impl Iterator<Item = (Vec<&'a Value>, Vec<&'a Value>)> {
    let applies = |test: &&Value| !inapplicable.iter().any(|(number, _)| test["tcId"] == *number);
    file["testGroups"].as_array().unwrap().iter().filter_map(move |group| {
        let private = &group["private"];
        let keys = private["keys"].as_array().map_or(vec![private], |keys| keys.iter().collect());
        let tests: Vec<_> = group["tests"].as_array().unwrap().iter().filter(applies).collect();
        (!tests.is_empty()).then_some((keys, tests))
    })
}

#[test]
fn wycheproof_signatures_are_judged_rightly() {
    let Some(folder) = folder() else { return };
    let file = read(&folder, "json_web_signature_test.json");
    let mut outcome = Outcome::default();
    for (keys, tests) in groups(&file, INAPPLICABLE_SIGNATURES) {
        let key = match keys[..] {
            // The service verifies with a derived MAC key. The test uses the vector's own.
            [jwk] if jwk["alg"] == "HS256" => {
                Some((Algorithm::Hs256, DecodingKey::from_secret(&private_key(jwk))))
            }
            _ => ring_of(&keys).as_ref().and_then(verifying),
        };
        for test in tests {
            let token = test["jws"].as_str().unwrap();
            let accepted =
                key.as_ref().is_some_and(|(algorithm, key)| is_accepted(token, *algorithm, key));
            outcome.note(test, accepted);
        }
    }
    assert_eq!(outcome.wrongly_accepted, COPIES_OF_A_VALID_ONE);
    let token = |number: u64| {
        let mut tests = groups(&file, &[]).flat_map(|(_, tests)| tests);
        &tests.find(|test| test["tcId"] == number).unwrap()["jws"]
    };
    assert!(COPIES_OF_A_VALID_ONE.iter().all(|copy| token(*copy) == token(357)));
    outcome.assert_named(REFUSED_SIGNATURES, INAPPLICABLE_SIGNATURES, &file);
}

#[test]
fn wycheproof_keys_are_judged_rightly() {
    let Some(folder) = folder() else { return };
    let file = read(&folder, "json_web_key_test.json");
    let mut outcome = Outcome::default();
    for (keys, tests) in groups(&file, INAPPLICABLE_KEYS) {
        let ring = ring_of(&keys);
        for test in tests {
            let token = test["jws"].as_str().unwrap();
            // A MAC key that is installed is accepted. For a key pair, the signature decides.
            let accepted = ring.as_ref().is_some_and(|ring| match verifying(ring) {
                Some((algorithm, key)) => is_accepted(token, algorithm, &key),
                None => true,
            });
            outcome.note(test, accepted);
        }
    }
    assert_eq!(outcome.wrongly_accepted, [0; 0]);
    outcome.assert_named(REFUSED_KEYS, INAPPLICABLE_KEYS, &file);
}
