//! Checks of the master key and the previous one.

use std::path::PathBuf;

use gateward_crypto::MasterKey;

use crate::settings::reader::Reader;
use crate::settings::{GENERATED_MASTER_KEY, MasterKeySource, Mode, secret};

pub(super) fn master_key(reader: &mut Reader<'_>, mode: Option<Mode>) -> Option<MasterKeySource> {
    let Some(text) = secret::read(reader, "keys.master_key") else {
        if mode == Some(Mode::Production) {
            let message = "is not set; generate one with `gateward keys generate-master`, store it \
                           apart from the database, and set it or keys.master_key_file";
            reader.missing("keys.master_key", message);
        }
        return Some(MasterKeySource::Generated(PathBuf::from(GENERATED_MASTER_KEY)));
    };
    match MasterKey::from_base64(text.expose()) {
        Ok(key) => Some(MasterKeySource::Given(key)),
        Err(error) => {
            let message =
                format!("is invalid: {error}; generate one with `gateward keys generate-master`");
            reader.wrong("keys.master_key", message);
            None
        }
    }
}

/// The previous master key, which is set while the master key is rotated.
pub(super) fn previous_master_key(
    reader: &mut Reader<'_>,
    present: Option<&MasterKeySource>,
) -> Option<MasterKey> {
    let option = "keys.previous_master_key";
    let text = secret::read(reader, option)?;
    let previous = match MasterKey::from_base64(text.expose()) {
        Ok(previous) => previous,
        Err(error) => {
            let message =
                format!("is invalid: {error}; set the previous master key, or remove this setting");
            reader.wrong(option, message);
            return None;
        }
    };
    match present {
        Some(MasterKeySource::Given(present)) if *present.to_base64() == *previous.to_base64() => {
            let message = "is the same as keys.master_key; set keys.master_key to the new key, or \
                           remove this setting";
            reader.wrong(option, message);
        }
        // A generated master key is never rotated by settings.
        Some(MasterKeySource::Generated(_)) => {
            let message = "is set, but keys.master_key is not; set keys.master_key to the new key";
            reader.wrong(option, message);
        }
        _ => {}
    }
    Some(previous)
}
