//! The CSRF token: the same for a session's whole life.

use std::collections::HashSet;

use super::*;
use crate::keyring::material::RefreshMaterial;

/// A session that started at `seconds`.
fn started_at(seconds: i64) -> SessionId {
    SessionId::new(at(seconds), &SystemEntropy::new())
}

fn text(keyring: &Keyring, session: SessionId) -> String {
    keyring.csrf_token(session).unwrap().expose().to_owned()
}

#[test]
fn a_session_has_one_text_across_rotations_revocations_restarts_and_nodes() {
    let mut fixture = KeyringFixture::new(Algorithm::EdDsa);
    let session = started_at(NOW);
    let first = text(&fixture.keyring, session);
    assert_eq!(jws::decode(&first).unwrap().len(), 32);

    let next = fixture.add(KeyPurpose::Refresh, Algorithm::Hs256, NOW + 10);
    assert_eq!(fixture.keyring.refresh_key(at(NOW + 10)), Ok(next), "other keys sign by now");
    assert_eq!(text(&fixture.keyring, session), first, "after a rotation");
    fixture.revoke(&fixture.keys[1].id.clone(), NOW + 20);
    assert_eq!(text(&fixture.keyring, session), first, "after a revocation");
    let node = keyring_with(settings(), &fixture.master);
    node.install_keys(&fixture.keys).unwrap();
    assert_eq!(text(&node, session), first, "on another node, or after a restart");
    let rewrapped: Vec<StoredKey> =
        fixture.keys.iter().map(|key| fixture.keyring.rewrap_key(key).unwrap()).collect();
    node.install_keys(&rewrapped).unwrap();
    assert_eq!(text(&node, session), first, "with rewrapped keys");
}

#[test]
fn the_key_that_signed_when_the_session_began_decides() {
    let mut fixture = KeyringFixture::new(Algorithm::EdDsa);
    let (before, after) = (started_at(NOW + 9), started_at(NOW + 10));
    let texts =
        |fixture: &KeyringFixture| [before, after].map(|session| text(&fixture.keyring, session));
    let [text_before, text_after] = texts(&fixture);
    fixture.add(KeyPurpose::Refresh, Algorithm::Hs256, NOW + 10);
    let [same, other] = texts(&fixture);
    assert_eq!(same, text_before);
    assert_ne!(other, text_after, "the new key signs from then on");
}

#[test]
fn a_session_from_before_all_keys_has_the_text_of_the_earliest() {
    let mut fixture = KeyringFixture::new(Algorithm::EdDsa);
    fixture.keys.pop();
    fixture.add(KeyPurpose::Refresh, Algorithm::Hs256, NOW + 10);
    let session = started_at(NOW);
    let first = text(&fixture.keyring, session);
    fixture.add(KeyPurpose::Refresh, Algorithm::Hs256, NOW + 20);
    assert_eq!(text(&fixture.keyring, session), first);
}

#[test]
fn no_two_sessions_or_installations_share_a_text() {
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let texts: HashSet<String> =
        (0..1000).map(|_| text(&fixture.keyring, started_at(NOW))).collect();
    assert_eq!(texts.len(), 1000);
    let session = started_at(NOW);
    assert_ne!(
        text(&fixture.keyring, session),
        text(&KeyringFixture::new(Algorithm::EdDsa).keyring, session),
        "other keys"
    );
    let empty = keyring_with(settings(), &fixture.master);
    assert_eq!(empty.csrf_token(session), Err(TokenError::NoKey), "the master key makes none");
}

/// Computed independently with RFC 5869 and RFC 2104: nodes of two versions must agree too.
#[test]
fn the_text_is_an_hmac_over_the_session_under_a_key_of_its_own() {
    let keys = RefreshMaterial::prepare(&[7; 32]).unwrap();
    let expected = "IeCtXLknBjgWTW5qkwkFXckSmIEk5dU2wmqwAZrPnUg";
    assert_eq!(keys.csrf_token(session_id()).expose(), expected);
}
