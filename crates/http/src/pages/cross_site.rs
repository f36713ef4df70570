//! Distinguishes forms of our own pages from forms that another site submits.

use actix_web::HttpRequest;

use super::texts;
use crate::Options;
use crate::cross_site::is_cross_origin;
use crate::problem::{Code, Problem};

/// Refuses a form that, by the browser's headers, comes from another site.
///
/// Our pages send their origin because of their `<meta name="referrer">`: under the header
/// `Referrer-Policy: no-referrer` alone, browsers send `Origin: null` with a form (Fetch, "append a
/// request `Origin` header"), as they do for a page that hides its origin.
pub(super) fn refuse_cross_site(request: &HttpRequest, options: &Options) -> Result<(), Problem> {
    if !is_cross_origin(request, options) {
        return Ok(());
    }
    let problem = Problem::new(Code::Forbidden).detail(texts::FORM_CROSS_SITE);
    Err(Problem { challenge: None, ..problem })
}
