//! The host names under which a request may open the inbox.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::header;
use actix_web::http::uri::Authority;
use url::Url;

use crate::Options;

/// Whether the request names this machine by a local host name or by the public one.
///
/// A page can point its own host name at this machine (DNS rebinding). The browser then treats both
/// as one site, but the `Host` header still carries the foreign name.
pub(super) fn is_own(request: &HttpRequest, options: &Options) -> bool {
    let public = Url::parse(&options.public_url).ok();
    let public = public.as_ref().and_then(Url::host_str);
    let mut lines = request.headers().get_all(header::HOST);
    let line = match (lines.next(), lines.next()) {
        (Some(line), None) => line.to_str().ok(),
        // HTTP/2 has the host name only in the target.
        (None, _) => request.uri().authority().map(Authority::as_str),
        (Some(_), Some(_)) => None,
    };
    let targets = request.uri().authority().map(Authority::as_str);
    line.is_some() && line.into_iter().chain(targets).all(|line| is_own_name(line, public))
}

/// Whether this is a loopback name or address, or the public host; a port may follow.
fn is_own_name(authority: &str, public: Option<&str>) -> bool {
    let Ok(authority) = authority.parse::<Authority>() else { return false };
    if authority.as_str().contains('@') {
        return false;
    }
    let host = authority.host().to_ascii_lowercase();
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(&host);
    let is_loopback = match address.parse::<IpAddr>() {
        Ok(ip) => ip.is_loopback(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    };
    is_loopback || public.is_some_and(|public| public == host)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn is_own_line(line: &str) -> bool {
        is_own_name(line, Some("auth.example.org"))
    }

    /// Row H1: host names that anyone can point here do not open the inbox.
    #[test]
    fn h1_the_inbox_answers_to_its_own_names_alone() {
        for own in [
            "localhost",
            "LOCALHOST:8080",
            "inbox.localhost:1",
            "127.0.0.1:8080",
            "127.8.9.10",
            "[::1]:8080",
            "auth.example.org",
            "AUTH.example.org:443",
        ] {
            assert!(is_own_line(own), "{own}");
        }
        for cross_site in [
            "",
            "evil.example",
            "localhost.evil.example",
            "notlocalhost",
            "127.0.0.1.evil.example",
            "127.0.0.1@evil.example",
            "evil@localhost",
            "192.168.0.1",
            "0.0.0.0",
            "[::]",
            "[::ffff:192.0.2.1]",
            "auth.example.org.evil.example",
            "x.auth.example.org",
            "localhost evil",
        ] {
            assert!(!is_own_line(cross_site), "{cross_site}");
        }
    }

    #[test]
    fn a_request_with_no_name_or_two_is_nobodys() {
        let options =
            Options { public_url: "http://127.0.0.1:8080".to_owned(), ..crate::testing::options() };
        let ask = |uri: &str, hosts: &[&str]| {
            let request = TestRequest::get().uri(uri);
            let request =
                hosts.iter().fold(request, |request, host| request.append_header(("host", *host)));
            is_own(&request.to_http_request(), &options)
        };
        assert!(ask("/dev/inbox", &["localhost:8080"]));
        assert!(ask("http://localhost:8080/dev/inbox", &[]));
        assert!(!ask("/dev/inbox", &[]));
        assert!(!ask("/dev/inbox", &["localhost", "localhost"]));
        assert!(!ask("http://evil.example/dev/inbox", &["localhost"]));
        assert!(!ask("http://localhost/dev/inbox", &["evil.example"]));
    }
}
