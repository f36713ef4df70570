//! `StolenDatabase`: a stolen copy of the database, and what an attacker can read from it.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{digest, hkdf, hmac};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use futures_util::StreamExt;
use gateward_e2e::{Database, MASTER_KEY, TestDatabase};
use memchr::memmem;
use serde_json::Value;

/// All bytes of a database.
pub(crate) struct StolenDatabase {
    /// For SQLite the file and its journal, for Postgres every row of every table in binary form.
    pub(crate) bytes: Vec<u8>,
    /// Bytes between two values of a row: Postgres writes the length of each.
    gap: usize,
}

impl StolenDatabase {
    /// Copies the whole database.
    pub(crate) async fn of(database: &TestDatabase) -> Self {
        match database.kind {
            Database::Sqlite => {
                let file = database.url.strip_prefix("sqlite://").unwrap();
                let mut bytes = std::fs::read(file).unwrap();
                bytes.extend(std::fs::read(format!("{file}-wal")).unwrap_or_default());
                Self { bytes, gap: 0 }
            }
            Database::Postgres => Self { bytes: rows(database).await, gap: 4 },
        }
    }

    /// Whether these bytes occur.
    pub(crate) fn has(&self, wanted: &[u8]) -> bool {
        self.find(wanted, 0).is_some()
    }

    /// The first position of these bytes, from an offset.
    fn find(&self, wanted: &[u8], from: usize) -> Option<usize> {
        memmem::find(self.bytes.get(from..)?, wanted).map(|at| from + at)
    }

    /// The salt of a session. It follows the identifier of its key, as long as there is no
    /// idempotency key, for which Postgres then writes only a length.
    pub(crate) fn salt(&self, session_id: &str, key_id: &str) -> [u8; 32] {
        let id = uuid(session_id);
        let mut from = 0;
        while let Some(at) = self.find(&id, from) {
            let row = &self.bytes[at..self.bytes.len().min(at + 300)];
            let key = key_id.as_bytes();
            if let Some(index) = memmem::find(row, key) {
                let salt = at + index + key.len() + 2 * self.gap;
                return self.bytes[salt..salt + 32].try_into().unwrap();
            }
            from = at + 1;
        }
        panic!("the session is not there");
    }

    /// A private key as stored: name, purpose, algorithm, and the ciphertext of `length` bytes.
    pub(crate) fn sealed(&self, id: &str, purpose: &str, algorithm: &str, length: usize) -> &[u8] {
        let mut row = id.as_bytes().to_vec();
        for value in [purpose, algorithm] {
            if self.gap > 0 {
                row.extend(u32::try_from(value.len()).unwrap().to_be_bytes());
            }
            row.extend(value.as_bytes());
        }
        let at = self.find(&row, 0).unwrap() + row.len() + self.gap;
        // A version, a nonce, the ciphertext, and a tag.
        &self.bytes[at..at + 1 + NONCE_LEN + length + 16]
    }

    /// The same, decrypted with the master key, which is not in the database.
    pub(crate) fn open(&self, id: &str, purpose: &str, algorithm: &str, length: usize) -> Vec<u8> {
        let sealed = self.sealed(id, purpose, algorithm, length);
        let (nonce, rest) = sealed[1..].split_at(NONCE_LEN);
        let master = STANDARD.decode(MASTER_KEY).unwrap();
        let key = derive(&master, "gateward signing keys at rest v1");
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).unwrap());
        let associated_data = format!("{purpose}\0{algorithm}\0{id}\0");
        let mut buffer = rest.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(nonce).unwrap();
        key.open_in_place(nonce, Aad::from(associated_data.as_bytes()), &mut buffer)
            .unwrap()
            .to_vec()
    }

    /// Whether a secret occurs: in plain text, in hex or in base64.
    pub(crate) fn tells(&self, secret: &[u8]) -> bool {
        forms(secret).iter().any(|form| self.has(form))
    }
}

/// A secret in plain text, in hex and in base64.
pub(crate) fn forms(secret: &[u8]) -> Vec<Vec<u8>> {
    let hex = hex(secret);
    let mut forms = vec![secret.to_vec(), hex.to_uppercase().into_bytes(), hex.into_bytes()];
    // In base64 a string looks different after one or two other bytes, and its last character
    // depends on what follows.
    for before in 0..3 {
        let shifted = [vec![0; before], secret.to_vec()].concat();
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            let text = engine.encode(&shifted);
            forms.push(text.as_bytes()[(before * 4).div_ceil(3)..text.len() - 1].to_vec());
        }
    }
    forms
}

/// The tests of leaks rely on this: a secret is found in any encoding.
#[test]
fn a_secret_is_found_in_every_writing() {
    let secret = b"the canary??>>";
    let hex = hex(secret);
    let mut writings = vec![hex.to_uppercase(), hex, "the canary??>>".to_owned()];
    for before in ["", "a", "ab", "abc"] {
        for after in ["", "y", "yz"] {
            let text = [before.as_bytes(), secret, after.as_bytes()].concat();
            writings.extend([STANDARD.encode(&text), URL_SAFE_NO_PAD.encode(&text)]);
        }
    }
    for writing in writings {
        let stolen =
            StolenDatabase { bytes: format!("before {writing} behind").into_bytes(), gap: 0 };
        assert!(stolen.tells(secret), "{writing}");
        assert!(!stolen.tells(b"the sparrow?>>"), "{writing}");
    }
}

/// Every row of every table, as the server sends it.
async fn rows(database: &TestDatabase) -> Vec<u8> {
    let client = database.postgres().await;
    let tables = "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'";
    let mut bytes = Vec::new();
    for table in client.query(tables, &[]).await.unwrap() {
        let sql = format!("COPY {} TO STDOUT (FORMAT binary)", table.get::<_, String>(0));
        let mut stream = std::pin::pin!(client.copy_out(&sql).await.unwrap());
        while let Some(chunk) = stream.next().await {
            bytes.extend_from_slice(&chunk.unwrap());
        }
    }
    bytes
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

/// The bytes of an identifier.
pub(crate) fn uuid(text: &str) -> [u8; 16] {
    u128::from_str_radix(&text.replace('-', ""), 16).unwrap().to_be_bytes()
}

/// HKDF-SHA-256 without salt, as the service derives its keys.
pub(crate) fn derive(secret: &[u8], label: &str) -> [u8; 32] {
    let mut key = [0; 32];
    let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(secret);
    extracted.expand(&[label.as_bytes()], hkdf::HKDF_SHA256).unwrap().fill(&mut key).unwrap();
    key
}

pub(crate) fn mac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, message).as_ref().try_into().unwrap()
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    digest::digest(&digest::SHA256, bytes).as_ref().try_into().unwrap()
}

/// The MAC in the secret of a refresh token.
pub(crate) fn keyed(key: &[u8], session_id: &str, generation: i64) -> [u8; 32] {
    mac(key, &[uuid(session_id).as_slice(), &generation.to_be_bytes()].concat())
}

/// The secret of a refresh token, from its MAC and the salt of its session.
pub(crate) fn secret(keyed: &[u8; 32], salt: &[u8]) -> [u8; 32] {
    sha256(&[keyed.as_slice(), salt].concat())
}

/// A token of these parts, signed with HMAC-SHA-256.
pub(crate) fn signed(header: &Value, payload: &Value, key: &[u8]) -> String {
    let message = message(header, payload);
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac(key, message.as_bytes())))
}

/// The signed bytes of a token with these parts.
pub(crate) fn message(header: &Value, payload: &Value) -> String {
    let [header, payload] =
        [header, payload].map(|part| URL_SAFE_NO_PAD.encode(part.to_string().as_bytes()));
    format!("{header}.{payload}")
}

/// The header of a token.
pub(crate) fn header(token: &str) -> Value {
    let header = token.split('.').next().unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap()
}

/// The bytes of hexadecimal digits.
pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let digits = (0..text.len()).step_by(2);
    digits.map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}
