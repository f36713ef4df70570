//! The keys of the audit trail: signed heads, and pseudonyms.

use gateward_domain::audit::{Digest, Head, HeadKind};
use gateward_domain::ports::AuditKeys as _;

use super::*;

const KINDS: [HeadKind; 2] = [HeadKind::Tip, HeadKind::Floor];

/// A head that was signed at no whole second.
fn head() -> Head {
    Head {
        seq: 7,
        digest: Digest([0xa5; 32]),
        at: Timestamp::from_micros(NOW * 1_000_000 + 123_457),
    }
}

fn rig() -> (Rig, KeyId) {
    let mut rig = Rig::new(Algorithm::EdDsa);
    let id = rig.add(KeyPurpose::Audit, Algorithm::EdDsa, 0);
    (rig, id)
}

#[test]
fn a_signed_head_reads_as_it_was_to_the_microsecond() {
    let (rig, id) = rig();
    for kind in KINDS {
        let signature = rig.keyring.sign_head(kind, &head()).unwrap();
        assert_eq!(rig.keyring.read_head(&signature), Ok((kind, head())));
        assert_eq!(segment(&signature, 0)["kid"], id.0);
        assert_eq!(segment(&signature, 1)["iss"], ISSUER);
    }
}

#[test]
fn others_check_a_head_with_the_public_part_of_the_stored_key() {
    let (rig, id) = rig();
    let signature = rig.keyring.sign_head(HeadKind::Tip, &head()).unwrap();
    let stored = rig.keys.last().unwrap();
    let jwk: jsonwebtoken::jwk::Jwk =
        serde_json::from_str(stored.public_jwk.as_ref().unwrap()).unwrap();
    assert_eq!(jwk.thumbprint(jsonwebtoken::jwk::ThumbprintHash::SHA256).unwrap(), id.0);
    let key = jsonwebtoken::DecodingKey::from_jwk(&jwk).unwrap();
    let (message, signature) = signature.rsplit_once('.').unwrap();
    let algorithm = jsonwebtoken::Algorithm::EdDSA;
    let genuine = jsonwebtoken::crypto::verify(signature, message.as_bytes(), &key, algorithm);
    assert!(genuine.unwrap());
    assert!(!rig.keyring.jwks(at(NOW)).unwrap().contains(&id.0), "it signs no tokens");
}

#[test]
fn a_head_that_was_altered_or_signed_by_others_is_refused() {
    let (rig, id) = rig();
    let signature = rig.keyring.sign_head(HeadKind::Tip, &head()).unwrap();
    let refused = |text: &str| assert_eq!(rig.keyring.read_head(text), Err(TokenError::Invalid));
    let parts: Vec<&str> = signature.split('.').collect();
    for (name, value) in [
        ("seq", json!(8)),
        ("digest", json!(Digest([0xa4; 32]).to_string())),
        ("at_micros", json!(head().at.micros() + 1)),
    ] {
        let payload = with(&segment(&signature, 1), name, Some(value));
        refused(&format!("{}.{}.{}", parts[0], jws::encode(payload.as_bytes()), parts[2]));
    }
    let floor = with(&segment(&signature, 0), "typ", Some(json!("audit-floor+jwt")));
    refused(&format!("{}.{}.{}", jws::encode(floor.as_bytes()), parts[1], parts[2]));
    refused(&format!("{}.{}.", parts[0], parts[1]));
    refused("");
    let (other, other_id) = self::rig();
    refused(&other.keyring.sign_head(HeadKind::Tip, &head()).unwrap());
    let named = with(&segment(&signature, 0), "kid", Some(json!(id.0)));
    refused(&other.forge(&other_id.0, &named, &segment(&signature, 1).to_string()));
}

#[test]
fn a_head_has_one_header_and_every_part_even_if_we_have_signed_it() {
    let (rig, id) = rig();
    let signature = rig.keyring.sign_head(HeadKind::Tip, &head()).unwrap();
    let (header, payload) = (segment(&signature, 0), segment(&signature, 1));
    let read = |header: &str, payload: &str| {
        rig.keyring.read_head(&rig.forge(&id.0, header, payload)).map(|(kind, _)| kind)
    };
    assert_eq!(read(&header.to_string(), &payload.to_string()), Ok(HeadKind::Tip));
    for (name, value) in [
        ("typ", json!("at+jwt")),
        ("typ", json!("AUDIT-TIP+JWT")),
        ("alg", json!("none")),
        ("alg", json!("HS256")),
        ("kid", json!(rig.access_id())),
        ("kid", json!(rig.refresh_id())),
        ("crit", json!([])),
        ("jwk", json!({})),
    ] {
        let header = with(&header, name, Some(value));
        assert_eq!(read(&header, &payload.to_string()), Err(TokenError::Invalid), "{header}");
    }
    for name in ["iss", "seq", "digest", "at_micros"] {
        for value in [None, Some(json!(null)), Some(json!(1.5)), Some(json!(["a5"]))] {
            let payload = with(&payload, name, value);
            assert_eq!(read(&header.to_string(), &payload), Err(TokenError::Invalid), "{payload}");
        }
    }
    let payload_of = |digest: &str| with(&payload, "digest", Some(json!(digest)));
    assert_eq!(read(&header.to_string(), &payload_of("a5")), Err(TokenError::Invalid));
    for name in ["alg", "typ", "kid"] {
        let header = with(&header, name, None);
        assert_eq!(read(&header, &payload.to_string()), Err(TokenError::Invalid), "{header}");
    }
}

#[test]
fn a_head_is_no_token_and_a_token_is_no_head() {
    let (rig, id) = rig();
    for kind in KINDS {
        let signature = rig.keyring.sign_head(kind, &head()).unwrap();
        rig.assert_refused(&signature, "a head");
    }
    let claims = segment(&rig.access(), 1).to_string();
    let header = with(&rig.access_header(), "kid", Some(json!(id.0)));
    rig.assert_refused(&rig.forge(&id.0, &header, &claims), "signed with the audit key");
    for token in [rig.access(), rig.refresh()] {
        assert_eq!(rig.keyring.read_head(&token), Err(TokenError::Invalid));
    }
}

#[test]
fn what_a_key_signed_is_believed_for_ever_or_until_it_was_revoked() {
    let (mut rig, old) = rig();
    let signature = rig.keyring.sign_head(HeadKind::Tip, &head()).unwrap();
    let next = rig.add(KeyPurpose::Audit, Algorithm::EdDsa, NOW + 1);
    let later = Head { at: at(NOW + 100 * 366 * 24 * 3600), ..head() };
    let newer = rig.keyring.sign_head(HeadKind::Tip, &later).unwrap();
    assert_eq!(segment(&newer, 0)["kid"], next.0);
    for signature in [&signature, &newer] {
        assert!(rig.keyring.read_head(signature).is_ok());
    }
    let set = rig.keyring.jwks(later.at).unwrap();
    assert!(!set.contains(&old.0) && !set.contains(&next.0));
    rig.revoke(&old, NOW + 2);
    assert!(rig.keyring.read_head(&signature).is_ok(), "signed before");
    assert!(rig.keyring.read_head(&newer).is_ok());
    rig.revoke(&next, NOW + 3);
    assert_eq!(rig.keyring.read_head(&newer), Err(TokenError::Invalid), "signed after");
    assert_eq!(rig.keyring.sign_head(HeadKind::Tip, &later), Err(TokenError::NoKey));
}

#[test]
fn what_was_signed_before_the_issuer_changed_is_still_believed() {
    let (rig, _) = rig();
    let signature = rig.keyring.sign_head(HeadKind::Floor, &head()).unwrap();
    let issuer = "https://login.example.org".to_owned();
    let moved = keyring_with(KeyringSettings { issuer, ..settings() }, &rig.master);
    moved.install_keys(&rig.keys).unwrap();
    assert_eq!(moved.read_head(&signature), Ok((HeadKind::Floor, head())));
}

#[test]
fn a_pseudonym_is_the_same_on_every_node_and_after_a_rotation() {
    let (mut rig, old) = rig();
    let first = rig.keyring.pseudonym("maria@example.org").unwrap();
    let next = rig.add(KeyPurpose::Audit, Algorithm::EdDsa, NOW);
    let node = keyring_with(settings(), &rig.master);
    node.install_keys(&rig.keys.iter().rev().cloned().collect::<Vec<_>>()).unwrap();
    for keyring in [&rig.keyring, &node] {
        assert_eq!(keyring.pseudonym("maria@example.org"), Ok(first));
        assert_ne!(keyring.pseudonym("maria@example.com"), Ok(first));
    }
    rig.revoke(&old, NOW);
    let second = rig.keyring.pseudonym("maria@example.org").unwrap();
    assert_ne!(second, first, "whoever has the revoked key could check the text");
    rig.revoke(&next, NOW);
    assert_eq!(rig.keyring.pseudonym("maria@example.org"), Err(TokenError::NoKey));
}

#[test]
fn without_an_audit_key_there_is_no_head_and_no_pseudonym() {
    let rig = Rig::new(Algorithm::EdDsa);
    assert_eq!(rig.keyring.sign_head(HeadKind::Tip, &head()), Err(TokenError::NoKey));
    assert_eq!(rig.keyring.read_head("a.b.c"), Err(TokenError::NoKey));
    assert_eq!(rig.keyring.pseudonym(""), Err(TokenError::NoKey));
    for algorithm in [Algorithm::Es256, Algorithm::Rs256, Algorithm::Ps256, Algorithm::Hs256] {
        let made = rig.keyring.make_key(KeyPurpose::Audit, algorithm, at(0), at(0));
        assert_eq!(made.err(), Some(KeyError::Failed));
    }
}
