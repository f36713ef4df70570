//! `/reset-password`: the page to choose a new password.

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use gateward_app::domain::{PasswordPolicy, RequestInfo};
use gateward_app::{LinkProof, ResetPassword};
use utoipa::openapi::path::HttpMethod;

use super::cross_site::refuse_cross_site;
use super::filled::Filled;
use super::inputs::{FormView, Input, code_inputs};
use super::refusal::Refusal;
use super::texts;
use crate::App;
use crate::body::Body;
use crate::link_proof::unhurried;
use crate::problem::Problem;
use crate::routes::Endpoint;

pub(super) const PATH: &str = "/reset-password";
const NAMES: &[&str] = &["token", "email", "code", "new_password"];

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::page(PATH, HttpMethod::Get, || web::to(show)),
        Endpoint::page(PATH, HttpMethod::Post, || web::to(act)),
    ]
}

async fn show(app: Data<App>) -> HttpResponse {
    let body = form(&Filled::default(), None, app.core().policy().password);
    super::form(texts::RESET_TITLE, &body)
}

async fn act(app: Data<App>, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    refuse_cross_site(&request, app.options())?;
    let mut filled = Filled::read(body, NAMES).await?;
    let proof = filled.proof()?;
    Ok(match reset(&app, &mut filled, proof, app.request_info(&request)).await {
        Ok(()) => super::done(texts::RESET_DONE),
        Err(refusal) => {
            let body = form(&filled, Some(&refusal), app.core().policy().password);
            super::LOOK.response(&mut refusal.response(), texts::RESET_TITLE, &body)
        }
    })
}

async fn reset(
    app: &App,
    filled: &mut Filled,
    proof: Option<LinkProof>,
    request_info: RequestInfo,
) -> Result<(), Refusal> {
    let new = filled.new_password("new_password", app.core().policy().password);
    let whole = proof.zip(new).filter(|_| filled.is_right());
    let (proof, new) = whole.ok_or(Refusal::Fields)?;
    let by_code = matches!(proof, LinkProof::Code { .. });
    let reset = ResetPassword { proof, new, request_info };
    let prepared = unhurried(by_code, app.core().prepare_reset(reset)).await?;
    app.detached(async move |core| core.complete_reset(prepared).await).await??;
    Ok(())
}

fn form(filled: &Filled, refusal: Option<&Refusal>, policy: PasswordPolicy) -> String {
    let mut view = FormView::new(filled, refusal);
    view.token(PATH, texts::CODE_INSTEAD, code_inputs);
    view.input(&Input::new_password(texts::RESET_PASSWORD, policy));
    let form = view.finish(PATH, texts::RESET_BUTTON, texts::RESET_LINK);
    super::body(texts::RESET_TITLE, texts::RESET_LEAD, &form)
}
