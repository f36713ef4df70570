//! The SMTP server: what it accepts, and how it misbehaves.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gateward_e2e::{MailPlan, MailServer, MailTls};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// How long to wait for something that should be there at once.
const PATIENCE: Duration = Duration::from_secs(10);

const EMAIL: &str = "From: Gateward <no-reply@example.org>\r\n\
    To: ada@example.org\r\n\
    Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\
    Message-ID: <1@example.org>\r\n\
    X-Folded: one\r\n two\r\n\
    MIME-Version: 1.0\r\n\
    Content-Type: multipart/alternative; boundary=\"b\"\r\n\
    \r\n\
    --b\r\n\
    Content-Type: text/plain; charset=utf-8\r\n\
    Content-Transfer-Encoding: quoted-printable\r\n\
    \r\n\
    Sch=C3=B6n. Open https://auth.example.org/confirm#token=3Dabc-12345678.\r\n\
    Or type 87654321 =\r\n\
    by hand.\r\n\
    ..\r\n\
    --b\r\n\
    Content-Type: text/html; charset=utf-8\r\n\
    Content-Transfer-Encoding: base64\r\n\
    \r\n\
    PHA+U2Now7ZuPC9wPg==\r\n\
    --b--\r\n";

/// A conversation with a server.
struct Talk<S>(S);

impl Talk<TcpStream> {
    fn open(server: &MailServer) -> Self {
        let socket = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(socket)
    }

    /// A conversation after the first greetings.
    fn greeted(server: &MailServer) -> Self {
        let mut talk = Self::open(server);
        assert!(talk.hear().unwrap().starts_with("220 "));
        assert!(talk.say("EHLO localhost").starts_with("250-"));
        talk
    }
}

impl<S: Read + Write> Talk<S> {
    /// Reads a response, whose last line has a space after the number. `None` at the end of the
    /// stream or on failure.
    fn hear(&mut self) -> Option<String> {
        let (mut text, mut line, mut byte) = (String::new(), String::new(), [0]);
        loop {
            if self.0.read(&mut byte).ok()? == 0 {
                return None;
            }
            line.push(char::from(byte[0]));
            if line.ends_with("\r\n") {
                text.push_str(&line);
                if line.as_bytes()[3] == b' ' {
                    return Some(text);
                }
                line.clear();
            }
        }
    }

    fn write(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).unwrap();
        self.0.flush().unwrap();
    }

    fn say(&mut self, line: &str) -> String {
        self.write(&format!("{line}\r\n"));
        self.hear().expect("an answer")
    }

    /// Sends the email, without reading the response.
    fn hand_over(&mut self, to: &str) {
        assert!(self.say("MAIL FROM:<no-reply@example.org>").starts_with("250 "));
        assert!(self.say(&format!("RCPT TO:<{to}>")).starts_with("250 "));
        assert!(self.say("DATA").starts_with("354 "));
        self.write(&format!("{EMAIL}.\r\n"));
    }
}

/// TLS on a socket, which trusts only the server's certificate.
fn secure(server: &MailServer, socket: TcpStream) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(server.certificate()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let config = builder.with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), socket)
}

#[tokio::test]
async fn an_email_is_read_with_both_parts() {
    let Some(server) = MailServer::start().await else { return };
    let mut talk = Talk::greeted(&server);
    talk.hand_over("ada@example.org");
    assert!(talk.hear().unwrap().starts_with("250 "));
    let emails = server.wait_for("ada@example.org", 1, PATIENCE).await;
    let [mail] = emails.as_slice() else { panic!("{emails:#?}") };
    assert_eq!(
        (mail.from.as_str(), mail.to.as_slice()),
        ("no-reply@example.org", &["ada@example.org".to_owned()][..])
    );
    assert_eq!(mail.subject, "Grüße");
    assert_eq!(mail.header("message-id"), Some("<1@example.org>"));
    assert_eq!(mail.header("X-Folded"), Some("one two"));
    assert!(mail.text.starts_with("Schön. Open "), "{}", mail.text);
    assert!(mail.text.trim_end().ends_with("by hand.\r\n."), "one dot is taken away: {mail:?}");
    assert_eq!(mail.html, "<p>Schön</p>");
    assert_eq!(mail.link(), "https://auth.example.org/confirm#token=abc-12345678");
    assert_eq!(mail.code.as_deref(), Some("87654321"));
    assert_eq!(mail.raw, EMAIL.replace("\r\n..\r\n", "\r\n.\r\n"));
    assert!(mail.accepted && !mail.tls && mail.mode == "ok" && mail.login.is_none());
    assert!(server.emails_to("eve@example.org").is_empty());
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_server_refuses_what_it_is_told_to_refuse() {
    let Some(server) = MailServer::start().await else { return };
    let mut talk = Talk::greeted(&server);
    server.mode("temporary");
    assert!(talk.say("MAIL FROM:<a@example.org>").starts_with("451 "));
    server.mode("permanent");
    assert!(talk.say("MAIL FROM:<a@example.org>").starts_with("554 "));
    server.mode("reject:Eve@example.org");
    assert!(talk.say("MAIL FROM:<a@example.org>").starts_with("250 "));
    assert!(talk.say("RCPT TO:<eve@example.org>").starts_with("550 "));
    assert!(talk.say("RCPT TO:<ada@example.org>").starts_with("250 "));
    let refused: Vec<String> =
        server.refusals().iter().map(|line| line["command"].to_string()).collect();
    assert_eq!(refused, ["\"MAIL\"", "\"MAIL\"", "\"RCPT\""]);

    server.mode("refuse");
    assert_eq!(talk.hear(), None, "the connections there were are broken");
    let error = TcpStream::connect(("127.0.0.1", server.port)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    server.mode("ok");
    Talk::greeted(&server);
    assert!(server.emails().is_empty());
}

#[tokio::test]
async fn a_server_is_silent_or_slow() {
    let Some(server) = MailServer::start().await else { return };
    let mut talk = Talk::greeted(&server);
    server.mode("slow:0.5");
    let started = Instant::now();
    assert!(talk.say("EHLO localhost").starts_with("250-"));
    assert!(started.elapsed() >= Duration::from_millis(500));
    server.mode("hang");
    talk.0.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    talk.write("NOOP\r\n");
    assert_eq!(talk.hear(), None);
    let mut other = Talk::open(&server);
    other.0.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    assert_eq!(other.hear(), None);
    // Neither connection is broken.
    assert_eq!(other.0.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    assert_eq!(talk.0.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[tokio::test]
async fn an_email_comes_in_without_being_answered() {
    let Some(server) = MailServer::start().await else { return };
    server.mode("drop");
    let mut talk = Talk::greeted(&server);
    talk.hand_over("dropped@example.org");
    assert_eq!(talk.hear(), None);

    server.mode("hold");
    let mut talk = Talk::greeted(&server);
    talk.hand_over("held@example.org");
    let held = server.wait_for("held@example.org", 1, PATIENCE).await;
    assert!(!held[0].accepted && held[0].mode == "hold", "{held:?}");
    server.release();
    assert!(talk.hear().unwrap().starts_with("250 "));
    let accepted = server.emails().into_iter().map(|mail| (mail.mode, mail.accepted));
    let expected = [("drop".to_owned(), false), ("hold".to_owned(), true)];
    assert_eq!(accepted.collect::<Vec<_>>(), expected);

    // A client that disconnects before the response leaves an email that was never accepted.
    let mut talk = Talk::greeted(&server);
    talk.hand_over("left@example.org");
    server.wait_for("left@example.org", 1, PATIENCE).await;
    drop(talk);
    server.mode("ok");
    Talk::greeted(&server);
    server.release();
    assert!(!server.emails_to("left@example.org")[0].accepted);
}

#[tokio::test]
async fn a_server_takes_emails_over_tls_from_those_who_log_in() {
    for tls in [MailTls::Implicit, MailTls::StartTls] {
        let login = Some(("gateward".to_owned(), "sesame".to_owned()));
        let Some(server) = (MailPlan { tls: Some(tls), login }).start().await else { return };
        let mut plain = Talk::open(&server);
        if tls == MailTls::StartTls {
            assert!(plain.hear().unwrap().starts_with("220 "));
            let response = plain.say("EHLO localhost");
            assert!(response.contains("STARTTLS") && !response.contains("AUTH"), "{response}");
            assert!(plain.say("MAIL FROM:<a@example.org>").starts_with("530 "));
            assert!(plain.say("STARTTLS").starts_with("220 "));
        }
        let mut talk = Talk(secure(&server, plain.0));
        if tls == MailTls::Implicit {
            assert!(talk.hear().unwrap().starts_with("220 "));
        }
        assert!(talk.say("EHLO localhost").contains("AUTH LOGIN PLAIN"));
        assert!(talk.say("MAIL FROM:<a@example.org>").starts_with("530 "));
        let wrong = STANDARD.encode("\0gateward\0wrong");
        assert!(talk.say(&format!("AUTH PLAIN {wrong}")).starts_with("535 "));
        let right = STANDARD.encode("\0gateward\0sesame");
        assert!(talk.say(&format!("AUTH PLAIN {right}")).starts_with("235 "));
        talk.hand_over("ada@example.org");
        assert!(talk.hear().unwrap().starts_with("250 "));
        let mail = &server.emails()[0];
        assert!(mail.tls && mail.login.as_deref() == Some("gateward"), "{mail:?}");
        assert_eq!(server.connections(), 1);
    }
}
