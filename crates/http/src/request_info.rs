//! The origin of a request: the IP address, from trusted proxies if configured, and the user agent.

use std::net::{IpAddr, SocketAddr};

use actix_web::HttpRequest;
use actix_web::http::header::{HeaderMap, HeaderValue, USER_AGENT};
use gateward_app::domain::RequestInfo;
use ipnet::IpNet;

use crate::App;

/// The headers in which proxies forward information about the client.
const FORWARDING: [&str; 5] =
    ["x-forwarded-for", "forwarded", "x-forwarded-proto", "x-forwarded-host", "x-real-ip"];

/// The IP address and user agent of the client.
pub(crate) fn request_info(request: &HttpRequest, trusted: &[IpNet]) -> RequestInfo {
    let user_agent = request.headers().get(USER_AGENT).map(|value| {
        let text = String::from_utf8_lossy(value.as_bytes());
        text.chars().filter(|c| !c.is_control()).take(RequestInfo::USER_AGENT_LEN_MAX).collect()
    });
    RequestInfo { ip: client_ip(request.peer_addr(), request.headers(), trusted), user_agent }
}

/// The IP address of the client: the peer, or the client that trusted proxies report.
///
/// `X-Forwarded-For` is read from the right, because each proxy appends its peer. The first address
/// that is not a trusted proxy is the client. Everything to its left can be forged.
pub(crate) fn client_ip(
    peer: Option<SocketAddr>,
    headers: &HeaderMap,
    trusted: &[IpNet],
) -> Option<IpAddr> {
    let is_trusted = |ip: &IpAddr| trusted.iter().any(|net| net.contains(ip));
    let mut client = peer?.ip().to_canonical();
    // Bytes, not text: a proxy appends to the header of the client, whose invalid characters must
    // not hide what the proxy appends.
    let lines: Vec<&[u8]> = headers.get_all("x-forwarded-for").map(HeaderValue::as_bytes).collect();
    let mut hops = lines.iter().rev().flat_map(|line| line.rsplit(|byte| *byte == b','));
    while is_trusted(&client) {
        let Some(Some(hop)) = hops.next().map(address) else { break };
        client = hop;
    }
    Some(client)
}

/// Counts a request with forwarding headers from an untrusted peer: the headers are forged, or a
/// proxy is missing in the settings. Only the first one is logged, because anyone can send any
/// number of them.
pub(crate) fn record_untrusted(app: &App, request: &HttpRequest) {
    let trusted = &app.options().trusted_proxies;
    let Some(peer) = untrusted(request.peer_addr(), request.headers(), trusted) else { return };
    app.metrics().untrusted_forwarded();
    if app.is_first_untrusted() {
        tracing::warn!(
            %peer,
            "ignored forwarding headers from an untrusted address; if it is your proxy, add it to \
             http.trusted_proxies (logged once; gateward_untrusted_forwarded_total counts all)"
        );
    }
}

/// The peer, if it sends forwarding headers and is not trusted.
fn untrusted(peer: Option<SocketAddr>, headers: &HeaderMap, trusted: &[IpNet]) -> Option<IpAddr> {
    let peer = peer?.ip().to_canonical();
    let forwards = FORWARDING.iter().any(|name| headers.contains_key(*name));
    (forwards && !trusted.iter().any(|net| net.contains(&peer))).then_some(peer)
}

/// The IP address of one hop.
fn address(hop: &[u8]) -> Option<IpAddr> {
    let ip: IpAddr = std::str::from_utf8(hop).ok()?.trim().parse().ok()?;
    Some(ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderName;

    use super::*;

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        let mut headers = HeaderMap::new();
        for line in forwarded {
            let name = HeaderName::from_static("x-forwarded-for");
            headers.append(name, HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        let peer = SocketAddr::new(peer.parse().unwrap(), 1);
        client_ip(Some(peer), &headers, &trusted).unwrap().to_string()
    }

    #[test]
    fn a_stranger_cannot_choose_its_address() {
        assert_eq!(client("192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(client("::ffff:192.0.2.1", &[]), "192.0.2.1");
    }

    #[test]
    fn a_trusted_proxy_is_believed_for_the_hop_it_saw() {
        assert_eq!(client("10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(client("10.0.0.1", &["203.0.113.9, 198.51.100.7"]), "198.51.100.7");
        assert_eq!(client("::1", &["203.0.113.9, 198.51.100.7, 10.0.0.2"]), "198.51.100.7");
        assert_eq!(client("10.0.0.1", &["203.0.113.9", "198.51.100.7"]), "198.51.100.7");
        assert_eq!(client("10.0.0.1", &["198.51.100.7, garbage"]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
    }

    /// Row 15.3.4: no byte from the client hides the address that the proxy has appended.
    #[test]
    fn what_a_client_writes_does_not_hide_what_the_proxy_saw() {
        assert_eq!(client("10.0.0.1", &["\u{e9}\u{fffd}, 198.51.100.7"]), "198.51.100.7");
        assert_eq!(client("10.0.0.1", &["\u{e9}", "198.51.100.7"]), "198.51.100.7");
    }
}
