//! Public keys as JSON Web Keys (RFC 7517), and their identifiers, which are thumbprints (RFC
//! 7638).

use aws_lc_rs::digest;
use gateward_domain::key::{Algorithm, KeyId};
use serde::Serialize;

use crate::jws::encode;

/// A public key. Each part is in base64url, as in a JSON Web Key.
pub(super) enum PublicKey {
    /// Ed25519: its 32 bytes (RFC 8037, section 2).
    Ed25519 { x: String },
    /// A point on P-256 (RFC 7518, section 6.2.1).
    P256 { x: String, y: String },
    /// RSA: modulus and exponent (RFC 7518, section 6.3.1).
    Rsa { n: String, e: String },
}

/// A published JSON Web Key. It has no field for a private part.
#[derive(Serialize)]
struct Jwk<'a> {
    kty: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    crv: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    y: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    e: Option<&'a str>,
    kid: &'a str,
    alg: &'static str,
    #[serde(rename = "use")]
    usage: &'static str,
}

impl PublicKey {
    /// Builds an Ed25519 public key from its bytes.
    pub(super) fn ed25519(bytes: &[u8]) -> Self {
        Self::Ed25519 { x: encode(bytes) }
    }

    /// Builds a P-256 public key from an uncompressed point (SEC 1, section 2.3.3).
    pub(super) fn p256(point: &[u8]) -> Option<Self> {
        let (form, coordinates) = point.split_first()?;
        let (x, y) = coordinates.split_at_checked(32)?;
        (*form == 4 && y.len() == 32).then(|| Self::P256 { x: encode(x), y: encode(y) })
    }

    /// Builds an RSA public key from modulus and exponent, big-endian.
    pub(super) fn rsa(modulus: &[u8], exponent: &[u8]) -> Self {
        Self::Rsa { n: encode(modulus), e: encode(exponent) }
    }

    /// Returns the identifier of the key: its SHA-256 thumbprint. It is unique, and anyone with the
    /// key can verify it.
    pub(super) fn id(&self) -> KeyId {
        // The members that RFC 7638, section 3.2 requires, in alphabetical order, without spaces.
        // base64url needs no escaping.
        let canonical = match self {
            Self::Ed25519 { x } => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#),
            Self::P256 { x, y } => {
                format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#)
            }
            Self::Rsa { n, e } => format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#),
        };
        KeyId(encode(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref()))
    }

    /// Returns the key as it is published.
    pub(super) fn to_jwk(&self, id: &KeyId, algorithm: Algorithm) -> Option<String> {
        let (kid, alg, usage) = (id.0.as_str(), algorithm.as_str(), "sig");
        let bare = Jwk { kty: "", crv: None, x: None, y: None, n: None, e: None, kid, alg, usage };
        let jwk = match self {
            Self::Ed25519 { x } => Jwk { kty: "OKP", crv: Some("Ed25519"), x: Some(x), ..bare },
            Self::P256 { x, y } => {
                Jwk { kty: "EC", crv: Some("P-256"), x: Some(x), y: Some(y), ..bare }
            }
            Self::Rsa { n, e } => Jwk { kty: "RSA", n: Some(n), e: Some(e), ..bare },
        };
        serde_json::to_string(&jwk).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 7638, section 3.1, and RFC 8037, appendix A.3.
    #[test]
    fn names_are_the_thumbprints_of_the_rfcs() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let rsa = PublicKey::Rsa { n: n.to_owned(), e: "AQAB".to_owned() };
        assert_eq!(rsa.id().0, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".to_owned();
        assert_eq!(PublicKey::Ed25519 { x }.id().0, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }
}
