//! The HTTP interface of Gateward: everything that knows a status code.
//!
//! [`configure`] mounts it in any actix-web application, beside routes of its own.

mod body;
mod clients;
mod cookies;
mod credentials;
mod cross_site;
mod csrf;
mod docs;
mod endpoints;
mod inbox;
mod link_proof;
mod middleware;
mod openapi;
mod options;
mod pages;
mod problem;
mod request_info;
mod routes;
mod streams;
mod tasks;
#[cfg(test)]
mod tests;
mod unread;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::web::{Data, ServiceConfig};
use gateward_app::domain::ports::Inbox;
use tracing::Instrument;

pub use clients::{ApiClient, ClientRight};
pub use credentials::caller;
pub use endpoints::rfc3339;
pub use gateward_app as app;
pub use openapi::document as openapi_document;
pub use options::{Options, SameSite};
pub use problem::{Code, FieldError, Problem};
use streams::Streams;
pub use tasks::SpawnedTasks;

/// The service as the HTTP interface knows it: the use cases and how they are reached.
#[derive(Clone)]
pub struct App {
    core: Arc<gateward_app::App>,
    options: Arc<Options>,
    draining: Arc<AtomicBool>,
    inbox: Option<Arc<dyn Inbox>>,
    streams: Streams,
}

impl App {
    /// Puts the HTTP interface before the use cases.
    #[must_use]
    pub fn new(core: Arc<gateward_app::App>, options: Options) -> Self {
        let draining = Arc::new(AtomicBool::new(false));
        let streams = Streams::new();
        Self { core, options: Arc::new(options), draining, inbox: None, streams }
    }

    /// Shows the emails of the development inbox at `/dev/inbox`. Whoever reads them can confirm
    /// and reset every account: never in production.
    #[must_use]
    pub fn with_inbox(self, inbox: Arc<dyn Inbox>) -> Self {
        Self { inbox: Some(inbox), ..self }
    }

    /// The development inbox, where there is one.
    pub(crate) fn inbox(&self) -> Option<&Arc<dyn Inbox>> {
        self.inbox.as_ref()
    }

    /// The use cases.
    #[must_use]
    pub fn core(&self) -> &gateward_app::App {
        &self.core
    }

    /// How the service is reached.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Where a request comes from.
    pub(crate) fn request_info(
        &self,
        request: &actix_web::HttpRequest,
    ) -> gateward_app::domain::RequestInfo {
        request_info::request_info(request, &self.options.trusted_proxies)
    }

    /// Says that this node has learned something new from the feed, so that those hear of it at
    /// once who follow it from elsewhere. Where nobody says so, they hear of it within a second.
    pub fn announce_invalidations(&self) {
        self.streams.wake();
    }

    /// Says that the process is about to stop: readiness turns off, and open streams end.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
        self.streams.wake();
    }

    /// Whether the process is about to stop.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Runs a unit of work to its end, also when the client goes away meanwhile.
    pub(crate) async fn detached<T: 'static>(
        &self,
        work: impl AsyncFnOnce(Arc<gateward_app::App>) -> T + 'static,
    ) -> Result<T, Problem> {
        let core = Arc::clone(&self.core);
        let task = actix_web::rt::spawn(async move { work(core).await }.in_current_span());
        task.await.map_err(|_| {
            tracing::error!("a use case panicked");
            Problem::new(Code::Internal)
        })
    }
}

/// Mounts the service in an actix-web application.
///
/// The paths are those of the API document; other paths stay the application's own.
pub fn configure(app: &App, config: &mut ServiceConfig) {
    config.app_data(Data::new(app.clone()));
    routes::register(app, endpoints::all(app.options()), config);
}

/// Answers every other path with a problem document, for an application that has nothing else.
pub fn configure_not_found(config: &mut ServiceConfig) {
    routes::register_not_found(config);
}
