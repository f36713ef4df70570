//! CSRF protection: other sites cannot use the cookies that browsers add to their requests.

use actix_web::HttpRequest;
use actix_web::http::Method;
use gateward_app::domain::SessionId;

use crate::cross_site::is_cross_origin;
use crate::problem::{Code, Problem, details};
use crate::{App, Options};

const HEADER: &str = "x-csrf-token";

/// Rejects a request that authenticates with a cookie of this session, unless its method is safe or
/// it carries the CSRF token of the session.
pub(crate) fn check(app: &App, request: &HttpRequest, id: SessionId) -> Result<(), Problem> {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    refuse_cross_site(request, app.options())?;
    let wanted = app.core().csrf_token(id).map_err(Problem::of_access_token)?;
    let mut shown = request.headers().get_all(HEADER).map(|header| header.to_str());
    match (shown.next(), shown.next()) {
        (Some(Ok(text)), None) if wanted.is(text) => Ok(()),
        _ => Err(Problem::new(Code::CsrfFailed).detail(details::CSRF_TOKEN)),
    }
}

/// Rejects a request from another site. This also protects the login, where there is no CSRF token
/// yet: a site that logs its visitors in to its own account could see what they do there.
pub(crate) fn refuse_cross_site(request: &HttpRequest, options: &Options) -> Result<(), Problem> {
    if is_cross_origin(request, options) {
        return Err(Problem::new(Code::CsrfFailed).detail(details::CROSS_SITE));
    }
    Ok(())
}
