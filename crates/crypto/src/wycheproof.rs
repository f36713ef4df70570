//! The vectors of Project Wycheproof for JSON Web Signatures and Keys, run over the code that
//! takes our own tokens apart and verifies them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use gateward_domain::key::Algorithm;
use jsonwebtoken::DecodingKey;
use serde_json::Value;

use crate::jws::{Compact, decode};

/// The fewest bits of an RSA modulus. Our own keys have 3072; the vectors' have 2048, and what is
/// to be shown here does not depend on it.
const RSA_BITS_MIN: usize = 2048;

/// Valid signatures that are refused on purpose, by the number of the vector.
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

/// The same for keys.
const REFUSED_KEYS: &[(u64, &str)] = &[(14, NO_ALGORITHM), (15, NO_ALGORITHM)];

/// Vectors that are called invalid and are, byte for byte, the valid vector 357.
const COPIES_OF_A_VALID_ONE: [u64; 2] = [367, 370];

const NO_ALGORITHM: &str = "an algorithm that no key of ours is for";
const NO_PAYLOAD: &str = "an empty payload, which holds no claims";
const NO_BASE64URL: &str = "a '?', which is no character of base64url";

/// The folder of the vectors, if it is given; fails on a machine that tests for all.
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

/// A key and the one algorithm that it is for, by the rules that the keys of the ring follow.
fn key_of(jwk: &Value) -> Option<(Algorithm, DecodingKey)> {
    let text = |name: &str| jwk[name].as_str();
    if jwk.get("use").is_some_and(|usage| usage != "sig") {
        return None;
    }
    let for_verifying = |operations: &Value| *operations == serde_json::json!(["verify"]);
    if !jwk.get("key_ops").is_none_or(for_verifying) {
        return None;
    }
    let algorithm = Algorithm::from_name(text("alg")?)?;
    let key = match (algorithm, text("kty")?, text("crv")) {
        (Algorithm::Hs256, "oct", None) => {
            let secret = decode(text("k")?)?;
            (secret.len() >= 32).then(|| DecodingKey::from_secret(&secret))?
        }
        (Algorithm::Es256, "EC", Some("P-256")) => {
            let (x, y) = (decode(text("x")?)?, decode(text("y")?)?);
            let point = [&[4], x.as_slice(), &y].concat();
            (x.len() == 32 && y.len() == 32).then(|| DecodingKey::from_ec_der(&point))?
        }
        (Algorithm::Ps256 | Algorithm::Rs256, "RSA", None) => {
            let (n, e) = (decode(text("n")?)?, decode(text("e")?)?);
            let sound = n.len() * 8 >= RSA_BITS_MIN && !has_roca_fingerprint(&n);
            sound.then(|| DecodingKey::from_rsa_raw_components(&n, &e))?
        }
        (Algorithm::EdDsa, "OKP", Some("Ed25519")) => {
            DecodingKey::from_ed_der(&decode(text("x")?)?)
        }
        _ => return None,
    };
    Some((algorithm, key))
}

/// Whether an RSA modulus comes from the generator of CVE-2017-15361: modulo every small prime it
/// is a power of 65537 (Nemec et al., 2017, section 3.3).
fn has_roca_fingerprint(modulus: &[u8]) -> bool {
    let primes = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157_u32];
    primes.iter().all(|prime| {
        let residue = modulus.iter().fold(0, |sum, byte| (sum * 256 + u32::from(*byte)) % prime);
        let mut power = 1;
        (0..*prime).any(|_| {
            power = power * 65537 % prime;
            power == residue
        })
    })
}

/// The keys of a set by name, or none: a name that stands there twice, or secret keys beside
/// public ones, spoil the set.
fn ring_of(jwks: &Value) -> Option<BTreeMap<String, (Algorithm, DecodingKey)>> {
    let keys = jwks["keys"].as_array()?;
    let secret = |key: &Value| key["kty"] == "oct";
    let mixed = keys.iter().any(secret) && !keys.iter().all(secret);
    let mut ring = BTreeMap::new();
    for jwk in keys {
        let name = jwk["kid"].as_str()?.to_owned();
        if mixed || ring.insert(name, key_of(jwk)?).is_some() {
            return None;
        }
    }
    Some(ring)
}

fn is_accepted(token: &str, algorithm: Algorithm, key: &DecodingKey) -> bool {
    Compact::parse(token).is_some_and(|compact| compact.verify(key, algorithm).is_some())
}

/// What became of the vectors of a file.
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

    /// Asserts that what was refused is what the table says, no more and no less.
    fn assert_named(&self, table: &[(u64, &str)], file: &Value) {
        assert_eq!(self.run as u64, file["numberOfTests"].as_u64().unwrap());
        let named: BTreeSet<u64> = table.iter().map(|(number, _)| *number).collect();
        let unnamed: Vec<_> = self.refused.difference(&named).collect();
        let stale: Vec<_> = named.difference(&self.refused).collect();
        assert!(unnamed.is_empty(), "valid, refused and not in the table: {unnamed:?}");
        assert!(stale.is_empty(), "in the table, but not refused any more: {stale:?}");
        for (number, reason) in table {
            println!("refused on purpose: {number}: {reason}");
        }
    }
}

fn groups(file: &Value) -> impl Iterator<Item = (&Value, &Value)> {
    file["testGroups"].as_array().unwrap().iter().map(|group| {
        let key = group.get("public").unwrap_or(&group["private"]);
        (key, &group["tests"])
    })
}

#[test]
fn wycheproof_signatures_are_judged_rightly() {
    let Some(folder) = folder() else { return };
    let file = read(&folder, "json_web_signature_test.json");
    let mut outcome = Outcome::default();
    for (jwk, tests) in groups(&file) {
        let key = key_of(jwk);
        for test in tests.as_array().unwrap() {
            let token = test["jws"].as_str().unwrap();
            let accepted =
                key.as_ref().is_some_and(|(algorithm, key)| is_accepted(token, *algorithm, key));
            outcome.note(test, accepted);
        }
    }
    assert_eq!(outcome.wrongly_accepted, COPIES_OF_A_VALID_ONE);
    let tests = || groups(&file).flat_map(|(_, tests)| tests.as_array().unwrap());
    let token = |number: u64| &tests().find(|test| test["tcId"] == number).unwrap()["jws"];
    assert!(COPIES_OF_A_VALID_ONE.iter().all(|copy| token(*copy) == token(357)));
    outcome.assert_named(REFUSED_SIGNATURES, &file);
}

#[test]
fn wycheproof_keys_are_judged_rightly() {
    let Some(folder) = folder() else { return };
    let file = read(&folder, "json_web_key_test.json");
    let mut outcome = Outcome::default();
    for (jwks, tests) in groups(&file) {
        let ring = ring_of(jwks);
        for test in tests.as_array().unwrap() {
            let token = test["jws"].as_str().unwrap();
            let name = Compact::parse(token).and_then(|compact| compact.header.kid);
            let key = ring.as_ref().zip(name).and_then(|(ring, name)| ring.get(&name));
            let accepted = key.is_some_and(|(algorithm, key)| is_accepted(token, *algorithm, key));
            outcome.note(test, accepted);
        }
    }
    assert_eq!(outcome.wrongly_accepted, [0; 0]);
    outcome.assert_named(REFUSED_KEYS, &file);
}
