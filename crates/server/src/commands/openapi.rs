//! `gateward openapi`

use gateward_http::{Options, openapi_document};

use super::tell;

/// Prints the document as it is with the default settings.
pub(crate) fn print() -> anyhow::Result<()> {
    let options = Options { docs: true, ..Options::new("http://127.0.0.1:8080") };
    tell(&openapi_document(&options).to_pretty_json()?);
    Ok(())
}
