//! TLS from the settings, and HTTP/2 by ALPN.

use std::fs::Permissions;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

use gateward_e2e::{Client, Database, Node, PASSWORD, Plan, TestDatabase, Wire};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, ProtocolVersion, RootCertStore, StreamOwned};
use serde_json::json;

use crate::support::responses::are_safe;

/// A node with a self-signed certificate for this machine.
async fn node_with_tls(database: &TestDatabase) -> (Node, CertificateDer<'static>) {
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).unwrap();
    let files = [("cert.pem", cert.pem()), ("key.pem", signing_key.serialize_pem())];
    let paths = files.map(|(name, text)| {
        let path = database.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        path.display().to_string()
    });
    let [cert_path, key_path] = paths;
    let plan = Plan::on(database).with("http.tls_cert", cert_path).with("http.tls_key", key_path);
    let node = plan.with("http.public_url", "https://127.0.0.1:8443").serve().await;
    (node, cert.der().clone())
}

/// Rows 12.2.1 and 3.4.1: with a certificate the node accepts only TLS.
#[tokio::test]
async fn tls_comes_from_the_settings_and_nothing_falls_back() {
    let database = TestDatabase::new(Database::Sqlite).await;
    let (node, certificate) = node_with_tls(&database).await;
    let root = reqwest::Certificate::from_der(&certificate).unwrap();
    let http = reqwest::Client::builder().no_proxy().tls_certs_only([root]).build().unwrap();
    let client = Client { http, url: node.url.clone() };
    assert!(client.url.starts_with("https://"));
    let pair = client.begin("ada").await;
    let me = client.me(pair.access()).await;
    assert_eq!(me.body["username"], "ada");
    are_safe(&me.headers, true);
    assert!(client.get("/nothing").await.text_of("type").starts_with("https://127.0.0.1:8443/"));

    // The port neither responds to plain HTTP nor redirects it.
    let bare = node.url.replace("https://", "http://");
    let login = json!({"identifier": "ada", "password": PASSWORD}).to_string();
    let text = format!(
        "POST /v1/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{login}",
        login.len()
    );
    let response = Wire::exchange(&bare, text.as_bytes()).await;
    assert!(response.closed && !response.text.contains("HTTP"), "{response:?}");
    // A client that does not trust the certificate does not connect.
    assert!(
        node.client()
            .try_send(node.client().request(reqwest::Method::GET, "/v1/me"))
            .await
            .is_err()
    );
}

/// Performs a TLS handshake with a node, offering these protocols.
fn shake_hands(
    node: &Node,
    certificate: &CertificateDer<'static>,
    protocols: &[&str],
) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let name = ServerName::try_from("localhost").unwrap();
    let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut socket = TcpStream::connect(node.url.trim_start_matches("https://")).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    connection.complete_io(&mut socket).unwrap();
    StreamOwned::new(connection, socket)
}

/// HTTP/2 is left to a proxy: one connection could carry any number of requests at once, and the
/// limits on connections would bound nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_carries_http_1_1_and_nothing_else() {
    let database = TestDatabase::new(Database::Sqlite).await;
    let (node, certificate) = node_with_tls(&database).await;
    let spoken = tokio::task::spawn_blocking(move || {
        for (offered, agreed) in [
            (&["h2", "http/1.1"][..], Some("http/1.1")),
            (&["http/1.1"], Some("http/1.1")),
            (&[], None),
        ] {
            let stream = shake_hands(&node, &certificate, offered);
            let found =
                stream.conn.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned());
            assert_eq!(found.as_deref(), agreed, "{offered:?}");
            assert_eq!(stream.conn.protocol_version(), Some(ProtocolVersion::TLSv1_3));
        }
    });
    spoken.await.unwrap();
}
