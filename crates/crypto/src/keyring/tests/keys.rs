//! Keys: created, installed, published, rotated and retired.

use std::collections::HashSet;

use super::*;

/// The published keys, each as an object.
fn published(keyring: &Keyring, now: i64) -> Vec<serde_json::Map<String, Value>> {
    let set: Value = serde_json::from_str(&keyring.jwks(at(now)).unwrap()).unwrap();
    assert_eq!(set.as_object().unwrap().len(), 1, "nothing but keys");
    let keys = set["keys"].as_array().unwrap();
    keys.iter().map(|key| key.as_object().unwrap().clone()).collect()
}

/// Row J24: the set contains only public members, with unique identifiers, and the use of each key.
#[test]
fn j24_the_key_set_holds_only_public_members() {
    let mut fixture = KeyringFixture::new(Algorithm::EdDsa);
    for algorithm in ACCESS_ALGORITHMS {
        fixture.add(KeyPurpose::Access, algorithm, NOW);
    }
    fixture.add(KeyPurpose::Refresh, Algorithm::Hs256, NOW);
    let keys = published(&fixture.keyring, NOW);
    assert_eq!(keys.len(), 5, "every access key and no refresh key");
    let names: HashSet<&str> = keys.iter().map(|key| key["kid"].as_str().unwrap()).collect();
    assert_eq!(names.len(), keys.len());
    for key in &keys {
        let mut members: Vec<&str> = key.keys().map(String::as_str).collect();
        members.sort_unstable();
        let (kind, expected) = match key["alg"].as_str().unwrap() {
            "EdDSA" => ("OKP", vec!["alg", "crv", "kid", "kty", "use", "x"]),
            "ES256" => ("EC", vec!["alg", "crv", "kid", "kty", "use", "x", "y"]),
            "PS256" | "RS256" => ("RSA", vec!["alg", "e", "kid", "kty", "n", "use"]),
            other => panic!("{other} is never published"),
        };
        assert_eq!((key["kty"].as_str().unwrap(), members), (kind, expected));
        assert_eq!(key["use"], "sig");
        if let Some(n) = key.get("n") {
            assert_eq!(jws::decode(n.as_str().unwrap()).unwrap().len(), 384, "3072 bits");
        }
    }
}

/// Row J24: any JWT library can verify the tokens with the published keys, as a resource server
/// does.
#[test]
fn j24_the_key_set_verifies_our_tokens_elsewhere() {
    for algorithm in ACCESS_ALGORITHMS {
        let fixture = KeyringFixture::new(algorithm);
        let set: jsonwebtoken::jwk::JwkSet =
            serde_json::from_str(&fixture.keyring.jwks(at(NOW)).unwrap()).unwrap();
        let jwk = set.find(fixture.access_id()).unwrap();
        let key = jsonwebtoken::DecodingKey::from_jwk(jwk).unwrap();
        let name = algorithm.as_str().parse().unwrap();
        let mut validation = jsonwebtoken::Validation::new(name);
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[ISSUER]);
        validation.validate_exp = false;
        let read = jsonwebtoken::decode::<Value>(fixture.access(), &key, &validation).unwrap();
        assert_eq!(read.claims["sub"], user().id.to_string());
    }
}

/// Row J24: the identifier of a public key is its thumbprint; that of a refresh key is random.
#[test]
fn j24_the_names_of_keys_say_nothing_private() {
    let fixture = KeyringFixture::new(Algorithm::Es256);
    let jwk: jsonwebtoken::jwk::Jwk =
        serde_json::from_str(fixture.keys[0].public_jwk.as_ref().unwrap()).unwrap();
    let thumbprint = jwk.thumbprint(jsonwebtoken::jwk::ThumbprintHash::SHA256);
    assert_eq!(thumbprint.unwrap(), fixture.access_id());
    assert_eq!(fixture.keys[1].public_jwk, None);
    assert_eq!(jws::decode(fixture.refresh_id()).unwrap().len(), 16);
}

/// Row J25: a new key is published before it signs; the old one is accepted until its last token
/// has expired; no genuine token is refused at any second in between.
#[test]
fn j25_a_rotation_refuses_no_active_token_and_retires_the_old_key() {
    let mut fixture = KeyringFixture::new(Algorithm::EdDsa);
    let old = fixture.keys[0].id.clone();
    let switch = NOW + 600;
    let new = fixture.add(KeyPurpose::Access, Algorithm::Es256, switch);
    let mut active: Vec<(i64, String)> = Vec::new();
    for now in (NOW..switch + 2 * ACCESS_TTL).step_by(15) {
        let token = fixture.access_at(now);
        let signer = if now < switch { &old } else { &new };
        assert_eq!(segment(&token, 0)["kid"], signer.0);
        active.push((now + ACCESS_TTL, token));
        for (expires_at, token) in &active {
            let read = fixture.check_access_at(token, at(now)).map(|_| ());
            let retired = *expires_at + 6 < now;
            match read {
                Ok(()) => assert!(*expires_at > now),
                Err(error) => {
                    assert!(*expires_at <= now, "an active token was refused: {error}");
                    let expired = matches!(error, TokenError::Expired);
                    assert!(expired || (retired && error == TokenError::Invalid), "{error}");
                }
            }
        }
        let names: HashSet<String> = published(&fixture.keyring, now)
            .iter()
            .map(|key| key["kid"].as_str().unwrap().to_owned())
            .collect();
        assert!(names.contains(&new.0), "from the moment it was made");
        assert_eq!(names.contains(&old.0), now < switch + ACCESS_TTL + 5, "until it retires");
    }
}

/// Row J25: a retired key is not accepted, whatever its tokens contain.
#[test]
fn j25_a_retired_key_is_refused() {
    let mut fixture = KeyringFixture::new(Algorithm::EdDsa);
    let claims = segment(&fixture.access(), 1);
    let claims = with(&claims, "exp", Some(json!(NOW + 1_000_000)));
    let token = fixture.forge_access(&claims);
    fixture.add(KeyPurpose::Access, Algorithm::EdDsa, NOW);
    let check = |seconds| fixture.check_access_at(&token, at(NOW + seconds)).map(|_| ());
    assert_eq!(check(ACCESS_TTL + 4), Ok(()));
    assert_eq!(check(ACCESS_TTL + 5), Err(TokenError::Invalid));
}

/// Row J25: a key that does not sign yet has signed nothing, except under a clock that is ahead.
#[test]
fn j25_a_key_to_come_is_not_believed_yet() {
    let mut fixture = KeyringFixture::new(Algorithm::EdDsa);
    let next = fixture.add(KeyPurpose::Access, Algorithm::EdDsa, NOW + 100);
    let token = fixture.access_at(NOW + 100);
    assert_eq!(segment(&token, 0)["kid"], next.0);
    let check = |seconds| fixture.check_access_at(&token, at(NOW + seconds)).map(|_| ());
    assert_eq!(check(94), Err(TokenError::Invalid));
    assert_eq!(check(95), Ok(()));
    let published = published(&fixture.keyring, NOW);
    assert!(published.iter().any(|key| key["kid"] == next.0), "published all the same");
}

/// Row J25: a refresh key is accepted for as long as a session can last.
#[test]
fn j25_a_refresh_key_outlives_its_successor_by_the_longest_session() {
    let mut fixture = KeyringFixture::new(Algorithm::EdDsa);
    let token = fixture.refresh();
    let new = fixture.add(KeyPurpose::Refresh, Algorithm::Hs256, NOW + 600);
    assert_eq!(fixture.keyring.refresh_key(at(NOW + 599)).unwrap(), fixture.keys[1].id);
    assert_eq!(fixture.keyring.refresh_key(at(NOW + 600)).unwrap(), new);
    let check = |seconds| fixture.keyring.verify_refresh(&token, at(NOW + seconds)).map(|_| ());
    assert_eq!(check(600 + SESSION_MAX + 4), Ok(()));
    assert_eq!(check(600 + SESSION_MAX + 5), Err(TokenError::Invalid));
}

#[test]
fn without_keys_there_is_nothing_to_sign_or_to_check_with() {
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let (access, refresh) = (fixture.access(), fixture.refresh());
    let empty = keyring_with(settings(), &fixture.master);
    let user = user();
    assert_eq!(empty.sign_access(&grant(&user, NOW)).err(), Some(TokenError::NoKey));
    assert_eq!(empty.sign_refresh(&fixture.session(1)).err(), Some(TokenError::NoKey));
    assert_eq!(empty.refresh_key(at(NOW)).err(), Some(TokenError::NoKey));
    assert_eq!(empty.verify_access(&access, at(NOW)).err(), Some(TokenError::NoKey));
    assert_eq!(empty.verify_refresh(&refresh, at(NOW)).err(), Some(TokenError::NoKey));
    assert_eq!(empty.jwks(at(NOW)), None);
    let before = fixture.keyring.sign_access(&grant(&user, -10));
    assert_eq!(before.err(), Some(TokenError::NoKey), "no key is active yet");
}

#[test]
fn keys_are_installed_all_or_none() {
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let token = fixture.access();
    let other = KeyringFixture::new(Algorithm::EdDsa);
    let foreign = [fixture.keys[0].clone(), other.keys[0].clone()];
    let refused = fixture.install(&foreign);
    assert_eq!(refused, Err(KeyError::CannotOpen(other.keys[0].id.clone())));
    assert!(fixture.check_access(&token).is_ok(), "the keys from before are still in use");
    let twice = [fixture.keys[0].clone(), fixture.keys[0].clone()];
    assert_eq!(fixture.install(&twice), Err(KeyError::Corrupt(fixture.keys[0].id.clone())));
    fixture.install(&[]).unwrap();
    assert_eq!(fixture.check_access(&token), Err(TokenError::NoKey), "exactly these keys");
}

/// An attacker with write access to the database cannot substitute a key, an identifier or an
/// algorithm.
#[test]
fn a_stored_key_cannot_be_passed_off_as_another() {
    let fixture = KeyringFixture::new(Algorithm::Rs256);
    let other = KeyringFixture::new(Algorithm::EdDsa);
    let (access, refresh) = (&fixture.keys[0], &fixture.keys[1]);
    let cannot_open = [
        StoredKey { id: other.keys[0].id.clone(), ..access.clone() },
        StoredKey { algorithm: Algorithm::Ps256, ..access.clone() },
        StoredKey { purpose: KeyPurpose::Access, ..refresh.clone() },
        StoredKey { wrapped: refresh.wrapped.clone(), ..access.clone() },
        StoredKey { wrapped: Vec::new(), ..access.clone() },
    ];
    let node = keyring_with(settings(), &fixture.master);
    for key in cannot_open {
        let refused = node.install_keys(std::slice::from_ref(&key));
        assert_eq!(refused, Err(KeyError::CannotOpen(key.id)));
    }
    // The same applies to a key that is already installed.
    for key in [
        StoredKey { algorithm: Algorithm::Ps256, ..access.clone() },
        StoredKey { purpose: KeyPurpose::Link, ..refresh.clone() },
    ] {
        let refused = fixture.keyring.install_keys(std::slice::from_ref(&key));
        assert_eq!(refused, Err(KeyError::CannotOpen(key.id)));
    }
    // The public part in the store is not protected, so it has no effect.
    let published = fixture.keyring.jwks(at(NOW));
    let token = fixture.access();
    let painted = StoredKey { public_jwk: other.keys[0].public_jwk.clone(), ..access.clone() };
    node.install_keys(&[painted]).unwrap();
    assert_eq!(node.jwks(at(NOW)), published);
    assert!(node.verify_access(&token, at(NOW)).is_ok());
}

#[test]
fn a_purpose_takes_only_its_algorithms() {
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let make =
        |purpose, algorithm| fixture.keyring.make_key(purpose, algorithm, at(0), at(0)).err();
    assert_eq!(make(KeyPurpose::Access, Algorithm::Hs256), Some(KeyError::Failed));
    for algorithm in ACCESS_ALGORITHMS {
        assert_eq!(make(KeyPurpose::Refresh, algorithm), Some(KeyError::Failed));
    }
}
