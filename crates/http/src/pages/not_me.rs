//! `/not-me`: the page on which somebody says that a login was not theirs.

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use utoipa::openapi::path::HttpMethod;

use super::by_link::LinkPage;
use crate::App;
use crate::body::Body;
use crate::problem::Problem;
use crate::routes::Endpoint;

pub(super) const PATH: &str = "/not-me";

const PAGE: LinkPage = LinkPage {
    path: PATH,
    title: "It was not you",
    lead: "Somebody logged in to your account. If it was not you, say so: everybody is logged out, \
           the password works no more, and you get an email to choose a new one. If it was you, \
           close this page.",
    button: "It was not me",
    link_words: "This link is not good any more: it works once, for a limited time. If somebody else \
                 may know your password, say that you have forgotten it, and choose a new one: every \
                 session ends then.",
    done: (
        "Everybody is logged out",
        "The password of your account is good no more. An email is on its way to you: with it you \
         choose a new one that nobody else knows.",
    ),
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
