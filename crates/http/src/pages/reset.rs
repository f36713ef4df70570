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
use crate::App;
use crate::body::Body;
use crate::link_proof::unhurried;
use crate::problem::Problem;
use crate::routes::Endpoint;

pub(super) const PATH: &str = "/reset-password";
const TITLE: &str = "Set a new password";
const NAMES: &[&str] = &["token", "email", "code", "new_password"];

/// One text for all reasons, so that it reveals nothing.
const LINK_WORDS: &str = "This link or code has expired, was already used or was replaced by a \
                          newer email. If you typed the code, check it and your email address. \
                          Otherwise, request a new email where you log in.";

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::page(PATH, HttpMethod::Get, || web::to(show)),
        Endpoint::page(PATH, HttpMethod::Post, || web::to(act)),
    ]
}

async fn show(app: Data<App>) -> HttpResponse {
    super::form(TITLE, &form(&Filled::default(), None, app.core().policy().password))
}

async fn act(app: Data<App>, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    refuse_cross_site(&request, app.options())?;
    let mut filled = Filled::read(body, NAMES).await?;
    let proof = filled.proof()?;
    Ok(match reset(&app, &mut filled, proof, app.request_info(&request)).await {
        Ok(()) => super::done(
            "Your password was changed",
            "You have been logged out everywhere. Log in with your new password.",
        ),
        Err(refusal) => {
            let body = form(&filled, Some(&refusal), app.core().policy().password);
            super::LOOK.response(&mut refusal.response(), TITLE, &body)
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
    view.token(PATH, "Use the code from the email instead", code_inputs);
    view.input(&Input::new_password("New password", policy));
    let form = view.finish(PATH, "Set new password", LINK_WORDS);
    format!(
        "<h1>{TITLE}</h1>\
         <p class=\"lead\">You will be logged out everywhere. You can then log in with your new \
         password.</p>{form}"
    )
}
