//! Telling requests of our own pages and of listed origins from those that other sites cause.

use actix_web::HttpRequest;
use actix_web::http::header::{HeaderValue, ORIGIN};
use url::Url;

use crate::Options;

/// Whether a browser says that another site has sent the request.
///
/// Browsers name the origin with every request that may change something. One that does not, and
/// does not say either that it was one of our pages or the user, is not believed; whoever is no
/// browser says nothing of it. `null` is the origin of nobody.
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

/// Whether a browser says that a page of another site has caused the request.
pub(crate) fn is_cross_site(request: &HttpRequest) -> bool {
    sites(request).any(|site| site == b"cross-site")
}

/// What a browser says of where the request comes from (Fetch Metadata).
fn sites(request: &HttpRequest) -> impl Iterator<Item = &[u8]> {
    request.headers().get_all("sec-fetch-site").map(HeaderValue::as_bytes)
}
