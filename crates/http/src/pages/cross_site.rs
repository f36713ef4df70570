//! Telling forms of our own pages from those that others have filled in for somebody.

use actix_web::HttpRequest;

use crate::Options;
use crate::cross_site::is_cross_origin;
use crate::problem::{Code, Problem};

/// Refuses what a browser says another site has sent.
///
/// A page of ours names its origin because it says so in `<meta name="referrer">`: under the header
/// `Referrer-Policy: no-referrer` alone, browsers send `Origin: null` with a form (Fetch, "append a
/// request `Origin` header"), as they do for a page that hides where it comes from.
pub(super) fn refuse_cross_site(request: &HttpRequest, options: &Options) -> Result<(), Problem> {
    if !is_cross_origin(request, options) {
        return Ok(());
    }
    let detail = "For your security, this request was blocked because it came from another site. \
                  Open the link in the email again and submit the form from there.";
    Err(Problem { challenge: None, ..Problem::new(Code::Forbidden).detail(detail) })
}
