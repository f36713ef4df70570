//! Checks of `http.…` and `cookies.…`: paths, origins, proxies, cookies.

use std::net::IpAddr;

use gateward_app::domain::link::LinkPurpose;
use gateward_http::{Options, SameSite};
use ipnet::IpNet;
use url::Url;

use super::{clients, dialects};
use crate::settings::reader::Reader;

/// The shortest prefix of a trusted network: that of `10.0.0.0/8` and of `fd00::/8`. Larger
/// networks include clients.
const PROXY_PREFIX_MIN: u8 = 8;

pub(super) fn options(reader: &mut Reader<'_>, public_url: Option<&Url>) -> Options {
    let origin = public_url.map(|url| url.origin().ascii_serialization()).unwrap_or_default();
    let options = Options {
        public_url: origin,
        base_path: base_path(reader),
        trusted_proxies: trusted_proxies(reader),
        cors_origins: cors_origins(reader),
        same_site: same_site(reader),
        clients: clients::clients(reader),
        docs: reader.flag("http.docs"),
        dialects: dialects::dialects(reader),
    };
    dialects::refuse_collisions(reader, &options);
    options
}

/// Whether a text is a path such as `/v1`, without a trailing slash.
pub(super) fn is_path_prefix(path: &str) -> bool {
    let segment = |segment: &str| {
        !matches!(segment, "" | "." | "..")
            && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    path.strip_prefix('/').is_some_and(|path| path.split('/').all(segment))
}

fn base_path(reader: &mut Reader<'_>) -> String {
    let base_path = reader.text("http.base_path").unwrap_or_default();
    // An environment variable cannot be empty.
    let base_path = if base_path == "/" { String::new() } else { base_path };
    let fixed = [".well-known", "oauth", "health", "docs", "openapi.json", "dev", "metrics"];
    let pages = LinkPurpose::ALL.iter().map(|purpose| purpose.page().trim_start_matches('/'));
    let fixed: Vec<&str> = fixed.into_iter().chain(pages).collect();
    let first = base_path.split('/').nth(1);
    if !base_path.is_empty() && !is_path_prefix(&base_path) {
        reader.wrong("http.base_path", "must be / or like /v1, without a trailing slash");
    } else if first.is_some_and(|first| fixed.contains(&first)) {
        reader.wrong("http.base_path", "starts with a reserved path; choose another");
    }
    base_path
}

/// The `SameSite` attribute of the cookies.
fn same_site(reader: &mut Reader<'_>) -> SameSite {
    let words = [("Strict", SameSite::Strict), ("Lax", SameSite::Lax), ("None", SameSite::None)];
    reader.choice("cookies.same_site", &words).unwrap_or(SameSite::Lax)
}

fn trusted_proxies(reader: &mut Reader<'_>) -> Vec<IpNet> {
    let mut nets = Vec::new();
    for text in reader.list("http.trusted_proxies") {
        let address = text.parse::<IpAddr>().map(IpNet::from);
        match text.parse::<IpNet>().or(address) {
            Ok(net) if net.prefix_len() >= PROXY_PREFIX_MIN => nets.push(net),
            Ok(_) => {
                let message = format!(
                    "contains {text}, which trusts almost every client; list only your own proxies"
                );
                reader.wrong("http.trusted_proxies", message);
            }
            Err(_) => {
                let message =
                    format!("contains \"{text}\"; use IP addresses or networks such as 10.0.0.0/8");
                reader.wrong("http.trusted_proxies", message);
            }
        }
    }
    nets
}

fn cors_origins(reader: &mut Reader<'_>) -> Vec<String> {
    let origins = reader.list("http.cors_origins");
    for origin in &origins {
        let exact = Url::parse(origin).is_ok_and(|url| {
            !origin.contains('*')
                && matches!(url.scheme(), "http" | "https")
                && url.origin().ascii_serialization() == *origin
        });
        if !exact {
            let message = format!(
                "contains \"{origin}\"; list each origin exactly as browsers send it, such as \
                 https://app.example.org: no wildcard, no path"
            );
            reader.wrong("http.cors_origins", message);
        }
    }
    origins
}
