//! The development inbox: the emails that were sent, for the developer on this machine.

mod host;
mod page;
#[cfg(test)]
mod tests;

use actix_web::http::header;
use actix_web::web::{self, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use gateward_app::domain::ports::InboxEmail;
use serde::Serialize;
use utoipa::openapi::path::HttpMethod;

use crate::App;
use crate::body::refuse_query;
use crate::cross_site::is_cross_site;
use crate::endpoints::rfc3339;
use crate::problem::{Code, Problem, details};
use crate::routes::Endpoint;

/// The inbox. Without one, its paths return 404.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::page("/dev/inbox", HttpMethod::Get, || web::to(show)),
        Endpoint::page("/dev/inbox.json", HttpMethod::Get, || web::to(list)),
        Endpoint::page("/dev/inbox/{email}.html", HttpMethod::Get, || web::to(email)),
    ]
}

/// The emails, for programs.
#[derive(Serialize)]
struct InboxEmails<'a> {
    items: Vec<InboxEmailBody<'a>>,
}

/// One email.
#[derive(Serialize)]
struct InboxEmailBody<'a> {
    to: &'a str,
    subject: &'a str,
    text: &'a str,
    html: &'a str,
    links: &'a [String],
    code: Option<&'a str>,
    sent_at: String,
}

impl<'a> From<&'a InboxEmail> for InboxEmailBody<'a> {
    fn from(email: &'a InboxEmail) -> Self {
        Self {
            to: email.to.as_str(),
            subject: &email.subject,
            text: &email.text,
            html: &email.html,
            links: &email.links,
            code: email.code.as_deref(),
            sent_at: rfc3339(email.sent_at),
        }
    }
}

async fn list(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let emails = emails(&app, &request)?;
    let items = emails.iter().map(InboxEmailBody::from).collect();
    Ok(HttpResponse::Ok().json(InboxEmails { items }))
}

async fn show(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Ok(page::inbox(&emails(&app, &request)?, app.options()))
}

/// The HTML part of one email, shown in a frame of the page.
async fn email(
    app: Data<App>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let emails = emails(&app, &request)?;
    let email = emails.iter().find(|email| page::id(email) == *id);
    let email = email.ok_or_else(|| Problem::new(Code::NotFound))?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((header::CONTENT_SECURITY_POLICY, page::EMAIL_POLICY))
        .body(page::framed(&email.html)))
}

/// The emails, if the inbox is on and may be shown to this request.
///
/// A reader of these emails can reset every account, so pages of other sites must not see them: a
/// host name that they point at this machine (DNS rebinding) is not accepted.
fn emails(app: &App, request: &HttpRequest) -> Result<Vec<InboxEmail>, Problem> {
    let inbox = app.inbox().filter(|_| host::is_own(request, app.options()));
    let inbox = inbox.ok_or_else(|| Problem::new(Code::NotFound))?;
    refuse_query(request)?;
    if is_cross_site(request) {
        let detail = details::CROSS_SITE_INBOX;
        return Err(Problem { challenge: None, ..Problem::new(Code::Forbidden).detail(detail) });
    }
    Ok(inbox.emails())
}
