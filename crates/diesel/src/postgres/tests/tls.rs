//! Which servers each `sslmode` accepts, tested with a server that only performs the handshake.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, Stream};
use tempfile::TempDir;

use crate::{OpenError, PostgresStore};
use gateward_domain::ports::{Access, Store};

/// The certificates of a server named `localhost`, and of its authority.
struct Certificates {
    folder: TempDir,
    server: Arc<ServerConfig>,
}

impl Certificates {
    fn new() -> Self {
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority_key = KeyPair::generate().unwrap();
        let root = authority.self_signed(&authority_key).unwrap();
        let issuer = Issuer::new(authority, authority_key);
        let key = KeyPair::generate().unwrap();
        let server = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = server.signed_by(&key, &issuer).unwrap();

        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("root.pem"), root.pem()).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        Self { folder, server: Arc::new(server) }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("root.pem")
    }
}

/// What the client did.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    /// It logged in over TLS.
    Encrypted,
    /// It logged in in clear text.
    Clear,
    /// It disconnected.
    Nothing,
}

/// Serves one client: responds to its request for TLS and waits for its login.
fn serve(listener: TcpListener, tls: Option<Arc<ServerConfig>>) -> JoinHandle<Seen> {
    thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut request = [0; 8];
        socket.read_exact(&mut request).unwrap();
        if request != [0, 0, 0, 8, 4, 210, 22, 47] {
            return Seen::Clear;
        }
        let mut first = [0; 1];
        match tls {
            None => {
                socket.write_all(b"N").unwrap();
                match socket.read(&mut first) {
                    Ok(1) => Seen::Clear,
                    _ => Seen::Nothing,
                }
            }
            Some(config) => {
                socket.write_all(b"S").unwrap();
                let mut tls = ServerConnection::new(config).unwrap();
                match Stream::new(&mut tls, &mut socket).read(&mut first) {
                    Ok(1) => Seen::Encrypted,
                    _ => Seen::Nothing,
                }
            }
        }
    })
}

/// Returns what a client with these parameters does at such a server.
async fn seen(host: &str, parameters: &str, tls: Option<Arc<ServerConfig>>) -> Seen {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = serve(listener, tls);
    // `hostaddr` because `localhost` may resolve to another address first.
    let url = format!("postgres://ada@{host}:{port}/db?hostaddr=127.0.0.1&{parameters}");
    let store = PostgresStore::open(&url, 1).unwrap();
    assert!(store.begin(Access::Read).await.is_err(), "the server never lets anybody in");
    server.join().unwrap()
}

#[tokio::test]
async fn each_mode_believes_whom_it_should() {
    let ours = Certificates::new();
    let others = Certificates::new();
    let trust =
        |certificates: &Certificates| format!("sslrootcert={}", certificates.root().display());
    let (ours_trusted, others_trusted) = (trust(&ours), trust(&others));
    for (host, mode, trusted, expected) in [
        ("127.0.0.1", "require", "", Seen::Encrypted),
        ("127.0.0.1", "prefer", "", Seen::Encrypted),
        ("127.0.0.1", "disable", "", Seen::Clear),
        ("127.0.0.1", "verify-ca", ours_trusted.as_str(), Seen::Encrypted),
        ("127.0.0.1", "verify-ca", others_trusted.as_str(), Seen::Nothing),
        ("localhost", "verify-full", ours_trusted.as_str(), Seen::Encrypted),
        ("localhost", "verify-full", others_trusted.as_str(), Seen::Nothing),
        ("127.0.0.1", "verify-full", ours_trusted.as_str(), Seen::Nothing),
        ("evil.example", "verify-full", ours_trusted.as_str(), Seen::Nothing),
        ("evil.example", "require", others_trusted.as_str(), Seen::Nothing),
    ] {
        let parameters = format!("sslmode={mode}&{trusted}");
        let seen = seen(host, &parameters, Some(Arc::clone(&ours.server))).await;
        assert_eq!(seen, expected, "{host} {parameters}");
    }
}

#[tokio::test]
async fn only_prefer_speaks_in_clear_to_a_server_without_tls() {
    for (mode, expected) in [
        ("prefer", Seen::Clear),
        ("require", Seen::Nothing),
        ("verify-full&sslrootcert=system", Seen::Nothing),
    ] {
        let parameters = format!("sslmode={mode}");
        assert_eq!(seen("localhost", &parameters, None).await, expected, "{mode}");
    }
}

#[test]
fn certificates_that_cannot_be_read_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    for file in [empty, folder.path().join("missing.pem")] {
        let url =
            format!("postgres://ada@host/db?sslmode=verify-full&sslrootcert={}", file.display());
        let refused = PostgresStore::open(&url, 1).unwrap_err();
        assert!(matches!(refused, OpenError::Certificates(named, _) if named == file));
    }
}
