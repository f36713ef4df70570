//! `/not-me`: the page to report a login.

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use utoipa::openapi::path::HttpMethod;

use super::by_link::LinkPage;
use super::texts;
use crate::App;
use crate::body::Body;
use crate::problem::Problem;
use crate::routes::Endpoint;

pub(super) const PATH: &str = "/not-me";

const PAGE: LinkPage = LinkPage {
    path: PATH,
    title: texts::NOT_ME_TITLE,
    lead: texts::NOT_ME_LEAD,
    button: texts::NOT_ME_BUTTON,
    link_words: texts::NOT_ME_LINK,
    done: texts::NOT_ME_DONE,
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
        core.report_login(&token, &request_info).await
    })
    .await
}
