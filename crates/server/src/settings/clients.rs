//! Names of the settings of clients, `clients.NAME.…`: the operator chooses the name.

use config::ValueKind;

/// The section with one section for each client.
pub(super) const SECTION: &str = "clients";

/// The setting with a client's secret.
pub(super) const SECRET: &str = "secret";

/// The setting with the path of a client's secret.
const SECRET_FILE: &str = "secret_file";

/// The setting with a client's rights.
pub(super) const MAY: &str = "may";

/// The maximum length of a client's name, in characters.
const NAME_LEN_MAX: usize = 64;

/// How settings of clients are named.
const REMEDY: &str = "; use clients.NAME.secret or clients.NAME.secret_file, and \
                      clients.NAME.may, where NAME is 1 to 64 characters from a-z, 0-9, - and _";

/// The kind of value of a client setting; `None` if there is no such setting.
pub(super) fn kind(option: &str) -> Option<ValueKind> {
    let (name, leaf) = inside(option)?.split_once('.')?;
    match leaf {
        SECRET | SECRET_FILE if is_name(name) => Some(ValueKind::String(String::new())),
        MAY if is_name(name) => Some(ValueKind::Array(Vec::new())),
        _ => None,
    }
}

/// The remedy for an unknown setting in the section of the clients.
pub(super) fn remedy(option: &str) -> Option<&'static str> {
    (option == SECTION || inside(option).is_some()).then_some(REMEDY)
}

/// Whether a setting holds a client's secret, even if the client's name is invalid.
pub(super) fn holds_secret(option: &str) -> bool {
    inside(option).and_then(|rest| rest.rsplit_once('.')).is_some_and(|(_, leaf)| leaf == SECRET)
}

/// The client setting that was meant by a name with single underscores between its levels.
pub(super) fn meant(flattened: &str) -> Option<String> {
    let rest = flattened.strip_prefix(SECTION)?.strip_prefix('_')?;
    [SECRET, SECRET_FILE, MAY].into_iter().find_map(|leaf| {
        let name = rest.strip_suffix(leaf)?.strip_suffix('_')?;
        Some(format!("{SECTION}.{name}.{leaf}"))
    })
}

/// The name without the section.
fn inside(option: &str) -> Option<&str> {
    option.strip_prefix(SECTION)?.strip_prefix('.')
}

/// Environment variables are case-insensitive here, so names of clients are lower case.
fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    (1..=NAME_LEN_MAX).contains(&name.len()) && name.bytes().all(allowed)
}
