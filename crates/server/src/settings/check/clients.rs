//! Checks of `clients.…`: services that may introspect or revoke tokens.

use std::collections::HashSet;

use gateward_http::{ApiClient, ClientRight};

use crate::settings::clients::{MAY, SECRET, SECTION};
use crate::settings::reader::Reader;
use crate::settings::secret::{self, Secret};

/// The minimum length of a secret: 32 hexadecimal digits are 128 random bits.
const SECRET_LEN_MIN: usize = 32;

/// The minimum number of different characters of a secret. Zeros and repeated short words have
/// fewer; 32 random hexadecimal digits only once in more than twenty million.
const SECRET_DISTINCT_MIN: usize = 8;

/// The possible rights of a client.
const REMEDY: &str = "use one or more of \"introspect\", \"revoke\", \"revocations\"";

pub(super) fn clients(reader: &mut Reader<'_>) -> Vec<ApiClient> {
    let names = reader.names_in(SECTION);
    names.into_iter().filter_map(|name| client(reader, name)).collect()
}

fn client(reader: &mut Reader<'_>, name: String) -> Option<ApiClient> {
    let secret = client_secret(reader, &format!("{SECTION}.{name}.{SECRET}"));
    let may = rights(reader, &format!("{SECTION}.{name}.{MAY}"));
    Some(ApiClient::new(name, secret?.expose(), may))
}

fn client_secret(reader: &mut Reader<'_>, option: &str) -> Option<Secret> {
    if !secret::is_set(reader, option) {
        let message = format!(
            "is not set; generate one with `openssl rand -hex 32`, and set it or {option}_file"
        );
        reader.missing(option, message);
        return None;
    }
    let secret = secret::read(reader, option)?;
    if let Some(fault) = fault(secret.expose()) {
        reader.wrong(option, format!("{fault}; generate one with `openssl rand -hex 32`"));
    }
    Some(secret)
}

/// What is wrong with a secret.
fn fault(secret: &str) -> Option<&'static str> {
    if secret.chars().count() < SECRET_LEN_MIN {
        Some("has fewer than 32 characters")
    } else if secret.chars().collect::<HashSet<_>>().len() < SECRET_DISTINCT_MIN {
        Some("has fewer than 8 different characters")
    } else if secret.contains(char::is_control) {
        // HTTP Basic cannot carry one (RFC 7617, section 2).
        Some("contains a line break or another control character")
    } else {
        None
    }
}

fn rights(reader: &mut Reader<'_>, option: &str) -> Vec<ClientRight> {
    let words = reader.list(option);
    if words.is_empty() {
        reader.missing(option, format!("is empty; {REMEDY}"));
    }
    let mut rights = Vec::new();
    for word in words {
        match right(&word) {
            Some(right) => rights.push(right),
            None => reader.wrong(option, format!("contains \"{word}\"; {REMEDY}")),
        }
    }
    rights
}

fn right(word: &str) -> Option<ClientRight> {
    match word {
        "introspect" => Some(ClientRight::Introspect),
        "revoke" => Some(ClientRight::Revoke),
        "revocations" => Some(ClientRight::Revocations),
        _ => None,
    }
}
