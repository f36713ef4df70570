//! Revoked keys: they sign nothing, are not believed and not published.

use super::*;

#[test]
fn a_revoked_access_key_neither_signs_nor_is_believed_nor_published() {
    let mut rig = Rig::new(Algorithm::EdDsa);
    let (bad, token) = (rig.keys[0].id.clone(), rig.access());
    let next = rig.add(KeyPurpose::Access, Algorithm::Es256, NOW);
    assert!(rig.check_access(&token).is_ok(), "rotated away, and believed for a while");
    rig.revoke(&bad, NOW);
    assert_eq!(rig.check_access(&token), Err(TokenError::Invalid));
    let past = rig.keyring.verify_past_access(&token, at(NOW + ACCESS_TTL));
    assert_eq!(past, Err(TokenError::Invalid), "not even to log out");
    assert!(rig.check_access(&rig.access()).is_ok());
    let set = rig.keyring.jwks(at(NOW)).unwrap();
    assert!(set.contains(&next.0) && !set.contains(&bad.0));
}

#[test]
fn when_the_only_key_is_revoked_nothing_is_signed() {
    let mut rig = Rig::new(Algorithm::EdDsa);
    let (token, refresh) = (rig.access(), rig.refresh());
    for id in [rig.keys[0].id.clone(), rig.keys[1].id.clone()] {
        rig.revoke(&id, NOW);
    }
    let user = user();
    assert_eq!(rig.keyring.sign_access(&grant(&user, NOW)), Err(TokenError::NoKey));
    assert_eq!(rig.keyring.refresh_key(at(NOW)), Err(TokenError::NoKey));
    assert_eq!(rig.keyring.jwks(at(NOW)), None);
    rig.assert_refused(&token, "signed before");
    rig.assert_refused(&refresh, "signed before");
}

#[test]
fn a_line_whose_key_was_revoked_has_no_token_any_more() {
    let mut rig = Rig::new(Algorithm::EdDsa);
    let (session, bad) = (rig.session(2), rig.keys[1].id.clone());
    assert!(rig.keyring.sign_refresh(&session).is_ok());
    let next = rig.add(KeyPurpose::Refresh, Algorithm::Hs256, NOW);
    rig.revoke(&bad, NOW);
    assert_eq!(rig.keyring.sign_refresh(&session), Err(TokenError::Invalid));
    assert_eq!(rig.keyring.refresh_key(at(NOW)), Ok(next));
}

#[test]
fn a_revoked_link_key_makes_no_links() {
    let mut rig = Rig::new(Algorithm::EdDsa);
    let bad = rig.add(KeyPurpose::Link, Algorithm::Hs256, 0);
    let next = rig.add(KeyPurpose::Link, Algorithm::Hs256, NOW);
    assert!(rig.keyring.link_secret(&bad, &Salt([1; 32])).is_ok(), "rotated away only");
    rig.revoke(&bad, NOW);
    assert_eq!(rig.keyring.link_secret(&bad, &Salt([1; 32])), Err(TokenError::NoKey));
    assert_eq!(rig.keyring.link_key(at(NOW)), Ok(next));
}

/// A key list that cannot be opened as a whole still takes revoked keys out of use.
#[test]
fn a_key_is_revoked_although_another_one_cannot_be_opened() {
    let rig = Rig::new(Algorithm::EdDsa);
    let token = rig.access();
    let mut keys = rig.keys.clone();
    keys[0].revoked_at = Some(at(NOW));
    keys.push(StoredKey {
        id: KeyId("foreign".to_owned()),
        sealed: vec![7; 60],
        ..keys[1].clone()
    });
    assert!(rig.keyring.install_keys(&keys).is_err());
    assert_eq!(rig.keyring.verify_access(&token, at(NOW)), Err(TokenError::Invalid));
    let user = user();
    assert_eq!(rig.keyring.sign_access(&grant(&user, NOW)), Err(TokenError::NoKey));
    assert!(rig.keyring.refresh_key(at(NOW)).is_ok(), "the others go on");
}

/// A browser that was away for long logs out by a token whose key has retired since.
#[test]
fn a_token_whose_key_has_retired_still_names_its_session() {
    let mut rig = Rig::new(Algorithm::EdDsa);
    let token = rig.access();
    rig.add(KeyPurpose::Access, Algorithm::EdDsa, NOW);
    let late = at(NOW + ACCESS_TTL + 3600);
    assert_eq!(rig.keyring.verify_access(&token, late), Err(TokenError::Invalid));
    assert!(rig.keyring.verify_past_access(&token, late).is_ok());
}
