//! `/accept-invitation`: the page to choose the password of an invited account.

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use gateward_app::domain::{PasswordPolicy, RequestInfo};
use utoipa::openapi::path::HttpMethod;

use super::cross_site::refuse_cross_site;
use super::filled::Filled;
use super::inputs::{FormView, Input};
use super::refusal::Refusal;
use super::texts;
use crate::App;
use crate::body::Body;
use crate::problem::Problem;
use crate::routes::Endpoint;

pub(super) const PATH: &str = "/accept-invitation";
const NAMES: &[&str] = &["token", "new_password"];

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::page(PATH, HttpMethod::Get, || web::to(show)),
        Endpoint::page(PATH, HttpMethod::Post, || web::to(act)),
    ]
}

async fn show(app: Data<App>) -> HttpResponse {
    let body = form(&Filled::default(), None, app.core().policy().password);
    super::form(texts::INVITATION_TITLE, &body)
}

async fn act(app: Data<App>, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    refuse_cross_site(&request, app.options())?;
    let mut filled = Filled::read(body, NAMES).await?;
    Ok(match accept(&app, &mut filled, app.request_info(&request)).await {
        Ok(()) => super::done(texts::INVITATION_DONE),
        Err(refusal) => {
            let body = form(&filled, Some(&refusal), app.core().policy().password);
            super::LOOK.response(&mut refusal.response(), texts::INVITATION_TITLE, &body)
        }
    })
}

async fn accept(app: &App, filled: &mut Filled, request_info: RequestInfo) -> Result<(), Refusal> {
    let token = filled.token();
    if token.is_none() {
        filled.wrong("token", texts::LINK_MISSING);
    }
    let password = filled.new_password("new_password", app.core().policy().password);
    let (token, password) = token.zip(password).ok_or(Refusal::Fields)?;
    let prepared = app.core().prepare_acceptance(token, password, request_info).await?;
    app.detached(async move |core| core.complete_acceptance(prepared).await).await??;
    Ok(())
}

fn form(filled: &Filled, refusal: Option<&Refusal>, policy: PasswordPolicy) -> String {
    let mut view = FormView::new(filled, refusal);
    view.token(PATH, texts::OTHER_LINK, |view| view.input(&Input::link()));
    view.input(&Input::new_password(texts::INVITATION_PASSWORD, policy));
    let form = view.finish(PATH, texts::INVITATION_BUTTON, texts::INVITATION_LINK);
    super::body(texts::INVITATION_TITLE, texts::INVITATION_LEAD, &form)
}
