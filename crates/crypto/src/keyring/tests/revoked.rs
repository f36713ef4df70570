//! Revoked keys: they sign nothing, are not accepted and not published.

use super::*;

#[test]
fn a_revoked_access_key_neither_signs_nor_is_believed_nor_published() {
    let mut fixture = KeyringFixture::new(Algorithm::EdDsa);
    let (bad, token) = (fixture.keys[0].id.clone(), fixture.access());
    let next = fixture.add(KeyPurpose::Access, Algorithm::Es256, NOW);
    assert!(fixture.check_access(&token).is_ok(), "rotated away, and believed for a while");
    fixture.revoke(&bad, NOW);
    assert_eq!(fixture.check_access(&token), Err(TokenError::Invalid));
    let past = fixture.keyring.verify_access_ignoring_expiry(&token, at(NOW + ACCESS_TTL));
    assert_eq!(past, Err(TokenError::Invalid), "not even to log out");
    assert!(fixture.check_access(&fixture.access()).is_ok());
    let set = fixture.keyring.jwks(at(NOW)).unwrap();
    assert!(set.contains(&next.0) && !set.contains(&bad.0));
}

#[test]
fn when_the_only_key_is_revoked_nothing_is_signed() {
    let mut fixture = KeyringFixture::new(Algorithm::EdDsa);
    let (token, refresh) = (fixture.access(), fixture.refresh());
    for id in [fixture.keys[0].id.clone(), fixture.keys[1].id.clone()] {
        fixture.revoke(&id, NOW);
    }
    let user = user();
    assert_eq!(fixture.keyring.sign_access(&grant(&user, NOW)), Err(TokenError::NoKey));
    assert_eq!(fixture.keyring.refresh_key(at(NOW)), Err(TokenError::NoKey));
    assert_eq!(fixture.keyring.jwks(at(NOW)), None);
    fixture.assert_refused(&token, "signed before");
    fixture.assert_refused(&refresh, "signed before");
}

#[test]
fn a_line_whose_key_was_revoked_has_no_token_any_more() {
    let mut fixture = KeyringFixture::new(Algorithm::EdDsa);
    let (session, bad) = (fixture.session(2), fixture.keys[1].id.clone());
    assert!(fixture.keyring.sign_refresh(&session).is_ok());
    let next = fixture.add(KeyPurpose::Refresh, Algorithm::Hs256, NOW);
    fixture.revoke(&bad, NOW);
    assert_eq!(fixture.keyring.sign_refresh(&session), Err(TokenError::Invalid));
    assert_eq!(fixture.keyring.refresh_key(at(NOW)), Ok(next));
}

#[test]
fn a_revoked_link_key_makes_no_links() {
    let mut fixture = KeyringFixture::new(Algorithm::EdDsa);
    let bad = fixture.add(KeyPurpose::Link, Algorithm::Hs256, 0);
    let next = fixture.add(KeyPurpose::Link, Algorithm::Hs256, NOW);
    assert!(fixture.keyring.link_secret(&bad, &Salt([1; 32])).is_ok(), "rotated away only");
    fixture.revoke(&bad, NOW);
    assert_eq!(fixture.keyring.link_secret(&bad, &Salt([1; 32])), Err(TokenError::NoKey));
    assert_eq!(fixture.keyring.link_key(at(NOW)), Ok(next));
}

/// A list of keys that cannot be unwrapped completely still takes revoked keys out of use.
#[test]
fn a_key_is_revoked_although_another_one_cannot_be_opened() {
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let token = fixture.access();
    let mut keys = fixture.keys.clone();
    keys[0].revoked_at = Some(at(NOW));
    keys.push(StoredKey {
        id: KeyId("foreign".to_owned()),
        wrapped: vec![7; 60],
        ..keys[1].clone()
    });
    assert!(fixture.keyring.install_keys(&keys).is_err());
    assert_eq!(fixture.keyring.verify_access(&token, at(NOW)), Err(TokenError::Invalid));
    let user = user();
    assert_eq!(fixture.keyring.sign_access(&grant(&user, NOW)), Err(TokenError::NoKey));
    assert!(fixture.keyring.refresh_key(at(NOW)).is_ok(), "the others go on");
}

/// A browser that was away for long logs out with a token whose key has retired since.
#[test]
fn a_token_whose_key_has_retired_still_names_its_session() {
    let mut fixture = KeyringFixture::new(Algorithm::EdDsa);
    let token = fixture.access();
    fixture.add(KeyPurpose::Access, Algorithm::EdDsa, NOW);
    let late = at(NOW + ACCESS_TTL + 3600);
    assert_eq!(fixture.keyring.verify_access(&token, late), Err(TokenError::Invalid));
    assert!(fixture.keyring.verify_access_ignoring_expiry(&token, late).is_ok());
}
