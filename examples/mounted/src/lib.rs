//! An example: an application of a team's own, with Gateward mounted beside its routes.
//!
//! - `auth.rs` wires Gateward by hand and does the chores that come with it.
//! - `caller.rs` tells the team's handlers who calls.
//! - `notes.rs` is what the team's application is about.
//!
//! `docs/mounting.md` goes through it step by step.

pub mod auth;
mod caller;
mod notes;

use actix_web::HttpResponse;
use actix_web::web::{self, Data, JsonConfig, ServiceConfig};

pub use caller::SignedIn;
pub use notes::Notes;

/// The whole application: Gateward's routes, then the team's own.
pub fn configure(auth: &gateward_http::App, notes: &Data<Notes>, config: &mut ServiceConfig) {
    gateward_http::configure(auth, config);
    config
        .app_data(notes.clone())
        .app_data(JsonConfig::default().limit(notes::BODY_LEN_MAX))
        .service(notes::welcome)
        .service(notes::list)
        .service(notes::add)
        // Whatever nobody serves is answered by the team, below /v1 too.
        .default_service(web::to(async || HttpResponse::NotFound().body("No such page.\n")));
}
