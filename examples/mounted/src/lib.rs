//! Example: a custom application with Gateward mounted beside its own routes.
//!
//! - `auth.rs` builds a node of Gateward.
//! - `caller.rs` authenticates the callers of the application's handlers.
//! - `notes.rs` is the application itself.
//!
//! `docs/mounting.md` explains it step by step.

pub mod auth;
mod caller;
mod notes;

use actix_web::HttpResponse;
use actix_web::web::{self, Data, JsonConfig, ServiceConfig};

pub use caller::SignedIn;
pub use notes::Notes;

/// Configures the whole application: Gateward's routes, then its own.
pub fn configure(auth: &gateward_http::App, notes: &Data<Notes>, config: &mut ServiceConfig) {
    gateward_http::configure(auth, config);
    config
        .app_data(notes.clone())
        .app_data(JsonConfig::default().limit(notes::BODY_LEN_MAX))
        .service(notes::welcome)
        .service(notes::list)
        .service(notes::add)
        // The application responds to unknown paths, including those below /v1.
        .default_service(web::to(async || HttpResponse::NotFound().body("No such page.\n")));
}
