//! `/confirm-email`: the page that confirms an email address.

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use gateward_app::domain::{RequestInfo, Username};
use gateward_app::{AccountProof, ConfirmEmail, LinkProof};
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

pub(super) const PATH: &str = "/confirm-email";
const NAMES: &[&str] = &["token", "email", "code", "password", "username"];

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::page(PATH, HttpMethod::Get, || web::to(show)),
        Endpoint::page(PATH, HttpMethod::Post, || web::to(act)),
    ]
}

async fn show() -> HttpResponse {
    super::form(texts::CONFIRM_TITLE, &form(&Filled::default(), None))
}

async fn act(app: Data<App>, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    refuse_cross_site(&request, app.options())?;
    let mut filled = Filled::read(body, NAMES).await?;
    let mailbox = filled.proof()?;
    Ok(match confirm(&app, &mut filled, mailbox, app.request_info(&request)).await {
        Ok(()) => super::done(texts::CONFIRM_DONE),
        Err(refusal) => {
            let body = form(&filled, Some(&refusal));
            super::LOOK.response(&mut refusal.response(), texts::CONFIRM_TITLE, &body)
        }
    })
}

async fn confirm(
    app: &App,
    filled: &mut Filled,
    mailbox: Option<LinkProof>,
    request_info: RequestInfo,
) -> Result<(), Refusal> {
    let (password, username) = (filled.password("password"), filled.username());
    let whole = mailbox.zip(password).filter(|_| filled.is_right());
    let (mailbox, password) = whole.ok_or(Refusal::Fields)?;
    let by_code = matches!(mailbox, LinkProof::Code { .. });
    let account = AccountProof::Password(password);
    let confirm = ConfirmEmail { mailbox, account, username, request_info };
    let prepared = unhurried(by_code, app.core().prepare_confirmation(confirm)).await?;
    app.detached(async move |core| core.complete_confirmation(prepared).await).await??;
    Ok(())
}

fn form(filled: &Filled, refusal: Option<&Refusal>) -> String {
    let mut view = FormView::new(filled, refusal);
    view.token(PATH, texts::CODE_INSTEAD, code_inputs);
    view.input(&Input {
        name: "password",
        label: texts::CONFIRM_PASSWORD,
        hint: texts::CONFIRM_PASSWORD_HINT.to_owned(),
        attributes: "type=\"password\" autocomplete=\"current-password\" required".to_owned(),
        is_kept: false,
    });
    // Ask for another username only once the requested one is taken.
    let is_gone = matches!(refusal, Some(Refusal::UsernameTaken));
    if is_gone || !filled.text("username").is_empty() {
        view.input(&Input {
            name: "username",
            label: texts::USERNAME,
            hint: texts::USERNAME_HINT.to_owned(),
            attributes: format!(
                "type=\"text\" autocomplete=\"username\" autocapitalize=\"none\" \
                 spellcheck=\"false\" minlength=\"{}\" maxlength=\"{}\" required",
                Username::LEN_MIN,
                Username::LEN_MAX
            ),
            is_kept: true,
        });
    }
    let form = view.finish(PATH, texts::CONFIRM_BUTTON, texts::CONFIRM_LINK);
    super::body(texts::CONFIRM_TITLE, texts::CONFIRM_LEAD, &form)
}
