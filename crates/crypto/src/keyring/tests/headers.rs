//! Headers that are refused.

use aws_lc_rs::signature::Ed25519KeyPair;

use super::*;
use crate::signing_key::SigningKey;

/// Row J1: no spelling of "none", and no other value in its place, is an algorithm.
#[test]
fn j1_alg_none_is_refused() {
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let (token, kid) = (fixture.access(), fixture.access_id());
    let (message, signature) = token.rsplit_once('.').unwrap();
    let payload = message.split_once('.').unwrap().1;
    let algs =
        [r#""none""#, r#""None""#, r#""NONE""#, r#""nOnE""#, r#""""#, "null", r#"["EdDSA"]"#];
    let with_alg = algs.map(|alg| format!(r#"{{"alg":{alg},"typ":"at+jwt","kid":"{kid}"}}"#));
    let without_alg = format!(r#"{{"typ":"at+jwt","kid":"{kid}"}}"#);
    for header in with_alg.iter().chain([&without_alg]) {
        let encoded = jws::encode(header.as_bytes());
        for signature in ["", "AA", signature] {
            fixture.assert_refused(&format!("{encoded}.{payload}.{signature}"), header);
        }
        fixture.assert_refused(&format!("{encoded}.{payload}"), header);
        fixture
            .assert_refused(&fixture.forge(kid, header, &segment(&token, 1).to_string()), header);
    }
}

/// Row J2: an empty or blank signature is refused.
#[test]
fn j2_an_empty_signature_is_refused() {
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256] {
        let fixture = KeyringFixture::new(algorithm);
        for token in [fixture.access(), fixture.refresh()] {
            let message = token.rsplit_once('.').unwrap().0;
            let zeros = jws::encode(&[0; 64]);
            for signature in ["", "AA", "AAAA", &zeros, &jws::encode(&[0; 32])] {
                fixture.assert_refused(&format!("{message}.{signature}"), signature);
            }
        }
    }
}

/// Row J3: a published key is never accepted as a MAC key.
#[test]
fn j3_a_public_key_is_no_hmac_key() {
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Rs256] {
        let fixture = KeyringFixture::new(algorithm);
        let jwk = fixture.keys[0].public_jwk.clone().unwrap();
        let parts: Value = serde_json::from_str(&jwk).unwrap();
        let mut secrets =
            vec![jwk.clone().into_bytes(), fixture.keyring.jwks(at(NOW)).unwrap().into_bytes()];
        for name in ["x", "y", "n"] {
            if let Some(part) = parts[name].as_str() {
                secrets.push(part.as_bytes().to_vec());
                secrets.push(jws::decode(part).unwrap());
            }
        }
        if algorithm == Algorithm::EdDsa {
            // SubjectPublicKeyInfo (RFC 8410, section 4), as DER and as PEM.
            let mut der = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00".to_vec();
            der.extend(jws::decode(parts["x"].as_str().unwrap()).unwrap());
            let pem = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &der);
            let pem = format!("-----BEGIN PUBLIC KEY-----\n{pem}\n-----END PUBLIC KEY-----\n");
            secrets.extend([der, pem.trim_end().as_bytes().to_vec(), pem.into_bytes()]);
        }
        let payload = segment(&fixture.access(), 1).to_string();
        for secret in secrets {
            for kid in [fixture.access_id(), fixture.refresh_id()] {
                let header = jws::header_segment(Algorithm::Hs256, "at+jwt", kid);
                let key = SigningKey::parse(Algorithm::Hs256, &secret).unwrap();
                let token = jws::sign(&header, payload.as_bytes(), &key);
                fixture.assert_refused(&token.unwrap(), "signed with what is public");
            }
        }
    }
}

/// Row J4: a key has one algorithm, and is not valid for related ones.
#[test]
fn j4_another_algorithm_of_the_family_is_refused() {
    let others =
        ["ES384", "EdDSA", "PS256", "RS256", "ES256", "HS256", "Ed25519", "es256", "eddsa"];
    for algorithm in ACCESS_ALGORITHMS {
        let fixture = KeyringFixture::new(algorithm);
        let token = fixture.access();
        let payload = segment(&token, 1).to_string();
        for alg in others.iter().filter(|alg| **alg != algorithm.as_str()) {
            let header = with(&fixture.access_header(), "alg", Some(json!(alg)));
            fixture.assert_refused(&fixture.forge(fixture.access_id(), &header, &payload), alg);
        }
    }
}

/// Row J4: an RS256 key accepts no PS256 signature, although the mathematics would.
#[test]
fn j4_an_rsa_key_serves_one_scheme() {
    let fixture = KeyringFixture::new(Algorithm::Rs256);
    let payload = segment(&fixture.access(), 1).to_string();
    let StoredKey { id, purpose, algorithm, wrapped, .. } = &fixture.keys[0];
    let associated_data = AssociatedData { id, purpose: *purpose, algorithm: *algorithm };
    let private = wrap::open(&fixture.master, &associated_data, wrapped).unwrap();
    let key = SigningKey::parse(Algorithm::Ps256, &private).unwrap();
    for claimed in [Algorithm::Ps256, Algorithm::Rs256] {
        let header = jws::header_segment(claimed, "at+jwt", fixture.access_id());
        let token = jws::sign(&header, payload.as_bytes(), &key);
        fixture.assert_refused(&token.unwrap(), "a PS256 signature");
    }
}

/// Row J5: a key inside the token is ignored.
#[test]
fn j5_an_embedded_key_is_refused() {
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let payload = segment(&fixture.access(), 1).to_string();
    let foreign = KeyringFixture::new(Algorithm::EdDsa);
    let jwk: Value = serde_json::from_str(foreign.keys[0].public_jwk.as_ref().unwrap()).unwrap();
    for kid in [fixture.access_id(), foreign.access_id()] {
        let header = json!({"alg": "EdDSA", "typ": "at+jwt", "kid": kid, "jwk": jwk});
        fixture.assert_refused(
            &foreign.forge(foreign.access_id(), &header.to_string(), &payload),
            kid,
        );
        let plain = with(&header, "jwk", None);
        fixture.assert_refused(&foreign.forge(foreign.access_id(), &plain, &payload), kid);
    }
    let header = with(&fixture.access_header(), "jwk", Some(jwk));
    fixture.assert_refused(
        &fixture.forge(fixture.access_id(), &header, &payload),
        "even signed by us",
    );
}

/// Row J6: nothing is fetched and no certificate is parsed. The members alone are refused.
#[test]
fn j6_a_remote_key_is_refused_without_a_connection() {
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let payload = segment(&fixture.access(), 1).to_string();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    let members = [
        ("jku", json!(url)),
        ("x5u", json!(url)),
        ("x5c", json!(["MIIB"])),
        ("x5t", json!("AAAA")),
        ("x5t#S256", json!("AAAA")),
    ];
    for (name, value) in members {
        let header = with(&fixture.access_header(), name, Some(value));
        fixture.assert_refused(&fixture.forge(fixture.access_id(), &header, &payload), name);
    }
    assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

/// Row J6: a header has three members and no other, least of all one that changes the rules (RFC
/// 7515, section 4.1.11; RFC 7797; RFC 7516).
#[test]
fn j6_any_further_header_member_is_refused() {
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let payload = segment(&fixture.access(), 1).to_string();
    let members = [
        ("crit", json!([])),
        ("crit", json!(["exp"])),
        ("crit", json!(["b64"])),
        ("b64", json!(false)),
        ("b64", json!(true)),
        ("zip", json!("DEF")),
        ("cty", json!("JWT")),
        ("enc", json!("A256GCM")),
        ("x", json!("y")),
    ];
    for (name, value) in members {
        let header = with(&fixture.access_header(), name, Some(value));
        fixture.assert_refused(&fixture.forge(fixture.access_id(), &header, &payload), name);
    }
    let kid = fixture.access_id();
    for header in [
        format!(r#"{{"alg":"EdDSA","alg":"EdDSA","typ":"at+jwt","kid":"{kid}"}}"#),
        format!(r#"{{"alg":"EdDSA","typ":"at+jwt","kid":"x","kid":"{kid}"}}"#),
        format!(r#"["EdDSA","at+jwt","{kid}"]"#),
        format!(r#"{{"alg":"EdDSA","typ":"at+jwt","kid":"{kid}"}} x"#),
        format!(r#"{{"alg":"EdDSA","typ":"at+jwt","kid":"{kid}""#),
    ] {
        fixture.assert_refused(&fixture.forge(kid, &header, &payload), &header);
    }
}

/// Row J7: a `kid` is only looked up; an unknown one is refused quickly.
#[test]
fn j7_a_kid_is_looked_up_and_never_interpreted() {
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let payload = segment(&fixture.access(), 1).to_string();
    let long = "k".repeat(64 * 1024);
    let kids = [
        json!("../../dev/null"),
        json!("/dev/null"),
        json!("' OR 1=1--"),
        json!("|sleep 5"),
        json!("\0"),
        json!(format!("{}\0", fixture.access_id())),
        json!(format!("{} ", fixture.access_id())),
        json!(fixture.access_id().to_lowercase()),
        json!("\r\nSet-Cookie: a=b"),
        json!(""),
        json!(long),
        json!(1),
        json!(null),
        json!({"kid": fixture.access_id()}),
        json!([fixture.access_id()]),
    ];
    for kid in kids {
        let header = with(&fixture.access_header(), "kid", Some(kid.clone()));
        let token = fixture.forge(fixture.access_id(), &header, &payload);
        fixture.assert_refused_fast(&token, &kid.to_string());
    }
    let header = with(&fixture.access_header(), "kid", None);
    fixture.assert_refused(&fixture.forge(fixture.access_id(), &header, &payload), "without kid");
}

/// Row J9: a token without `typ` has no kind.
#[test]
fn j9_a_token_without_typ_is_refused() {
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let payload = segment(&fixture.access(), 1).to_string();
    let header = with(&fixture.access_header(), "typ", None);
    fixture.assert_refused(&fixture.forge(fixture.access_id(), &header, &payload), "without typ");
}

/// Row J13: a token of another environment is refused, even if its key has the same identifier.
#[test]
fn j13_a_foreign_key_of_the_same_name_is_refused() {
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let payload = segment(&fixture.access(), 1).to_string();
    let seed = [7; 32];
    let pkcs8 = Ed25519KeyPair::from_seed_unchecked(&seed).unwrap().to_pkcs8().unwrap();
    let key = SigningKey::parse(Algorithm::EdDsa, pkcs8.as_ref()).unwrap();
    let header = jws::header_segment(Algorithm::EdDsa, "at+jwt", fixture.access_id());
    let token = jws::sign(&header, payload.as_bytes(), &key).unwrap();
    fixture.assert_refused(&token, "signed by another key of the same name");
    fixture.assert_refused(&KeyringFixture::new(Algorithm::EdDsa).access(), "of another instance");
    fixture.assert_refused(&KeyringFixture::new(Algorithm::EdDsa).refresh(), "of another instance");
}

/// Row J15: each kind of token has exactly one `typ`.
#[test]
fn j15_any_other_typ_is_refused() {
    let fixture = KeyringFixture::new(Algorithm::EdDsa);
    let (access, refresh) = (fixture.access(), fixture.refresh());
    let payload = segment(&access, 1).to_string();
    for typ in [
        "JWT",
        "jwt",
        "AT+JWT",
        "at+JWT",
        "application/at+jwt",
        "dpop+jwt",
        "id+jwt",
        "logout+jwt",
        "statuslist+jwt",
        "secevent+jwt",
        "rt+jwt",
        "at+jwt ",
        "",
    ] {
        let header = with(&fixture.access_header(), "typ", Some(json!(typ)));
        fixture.assert_refused(&fixture.forge(fixture.access_id(), &header, &payload), typ);
    }
    let header = segment(&refresh, 0);
    let payload = segment(&refresh, 1).to_string();
    for typ in ["JWT", "at+jwt", "RT+JWT", "application/rt+jwt", ""] {
        let header = with(&header, "typ", Some(json!(typ)));
        fixture.assert_refused(&fixture.forge(fixture.refresh_id(), &header, &payload), typ);
    }
}
