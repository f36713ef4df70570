//! Emailed links: what their secrets are derived from, and what cannot be derived from them.

use std::collections::HashSet;

use super::*;

/// Number of secrets that the tests of randomness create.
const MANY: u64 = 10_000;

fn salt(number: u64) -> Salt {
    let mut salt = [0; 32];
    salt[..8].copy_from_slice(&number.to_be_bytes());
    Salt(salt)
}

#[test]
fn the_same_key_and_salt_give_the_same_secret_on_every_node() {
    let mut fixture = KeyringFixture::new(Algorithm::EdDsa);
    let first = fixture.add(KeyPurpose::Link, Algorithm::Hs256, 0);
    assert_eq!(fixture.keyring.link_key(at(NOW)), Ok(first.clone()));
    let secret = fixture.keyring.link_secret(&first, &salt(1)).unwrap();

    let next = fixture.add(KeyPurpose::Link, Algorithm::Hs256, NOW);
    assert_eq!(fixture.keyring.link_key(at(NOW)), Ok(next.clone()));
    let node = keyring_with(settings(), &fixture.master);
    node.install_keys(&fixture.keys).unwrap();
    assert_eq!(node.link_secret(&first, &salt(1)), Ok(secret.clone()));
    assert_ne!(node.link_secret(&next, &salt(1)).unwrap().token, secret.token);
    assert_ne!(node.link_secret(&first, &salt(2)).unwrap().token, secret.token);
}

#[test]
fn a_key_of_another_purpose_makes_no_links_and_a_link_key_signs_no_token() {
    let mut fixture = KeyringFixture::new(Algorithm::EdDsa);
    assert_eq!(fixture.keyring.link_key(at(NOW)), Err(TokenError::NoKey));
    let refresh = fixture.keys[1].id.clone();
    assert_eq!(fixture.keyring.link_secret(&refresh, &salt(1)), Err(TokenError::NoKey));

    let link = fixture.add(KeyPurpose::Link, Algorithm::Hs256, 0);
    fixture.add(KeyPurpose::Link, Algorithm::Hs256, 1);
    for typ in ["at+jwt", "rt+jwt", ""] {
        let header = json!({"alg": "HS256", "typ": typ, "kid": link.0}).to_string();
        let token = format!("{}.{}.{}", jws::encode(header.as_bytes()), "e30", "AAAA");
        assert_eq!(fixture.check_access_at(&token, at(NOW)), Err(TokenError::Invalid));
    }
    assert!(!fixture.keyring.jwks(at(NOW)).unwrap().contains(&link.0));
    let asymmetric = fixture.keyring.make_key(KeyPurpose::Link, Algorithm::EdDsa, at(NOW), at(NOW));
    assert_eq!(asymmetric, Err(KeyError::Failed));
}

/// Row V2: ten thousand tokens are 256 bits each, all different, without a biased bit or a shared
/// prefix; the codes use all their digits.
#[test]
fn v2_tokens_and_codes_show_no_structure() {
    let mut fixture = KeyringFixture::new(Algorithm::EdDsa);
    let key = fixture.add(KeyPurpose::Link, Algorithm::Hs256, 0);
    let mut tokens = HashSet::new();
    let mut prefixes = HashSet::new();
    let mut ones = [0_u32; 256];
    let mut digits = [[0_u32; 10]; 8];
    for number in 0..MANY {
        let secret = fixture.keyring.link_secret(&key, &salt(number)).unwrap();
        let bytes = jws::decode(secret.token.expose()).unwrap();
        assert_eq!(bytes.len(), 32);
        for (index, count) in ones.iter_mut().enumerate() {
            *count += u32::from(bytes[index / 8] >> (index % 8) & 1);
        }
        for (index, digit) in secret.code.expose().bytes().enumerate() {
            digits[index][usize::from(digit - b'0')] += 1;
        }
        prefixes.insert(bytes[..8].to_vec());
        tokens.insert(bytes);
    }
    assert_eq!(tokens.len() as u64, MANY);
    assert_eq!(prefixes.len() as u64, MANY);
    // Six standard deviations: 50 of a bit, 30 of a digit.
    assert!(ones.iter().all(|count| count.abs_diff(5000) < 300), "{ones:?}");
    assert!(digits.iter().flatten().all(|count| count.abs_diff(1000) < 180), "{digits:?}");
}
