//! `/undo-email-change`: the page that restores an email address.

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use utoipa::openapi::path::HttpMethod;

use super::by_link::LinkPage;
use super::texts;
use crate::App;
use crate::body::Body;
use crate::problem::Problem;
use crate::routes::Endpoint;

pub(super) const PATH: &str = "/undo-email-change";

const PAGE: LinkPage = LinkPage {
    path: PATH,
    title: texts::UNDO_TITLE,
    lead: texts::UNDO_LEAD,
    button: texts::UNDO_BUTTON,
    link_words: texts::UNDO_LINK,
    done: texts::UNDO_DONE,
};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::page(PATH, HttpMethod::Get, || web::to(show)),
        Endpoint::page(PATH, HttpMethod::Post, || web::to(act)),
    ]
}

async fn show() -> HttpResponse {
    PAGE.show()
}

async fn act(app: Data<App>, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    PAGE.act(&app, &request, body, async |core, token, request_info| {
        core.undo_email_change(&token, &request_info).await
    })
    .await
}
