//! Leaks: attacks with the database alone, and with the signing keys alone.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
    UnparsedPublicKey,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gateward_e2e::{Client, Database, PASSWORD, TestResponse, claims, on_both};
use serde_json::{Value, json};

use crate::support::pair::{Pair, refused_soon};
use crate::support::stolen_database::{
    StolenDatabase, derive, header, keyed, mac, message, secret, sha256, signed, unhex,
};

on_both!(
    a_stolen_database_holds_no_secret_in_clear,
    a_stolen_database_makes_no_token,
    a_stolen_database_does_not_tell_who_failed_to_log_in,
    stolen_signing_keys_make_no_refresh_token,
    stolen_signing_keys_open_no_session_that_the_thief_does_not_know,
);

const SIGNATURE_LABEL: &str = "gateward refresh token signature v1";
const SECRET_LABEL: &str = "gateward refresh token secret v1";
const PSEUDONYM_LABEL: &str = "gateward pseudonym v1";

/// Bytes of a P-256 key as stored (PKCS#8 version 1).
const P256_LEN: usize = 138;

/// A session that was refreshed once without a key, so that the token of generation 2 is current.
struct Victim {
    pair: Pair,
    client: Client,
    first: TestResponse,
    current: TestResponse,
    stolen: StolenDatabase,
}

impl Victim {
    async fn new(kind: Database) -> Self {
        let pair = Pair::start(kind, &[]).await;
        let [client, _] = pair.clients();
        let first = client.begin("ada").await;
        let current = client.refresh(first.refresh_token(), None).await;
        assert_eq!(current.status, 200);
        let stolen = StolenDatabase::of(&pair.database).await;
        Self { pair, client, first, current, stolen }
    }

    fn session_id(&self) -> &str {
        self.current.text_of("session_id")
    }

    /// The identifier of the key that signs refresh tokens.
    fn refresh_kid(&self) -> String {
        header(self.current.refresh_token())["kid"].as_str().unwrap().to_owned()
    }

    fn salt(&self) -> [u8; 32] {
        self.stolen.salt(self.session_id(), &self.refresh_kid())
    }

    /// The claims of the current refresh token, with another generation and another secret.
    fn payload(&self, generation: i64, secret: &[u8]) -> Value {
        let mut payload = claims(self.current.refresh_token());
        payload["gen"] = json!(generation);
        payload["sec"] = json!(URL_SAFE_NO_PAD.encode(secret));
        payload
    }

    /// Asserts that a forged refresh token gets no tokens and ends no session.
    async fn is_refused(&self, forged: &str) {
        self.client.refresh(forged, None).await.is(401, "invalid_token");
        self.client.refresh(forged, Some("a-key")).await.is(401, "invalid_token");
        self.client.logout(forged).await.is(401, "invalid_token");
    }

    /// Asserts that the session is unchanged: its next refresh is the second one.
    async fn is_untouched(&self) {
        self.pair.is_alive(&self.current).await;
        self.pair.is_alive(&self.first).await;
        let next = self.client.refresh(self.current.refresh_token(), None).await;
        assert_eq!(next.status, 200, "{next:?}");
        assert_eq!(claims(next.refresh_token())["gen"], 3);
    }
}

/// The secret that a refresh token carries.
fn sec(token: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(claims(token)["sec"].as_str().unwrap()).unwrap()
}

/// The signature of a token, and the bytes that it signs.
fn split(token: &str) -> (&str, Vec<u8>) {
    let (message, signature) = token.rsplit_once('.').unwrap();
    (message, URL_SAFE_NO_PAD.decode(signature).unwrap())
}

/// Neither passwords nor tokens nor idempotency keys are in the database, in any encoding.
async fn a_stolen_database_holds_no_secret_in_clear(kind: Database) {
    const CANARY: &str = "the canary sings 7351 times";
    const KEY: &str = "the-idempotency-key-of-the-canary";
    let pair = Pair::start(kind, &[]).await;
    let [client, other] = pair.clients();
    let mut signup = json!({"username": "canary", "email": "canary@example.org"});
    signup["password"] = json!(CANARY);
    assert_eq!(client.send(client.post("/v1/signup", &signup)).await.status, 201);
    let first = client.login("canary", CANARY).await;
    let second = client.refresh(first.refresh_token(), Some(KEY)).await;
    let third = other.refresh(second.refresh_token(), Some(KEY)).await;
    let ended = client.login("canary", CANARY).await;
    assert_eq!(client.logout(ended.refresh_token()).await.status, 204);

    let stolen = StolenDatabase::of(&pair.database).await;
    for known in ["canary@example.org", "$argon2id$", "logout"] {
        assert!(stolen.has(known.as_bytes()), "the loot is the database");
    }
    assert!(stolen.has(&sha256(KEY.as_bytes())), "the hash of the key is kept");
    let mut secrets = vec![CANARY.as_bytes().to_vec(), KEY.as_bytes().to_vec()];
    for login in [&first, &ended] {
        let token = login.text_of("known_device_token");
        assert!(stolen.has(&sha256(token.as_bytes())), "its hash is kept");
        secrets.extend([token.as_bytes().to_vec(), unhex(token)]);
    }
    for pair in [&first, &second, &third, &ended] {
        for token in [pair.access(), pair.refresh_token()] {
            let (message, signature) = split(token);
            secrets.extend([token.as_bytes().to_vec(), message.as_bytes().to_vec(), signature]);
        }
        secrets.push(sec(pair.refresh_token()));
    }
    for secret in secrets {
        assert!(!stolen.tells(&secret), "the database tells {}", secret.escape_ascii());
    }
}

/// Failed attempts are counted under digests that need a secret key, which is encrypted.
async fn a_stolen_database_does_not_tell_who_failed_to_log_in(kind: Database) {
    const NAME: &str = "nobody.canary";
    let pair = Pair::start(kind, &[("rate_limit.enabled", "true")]).await;
    let [client, _] = pair.clients();
    client.login(NAME, PASSWORD).await.is(401, "invalid_credentials");

    let stolen = StolenDatabase::of(&pair.database).await;
    assert!(!stolen.tells(NAME.as_bytes()), "the name is there");
    let keys = String::from_utf8(pair.command(&["keys", "list"]).await.stdout).unwrap();
    let line = keys.lines().find(|line| line.contains(" audit ")).expect(&keys);
    let name = line.split(' ').next().unwrap();
    let sealed = stolen.sealed(name, "audit", "EdDSA", 32);
    let opened = derive(&stolen.open(name, "audit", "EdDSA", 32), PSEUDONYM_LABEL);
    let from = "127.0.0.1";
    for counted in [
        format!("account username {NAME}"),
        format!("pair username {NAME} {from}"),
        format!("client {from}"),
    ] {
        let counted = counted.as_bytes();
        assert!(stolen.has(&mac(&opened, counted)), "{} is counted", counted.escape_ascii());
        for guess in [&[][..], name.as_bytes(), sealed, &sealed[13..45]] {
            for key in [guess, &sha256(guess), &derive(guess, PSEUDONYM_LABEL)] {
                assert!(!stolen.has(&mac(key, counted)), "the key leaks");
            }
        }
        assert!(!stolen.has(&sha256(counted)), "a name is guessed from its hash");
    }
}

/// Keys that an attacker guesses from the stolen rows.
fn guesses(victim: &Victim, jwk: &Value) -> Vec<Vec<u8>> {
    let kid = victim.refresh_kid();
    let sealed = victim.stolen.sealed(&kid, "refresh", "HS256", 32);
    let public = jwk["x"].as_str().unwrap();
    let mut guesses: Vec<Vec<u8>> = vec![
        sealed.to_vec(),
        sealed[1..].to_vec(),
        sealed[13..].to_vec(),
        sealed[13..45].to_vec(),
        victim.salt().to_vec(),
        kid.clone().into_bytes(),
        URL_SAFE_NO_PAD.decode(&kid).unwrap(),
        public.as_bytes().to_vec(),
        URL_SAFE_NO_PAD.decode(public).unwrap(),
        jwk.to_string().into_bytes(),
        jwk["kid"].as_str().unwrap().as_bytes().to_vec(),
        b"http://127.0.0.1:8080".to_vec(),
        vec![0; 32],
        vec![],
    ];
    let hashed: Vec<Vec<u8>> = guesses.iter().map(|guess| sha256(guess).to_vec()).collect();
    let derived: Vec<Vec<u8>> =
        guesses.iter().map(|guess| derive(guess, SIGNATURE_LABEL).to_vec()).collect();
    guesses.extend(hashed);
    guesses.extend(derived);
    guesses
}

/// Neither a refresh token nor an access token can be made from the content of the database.
async fn a_stolen_database_makes_no_token(kind: Database) {
    let victim = Victim::new(kind).await;
    let keys = victim.client.get("/.well-known/jwks.json").await;
    let jwk = &keys.body["keys"][0];
    let (refresh_header, access_header) =
        (header(victim.current.refresh_token()), header(victim.current.access()));
    let mut confused = access_header.clone();
    confused["alg"] = json!("HS256");
    let access_payload = claims(victim.current.access());
    let salt = victim.salt();

    for guess in guesses(&victim, jwk) {
        let keyed = keyed(&guess, victim.session_id(), 2);
        for secret in [secret(&keyed, &salt), salt, sha256(&salt)] {
            victim.is_refused(&signed(&refresh_header, &victim.payload(2, &secret), &guess)).await;
        }
        for forged_header in [&confused, &refresh_header, &access_header] {
            let forged = signed(forged_header, &access_payload, &guess);
            victim.client.me(&forged).await.is(401, "invalid_token");
        }
    }
    for alg in ["none", "None", "HS256"] {
        let mut unsigned = access_header.clone();
        unsigned["alg"] = json!(alg);
        let message = message(&unsigned, &access_payload);
        for forged in [format!("{message}."), format!("{message}.AA"), message] {
            victim.client.me(&forged).await.is(401, "invalid_token");
        }
    }

    // No bytes of the database are the key: an attacker with a token to test finds none that makes
    // its signature or its secret.
    let (message, signature) = split(victim.current.refresh_token());
    let genuine = sec(victim.current.refresh_token());
    for window in victim.stolen.bytes.windows(32) {
        assert_ne!(mac(window, message.as_bytes()).as_slice(), signature, "a key in clear");
        let keyed = keyed(window, victim.session_id(), 2);
        assert_ne!(secret(&keyed, &salt).as_slice(), genuine, "a key in clear");
    }
    victim.is_untouched().await;
}

/// With the keys alone every signature is valid, and the secret is still missing: it needs the
/// session's row.
async fn stolen_signing_keys_make_no_refresh_token(kind: Database) {
    let victim = Victim::new(kind).await;
    let mallory = victim.client.begin("mallory").await;
    let key = victim.stolen.open(&victim.refresh_kid(), "refresh", "HS256", 32);
    let [signing, making] = [SIGNATURE_LABEL, SECRET_LABEL].map(|label| derive(&key, label));

    // These are the real keys: with them and the row an attacker makes the very same token.
    let (message, signature) = split(victim.current.refresh_token());
    assert_eq!(mac(&signing, message.as_bytes()).as_slice(), signature);
    let keyed_now = keyed(&making, victim.session_id(), 2);
    assert_eq!(secret(&keyed_now, &victim.salt()).as_slice(), sec(victim.current.refresh_token()));

    let header = header(victim.current.refresh_token());
    for generation in [1, 2, 3, 4, 1_000_000] {
        let keyed = keyed(&making, victim.session_id(), generation);
        for guess in [
            keyed,
            sha256(&keyed),
            secret(&keyed, &[0; 32]),
            secret(&keyed, &key),
            [0; 32],
            // Valid elsewhere: the secret of the attacker's own session.
            sec(mallory.refresh_token()).try_into().unwrap(),
        ] {
            victim
                .is_refused(&signed(&header, &victim.payload(generation, &guess), &signing))
                .await;
        }
    }
    // A used secret is valid for its own generation only.
    let spent = sec(victim.first.refresh_token());
    for generation in [2, 3] {
        victim.is_refused(&signed(&header, &victim.payload(generation, &spent), &signing)).await;
    }
    // Row R7: the attacker's own session with the victim's user identifier stays the attacker's
    // own.
    let mut payload = claims(mallory.refresh_token());
    payload["sub"] = claims(victim.current.refresh_token())["sub"].clone();
    let response = victim.client.refresh(&signed(&header, &payload, &signing), None).await;
    if response.status == 200 {
        assert_eq!(claims(response.access())["sub"], claims(mallory.access())["sub"]);
        assert_eq!(response.body["session_id"], mallory.body["session_id"]);
    } else {
        response.is(401, "invalid_token");
    }
    victim.is_untouched().await;
}

/// A signed access token names a session and its user, and both must match. Everything that a
/// stolen key signs becomes invalid with the key.
async fn stolen_signing_keys_open_no_session_that_the_thief_does_not_know(kind: Database) {
    let victim = Victim::new(kind).await;
    let mallory = victim.client.begin("mallory").await;
    let access_header = header(victim.current.access());
    let name = access_header["kid"].as_str().unwrap();
    let private = victim.stolen.open(name, "access", "ES256", P256_LEN);
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &private).unwrap();
    let sign = |payload: &Value| {
        let message = message(&access_header, payload);
        let signature =
            URL_SAFE_NO_PAD.encode(key.sign(&SystemRandom::new(), message.as_bytes()).unwrap());
        format!("{message}.{signature}")
    };
    // This is the real key.
    let (message, signature) = split(victim.current.access());
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.public_key());
    public.verify(message.as_bytes(), &signature).unwrap();

    let payload = claims(victim.current.access());
    let guessed = ["01a1f7c4-3276-7a3b-8f45-007bd2598b92", "00000000-0000-7000-8000-000000000000"];
    for session_id in [guessed[0], guessed[1], mallory.text_of("session_id")] {
        let mut payload = payload.clone();
        payload["sid"] = json!(session_id);
        victim.client.me(&sign(&payload)).await.is(401, "invalid_token");
    }
    // Roles and permissions come from the store, not from the token.
    let mut payload = claims(mallory.access());
    payload["roles"] = json!(["admin"]);
    let me = victim.client.me(&sign(&payload)).await;
    assert_eq!(me.body["roles"], json!(["user"]), "{me:?}");
    // An ended session stays ended, whatever the times in the token.
    assert_eq!(victim.client.logout(mallory.refresh_token()).await.status, 204);
    payload["exp"] = json!(payload["exp"].as_i64().unwrap() + 600);
    victim.client.me(&sign(&payload)).await.is(401, "session_ended");
    victim.is_untouched().await;

    victim.pair.command(&["keys", "retire", name, "--compromised"]).await;
    let payload = claims(victim.current.access());
    let mut elsewhere = payload.clone();
    elsewhere["sid"] = json!("01a1f7c4-3276-7a3b-8f45-007bd2598b92");
    for client in victim.pair.clients() {
        // The first node that learns of it, and the second one.
        refused_soon(&client, &victim.current).await.is_problem();
        for payload in [&payload, &elsewhere] {
            assert_eq!(client.me(&sign(payload)).await.status, 401);
        }
    }
    let after = victim.client.login("ada", PASSWORD).await;
    assert_ne!(header(after.access())["kid"], *name);
    victim.pair.is_alive(&after).await;
}
