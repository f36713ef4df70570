//! `LinkPage`: a page that wants nothing but the link of an email, and has one button.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse};
use gateward_app::App as Core;
use gateward_app::domain::RequestInfo;

use super::cross_site::refuse_cross_site;
use super::filled::Filled;
use super::inputs::{FormView, Input};
use super::refusal::Refusal;
use crate::App;
use crate::body::Body;
use crate::problem::Problem;

/// The words of such a page.
pub(super) struct LinkPage {
    pub path: &'static str,
    pub title: &'static str,
    /// What has happened, and what the button does.
    pub lead: &'static str,
    pub button: &'static str,
    /// What is said of a link that is not good: one text for all reasons, so that it tells a
    /// stranger nothing.
    pub link_words: &'static str,
    /// What is said once it is done: a title, and what comes next.
    pub done: (&'static str, &'static str),
}

impl LinkPage {
    /// The form. Opening it uses nothing up.
    pub(super) fn show(&self) -> HttpResponse {
        super::form(self.title, &self.form(&Filled::default(), None))
    }

    /// Does what the button says, by the token of the link.
    pub(super) async fn act<E: 'static>(
        &self,
        app: &App,
        request: &HttpRequest,
        body: Body,
        action: impl AsyncFnOnce(Arc<Core>, String, RequestInfo) -> Result<(), E> + 'static,
    ) -> Result<HttpResponse, Problem>
    where
        Refusal: From<E>,
    {
        refuse_cross_site(request, app.options())?;
        let mut filled = Filled::read(body, &["token"]).await?;
        let request_info = app.request_info(request);
        let done: Result<(), Refusal> = if let Some(token) = filled.token() {
            let acted =
                app.detached(async move |core| action(core, token, request_info).await).await;
            let acted = acted.map_err(<Refusal as From<Problem>>::from);
            acted.and_then(|done| done.map_err(Refusal::from))
        } else {
            filled.wrong("token", "Paste the link from the email.");
            Err(Refusal::Fields)
        };
        Ok(match done {
            Ok(()) => super::done(self.done.0, self.done.1),
            Err(refusal) => {
                let body = self.form(&filled, Some(&refusal));
                super::LOOK.response(&mut refusal.response(), self.title, &body)
            }
        })
    }

    fn form(&self, filled: &Filled, refusal: Option<&Refusal>) -> String {
        let mut view = FormView::new(filled, refusal);
        view.token(self.path, "Use a different link", |view| view.input(&Input::link()));
        let form = view.finish(self.path, self.button, self.link_words);
        format!("<h1>{}</h1><p class=\"lead\">{}</p>{form}", self.title, self.lead)
    }
}
