//! The doctor's findings about SMTP servers. It sends them no email.

use gateward_e2e::{Database, MailPlan, MailServer, MailTls, Plan, on_sqlite};

use super::system::{System, examine};
use crate::support::mail_fixture::names;

on_sqlite!(f23_an_smtp_server_with_a_wrong_certificate_or_that_refuses_the_login_is_found);

const PASSWORD: &str = "hunter2";

/// A plan with an SMTP server under this host name and with this password; its certificate is
/// trusted or not.
fn plan(system: &System, server: &MailServer, smtp_server: &str, trusted: bool) -> Plan {
    let mut plan = system
        .plan()
        .with("mail.transport", "smtp")
        .with("mail.from", "login@example.org")
        .with("mail.smtp_url", smtp_server);
    if trusted {
        let certificate = server.certificate().display().to_string();
        plan.environment.insert("SSL_CERT_FILE".to_owned(), certificate);
    }
    plan
}

/// Row F23: invalid TLS of SMTP is reported before an email waits for it.
async fn f23_an_smtp_server_with_a_wrong_certificate_or_that_refuses_the_login_is_found(
    kind: Database,
) {
    let system = System::start(kind).await;
    let library = names(&system.plan.folder).display().to_string();
    for tls in [MailTls::Implicit, MailTls::StartTls] {
        let login = Some(("ada".to_owned(), PASSWORD.to_owned()));
        let Some(server) = (MailPlan { tls: Some(tls), login }).start().await else { return };
        let url = |host: &str, password: &str| {
            let rest = format!("ada:{password}@{host}:{}", server.port);
            match tls {
                MailTls::Implicit => format!("smtps://{rest}"),
                MailTls::StartTls => format!("smtp://{rest}?tls=required"),
            }
        };
        let right = url("localhost", PASSWORD);
        assert_eq!(examine(&plan(&system, &server, &right, true)).findings, [""; 0]);
        let untrusted = examine(&plan(&system, &server, &right, false));
        assert_eq!(untrusted.findings, ["mail_certificate"]);
        let mut misnamed = plan(&system, &server, &url("smtp.invalid", PASSWORD), true);
        misnamed.environment.insert("LD_PRELOAD".to_owned(), library.clone());
        assert_eq!(examine(&misnamed).findings, ["mail_certificate"]);
        let refused = plan(&system, &server, &url("localhost", "hunter3"), true);
        assert_eq!(examine(&refused).findings, ["mail_login"]);
        server.mode("refuse");
        let away = examine(&plan(&system, &server, &right, true));
        assert_eq!(away.findings, ["mail_unreachable"]);
        assert!(server.emails().is_empty(), "an email was sent");
    }
}
