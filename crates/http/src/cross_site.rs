//! Distinguishes requests from our own pages and listed origins from requests of other sites.

use actix_web::HttpRequest;
use actix_web::http::header::{HeaderValue, ORIGIN};
use url::Url;

use crate::Options;

/// Whether the headers of a browser show that another origin has sent the request.
///
/// Browsers send `Origin` with every request that may change data. Without it, every
/// `Sec-Fetch-Site` must be `same-origin` or `none`; other programs send neither header. The origin
/// `null` is always another origin.
pub(crate) fn is_cross_origin(request: &HttpRequest, options: &Options) -> bool {
    let public = Url::parse(&options.public_url).map(|url| url.origin().ascii_serialization());
    let is_public = |origin: &[u8]| public.as_ref().is_ok_and(|public| public.as_bytes() == origin);
    let is_listed =
        |origin: &[u8]| options.cors_origins.iter().any(|listed| listed.as_bytes() == origin);
    let mut origins = request.headers().get_all(ORIGIN).map(HeaderValue::as_bytes);
    match (origins.next(), origins.next()) {
        (None, _) => !sites(request).all(|site| site == b"same-origin" || site == b"none"),
        (Some(origin), None) if is_listed(origin) => false,
        (Some(origin), None) => !is_public(origin) || is_cross_site(request),
        (Some(_), Some(_)) => true,
    }
}

/// Whether the headers of a browser show that a page of another site has caused the request.
pub(crate) fn is_cross_site(request: &HttpRequest) -> bool {
    sites(request).any(|site| site == b"cross-site")
}

/// The values of `Sec-Fetch-Site` (Fetch Metadata).
fn sites(request: &HttpRequest) -> impl Iterator<Item = &[u8]> {
    request.headers().get_all("sec-fetch-site").map(HeaderValue::as_bytes)
}
