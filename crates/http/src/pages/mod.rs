//! The pages behind emailed links. Opening one shows a form and does not use the link, because
//! scanners and previews open links too. Submitting the form acts.

mod by_link;
mod confirm;
mod cross_site;
mod filled;
mod frame;
mod inputs;
mod invitation;
mod not_me;
mod refusal;
mod reset;
#[cfg(test)]
mod tests;
mod texts;
mod undo;

use std::sync::LazyLock;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};

pub(crate) use frame::{Look, STYLE, escape};

use texts::Done;

use crate::problem::Problem;
use crate::routes::Endpoint;

/// The style of these pages, and their one script.
static LOOK: LazyLock<Look> = LazyLock::new(|| {
    Look::new("", STYLE.to_owned(), include_str!("page.js"), "form-action 'self'")
});

pub(crate) fn endpoints() -> Vec<Endpoint> {
    let pages = [
        confirm::endpoints(),
        reset::endpoints(),
        undo::endpoints(),
        not_me::endpoints(),
        invitation::endpoints(),
    ];
    pages.into_iter().flatten().collect()
}

/// Whether the response to this request is a page.
pub(crate) fn is_page(request: &HttpRequest) -> bool {
    let paths = [confirm::PATH, reset::PATH, undo::PATH, not_me::PATH, invitation::PATH];
    request.match_pattern().is_some_and(|pattern| paths.contains(&pattern.as_str()))
}

/// The page for a problem that leaves no form to repeat.
pub(crate) fn refused(
    response: &mut HttpResponseBuilder,
    problem: &Problem,
    request_id: &str,
) -> HttpResponse {
    let (title, text) = refusal::words(problem);
    let body = format!(
        "<h1>{title}</h1><p class=\"lead\">{}</p>\
         <p class=\"aside\">{} <code>{}</code></p>",
        escape(&text),
        texts::REQUEST_ID,
        escape(request_id),
    );
    LOOK.response(response, title, &body)
}

/// The body of a page with a form.
fn body(title: &str, lead: &str, form: &str) -> String {
    format!("<h1>{title}</h1><p class=\"lead\">{lead}</p>{form}")
}

/// A page with a form.
fn form(title: &str, body: &str) -> HttpResponse {
    LOOK.response(&mut HttpResponse::Ok(), title, body)
}

/// A page that confirms the action.
fn done((title, text): Done) -> HttpResponse {
    let body = format!(
        "<svg class=\"tick\" viewBox=\"0 0 48 48\" aria-hidden=\"true\">\
         <circle cx=\"24\" cy=\"24\" r=\"22\"/><path d=\"M14 25l7 7 13-15\"/></svg>\
         <h1>{title}</h1><p class=\"lead\">{text}</p>"
    );
    LOOK.response(&mut HttpResponse::build(StatusCode::OK), title, &body)
}
