//! `/undo-email-change`: the page that brings an address back.

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use utoipa::openapi::path::HttpMethod;

use super::by_link::LinkPage;
use crate::App;
use crate::body::Body;
use crate::problem::Problem;
use crate::routes::Endpoint;

pub(super) const PATH: &str = "/undo-email-change";

const PAGE: LinkPage = LinkPage {
    path: PATH,
    title: "Keep your old address",
    lead: "Somebody asked to give your account another address. If it was not you, undo that: the \
           old address stays, everybody is logged out, the password works no more, and you get a \
           email to choose a new one.",
    button: "Undo the change",
    link_words: "This link is not good any more: it works once, for a limited time. If somebody else \
                 has your account, ask whoever runs this service for help.",
    done: (
        "Your address is back",
        "Everybody is logged out of the account. An email is on its way to this address: with it you \
         choose a new password that nobody else knows.",
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
        core.undo_email_change(&token, &request_info).await
    })
    .await
}
