//! The layers of settings: built-in defaults, the file, the environment.

use std::collections::BTreeMap;

use config::{Config, File, FileFormat, Value, ValueKind};

use super::error::SettingError;
use super::{clients, env_file};

const DEFAULT: &str = include_str!("../../../../config/default.toml");
const DEVELOPMENT: &str = include_str!("../../../../config/development.toml");
const PRODUCTION: &str = include_str!("../../../../config/production.toml");

/// The prefix of environment variables; a double underscore separates the levels.
const PREFIX: &str = "GATEWARD__";

/// The setting of which an empty variable is an error: a deployment whose database URL got lost must
/// not start with an empty database of its own.
const NEVER_EMPTY: &str = "database.url";

pub(crate) const DEFAULT_SOURCE: &str = "default";

/// All settings by their dotted names, each with its source.
pub(crate) type Flat = BTreeMap<String, Setting>;

/// The value of a setting, and its source.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) value: Value,
    pub(crate) source: String,
}

/// Merges the layers. Unknown settings and wrong types are errors.
pub(crate) fn merge(
    file: Option<(&str, &str)>,
    environment: &BTreeMap<String, String>,
    errors: &mut Vec<SettingError>,
) -> Flat {
    let mut flat = read(DEFAULT, DEFAULT_SOURCE, &Flat::new(), &mut Vec::new());
    let known = flat.clone();
    let file = file.map(|(path, text)| read(text, path, &known, errors)).unwrap_or_default();
    let environment = from_environment(environment, &known, errors);
    let mode = environment.get("mode").or_else(|| file.get("mode"));
    let mode = mode.and_then(|setting| setting.value.clone().into_string().ok());
    let preset = match mode.as_deref() {
        Some("production") => read(PRODUCTION, "production", &known, errors),
        // An unknown mode is refused when the values are checked.
        _ => read(DEVELOPMENT, "development", &known, errors),
    };
    for layer in [preset, file, environment] {
        flat.extend(layer);
    }
    flat
}

/// Reads one layer of TOML.
fn read(text: &str, source: &str, known: &Flat, errors: &mut Vec<SettingError>) -> Flat {
    let built = Config::builder().add_source(File::from_str(text, FileFormat::Toml)).build();
    let Ok(table) = built.and_then(|config| config.cache.into_table()) else {
        errors.push(SettingError::file(source, &slip(text)));
        return Flat::new();
    };
    let mut flat = Flat::new();
    flatten("", table.into_iter().collect(), source, &mut flat);
    if !known.is_empty() {
        flat.retain(|name, setting| accept(name, setting, known, errors));
    }
    flat
}

/// Where a file is not TOML. The line is not quoted, because it may contain a secret.
fn slip(text: &str) -> String {
    match toml::from_str::<toml::Table>(text) {
        Ok(_) => "not valid TOML".to_owned(),
        Err(error) => {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            format!("line {}: {}", before.matches('\n').count() + 1, error.message())
        }
    }
}

fn flatten(prefix: &str, table: BTreeMap<String, Value>, source: &str, flat: &mut Flat) {
    for (name, value) in table {
        let name = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
        match value.kind {
            ValueKind::Table(inner) if !inner.is_empty() => {
                flatten(&name, inner.into_iter().collect(), source, flat);
            }
            _ => {
                flat.insert(name, Setting { value, source: source.to_owned() });
            }
        }
    }
}

/// Whether the setting exists and can be read as the type of its default, which it then has.
fn accept(name: &str, setting: &mut Setting, known: &Flat, errors: &mut Vec<SettingError>) -> bool {
    if matches!(setting.value.kind, ValueKind::Table(_)) && is_section(name, known) {
        // An empty section sets nothing.
        return false;
    }
    let Some(like) = kind_of(name, known) else {
        errors.push(SettingError::unknown(name, &setting.source, known));
        return false;
    };
    if let Some(kind) = convert(&setting.value.kind, &like) {
        setting.value.kind = kind;
        return true;
    }
    let (wanted, source) = (type_name(&like), &setting.source);
    errors.push(SettingError::new(name, format!("must be {wanted} (in {source})")));
    false
}

/// The kind of value of a setting; `None` if there is no such setting.
fn kind_of(name: &str, known: &Flat) -> Option<ValueKind> {
    let default = known.get(name).map(|default| default.value.kind.clone());
    default.or_else(|| clients::kind(name))
}

/// Whether there is a section with this name.
fn is_section(name: &str, known: &Flat) -> bool {
    let begins =
        |option: &String| option.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
    name == clients::SECTION || known.keys().any(begins)
}

/// The name of a type in errors.
fn type_name(kind: &ValueKind) -> &'static str {
    match kind {
        ValueKind::Boolean(_) => "true or false",
        ValueKind::I64(_) => "a whole number",
        ValueKind::Array(_) => "a list of strings",
        _ => "a string",
    }
}

/// Reads the variables of settings, in the same way as a file with strings. An empty one is not set.
fn from_environment(
    environment: &BTreeMap<String, String>,
    known: &Flat,
    errors: &mut Vec<SettingError>,
) -> Flat {
    let mut flat = Flat::new();
    let mode =
        environment.get("GATEWARD_MODE").map(|text| ("mode".to_owned(), "GATEWARD_MODE", text));
    let rest = environment
        .iter()
        .filter(|(variable, _)| variable.starts_with(PREFIX))
        .map(|(variable, text)| (option_of(variable), variable.as_str(), text));
    for variable in environment.keys() {
        if let Some(meant) = nearly(variable, known) {
            errors.push(SettingError::underscores(variable, &meant));
        }
    }
    for (name, variable, text) in mode.into_iter().chain(rest) {
        if !is_set(text) && name != NEVER_EMPTY && kind_of(&name, known).is_some() {
            continue;
        }
        let value = Value::new(None, text.as_str());
        let mut setting = Setting { value, source: variable.to_owned() };
        if accept(&name, &mut setting, known, errors) {
            flat.insert(name, setting);
        }
    }
    flat
}

/// Whether an environment variable with this value is set.
pub(crate) fn is_set(text: &str) -> bool {
    !text.trim().is_empty()
}

/// The variable that was meant by one with too few underscores. Other variables with our prefix are
/// ignored: Kubernetes sets some, such as `GATEWARD_PORT`, for a service of that name.
fn nearly(variable: &str, known: &Flat) -> Option<String> {
    let rest = variable.strip_prefix(env_file::PREFIX).filter(|_| !variable.starts_with(PREFIX))?;
    let meant = rest.to_ascii_lowercase().replace("__", "_");
    let known = known.keys().find(|name| name.contains('.') && name.replace('.', "_") == meant);
    let option = known.cloned().or_else(|| clients::meant(&meant))?;
    Some(format!("{PREFIX}{}", option.to_ascii_uppercase().replace('.', "__")))
}

/// The setting of a variable.
pub(crate) fn option_of(variable: &str) -> String {
    variable.strip_prefix(PREFIX).unwrap_or(variable).to_ascii_lowercase().replace("__", ".")
}

/// Reads a value as the type of another one: the same from a file and from the environment.
fn convert(kind: &ValueKind, like: &ValueKind) -> Option<ValueKind> {
    Some(match (like, kind) {
        (ValueKind::Boolean(_), ValueKind::Boolean(flag)) => ValueKind::Boolean(*flag),
        (ValueKind::Boolean(_), ValueKind::I64(number)) => {
            ValueKind::Boolean(flag(&number.to_string())?)
        }
        (ValueKind::Boolean(_), ValueKind::String(text)) => ValueKind::Boolean(flag(text)?),
        (ValueKind::I64(_), ValueKind::I64(number)) => ValueKind::I64(*number),
        (ValueKind::I64(_), ValueKind::String(text)) => ValueKind::I64(text.trim().parse().ok()?),
        (ValueKind::Array(_), ValueKind::Array(items)) => ValueKind::Array(items.clone()),
        (ValueKind::Array(_), ValueKind::String(text)) => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            ValueKind::Array(items.map(|item| Value::new(None, item)).collect())
        }
        (ValueKind::String(_), ValueKind::String(text)) => ValueKind::String(text.clone()),
        _ => return None,
    })
}

/// A flag as people write it.
fn flag(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Some(true),
        "false" | "no" | "0" => Some(false),
        _ => None,
    }
}
