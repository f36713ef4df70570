//! A proxy that forwards but is not trusted, detected by a metric of this node.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::Client;

use super::finding::{Code, Finding};
use super::web;

/// Counts requests that an untrusted proxy forwarded.
const COUNTER: &str = "gateward_untrusted_forwarded_total";

/// How many requests untrusted proxies forwarded to this node; `None` if no node responds.
pub(super) async fn untrusted(client: &Client, ops: SocketAddr) -> Option<f64> {
    let url = format!("http://{}/metrics", reachable(ops)?);
    let response = client.get(url).send().await.ok()?.error_for_status().ok()?;
    Some(count(&web::text(response).await.ok()?))
}

/// A finding if a request through the public URL raised the count. Another request at the same time
/// may have raised it; that means the same, unless clients reach the node past the proxy.
pub(super) fn finding(before: Option<f64>, after: Option<f64>) -> Option<Finding> {
    (after? > before?).then(|| {
        Finding::new(
            Code::ProxyUntrusted,
            "a reverse proxy forwards requests but is not trusted, so all its clients count as one",
            "set http.trusted_proxies to the IP address of the proxy, which the log of the node \
             shows",
        )
    })
}

/// The address at which this machine reaches the listener.
fn reachable(listen: SocketAddr) -> Option<SocketAddr> {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    // The port that was picked is unknown.
    (listen.port() != 0).then(|| SocketAddr::new(ip, listen.port()))
}

/// The sum of the counter on a page of metrics.
fn count(page: &str) -> f64 {
    let of_counter = |line: &str| {
        let rest = line.strip_prefix(COUNTER)?;
        rest.starts_with([' ', '{']).then(|| rest.rsplit(' ').next()?.parse::<f64>().ok())?
    };
    page.lines().filter_map(of_counter).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counter_is_found_on_a_page() {
        let page = "# TYPE gateward_untrusted_forwarded_total counter\n\
                    gateward_untrusted_forwarded_total 41\n\
                    gateward_untrusted_forwarded_total{proxy=\"a b\"} 1\n\
                    gateward_untrusted_forwarded_total_other 7\n\
                    gateward_feed_ends 3\n";
        assert!((count(page) - 42.0).abs() < f64::EPSILON);
        assert!(count("").abs() < f64::EPSILON);
    }

    #[test]
    fn only_a_count_that_rose_is_a_finding() {
        assert!(finding(Some(1.0), Some(2.0)).is_some());
        for (before, after) in [(Some(1.0), Some(1.0)), (None, Some(1.0)), (Some(1.0), None)] {
            assert_eq!(finding(before, after), None);
        }
    }

    #[test]
    fn a_node_that_listens_everywhere_is_reached_here() {
        let reached = |listen: &str| reachable(listen.parse().unwrap()).map(|at| at.to_string());
        assert_eq!(reached("0.0.0.0:9090").as_deref(), Some("127.0.0.1:9090"));
        assert_eq!(reached("[::]:9090").as_deref(), Some("[::1]:9090"));
        assert_eq!(reached("192.0.2.1:9090").as_deref(), Some("192.0.2.1:9090"));
        assert_eq!(reached("127.0.0.1:0"), None);
    }
}
