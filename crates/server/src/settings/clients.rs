//! Names of the options of clients, `clients.NAME.…`: an operator chooses the name.

use config::ValueKind;

/// The section that holds the clients, each in a section of its own.
pub(super) const SECTION: &str = "clients";

/// The option of a client that holds its secret.
pub(super) const SECRET: &str = "secret";

/// The option of a client that names the file of its secret.
const SECRET_FILE: &str = "secret_file";

/// The option of a client that says what it may do.
pub(super) const MAY: &str = "may";

/// The most characters of a client's name.
const NAME_LEN_MAX: usize = 64;

/// How options of clients are written.
const REMEDY: &str = "; write clients.NAME.secret or clients.NAME.secret_file, and \
                      clients.NAME.may, with a NAME of 1 to 64 characters out of a-z, 0-9, - and _";

/// What kind of value an option of a client has; `None` if it is none.
pub(super) fn kind(option: &str) -> Option<ValueKind> {
    let (name, leaf) = inside(option)?.split_once('.')?;
    match leaf {
        SECRET | SECRET_FILE if is_name(name) => Some(ValueKind::String(String::new())),
        MAY if is_name(name) => Some(ValueKind::Array(Vec::new())),
        _ => None,
    }
}

/// How an option that stands among the clients, and is none of theirs, is mended.
pub(super) fn remedy(option: &str) -> Option<&'static str> {
    (option == SECTION || inside(option).is_some()).then_some(REMEDY)
}

/// Whether an option holds the secret of a client, were its name a good one.
pub(super) fn holds_secret(option: &str) -> bool {
    inside(option).and_then(|rest| rest.rsplit_once('.')).is_some_and(|(_, leaf)| leaf == SECRET)
}

/// The option of a client that is meant by a name whose levels one underscore separates.
pub(super) fn meant(flattened: &str) -> Option<String> {
    let rest = flattened.strip_prefix(SECTION)?.strip_prefix('_')?;
    [SECRET, SECRET_FILE, MAY].into_iter().find_map(|leaf| {
        let name = rest.strip_suffix(leaf)?.strip_suffix('_')?;
        Some(format!("{SECTION}.{name}.{leaf}"))
    })
}

/// What stands behind the name of the section.
fn inside(option: &str) -> Option<&str> {
    option.strip_prefix(SECTION)?.strip_prefix('.')
}

/// Environment names are not told apart by case, so names of clients have none.
fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    (1..=NAME_LEN_MAX).contains(&name.len()) && name.bytes().all(allowed)
}
