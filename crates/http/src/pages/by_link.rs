//! `LinkPage`: a page that needs only the link of an email, and has one button.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse};
use gateward_app::App as Core;
use gateward_app::domain::RequestInfo;

use super::cross_site::refuse_cross_site;
use super::filled::Filled;
use super::inputs::{FormView, Input};
use super::refusal::Refusal;
use super::texts::{self, Done};
use crate::App;
use crate::body::Body;
use crate::problem::Problem;

/// The texts of such a page.
pub(super) struct LinkPage {
    pub path: &'static str,
    pub title: &'static str,
    /// What has happened, and what the button does.
    pub lead: &'static str,
    pub button: &'static str,
    /// The message for an invalid link. One text for all reasons, so that it reveals nothing.
    pub link_words: &'static str,
    /// The page afterwards: a title, and the next step.
    pub done: Done,
}

impl LinkPage {
    /// The form. Opening it does not use the link.
    pub(super) fn show(&self) -> HttpResponse {
        super::form(self.title, &self.form(&Filled::default(), None))
    }

    /// Does what the button says, with the token of the link.
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
            filled.wrong("token", texts::LINK_MISSING);
            Err(Refusal::Fields)
        };
        Ok(match done {
            Ok(()) => super::done(self.done),
            Err(refusal) => {
                let body = self.form(&filled, Some(&refusal));
                super::LOOK.response(&mut refusal.response(), self.title, &body)
            }
        })
    }

    fn form(&self, filled: &Filled, refusal: Option<&Refusal>) -> String {
        let mut view = FormView::new(filled, refusal);
        view.token(self.path, texts::OTHER_LINK, |view| view.input(&Input::link()));
        let form = view.finish(self.path, self.button, self.link_words);
        super::body(self.title, self.lead, &form)
    }
}
