//! Telling forms of our own pages from those that others have filled in for somebody.

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderValue};
use url::Url;

use crate::Options;
use crate::problem::{Code, Problem};

/// Refuses what a browser says another site has sent.
///
/// A page of ours names its origin because it says so in `<meta name="referrer">`: under the header
/// `Referrer-Policy: no-referrer` alone, browsers send `Origin: null` with a form (Fetch, "append a
/// request `Origin` header"), as they do for a page that hides where it comes from.
pub(super) fn refuse_foreign(request: &HttpRequest, options: &Options) -> Result<(), Problem> {
    let public = Url::parse(&options.public_url).map(|url| url.origin().ascii_serialization());
    let is_public = |origin: &[u8]| public.as_ref().is_ok_and(|public| public.as_bytes() == origin);
    let is_listed =
        |origin: &[u8]| options.cors_origins.iter().any(|listed| listed.as_bytes() == origin);
    let mut origins = request.headers().get_all(header::ORIGIN).map(HeaderValue::as_bytes);
    let is_ours = match (origins.next(), origins.next()) {
        (None, _) => !is_cross_site(request),
        (Some(origin), None) if is_listed(origin) => true,
        (Some(origin), None) => is_public(origin) && !is_cross_site(request),
        (Some(_), Some(_)) => false,
    };
    if is_ours {
        return Ok(());
    }
    let detail = "This form was sent from another site, so nothing was done. Open the link of the \
                  letter itself, and send the form from there.";
    Err(Problem { challenge: None, ..Problem::new(Code::Forbidden).detail(detail) })
}

/// Whether a browser says that a page of another site has caused the request.
pub(crate) fn is_cross_site(request: &HttpRequest) -> bool {
    request.headers().get_all("sec-fetch-site").any(|site| site.as_bytes() == b"cross-site")
}
