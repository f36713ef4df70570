//! TLS of the listener: certificate and key from files.

use std::path::Path;

use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::settings::Tls;

/// Reads certificate and key; an error names the wrong setting.
pub(crate) fn config(tls: &Tls) -> Result<ServerConfig, (&'static str, String)> {
    let unreadable = |path: &Path, error: &dyn std::fmt::Display| {
        format!(
            "points to {}, which cannot be read as PEM ({error}); correct the path",
            path.display()
        )
    };
    let chain = CertificateDer::pem_file_iter(&tls.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| ("http.tls_cert", unreadable(&tls.certificate, &error)))?;
    let key = PrivateKeyDer::from_pem_file(&tls.key)
        .map_err(|error| ("http.tls_key", unreadable(&tls.key, &error)))?;
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    ServerConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| {
            (
                "http.tls_cert",
                format!(
                    "does not match http.tls_key ({error}); set the private key of this certificate"
                ),
            )
        })
}
