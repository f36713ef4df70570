//! `/undo-email-change`: the page that restores an email address.

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
    title: "Undo the email address change",
    lead: "We received a request to change the email address of your account. If it was not you, \
           undo the change: you keep your previous email address, you will be logged out \
           everywhere, your current password stops working, and we will email you a link to set a \
           new one. If it was you, you can close this page.",
    button: "Undo the change",
    link_words: "This link has expired or was already used. If you have lost access to your \
                 account, contact support.",
    done: (
        "Your email address is restored",
        "You have been logged out everywhere, and your old password no longer works. Check your \
         email for a link to set a new one.",
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
