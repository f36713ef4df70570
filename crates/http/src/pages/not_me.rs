//! `/not-me`: the page to report a login.

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
    title: "Was this you?",
    lead: "There was a login to your account from a new device or browser. If you do not recognize \
           it, secure your account: you will be logged out everywhere, your current password stops \
           working, and we will email you a link to set a new one. If it was you, you can close \
           this page.",
    button: "Not me, secure my account",
    link_words: "This link has expired or was already used. If your account may be at risk, reset \
                 your password where you log in. That logs out all devices.",
    done: (
        "Your account is secured",
        "You have been logged out everywhere, and your old password no longer works. Check your \
         email for a link to set a new one. If your email address was changed too, use the link in \
         our email about that change first.",
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
