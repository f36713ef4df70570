//! What keeps other sites from acting by the cookies that a browser adds to their requests.

use actix_web::HttpRequest;
use actix_web::http::Method;
use gateward_app::domain::SessionId;

use crate::cross_site::is_cross_origin;
use crate::problem::{Code, Problem};
use crate::{App, Options};

/// The header that carries the CSRF token.
const HEADER: &str = "x-csrf-token";

/// Refuses a request that is authenticated by a cookie of this session, unless it changes nothing
/// or a page that may know the session's CSRF token has sent it.
pub(crate) fn check(app: &App, request: &HttpRequest, id: SessionId) -> Result<(), Problem> {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    refuse_cross_site(request, app.options())?;
    let wanted = app.core().csrf_token(id).map_err(Problem::of_access_token)?;
    let mut shown = request.headers().get_all(HEADER).map(|header| header.to_str());
    match (shown.next(), shown.next()) {
        (Some(Ok(text)), None) if wanted.is(text) => Ok(()),
        _ => Err(Problem::new(Code::CsrfFailed)),
    }
}

/// Refuses what another site has sent. Where there is no session yet it stands alone: a site that
/// logs its visitor in as somebody else would see what they do there.
pub(crate) fn refuse_cross_site(request: &HttpRequest, options: &Options) -> Result<(), Problem> {
    if is_cross_origin(request, options) {
        let detail = "The request was sent from another site, so nothing was done. Pages of other \
                      origins need a line in 'http.cors_origins'.";
        return Err(Problem::new(Code::CsrfFailed).detail(detail));
    }
    Ok(())
}
