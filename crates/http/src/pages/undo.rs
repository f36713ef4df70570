//! `/undo-email-change`: the page that brings an address back.

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

pub(super) const PATH: &str = "/undo-email-change";
const TITLE: &str = "Keep your old address";

/// One text for all reasons, so that it tells a stranger nothing.
const LINK_WORDS: &str = "This link is not good any more: it works once, for a limited time. If \
                          somebody else has your account, ask whoever runs this service for help.";

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
    Ok(match undo(&app, &mut filled, app.origin(&request)).await {
        Ok(()) => super::done(
            "Your address is back",
            "Everybody is logged out of the account. A letter is on its way to this address: with \
             it you choose a new password that nobody else knows.",
        ),
        Err(refusal) => {
            let body = form(&filled, Some(&refusal));
            super::LOOK.answer(&mut refusal.response(), TITLE, &body)
        }
    })
}

async fn undo(app: &App, filled: &mut Filled, origin: Origin) -> Result<(), Refusal> {
    let Some(token) = filled.token() else {
        filled.wrong("token", "Paste the link of the letter.");
        return Err(Refusal::Fields);
    };
    app.detached(async move |core| core.undo_email_change(&token, &origin).await).await??;
    Ok(())
}

fn form(filled: &Filled, refusal: Option<&Refusal>) -> String {
    let mut view = FormView::new(filled, refusal);
    view.token(PATH, "Paste another link", |view| view.input(&Input::link()));
    let form = view.finish(PATH, "Undo the change", LINK_WORDS);
    format!(
        "<h1>{TITLE}</h1><p class=\"lead\">Somebody asked to give your account another address. \
         If it was not you, undo that: the old address stays, everybody is logged out, the \
         password works no more, and you get a letter to choose a new one.</p>{form}"
    )
}
