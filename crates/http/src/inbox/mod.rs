//! The development inbox: the letters that were sent, for the developer on this machine.

mod host;
mod page;
#[cfg(test)]
mod tests;

use actix_web::http::header;
use actix_web::web::{self, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use gateward_app::domain::ports::InboxLetter;
use serde::Serialize;
use utoipa::openapi::path::HttpMethod;

use crate::App;
use crate::body::refuse_query;
use crate::endpoints::rfc3339;
use crate::foreign::is_cross_site;
use crate::problem::{Code, Problem};
use crate::routes::Endpoint;

/// The inbox. Where there is none, its paths are not found.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::page("/dev/inbox", HttpMethod::Get, || web::to(show)),
        Endpoint::page("/dev/inbox.json", HttpMethod::Get, || web::to(list)),
        Endpoint::page("/dev/inbox/{letter}.html", HttpMethod::Get, || web::to(letter)),
    ]
}

/// The letters, for programs.
#[derive(Serialize)]
struct Letters<'a> {
    items: Vec<LetterBody<'a>>,
}

/// One letter.
#[derive(Serialize)]
struct LetterBody<'a> {
    to: &'a str,
    subject: &'a str,
    text: &'a str,
    html: &'a str,
    links: &'a [String],
    code: Option<&'a str>,
    sent_at: String,
}

impl<'a> From<&'a InboxLetter> for LetterBody<'a> {
    fn from(letter: &'a InboxLetter) -> Self {
        Self {
            to: letter.to.as_str(),
            subject: &letter.subject,
            text: &letter.text,
            html: &letter.html,
            links: &letter.links,
            code: letter.code.as_deref(),
            sent_at: rfc3339(letter.sent_at),
        }
    }
}

async fn list(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let letters = letters(&app, &request)?;
    let items = letters.iter().map(LetterBody::from).collect();
    Ok(HttpResponse::Ok().json(Letters { items }))
}

async fn show(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Ok(page::inbox(&letters(&app, &request)?, app.options()))
}

/// The HTML part of one letter, as it stands in a frame of the page.
async fn letter(
    app: Data<App>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let letters = letters(&app, &request)?;
    let letter = letters.iter().find(|letter| page::id(letter) == *id);
    let letter = letter.ok_or_else(|| Problem::new(Code::NotFound))?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((header::CONTENT_SECURITY_POLICY, page::LETTER_POLICY))
        .body(page::framed(&letter.html)))
}

/// The letters, if there is an inbox and the request may see it.
///
/// Whoever reads them can reset every account, so pages of other sites must not: a name of theirs
/// that they point at this machine is not one of its names.
fn letters(app: &App, request: &HttpRequest) -> Result<Vec<InboxLetter>, Problem> {
    let inbox = app.inbox().filter(|_| host::is_own(request, app.options()));
    let inbox = inbox.ok_or_else(|| Problem::new(Code::NotFound))?;
    refuse_query(request)?;
    if is_cross_site(request) {
        let detail = "Another site has led here; type the address of the inbox yourself.";
        return Err(Problem { challenge: None, ..Problem::new(Code::Forbidden).detail(detail) });
    }
    Ok(inbox.letters())
}
