//! `Site`: pages of another origin, over TLS, without content.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

const PAGE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 39\r\n\
    Connection: close\r\n\r\n<!doctype html><title>A page</title>.\r\n";

/// A self-signed certificate for the node and the pages.
pub(super) struct Certificate(CertifiedKey<KeyPair>);

impl Certificate {
    pub(super) fn new() -> Self {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        Self(generate_simple_self_signed(names).unwrap())
    }

    /// Writes the certificate and its key to files, and returns their paths.
    pub(super) fn write(&self, folder: &Path) -> [String; 2] {
        let files =
            [("cert.pem", self.0.cert.pem()), ("key.pem", self.0.signing_key.serialize_pem())];
        files.map(|(name, text)| {
            let path = folder.join(name);
            std::fs::write(&path, text).unwrap();
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            std::fs::set_permissions(&path, mode).unwrap();
            path.display().to_string()
        })
    }

    pub(super) fn der(&self) -> CertificateDer<'static> {
        self.0.cert.der().clone()
    }

    fn config(&self) -> ServerConfig {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(provider);
        let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let key = PrivatePkcs8KeyDer::from(self.0.signing_key.serialize_der());
        builder.with_single_cert(vec![self.der()], key.into()).unwrap()
    }
}

/// Serves the empty page at every path of a port, as long as the tests run. Returns the port.
pub(super) fn serve_page(certificate: &Certificate) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let config = Arc::new(certificate.config());
    // One thread for each connection: a browser opens some that it does not use.
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let config = Arc::clone(&config);
            std::thread::spawn(move || response(stream, config));
        }
    });
    port
}

/// Handles one request. `None` if the browser has closed the connection.
fn response(stream: TcpStream, config: Arc<ServerConfig>) -> Option<()> {
    stream.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
    let connection = ServerConnection::new(config).ok()?;
    let mut reader = BufReader::new(StreamOwned::new(connection, stream));
    let mut line = String::new();
    while reader.read_line(&mut line).ok()? > 2 {
        line.clear();
    }
    let mut stream = reader.into_inner();
    stream.write_all(PAGE).ok()?;
    stream.conn.send_close_notify();
    stream.flush().ok()
}

/// The pages themselves, without a browser.
#[tokio::test]
async fn the_page_is_served_over_tls_again_and_again() {
    let certificate = Certificate::new();
    let port = serve_page(&certificate);
    let root = reqwest::Certificate::from_der(&certificate.der()).unwrap();
    let http = reqwest::Client::builder().no_proxy().tls_certs_only([root]).build().unwrap();
    for path in ["", "favicon.ico"] {
        let response = http.get(format!("https://localhost:{port}/{path}")).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert!(response.text().await.unwrap().contains("<title>A page</title>"));
    }
}
