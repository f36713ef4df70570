//! Refresh tokens: always the same text, and no forgery with a part of the secrets.

use gateward_domain::refresh::Rotation;

use super::*;
use crate::signing_key::SigningKey;

/// A refresh token contains exactly the claims of the API contract.
#[test]
fn a_refresh_token_says_exactly_this() {
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let token = fixture.refresh();
    let header = json!({"alg": "HS256", "typ": "rt+jwt", "kid": fixture.refresh_id()});
    assert_eq!(segment(&token, 0), header);
    let mut claims = segment(&token, 1);
    let secret = claims.as_object_mut().unwrap().remove("sec").unwrap();
    let expected = json!({
        "iss": ISSUER, "aud": ISSUER,
        "sub": "0190b2a4-7c1e-7d3a-8f00-bbbbbbbbbbbb",
        "sid": "0190b2a4-7c1e-7d3a-8f00-1234567890ab",
        "gen": 1, "iat": NOW, "exp": NOW + 604_800,
    });
    assert_eq!(claims, expected);
    let presented = fixture.check_refresh(&token).unwrap();
    assert_eq!(secret, json!(jws::encode(&presented.proof.secret)));
    assert_eq!((presented.session_id, presented.user_id), (session_id(), user().id));
    assert_eq!((presented.generation, presented.expires_at), (1, at(NOW + 604_800)));
    assert!(presented.proof.holds_for(&Salt([9; 32])));
}

#[test]
fn the_same_row_gives_the_same_text_whenever_and_wherever_it_is_made() {
    for algorithm in ACCESS_ALGORITHMS {
        let mut fixture = KeyringFixture::new(algorithm);
        let session = fixture.session(3);
        let text = fixture.keyring.sign_refresh(&session).unwrap();
        assert_eq!(fixture.keyring.sign_refresh(&session).unwrap(), text);

        let node = keyring_with(settings(), &fixture.master);
        node.install_keys(&fixture.keys).unwrap();
        assert_eq!(node.sign_refresh(&session).unwrap(), text, "on another node");

        fixture.add(KeyPurpose::Refresh, Algorithm::Hs256, NOW);
        fixture.add(KeyPurpose::Access, Algorithm::EdDsa, NOW);
        assert_ne!(fixture.keyring.refresh_key(at(NOW)).unwrap(), session.refresh_state.key_id);
        assert_eq!(
            fixture.keyring.sign_refresh(&session).unwrap(),
            text,
            "after a rotation of keys"
        );
        assert!(fixture.check_refresh(text.expose()).is_ok());
    }
}

#[test]
fn only_what_the_token_says_changes_its_text() {
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let session = fixture.session(3);
    let text = |session: &Session| fixture.keyring.sign_refresh(session).unwrap();
    let same = Session {
        auth_time: at(NOW + 50),
        client_name: Some("another".to_owned()),
        ..session.clone()
    };
    assert_eq!(text(&same), text(&session));
    let mut others = vec![session.clone(); 5];
    others[0].refresh_state.generation += 1;
    others[1].refresh_state.salt = Salt([8; 32]);
    others[2].refresh_state.expires_at = at(NOW + 5);
    others[3].refresh_state.rotated_at = at(NOW - 5);
    others[4].id = "0190b2a4-7c1e-7d3a-8f00-1234567890ac".parse().unwrap();
    for other in others {
        assert_ne!(text(&other), text(&session));
    }
}

#[test]
fn an_expired_refresh_token_is_read_and_says_when() {
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let presented = fixture.keyring.verify_refresh(&fixture.refresh(), at(NOW + 700_000)).unwrap();
    assert_eq!(presented.expires_at, at(NOW + 604_800), "the caller judges");
}

/// A leak of the keys alone, including the master key, allows signatures but no proof: the salt is
/// missing.
#[test]
fn the_keys_alone_forge_nothing() {
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let session = fixture.session(1);
    // The thief has every key and guesses the salt, or omits it.
    for guess in [[0; 32], [255; 32], session_salt_guess(&fixture)] {
        let mut forged = session.clone();
        forged.refresh_state.salt = Salt(guess);
        let token = fixture.keyring.sign_refresh(&forged).unwrap();
        let presented = fixture.check_refresh(token.expose()).unwrap();
        assert!(
            !presented.proof.holds_for(&session.refresh_state.salt),
            "signed well, proves nothing"
        );
        let rotation = Rotation {
            presented,
            idempotency_key: None,
            now: at(NOW),
            key_id: session.refresh_state.key_id.clone(),
            idle_seconds: 1,
            leeway_seconds: 10,
        };
        let verdict = gateward_domain::refresh::judge(&session, &rotation);
        assert_eq!(verdict, gateward_domain::refresh::RotationDecision::Forged);
    }
}

/// A value that a thief with the keys could derive instead of the salt.
fn session_salt_guess(fixture: &KeyringFixture) -> [u8; 32] {
    let keys_in_use = fixture.keyring.ring();
    let Material::Refresh(keys) = keys_in_use.find(&fixture.keys[1].id).unwrap().material() else {
        panic!("a refresh key");
    };
    keys.keyed(session_id(), 1).unwrap()
}

/// A leak of the database alone reveals the salt and wrapped keys, and therefore allows neither
/// signature nor proof.
#[test]
fn the_database_alone_forges_nothing() {
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let session = fixture.session(1);
    let salt = session.refresh_state.salt;

    let thief = keyring_with(settings(), &MasterKey::generate(&SystemEntropy::new()));
    let refused = thief.install_keys(&fixture.keys);
    assert_eq!(refused, Err(KeyError::CannotOpen(fixture.keys[0].id.clone())));

    // A thief's own refresh key under the same identifier creates another signature.
    let own = thief.make_key(KeyPurpose::Refresh, Algorithm::Hs256, at(0), at(0)).unwrap();
    thief.install_keys(std::slice::from_ref(&own)).unwrap();
    let mut forged = session.clone();
    forged.refresh_state.key_id = own.id.clone();
    let token = thief.sign_refresh(&forged).unwrap();
    fixture.assert_refused(token.expose(), "an unknown key");
    let tail = token.expose().split_once('.').unwrap().1;
    let header = jws::header_segment(Algorithm::Hs256, "rt+jwt", fixture.refresh_id());
    fixture.assert_refused(&format!("{header}.{tail}"), "our key's name on it");

    // Even if it were signed with the right key, its secret was derived from another one.
    let presented = thief.verify_refresh(token.expose(), at(NOW)).unwrap();
    assert!(presented.proof.holds_for(&salt), "by the thief's own key");
    let ours = Proof { keyed: session_salt_guess(&fixture), secret: presented.proof.secret };
    assert!(!ours.holds_for(&salt));
}

/// A token for one generation or session proves nothing for another, even if the signature were
/// forged.
#[test]
fn a_secret_is_good_for_its_generation_and_session_alone() {
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let token = fixture.refresh();
    let (header, claims) = (segment(&token, 0).to_string(), segment(&token, 1));
    let other = json!("0190b2a4-7c1e-7d3a-8f00-1234567890ac");
    for (name, value) in [("gen", json!(2)), ("sid", other)] {
        let payload = with(&claims, name, Some(value));
        let presented =
            fixture.check_refresh(&fixture.forge(fixture.refresh_id(), &header, &payload)).unwrap();
        assert!(!presented.proof.holds_for(&Salt([9; 32])), "{name}");
    }
}

/// The two keys of refresh tokens differ from the stored one and from each other.
#[test]
fn signature_and_secret_have_keys_of_their_own() {
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let associated_data = AssociatedData {
        id: &fixture.keys[1].id,
        purpose: KeyPurpose::Refresh,
        algorithm: Algorithm::Hs256,
    };
    let stored = wrap::open(&fixture.master, &associated_data, &fixture.keys[1].wrapped).unwrap();
    let payload = segment(&fixture.refresh(), 1).to_string();
    let header = jws::header_segment(Algorithm::Hs256, "rt+jwt", fixture.refresh_id());
    let key = SigningKey::parse(Algorithm::Hs256, &stored).unwrap();
    let token = jws::sign(&header, payload.as_bytes(), &key).unwrap();
    fixture.assert_refused(&token, "signed with the stored key itself");
}
