//! Tokens that the service has not issued, sent as a client would: rows J1 to J7 and J13.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use gateward_e2e::{Client, Database};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData};
use serde_json::{Value, json};

use crate::support::test_server::TestServer;

/// How fast an unusable token must be refused.
const QUICK: Duration = Duration::from_millis(50);

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The protected header of a token.
fn header(token: &str) -> Value {
    let text = token.split('.').next().unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
}

/// The header with one more or one changed field.
fn with(header: &Value, member: &str, value: Value) -> Value {
    let mut header = header.clone();
    header[member] = value;
    header
}

/// The token's payload, under another header.
fn message(token: &str, header: &Value) -> String {
    format!("{}.{}", encode(header.to_string()), token.split('.').nth(1).unwrap())
}

/// The token's payload under another header, signed.
fn signed(token: &str, header: &Value, key: &EncodingKey, algorithm: Algorithm) -> String {
    let message = message(token, header);
    let signature = crypto::sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}

/// A key of the attacker's own, and its public half as a JWK.
fn own_key(kid: &Value) -> (EncodingKey, Value) {
    let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    // An uncompressed point (SEC 1, section 2.3.3).
    let (x, y) = pair.der_bytes()[1..].split_at(32);
    let jwk = json!({
        "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y),
        "kid": kid, "alg": "ES256", "use": "sig",
    });
    (EncodingKey::from_ec_der(pair.serialized_der()), jwk)
}

/// Asserts that the token gives no access, and that the response reveals nothing.
async fn is_refused(client: &Client, token: &str, what: &str) {
    let response = client.me(token).await;
    assert_eq!(response.status, 401, "{what}: {response:?}");
    response.is(401, "invalid_token");
    assert!(response.header("www-authenticate").unwrap().contains("error=\"invalid_token\""));
    assert!(!response.text.contains("ada@"), "{what}: {response:?}");
}

/// Rows J1 and J2: an unsigned token is refused, whatever its header claims.
#[tokio::test]
async fn j1_j2_unsigned_tokens_are_refused() {
    let server = TestServer::new().await;
    let pair = server.client.begin("ada").await;
    let token = pair.access();
    let old = token.rsplit('.').next().unwrap();
    let header = header(token);
    let mut headers: Vec<Value> = ["none", "None", "NONE", "nOnE", ""]
        .into_iter()
        .map(|name| with(&header, "alg", json!(name)))
        .collect();
    headers.push(json!({"typ": header["typ"], "kid": header["kid"]}));
    for value in [Value::Null, json!(["none"]), json!(["ES256"]), json!({}), json!(0)] {
        headers.push(with(&header, "alg", value));
    }
    for header in &headers {
        for signature in ["", old, "AA"] {
            let token = format!("{}.{signature}", message(token, header));
            is_refused(&server.client, &token, &header.to_string()).await;
        }
    }
    let blank = encode([0; 64]);
    for signature in ["", "AA", "AAAA", &blank] {
        let token = format!("{}.{signature}", token.rsplit_once('.').unwrap().0);
        is_refused(&server.client, &token, signature).await;
    }
    assert_eq!(server.client.me(token).await.status, 200);
}

/// One element of DER.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut bytes = vec![tag];
    match u8::try_from(length) {
        Ok(short) if short < 128 => bytes.push(short),
        _ => bytes.extend([&[0x82], &u16::try_from(length).unwrap().to_be_bytes()[..]].concat()),
    }
    bytes.extend(content);
    bytes
}

/// Every encoding of a public key that a verifier could confuse with the secret of a MAC.
fn faces(jwk: &Value) -> Vec<Vec<u8>> {
    let bytes = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
    // The identifiers of the algorithms (RFC 8410, RFC 5480, RFC 8017), with the key itself.
    let (identifier, key) = match jwk["kty"].as_str().unwrap() {
        "OKP" => (b"\x06\x03\x2b\x65\x70".to_vec(), bytes("x")),
        "EC" => {
            let oids =
                b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
            (oids.to_vec(), [vec![4], bytes("x"), bytes("y")].concat())
        }
        _ => {
            let numbers = [der(2, &[vec![0], bytes("n")].concat()), der(2, &bytes("e"))].concat();
            let oid = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
            (oid.to_vec(), der(0x30, &numbers))
        }
    };
    let bits = der(3, &[vec![0], key.clone()].concat());
    let spki = der(0x30, &[der(0x30, &identifier), bits].concat());
    let lines = STANDARD.encode(&spki);
    let lines: Vec<&str> =
        lines.as_bytes().chunks(64).map(|l| str::from_utf8(l).unwrap()).collect();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----", lines.join("\n"));
    let first = if jwk["kty"] == "RSA" { "n" } else { "x" };
    let coordinate = jwk[first].as_str().unwrap().as_bytes().to_vec();
    let with_newline = format!("{pem}\n").into_bytes();
    let kid = jwk["kid"].as_str().unwrap().as_bytes().to_vec();
    let json = jwk.to_string().into_bytes();
    vec![key, bytes(first), spki, pem.into_bytes(), with_newline, coordinate, json, kid, Vec::new()]
}

/// Row J3: no published value is the key of a MAC.
#[tokio::test]
async fn j3_published_keys_are_no_secrets_of_a_mac() {
    for algorithm in ["EdDSA", "ES256", "RS256"] {
        let server = TestServer::with(&[("keys.algorithm", algorithm)]).await;
        let pair = server.client.begin("ada").await;
        let keys = server.client.get("/.well-known/jwks.json").await;
        let jwk = &keys.body["keys"][0];
        assert_eq!(jwk["alg"], algorithm);
        for (number, secret) in faces(jwk).iter().enumerate() {
            let key = EncodingKey::from_secret(secret);
            for (name, mac) in [("HS256", Algorithm::HS256), ("HS512", Algorithm::HS512)] {
                for alg in [name, algorithm] {
                    let header = with(&header(pair.access()), "alg", json!(alg));
                    let token = signed(pair.access(), &header, &key, mac);
                    is_refused(&server.client, &token, &format!("{algorithm} {alg} {number}"))
                        .await;
                }
            }
        }
        assert_eq!(server.client.me(pair.access()).await.status, 200);
    }
}

/// Row J5: a key that comes with the token, or has the identifier of ours, is not trusted.
#[tokio::test]
async fn j5_a_key_of_ones_own_is_not_believed() {
    let server = TestServer::new().await;
    let pair = server.client.begin("ada").await;
    let header = header(pair.access());
    let (key, jwk) = own_key(&header["kid"]);
    let (_, other_jwk) = own_key(&json!("mine"));
    for header in [
        header.clone(),
        with(&header, "jwk", jwk.clone()),
        with(&with(&header, "kid", json!("mine")), "jwk", other_jwk),
        with(&header, "kid", jwk),
    ] {
        let token = signed(pair.access(), &header, &key, Algorithm::ES256);
        is_refused(&server.client, &token, &header.to_string()).await;
    }
}

/// Row J6: no URL in a token is ever fetched.
#[tokio::test]
async fn j6_no_key_is_fetched() {
    let server = TestServer::new().await;
    let pair = server.client.begin("ada").await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/keys.json", listener.local_addr().unwrap());
    let header = header(pair.access());
    let (key, _) = own_key(&header["kid"]);
    let certificate = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let chain = json!([STANDARD.encode(certificate.cert.der())]);
    for (member, value) in [
        ("jku", json!(url)),
        ("x5u", json!(url)),
        ("kid", json!(url)),
        ("iss", json!(url)),
        ("x5c", chain),
    ] {
        let header = with(&header, member, value);
        let token = signed(pair.access(), &header, &key, Algorithm::ES256);
        is_refused(&server.client, &token, member).await;
    }
    let connected = tokio::time::timeout(Duration::from_millis(500), listener.accept()).await;
    assert!(connected.is_err(), "the node has connected to an address from a token");
}

/// Row J7: a key identifier is only looked up. Refusing it is quick and leaves no trace of it in
/// the log.
#[tokio::test]
async fn j7_hostile_key_ids_are_refused_fast_and_quietly() {
    let server = TestServer::process(Database::Sqlite, &[("log.level", "trace")]).await;
    let pair = server.client.begin("ada").await;
    let header = header(pair.access());
    let (key, _) = own_key(&header["kid"]);
    let mut headers = vec![json!({"alg": "ES256", "typ": "at+jwt"})];
    let kids = [
        json!("../../../../dev/null"),
        json!("/dev/null"),
        json!("' OR 1=1--"),
        json!("|sleep 5"),
        json!("$(sleep 5)"),
        json!("kid\u{0}"),
        json!("kid\r\n{\"level\":\"INFO\",\"message\":\"injected\"}"),
        json!("k".repeat(64 * 1024)),
        json!("unknown"),
        json!(""),
        json!(7),
        json!({"a": "b"}),
        json!([header["kid"]]),
        Value::Null,
        Value::Bool(true),
    ];
    headers.extend(kids.into_iter().map(|kid| with(&header, "kid", kid)));
    for header in &headers {
        let token = signed(pair.access(), header, &key, Algorithm::ES256);
        let mut best = Duration::MAX;
        for _ in 0..5 {
            let started = Instant::now();
            is_refused(&server.client, &token, "kid").await;
            best = best.min(started.elapsed());
        }
        // The fastest of several, because other tests keep the machine busy.
        assert!(best < QUICK, "{best:?}");
    }
    let log = server.node.log();
    for trace in ["dev/null", "OR 1=1", "sleep 5", "injected", "kkkkkkkk"] {
        assert!(!log.contains(trace), "the log repeats {trace:?}");
    }
    assert_eq!(server.client.me(pair.access()).await.status, 200);
}

/// Row J13: tokens of another installation are refused, even with the same issuer and master key.
#[tokio::test]
async fn j13_tokens_of_another_installation_are_foreign() {
    let (server, staging) = (TestServer::new().await, TestServer::new().await);
    let other_issuer = TestServer::with(&[("tokens.issuer", "http://127.0.0.1:8080/")]).await;
    server.client.begin("ada").await;
    for foreign in [&staging, &other_issuer] {
        let pair = foreign.client.begin("ada").await;
        is_refused(&server.client, pair.access(), "foreign access token").await;
        server.client.refresh(pair.refresh_token(), None).await.is(401, "invalid_token");
        server.client.logout(pair.refresh_token()).await.is(401, "invalid_token");
        assert_eq!(foreign.client.me(pair.access()).await.status, 200);
    }
}
