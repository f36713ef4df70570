//! Compact JSON Web Signatures (RFC 7515), parsed strictly.
//!
//! `jsonwebtoken` by itself accepts unknown and empty `crit`, `b64: false` and any `typ`. Only its
//! signature verification is used; this module decides everything else.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gateward_domain::key::Algorithm;
use jsonwebtoken::DecodingKey;

use crate::json::Object;
use crate::signing_key::SigningKey;

/// Maximum length of a token in bytes: that of an HTTP header line, which carries access tokens.
pub(crate) const TOKEN_LEN_MAX: usize = 8 * 1024;

/// The allowed members of a protected header. All others are refused, and with them everything they
/// could request: `crit`, `b64`, `jwk`, `jku`, `x5u`, `zip` and future ones.
const HEADER_MEMBERS: [&str; 3] = ["alg", "typ", "kid"];

/// A parsed and decoded token, not yet verified.
pub(crate) struct Compact<'a> {
    /// The protected header.
    pub(crate) header: Header,
    /// The signed part: header and payload as received.
    message: &'a str,
    payload: &'a str,
    signature: &'a str,
}

/// A protected header.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) alg: String,
    pub(crate) typ: Option<String>,
    pub(crate) kid: Option<String>,
}

impl<'a> Compact<'a> {
    /// Parses a token: three segments, none of them empty, and a header with allowed members only.
    pub(crate) fn parse(token: &'a str) -> Option<Self> {
        if token.len() > TOKEN_LEN_MAX {
            return None;
        }
        let (message, signature) = token.rsplit_once('.')?;
        let (header, payload) = message.split_once('.')?;
        if payload.contains('.') || [header, payload, signature].contains(&"") {
            return None;
        }
        let header = Header::parse(&decode(header)?)?;
        Some(Self { header, message, payload, signature })
    }

    /// Verifies the signature with the key's only algorithm, and returns the payload.
    ///
    /// The token's `alg` does not choose the algorithm, but must match it.
    pub(crate) fn verify(&self, key: &DecodingKey, algorithm: Algorithm) -> Option<Vec<u8>> {
        if self.header.alg != algorithm.as_str() {
            return None;
        }
        let payload = decode(self.payload)?;
        let message = self.message.as_bytes();
        let verified =
            jsonwebtoken::crypto::verify(self.signature, message, key, library_name(algorithm));
        verified.is_ok_and(|verified| verified).then_some(payload)
    }
}

impl Header {
    fn parse(text: &[u8]) -> Option<Self> {
        let object = Object::parse(text)?;
        let all_known = object
            .names()
            .all(|name| HEADER_MEMBERS.contains(&name) && object.text(name).is_some());
        let text = |name| object.text(name).map(str::to_owned);
        all_known.then_some(())?;
        Some(Self { alg: text("alg")?, typ: text("typ"), kid: text("kid") })
    }
}

/// Builds the header segment for the tokens of one key.
pub(crate) fn header_segment(algorithm: Algorithm, typ: &str, kid: &str) -> String {
    let header = serde_json::json!({ "alg": algorithm.as_str(), "typ": typ, "kid": kid });
    URL_SAFE_NO_PAD.encode(header.to_string())
}

/// Builds a token from a header segment and a payload.
pub(crate) fn sign(header_segment: &str, payload: &[u8], key: &SigningKey) -> Option<String> {
    // Reserves space for payload and signature too. The longest signature has 512 characters (RSA
    // 3072).
    let mut token = String::with_capacity(header_segment.len() + payload.len() * 4 / 3 + 520);
    token.push_str(header_segment);
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut token);
    let signature = key.sign(token.as_bytes())?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    Some(token)
}

/// Decodes base64url without padding (RFC 7515, section 2). Refuses other characters, padding and
/// non-zero trailing bits.
pub(crate) fn decode(segment: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(segment).ok()
}

/// Encodes base64url without padding.
pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

const fn library_name(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    match algorithm {
        Algorithm::EdDsa => jsonwebtoken::Algorithm::EdDSA,
        Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
        Algorithm::Ps256 => jsonwebtoken::Algorithm::PS256,
        Algorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
        Algorithm::Hs256 => jsonwebtoken::Algorithm::HS256,
    }
}
