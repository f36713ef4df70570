//! Where a request comes from, as far as the configured proxies can be believed.

use std::net::{IpAddr, SocketAddr};
use std::sync::Once;

use actix_web::HttpRequest;
use actix_web::http::header::{HeaderMap, HeaderValue, USER_AGENT};
use gateward_app::domain::RequestInfo;
use ipnet::IpNet;

/// Headers in which proxies say whom they speak for.
const FORWARDING: [&str; 5] =
    ["x-forwarded-for", "forwarded", "x-forwarded-proto", "x-forwarded-host", "x-real-ip"];

/// The client's address and program.
pub(crate) fn request_info(request: &HttpRequest, trusted: &[IpNet]) -> RequestInfo {
    let user_agent = request.headers().get(USER_AGENT).map(|value| {
        let text = String::from_utf8_lossy(value.as_bytes());
        text.chars().filter(|c| !c.is_control()).take(RequestInfo::USER_AGENT_LEN_MAX).collect()
    });
    RequestInfo { ip: client_ip(request.peer_addr(), request.headers(), trusted), user_agent }
}

/// The address of the client: the peer, or what trusted proxies say of it.
///
/// `X-Forwarded-For` is read from the right, as each proxy appends the peer that it saw; the first
/// address that is not a trusted proxy is the client. What stands left of it, anybody can write.
pub(crate) fn client_ip(
    peer: Option<SocketAddr>,
    headers: &HeaderMap,
    trusted: &[IpNet],
) -> Option<IpAddr> {
    let is_trusted = |ip: &IpAddr| trusted.iter().any(|net| net.contains(ip));
    let mut client = peer?.ip().to_canonical();
    // Bytes, not text: a proxy appends to the line that it was sent, and whatever a client has
    // written at its beginning must not hide what the proxy says at its end.
    let lines: Vec<&[u8]> = headers.get_all("x-forwarded-for").map(HeaderValue::as_bytes).collect();
    let mut hops = lines.iter().rev().flat_map(|line| line.rsplit(|byte| *byte == b','));
    while is_trusted(&client) {
        let Some(Some(hop)) = hops.next().map(address) else { break };
        client = hop;
    }
    Some(client)
}

/// Counts a request that says whom it is forwarded for and comes from no trusted proxy: a stranger
/// makes that up, or the settings lack a proxy. The log tells of the first one alone, because
/// strangers can send any number.
pub(crate) fn record_untrusted(request: &HttpRequest, trusted: &[IpNet]) {
    static TOLD: Once = Once::new();
    let Some(peer) = untrusted(request.peer_addr(), request.headers(), trusted) else { return };
    metrics::counter!("gateward_untrusted_forwarded_total").increment(1);
    TOLD.call_once(|| {
        tracing::warn!(
            %peer,
            "forwarding headers come from an address that is no trusted proxy, and are ignored; if \
             it is a proxy of yours, name it in http.trusted_proxies (this is told once; \
             gateward_untrusted_forwarded_total counts them)"
        );
    });
}

/// The peer if it forwards and is not trusted.
fn untrusted(peer: Option<SocketAddr>, headers: &HeaderMap, trusted: &[IpNet]) -> Option<IpAddr> {
    let peer = peer?.ip().to_canonical();
    let forwards = FORWARDING.iter().any(|name| headers.contains_key(*name));
    (forwards && !trusted.iter().any(|net| net.contains(&peer))).then_some(peer)
}

/// The address that one hop names.
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

    /// Row 15.3.4: no byte that a client puts before it hides what the proxy has appended.
    #[test]
    fn what_a_client_writes_does_not_hide_what_the_proxy_saw() {
        assert_eq!(client("10.0.0.1", &["\u{e9}\u{fffd}, 198.51.100.7"]), "198.51.100.7");
        assert_eq!(client("10.0.0.1", &["\u{e9}", "198.51.100.7"]), "198.51.100.7");
    }
}
