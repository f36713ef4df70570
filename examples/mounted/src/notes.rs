//! The application itself: notes, which only their owner can read.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, get, post};
use gateward_http::app::domain::UserId;
use serde::Deserialize;

use crate::SignedIn;

/// Maximum size of a body in bytes.
pub const BODY_LEN_MAX: usize = 4 * 1024;

/// Maximum number of notes per user.
const NOTES_MAX: usize = 100;

/// The notes of all users.
#[derive(Debug, Default)]
pub struct Notes(Mutex<HashMap<UserId, Vec<String>>>);

/// The body of a request to add a note.
#[derive(Deserialize)]
struct NewNote {
    text: String,
}

/// Requires no login.
#[get("/")]
pub async fn welcome() -> &'static str {
    "Notes. Sign up at /v1/signup, log in at /v1/login, then see /notes.\n"
}

/// Requires a login.
#[get("/notes")]
pub async fn list(SignedIn(user): SignedIn, notes: Data<Notes>) -> HttpResponse {
    let notes = notes.0.lock().unwrap_or_else(PoisonError::into_inner);
    let own = notes.get(&user.id).map(Vec::as_slice).unwrap_or_default();
    HttpResponse::Ok().json(serde_json::json!({ "of": user.username.as_str(), "notes": own }))
}

/// Adds a note.
#[post("/notes")]
pub async fn add(
    SignedIn(user): SignedIn,
    notes: Data<Notes>,
    Json(note): Json<NewNote>,
) -> HttpResponse {
    let mut notes = notes.0.lock().unwrap_or_else(PoisonError::into_inner);
    let own = notes.entry(user.id).or_default();
    if own.len() == NOTES_MAX {
        return HttpResponse::Conflict().json(serde_json::json!({ "error": "too many notes" }));
    }
    own.push(note.text);
    HttpResponse::Created().finish()
}
