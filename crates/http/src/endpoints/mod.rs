//! The endpoints, one file per subject.

mod audit;
mod by_cookie;
mod change_email;
mod delete_me;
mod email;
mod explain;
mod export;
mod health;
mod invitation;
mod login;
mod logout;
mod me;
mod not_me;
mod oauth;
mod objects;
mod password;
mod password_reset;
mod reauthenticate;
mod refresh;
mod revocations;
mod roles;
mod session_object;
mod sessions;
mod signup;
#[cfg(test)]
mod tests;
mod users;
mod well_known;

use actix_web::HttpResponse;
pub(crate) use oauth::with_error as with_oauth_error;
pub use objects::rfc3339;
pub(crate) use refresh::{idempotency_key, received_at};
use serde::Serialize;

use crate::Options;
use crate::routes::Endpoint;

/// Every endpoint of this installation.
pub(crate) fn all(options: &Options) -> Vec<Endpoint> {
    let mut endpoints = vec![
        signup::endpoint(),
        login::endpoint(),
        refresh::endpoint(),
        logout::endpoint(),
        logout::all_endpoint(),
        me::get_endpoint(),
        me::patch_endpoint(),
        password::endpoint(),
        reauthenticate::endpoint(),
        change_email::endpoint(),
        delete_me::delete_endpoint(),
        delete_me::export_endpoint(),
        sessions::list_endpoint(),
        sessions::end_endpoint(),
        not_me::endpoint(),
        explain::endpoint(),
        email::confirm_endpoint(),
        email::resend_endpoint(),
        email::undo_endpoint(),
        password_reset::forgot_endpoint(),
        password_reset::reset_endpoint(),
        invitation::endpoint(),
        audit::endpoint(),
        revocations::page_endpoint(),
        revocations::stream_endpoint(),
        oauth::introspect_endpoint(),
        oauth::revoke_endpoint(),
        well_known::jwks_endpoint(),
        well_known::metadata_endpoint(),
        health::live_endpoint(),
        health::ready_endpoint(),
    ];
    endpoints.extend(users::endpoints());
    endpoints.extend(roles::endpoints());
    endpoints.extend(crate::docs::endpoints(options.docs));
    endpoints.extend(crate::pages::endpoints());
    endpoints.extend(crate::inbox::endpoints());
    endpoints.extend(crate::dialects::endpoints(options));
    endpoints
}

/// `200` with a JSON body.
fn ok(body: &impl Serialize) -> HttpResponse {
    HttpResponse::Ok().json(body)
}

/// `202` for a request whose result arrives by email. It does not depend on that result.
fn accepted(status: &'static str) -> HttpResponse {
    HttpResponse::Accepted().json(objects::Accepted { status })
}

/// `204` without a body.
fn done() -> HttpResponse {
    HttpResponse::NoContent().finish()
}
