//! The keys of the audit trail: signed checkpoints, and pseudonyms.

use gateward_domain::audit::{Checkpoint, CheckpointKind, Digest};
use gateward_domain::ports::AuditKeys as _;

use super::*;

const KINDS: [CheckpointKind; 2] = [CheckpointKind::Latest, CheckpointKind::RetentionBoundary];

/// A checkpoint with a fractional second.
fn checkpoint() -> Checkpoint {
    Checkpoint {
        seq: 7,
        digest: Digest([0xa5; 32]),
        at: Timestamp::from_micros(NOW * 1_000_000 + 123_457),
    }
}

fn fixture() -> (KeyringFixture, KeyId) {
    let mut fixture = KeyringFixture::new(Algorithm::EdDsa);
    let id = fixture.add(KeyPurpose::Audit, Algorithm::EdDsa, 0);
    (fixture, id)
}

#[test]
fn a_signed_checkpoint_reads_as_it_was_to_the_microsecond() {
    let (fixture, id) = fixture();
    for kind in KINDS {
        let signature = fixture.keyring.sign_checkpoint(kind, &checkpoint()).unwrap();
        assert_eq!(fixture.keyring.read_checkpoint(&signature), Ok((kind, checkpoint())));
        assert_eq!(segment(&signature, 0)["kid"], id.0);
        assert_eq!(segment(&signature, 1)["iss"], ISSUER);
    }
}

#[test]
fn others_check_a_checkpoint_with_the_public_part_of_the_stored_key() {
    let (fixture, id) = fixture();
    let signature = fixture.keyring.sign_checkpoint(CheckpointKind::Latest, &checkpoint()).unwrap();
    let stored = fixture.keys.last().unwrap();
    let jwk: jsonwebtoken::jwk::Jwk =
        serde_json::from_str(stored.public_jwk.as_ref().unwrap()).unwrap();
    assert_eq!(jwk.thumbprint(jsonwebtoken::jwk::ThumbprintHash::SHA256).unwrap(), id.0);
    let key = jsonwebtoken::DecodingKey::from_jwk(&jwk).unwrap();
    let (message, signature) = signature.rsplit_once('.').unwrap();
    let algorithm = jsonwebtoken::Algorithm::EdDSA;
    let genuine = jsonwebtoken::crypto::verify(signature, message.as_bytes(), &key, algorithm);
    assert!(genuine.unwrap());
    assert!(!fixture.keyring.jwks(at(NOW)).unwrap().contains(&id.0), "it signs no tokens");
}

#[test]
fn a_checkpoint_that_was_altered_or_signed_by_others_is_refused() {
    let (fixture, id) = fixture();
    let signature = fixture.keyring.sign_checkpoint(CheckpointKind::Latest, &checkpoint()).unwrap();
    let refused =
        |text: &str| assert_eq!(fixture.keyring.read_checkpoint(text), Err(TokenError::Invalid));
    let parts: Vec<&str> = signature.split('.').collect();
    for (name, value) in [
        ("seq", json!(8)),
        ("digest", json!(Digest([0xa4; 32]).to_string())),
        ("at_micros", json!(checkpoint().at.micros() + 1)),
    ] {
        let payload = with(&segment(&signature, 1), name, Some(value));
        refused(&format!("{}.{}.{}", parts[0], jws::encode(payload.as_bytes()), parts[2]));
    }
    let retention_boundary =
        with(&segment(&signature, 0), "typ", Some(json!("audit-retention-boundary+jwt")));
    refused(&format!("{}.{}.{}", jws::encode(retention_boundary.as_bytes()), parts[1], parts[2]));
    refused(&format!("{}.{}.", parts[0], parts[1]));
    refused("");
    let (other, other_id) = self::fixture();
    refused(&other.keyring.sign_checkpoint(CheckpointKind::Latest, &checkpoint()).unwrap());
    let named = with(&segment(&signature, 0), "kid", Some(json!(id.0)));
    refused(&other.forge(&other_id.0, &named, &segment(&signature, 1).to_string()));
}

#[test]
fn a_checkpoint_has_one_header_and_every_part_even_if_we_have_signed_it() {
    let (fixture, id) = fixture();
    let signature = fixture.keyring.sign_checkpoint(CheckpointKind::Latest, &checkpoint()).unwrap();
    let (header, payload) = (segment(&signature, 0), segment(&signature, 1));
    let read = |header: &str, payload: &str| {
        fixture
            .keyring
            .read_checkpoint(&fixture.forge(&id.0, header, payload))
            .map(|(kind, _)| kind)
    };
    assert_eq!(read(&header.to_string(), &payload.to_string()), Ok(CheckpointKind::Latest));
    for (name, value) in [
        ("typ", json!("at+jwt")),
        ("typ", json!("AUDIT-TIP+JWT")),
        ("alg", json!("none")),
        ("alg", json!("HS256")),
        ("kid", json!(fixture.access_id())),
        ("kid", json!(fixture.refresh_id())),
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
fn a_checkpoint_is_no_token_and_a_token_is_no_checkpoint() {
    let (fixture, id) = fixture();
    for kind in KINDS {
        let signature = fixture.keyring.sign_checkpoint(kind, &checkpoint()).unwrap();
        fixture.assert_refused(&signature, "a head");
    }
    let claims = segment(&fixture.access(), 1).to_string();
    let header = with(&fixture.access_header(), "kid", Some(json!(id.0)));
    fixture.assert_refused(&fixture.forge(&id.0, &header, &claims), "signed with the audit key");
    for token in [fixture.access(), fixture.refresh()] {
        assert_eq!(fixture.keyring.read_checkpoint(&token), Err(TokenError::Invalid));
    }
}

#[test]
fn what_a_key_signed_is_believed_for_ever_or_until_it_was_revoked() {
    let (mut fixture, old) = fixture();
    let signature = fixture.keyring.sign_checkpoint(CheckpointKind::Latest, &checkpoint()).unwrap();
    let next = fixture.add(KeyPurpose::Audit, Algorithm::EdDsa, NOW + 1);
    let later = Checkpoint { at: at(NOW + 100 * 366 * 24 * 3600), ..checkpoint() };
    let newer = fixture.keyring.sign_checkpoint(CheckpointKind::Latest, &later).unwrap();
    assert_eq!(segment(&newer, 0)["kid"], next.0);
    for signature in [&signature, &newer] {
        assert!(fixture.keyring.read_checkpoint(signature).is_ok());
    }
    let set = fixture.keyring.jwks(later.at).unwrap();
    assert!(!set.contains(&old.0) && !set.contains(&next.0));
    fixture.revoke(&old, NOW + 2);
    assert!(fixture.keyring.read_checkpoint(&signature).is_ok(), "signed before");
    assert!(fixture.keyring.read_checkpoint(&newer).is_ok());
    fixture.revoke(&next, NOW + 3);
    assert_eq!(fixture.keyring.read_checkpoint(&newer), Err(TokenError::Invalid), "signed after");
    assert_eq!(
        fixture.keyring.sign_checkpoint(CheckpointKind::Latest, &later),
        Err(TokenError::NoKey)
    );
}

#[test]
fn what_was_signed_before_the_issuer_changed_is_still_believed() {
    let (fixture, _) = fixture();
    let signature =
        fixture.keyring.sign_checkpoint(CheckpointKind::RetentionBoundary, &checkpoint()).unwrap();
    let issuer = "https://login.example.org".to_owned();
    let moved = keyring_with(KeyringSettings { issuer, ..settings() }, &fixture.master);
    moved.install_keys(&fixture.keys).unwrap();
    assert_eq!(
        moved.read_checkpoint(&signature),
        Ok((CheckpointKind::RetentionBoundary, checkpoint()))
    );
}

#[test]
fn a_pseudonym_is_the_same_on_every_node_and_after_a_rotation() {
    let (mut fixture, old) = fixture();
    let first = fixture.keyring.pseudonym("maria@example.org").unwrap();
    let next = fixture.add(KeyPurpose::Audit, Algorithm::EdDsa, NOW);
    let node = keyring_with(settings(), &fixture.master);
    node.install_keys(&fixture.keys.iter().rev().cloned().collect::<Vec<_>>()).unwrap();
    for keyring in [&fixture.keyring, &node] {
        assert_eq!(keyring.pseudonym("maria@example.org"), Ok(first));
        assert_ne!(keyring.pseudonym("maria@example.com"), Ok(first));
    }
    fixture.revoke(&old, NOW);
    let second = fixture.keyring.pseudonym("maria@example.org").unwrap();
    assert_ne!(second, first, "the holder of the revoked key could check the text");
    fixture.revoke(&next, NOW);
    assert_eq!(fixture.keyring.pseudonym("maria@example.org"), Err(TokenError::NoKey));
}

#[test]
fn without_an_audit_key_there_is_no_checkpoint_and_no_pseudonym() {
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    assert_eq!(
        fixture.keyring.sign_checkpoint(CheckpointKind::Latest, &checkpoint()),
        Err(TokenError::NoKey)
    );
    assert_eq!(fixture.keyring.read_checkpoint("a.b.c"), Err(TokenError::NoKey));
    assert_eq!(fixture.keyring.pseudonym(""), Err(TokenError::NoKey));
    for algorithm in [Algorithm::Es256, Algorithm::Rs256, Algorithm::Ps256, Algorithm::Hs256] {
        let made = fixture.keyring.make_key(KeyPurpose::Audit, algorithm, at(0), at(0));
        assert_eq!(made.err(), Some(KeyError::Failed));
    }
}
