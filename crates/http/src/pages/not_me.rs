//! `/not-me`: the page on which somebody says that a log-in was not theirs.

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use gateward_app::domain::Origin;
use utoipa::openapi::path::HttpMethod;

use super::filled::Filled;
use super::foreign::refuse_foreign;
use super::inputs::{FormView, Input};
use super::refusal::Refusal;
use crate::App;
use crate::body::Body;
use crate::problem::Problem;
use crate::routes::Endpoint;

pub(super) const PATH: &str = "/not-me";
const TITLE: &str = "It was not you";

/// One text for all reasons, so that it tells a stranger nothing.
const LINK_WORDS: &str = "This link is not good any more: it works once, for a limited time. If \
                          somebody else may know your password, say that you have forgotten it, and \
                          choose a new one: every session ends then.";

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::page(PATH, HttpMethod::Get, || web::to(show)),
        Endpoint::page(PATH, HttpMethod::Post, || web::to(act)),
    ]
}

async fn show() -> HttpResponse {
    super::form(TITLE, &form(&Filled::default(), None))
}

async fn act(app: Data<App>, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    refuse_foreign(&request, app.options())?;
    let mut filled = Filled::read(body, &["token"]).await?;
    Ok(match disown(&app, &mut filled, app.origin(&request)).await {
        Ok(()) => super::done(
            "Everybody is logged out",
            "The password of your account is good no more. A letter is on its way to you: with it \
             you choose a new one that nobody else knows.",
        ),
        Err(refusal) => {
            let body = form(&filled, Some(&refusal));
            super::LOOK.answer(&mut refusal.response(), TITLE, &body)
        }
    })
}

async fn disown(app: &App, filled: &mut Filled, origin: Origin) -> Result<(), Refusal> {
    let Some(token) = filled.token() else {
        filled.wrong("token", "Paste the link of the letter.");
        return Err(Refusal::Fields);
    };
    app.detached(async move |core| core.disown_login(&token, &origin).await).await??;
    Ok(())
}

fn form(filled: &Filled, refusal: Option<&Refusal>) -> String {
    let mut view = FormView::new(filled, refusal);
    view.token(PATH, "Paste another link", |view| view.input(&Input::link()));
    let form = view.finish(PATH, "It was not me", LINK_WORDS);
    format!(
        "<h1>{TITLE}</h1><p class=\"lead\">Somebody logged in to your account. If it was not you, \
         say so: everybody is logged out, the password works no more, and you get a letter to choose a \
         new one. If it was you, close this page.</p>{form}"
    )
}
