//! Checks of `dialects.…`: which wires are spoken, and where.

use gateward_app::UserIds;
use gateward_http::{Dialects, Flask, FlaskTransport, Options, SimpleJwt};

use super::http::is_path_prefix;
use crate::settings::reader::Reader;

const ENABLED: &str = "dialects.enabled";

/// The names of the dialects.
const NAMES: [&str; 2] = ["simplejwt", "flask"];

pub(super) fn dialects(reader: &mut Reader<'_>) -> Dialects {
    let enabled = reader.list(ENABLED);
    for name in &enabled {
        if !NAMES.contains(&name.as_str()) {
            let message = format!("contains \"{name}\"; the dialects are \"simplejwt\", \"flask\"");
            reader.wrong(ENABLED, message);
        }
    }
    let is_on = |dialect: &str| enabled.iter().any(|name| name == dialect);
    let simplejwt = SimpleJwt { rotate: reader.flag("dialects.simplejwt_rotate") };
    let flask = flask(reader);
    Dialects {
        simplejwt: is_on("simplejwt").then_some(simplejwt),
        flask: is_on("flask").then_some(flask),
    }
}

fn flask(reader: &mut Reader<'_>) -> Flask {
    let path = reader.text("dialects.flask_path").unwrap_or_default();
    if path != "/" && (path.is_empty() || !is_path_prefix(&path)) {
        let message = "must be / or like /auth, without a trailing slash";
        reader.wrong("dialects.flask_path", message);
    }
    let transports = [("header", FlaskTransport::Header), ("cookie", FlaskTransport::Cookie)];
    let transport = reader.choice("dialects.flask_transport", &transports);
    Flask {
        path,
        transport: transport.unwrap_or_default(),
        csrf: reader.flag("dialects.flask_csrf"),
        rotate: reader.flag("dialects.flask_rotate"),
    }
}

/// Which identifier the dialects show.
pub(super) fn user_ids(reader: &mut Reader<'_>) -> UserIds {
    let ids = [("uuid", UserIds::Uuid), ("integer", UserIds::Integer)];
    reader.choice("dialects.user_ids", &ids).unwrap_or_default()
}

/// Refuses dialects that claim a path which is taken.
pub(super) fn refuse_collisions(reader: &mut Reader<'_>, options: &Options) {
    for collision in gateward_http::dialect_collisions(options) {
        let (dialect, path, other) = (collision.dialect, collision.path, collision.other);
        let option = if dialect == "flask" { "dialects.flask_path" } else { ENABLED };
        let message = format!(
            "the path {path} of the dialect {dialect} is also {other}; change \
             dialects.flask_path or http.base_path"
        );
        reader.wrong(option, message);
    }
}
