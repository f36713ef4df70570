//! What production and development refuse, and what must fit together.

use super::*;

#[test]
fn production_wants_a_master_key() {
    let options: Vec<_> =
        PRODUCTION.iter().copied().filter(|(name, _)| *name != "keys.master_key").collect();
    refused(with(&options), "keys.master_key", "gateward keys generate-master");
    assert!(with(PRODUCTION).is_ok());
}

#[test]
fn production_wants_addresses_confirmed_unless_told_otherwise() {
    let required = |settings: Settings| settings.policy.confirmation_required;
    assert!(required(with(PRODUCTION).unwrap()));
    let optional = ("signup.email_verification", "optional");
    assert!(!required(in_production(&[optional]).unwrap()));
    assert!(!required(with(&[]).unwrap()));
    assert!(required(with(&[("signup.email_verification", "required")]).unwrap()));
}

#[test]
fn production_refuses_to_go_without_rate_limits() {
    refused(
        in_production(&[("rate_limit.enabled", "false")]),
        "rate_limit.enabled",
        "must be true",
    );
    assert!(with(&[("rate_limit.enabled", "false")]).is_ok());
}

#[test]
fn production_refuses_a_public_url_in_plain_http() {
    let url = |url| in_production(&[("http.public_url", url)]);
    refused(url("http://auth.example.org"), "http.public_url", "use https");
    refused(url("http://192.0.2.1"), "http.public_url", "use https");
    assert!(url("http://127.0.0.1:8080").is_ok());
    assert!(url("http://[::1]:8080").is_ok());
    assert!(url("http://localhost:8080").is_ok());
    refused(url("http://localhost.example.org"), "http.public_url", "use https");
}

#[test]
fn plain_http_does_not_leave_loopback_unless_a_proxy_ends_tls() {
    for listen in ["0.0.0.0:8080", "[::]:8080", "192.0.2.1:80"] {
        refused(in_production(&[("http.listen", listen)]), "http.listen", "http.behind_tls_proxy");
        let behind = [("http.listen", listen), ("http.behind_tls_proxy", "true")];
        assert!(in_production(&behind).is_ok());
    }
}

#[test]
fn development_stays_on_loopback() {
    let proxy = ("http.behind_tls_proxy", "true");
    refused(
        with(&[("http.listen", "0.0.0.0:80"), proxy]),
        "http.listen",
        "set mode to \"production\"",
    );
    refused(with(&[("ops.listen", "0.0.0.0:9")]), "ops.listen", "set mode to \"production\"");
    let url = ("http.public_url", "https://auth.example.org");
    refused(with(&[url]), "http.public_url", "set mode to \"production\"");
    for local in
        ["http://localhost:8080", "https://127.0.0.2", "http://[::1]", "http://a.localhost"]
    {
        assert!(with(&[("http.public_url", local)]).is_ok(), "{local}");
    }
}

#[test]
fn both_listeners_may_pick_a_free_port() {
    assert!(with(&[("http.listen", "127.0.0.1:0"), ("ops.listen", "127.0.0.1:0")]).is_ok());
}

#[test]
fn a_certificate_and_a_key_that_do_not_fit_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let make = |name: &str| {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let cert = write(&folder.path().join(format!("{name}.pem")), &made.cert.pem(), 0o644);
        let key = made.signing_key.serialize_pem();
        (cert, write(&folder.path().join(format!("{name}.key")), &key, 0o600))
    };
    let ((cert, key), (_, other)) = (make("one"), make("other"));
    let tls = |cert: &str, key: &str| with(&[("http.tls_cert", cert), ("http.tls_key", key)]);
    assert!(tls(&cert, &key).is_ok());
    refused(tls(&cert, &other), "http.tls_cert", "set the private key of this certificate");
    refused(tls("/nowhere/cert.pem", &key), "http.tls_cert", "correct the path");
    refused(tls(&cert, "/nowhere/key.pem"), "http.tls_key", "correct the path");
    refused(tls(&cert, &cert), "http.tls_key", "run: chmod 600");
    let garbage = write(&folder.path().join("garbage"), "no PEM", 0o600);
    refused(tls(&garbage, &key), "http.tls_cert", "");
    refused(tls(&cert, &garbage), "http.tls_key", "cannot be read as PEM");
    let open =
        write(&folder.path().join("open.key"), &std::fs::read_to_string(&key).unwrap(), 0o644);
    refused(tls(&cert, &open), "http.tls_key", "run: chmod 600");
}
