//! `gateward openapi`

use gateward_http::{Options, SameSite, openapi_document};

use super::tell;

/// Prints the document as it is with the default settings.
pub(crate) fn print() -> anyhow::Result<()> {
    let options = Options {
        public_url: "http://127.0.0.1:8080".to_owned(),
        base_path: "/v1".to_owned(),
        trusted_proxies: Vec::new(),
        cors_origins: Vec::new(),
        docs: true,
        dialects: gateward_http::Dialects::default(),
        same_site: SameSite::Lax,
        clients: Vec::new(),
    };
    tell(&openapi_document(&options).to_pretty_json()?);
    Ok(())
}
