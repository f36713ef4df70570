//! The cache of verified tokens: it is bounded, and never the only reason to accept a token.
//!
//! All tests of the keyring assert that it changes no result: [`KeyringFixture::check_access_at`]
//! verifies twice, and with a keyring without a cache too.

use super::*;

/// Inserts a string into the cache as if it were a verified token of this key.
fn plant(fixture: &KeyringFixture, text: &str, key_id: &KeyId) {
    let payload = jws::decode(fixture.access().split('.').nth(1).unwrap()).unwrap();
    let good = crate::claims::read_access(&payload, key_id.clone(), ISSUER, AUDIENCE).unwrap();
    fixture.keyring.verified.insert(fixture.keyring.verified.hash(text).unwrap(), good);
}

#[test]
fn a_good_token_is_remembered_and_its_signature_not_verified_again() {
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let token = fixture.access();
    for _ in 0..3 {
        fixture.check_access(&token).unwrap();
        assert_eq!(fixture.keyring.verified.len(), 1);
    }
    assert_eq!(fixture.forgetful.verified.len(), 0);
    assert!(fixture.forgetful.verified.hash(&token).is_none(), "off is off");
    // Not a token, but cached as one: its signature is not verified.
    plant(&fixture, "remembered", &fixture.keys[0].id);
    assert!(fixture.keyring.verify_access("remembered", at(NOW)).is_ok());
    fixture.assert_refused("remembere", "not to the last byte");
}

#[test]
fn what_is_remembered_is_judged_by_the_keys_and_the_time_of_each_request() {
    let mut fixture = KeyringFixture::new(Algorithm::EdDsa);
    plant(&fixture, "of no key", &KeyId("none".to_owned()));
    plant(&fixture, "of a key", &fixture.keys[0].id);
    let check = |fixture: &KeyringFixture, text: &str, now| {
        fixture.keyring.verify_access(text, at(now)).map(|_| ())
    };
    assert_eq!(check(&fixture, "of no key", NOW), Err(TokenError::Invalid));
    assert_eq!(check(&fixture, "of a key", NOW - 6), Err(TokenError::Invalid), "not made yet");
    assert_eq!(check(&fixture, "of a key", NOW - 5), Ok(()));
    assert_eq!(check(&fixture, "of a key", NOW + ACCESS_TTL), Err(TokenError::Expired));
    fixture.revoke(&fixture.keys[0].id.clone(), NOW);
    assert_eq!(check(&fixture, "of a key", NOW), Err(TokenError::Invalid));
}

#[test]
fn a_remembered_token_expires_to_the_microsecond() {
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let token = fixture.access();
    let end = at(NOW + ACCESS_TTL);
    assert!(fixture.check_access(&token).is_ok());
    assert!(fixture.check_access_at(&token, Timestamp::from_micros(end.micros() - 1)).is_ok());
    assert_eq!(fixture.check_access_at(&token, end), Err(TokenError::Expired));
    assert!(fixture.keyring.verify_access_ignoring_expiry(&token, end).is_ok());
}

#[test]
fn a_remembered_token_dies_with_its_key() {
    let deaths: [fn(&mut KeyringFixture); 3] = [
        |fixture| fixture.revoke(&fixture.keys[0].id.clone(), NOW),
        |fixture| drop(fixture.keys.remove(0)),
        // Its key was replaced so long ago that it retired.
        |fixture| {
            let key = fixture.keyring.make_key(KeyPurpose::Access, Algorithm::EdDsa, at(1), at(1));
            fixture.keys.push(key.unwrap());
        },
    ];
    for die in deaths {
        let mut fixture = KeyringFixture::new(Algorithm::EdDsa);
        // So that there is a key at all.
        fixture.add(KeyPurpose::Access, Algorithm::EdDsa, NOW + 100);
        let (alive, token) = (fixture.keys.clone(), fixture.access());
        assert!(fixture.check_access(&token).is_ok());
        die(&mut fixture);
        fixture.install(&fixture.keys).unwrap();
        assert_eq!(fixture.check_access(&token), Err(TokenError::Invalid));
        assert_eq!(fixture.keyring.verified.len(), 1, "it was remembered all the while");
        fixture.install(&alive).unwrap();
        assert!(fixture.check_access(&token).is_ok(), "the keys alone decide");
    }
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let token = fixture.access();
    assert!(fixture.check_access(&token).is_ok());
    fixture.install(&[]).unwrap();
    assert_eq!(fixture.check_access(&token), Err(TokenError::NoKey));
}

#[test]
fn a_token_that_is_refused_is_not_remembered() {
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let claims = segment(&fixture.access(), 1);
    let foreign = with(&claims, "aud", Some(json!("https://other.example.org")));
    let to_come = with(&claims, "nbf", Some(json!(NOW + 6)));
    let (message, signature) = (fixture.access(), KeyringFixture::new(Algorithm::EdDsa).access());
    let message = message.rsplit_once('.').unwrap().0;
    let signature = signature.rsplit_once('.').unwrap().1;
    for (token, error) in [
        (fixture.access_at(NOW - ACCESS_TTL), TokenError::Expired),
        (fixture.refresh(), TokenError::WrongKind),
        (fixture.forge_access(&foreign), TokenError::Invalid),
        (fixture.forge_access(&to_come), TokenError::Invalid),
        (format!("{message}.{signature}"), TokenError::Invalid),
        ("a.b.c".to_owned(), TokenError::Invalid),
        ("a".repeat(10_000), TokenError::Invalid),
    ] {
        assert_eq!(fixture.check_access(&token), Err(error));
        assert_eq!(fixture.keyring.verified.len(), 0);
    }
    let token = fixture.forge_access(&to_come);
    assert!(fixture.check_access_at(&token, at(NOW + 1)).is_ok(), "its time has come");
    assert_eq!(fixture.check_access(&token), Err(TokenError::Invalid), "a clock that was set back");
}

#[test]
fn a_remembered_access_token_is_no_refresh_token() {
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let (access, refresh) = (fixture.access(), fixture.refresh());
    for _ in 0..2 {
        assert!(fixture.check_access(&access).is_ok());
        assert_eq!(fixture.check_refresh(&access), Err(TokenError::WrongKind));
        assert!(fixture.check_refresh(&refresh).is_ok());
    }
    assert_eq!(fixture.keyring.verified.len(), 1, "refresh tokens are not remembered");
}

#[test]
fn only_so_many_tokens_are_remembered_and_all_are_still_believed() {
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let tokens: Vec<String> = (0..500).map(|second| fixture.access_at(NOW - second)).collect();
    for token in &tokens {
        assert!(fixture.check_access(token).is_ok());
        assert!(fixture.keyring.verified.len() <= VERIFIED_MAX);
    }
    assert!(fixture.keyring.verified.len() > VERIFIED_MAX / 2, "the room is used");
    for token in &tokens {
        assert!(fixture.check_access(token).is_ok(), "forgotten or not");
    }
}

#[test]
fn threads_that_read_while_keys_change_never_see_a_revoked_key_believed() {
    let mut fixture = KeyringFixture::new(Algorithm::EdDsa);
    let tokens: Vec<String> = (0..50).map(|second| fixture.access_at(NOW - second)).collect();
    let good = fixture.keys.clone();
    fixture.keys[0].revoked_at = Some(at(NOW));
    let (keyring, revoked) = (&fixture.keyring, &fixture.keys);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for token in tokens.iter().cycle().take(2000) {
                    let read = keyring.verify_access(token, at(NOW)).map(|_| ());
                    assert!(matches!(read, Ok(()) | Err(TokenError::Invalid)), "{read:?}");
                }
            });
        }
        for _ in 0..200 {
            keyring.install_keys(revoked).unwrap();
            let refused = |token: &String| keyring.verify_access(token, at(NOW)).is_err();
            assert!(tokens.iter().all(refused), "from the moment that they are installed");
            keyring.install_keys(&good).unwrap();
        }
    });
}
