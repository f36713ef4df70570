//! SMTP servers that speak TLS, that require a login, and that have another one behind them.

use gateward_e2e::{Database, MailPlan, MailServer, MailTls, Plan, TestDatabase};
use serde_json::Value;

use crate::support::mail_fixture::{PATIENCE, has_failed, is, names, plan, wait_for};

const USER: &str = "notes@example.org";
const PASSWORD: &str = "pa/ss?w#o@r:d%";

/// An SMTP server with TLS that requires this user.
async fn smtp_server(tls: MailTls) -> Option<MailServer> {
    let login = Some((USER.to_owned(), PASSWORD.to_owned()));
    MailPlan { tls: Some(tls), login }.start().await
}

/// The URL of an SMTP server with this host name and password, which is percent-encoded.
fn url(server: &MailServer, tls: MailTls, host: &str, password: &str) -> String {
    let rest = format!("notes%40example.org:{password}@{host}:{}", server.port);
    match tls {
        MailTls::Implicit => format!("smtps://{rest}"),
        MailTls::StartTls => format!("smtp://{rest}?tls=required"),
    }
}

const ENCODED: &str = "pa%2Fss%3Fw%23o%40r%3Ad%25";

/// The same plan, with a server's certificate trusted.
fn trusting(mut plan: Plan, server: &MailServer) -> Plan {
    let path = server.certificate().display().to_string();
    plan.environment.insert("SSL_CERT_FILE".to_owned(), path);
    plan
}

/// Signs a user up, and waits until their email has the expected state.
async fn email_of(plan: &Plan, good: impl Fn(&Value) -> bool) -> Value {
    let node = plan.start().await;
    assert_eq!(node.client().signup("ada").await.status, 201);
    let message = wait_for(plan, "ada@example.org", good).await;
    let told = format!("{} {message}", node.log());
    assert!(!told.contains(PASSWORD) && !told.contains(ENCODED), "{told}");
    message
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn emails_go_over_tls_to_an_smtp_server_whose_certificate_is_trusted() {
    for tls in [MailTls::Implicit, MailTls::StartTls] {
        let Some(server) = smtp_server(tls).await else { return };
        for host in ["localhost", "127.0.0.1"] {
            let database = TestDatabase::new(Database::Sqlite).await;
            let plan = plan(&database, &url(&server, tls, host, ENCODED));
            email_of(&trusting(plan, &server), is("sent")).await;
        }
        let emails = server.emails();
        assert_eq!(emails.len(), 2);
        for message in emails {
            assert!(message.tls && message.login.as_deref() == Some(USER), "{message:#?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_goes_to_an_smtp_server_whose_certificate_is_not_trusted_or_not_its_own() {
    for tls in [MailTls::Implicit, MailTls::StartTls] {
        let Some(server) = smtp_server(tls).await else { return };
        let database = TestDatabase::new(Database::Sqlite).await;
        let untrusted = plan(&database, &url(&server, tls, "localhost", ENCODED));
        let message = email_of(&untrusted, has_failed).await;
        assert!(message["failure"].as_str().unwrap().contains("certificate"), "{message:#}");

        let database = TestDatabase::new(Database::Sqlite).await;
        let misnamed = plan(&database, &url(&server, tls, "smtp.invalid", ENCODED));
        let mut misnamed = trusting(misnamed, &server);
        let names = names(database.folder.path()).display().to_string();
        misnamed.environment.insert("LD_PRELOAD".to_owned(), names);
        let message = email_of(&misnamed, has_failed).await;
        let failure = message["failure"].as_str().unwrap();
        assert!(failure.contains("certificate") && failure.contains("smtp.invalid"), "{failure}");

        assert!(server.emails().is_empty() && server.refusals().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_smtp_server_with_tls_is_never_spoken_to_in_the_clear() {
    // It does not support STARTTLS.
    let Some(server) = MailServer::start().await else { return };
    for smtp_server in [
        format!("smtp://127.0.0.1:{}?tls=required", server.port),
        format!("smtps://127.0.0.1:{}", server.port),
    ] {
        let database = TestDatabase::new(Database::Sqlite).await;
        email_of(&plan(&database, &smtp_server), has_failed).await;
    }
    assert!(server.emails().is_empty() && server.refusals().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_that_is_refused_is_told_without_the_password() {
    let Some(server) = smtp_server(MailTls::StartTls).await else { return };
    let database = TestDatabase::new(Database::Sqlite).await;
    let wrong = plan(&database, &url(&server, MailTls::StartTls, "localhost", "hunter2"));
    let message = email_of(&trusting(wrong, &server), has_failed).await;
    let failure = message["failure"].as_str().unwrap();
    assert!(failure.contains("refuses the login (535)"), "{failure}");
    assert!(!message.to_string().contains("hunter2"), "{message:#}");
    assert!(server.emails().is_empty());

    // With the right URL the same email is sent; its pause is a few seconds so far.
    let right = plan(&database, &url(&server, MailTls::StartTls, "localhost", ENCODED));
    let right = trusting(right, &server);
    let _node = right.start().await;
    wait_for(&right, "ada@example.org", is("sent")).await;
    assert_eq!(server.emails().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_smtp_server_takes_what_the_first_does_not_take_just_now() {
    let (Some(first), Some(second)) = (MailServer::start().await, MailServer::start().await) else {
        return;
    };
    let database = TestDatabase::new(Database::Sqlite).await;
    let plan = plan(&database, &first.url()).with("mail.fallback_smtp_url", second.url());
    let node = plan.start().await;
    let client = node.client();
    for (mode, name) in [("refuse", "ada"), ("temporary", "bob"), ("ok", "cid")] {
        first.mode(mode);
        assert_eq!(client.signup(name).await.status, 201);
        wait_for(&plan, &format!("{name}@example.org"), is("sent")).await;
    }
    let went = |server: &MailServer| -> Vec<String> {
        server.emails().into_iter().flat_map(|message| message.to).collect()
    };
    assert_eq!(went(&second), ["ada@example.org", "bob@example.org"]);
    assert_eq!(went(&first), ["cid@example.org"]);

    // An email that the first server permanently refuses is not offered to the second.
    first.mode("permanent");
    assert_eq!(client.signup("dan").await.status, 201);
    let message = wait_for(&plan, "dan@example.org", has_failed).await;
    assert!(message["failure"].as_str().unwrap().contains("554"), "{message:#}");
    assert_eq!(went(&second).len(), 2);

    // If neither responds, the error names both. When one is back, the email is sent.
    first.mode("refuse");
    second.mode("refuse");
    assert_eq!(client.signup("eve").await.status, 201);
    let message = wait_for(&plan, "eve@example.org", has_failed).await;
    let failure = message["failure"].as_str().unwrap();
    for port in [first.port, second.port] {
        assert!(failure.contains(&format!("127.0.0.1:{port}")), "{failure}");
    }
    second.mode("ok");
    second.wait_for("eve@example.org", 1, PATIENCE).await;
}
