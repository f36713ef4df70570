//! The HTTP API and pages of Gateward.
//!
//! [`configure`] mounts them in any actix-web application, next to its own routes.

#![warn(missing_docs)]

mod body;
mod clients;
mod cookies;
mod credentials;
mod cross_site;
mod csrf;
mod dialects;
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
mod request_metrics;
mod routes;
mod streams;
mod tasks;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod unread;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::web::{Data, ServiceConfig};
use gateward_app::domain::ports::Inbox;
use request_metrics::NoRequestMetrics;
use tracing::Instrument;

pub use clients::{ApiClient, ClientRight};
pub use credentials::caller;
pub use dialects::{
    Collision, Dialects, Flask, FlaskTransport, SimpleJwt, collisions as dialect_collisions,
};
pub use endpoints::rfc3339;
pub use gateward_app as app;
pub use openapi::document as openapi_document;
pub use options::{Options, SameSite};
pub use problem::{Code, FieldError, Problem};
pub use request_metrics::{CompletedRequest, RequestMetrics};
use streams::Streams;
pub use tasks::SpawnedTasks;

/// The state of the HTTP interface: the use cases, the options and the open streams.
#[derive(Clone)]
pub struct App {
    core: Arc<gateward_app::App>,
    options: Arc<Options>,
    draining: Arc<AtomicBool>,
    inbox: Option<Arc<dyn Inbox>>,
    streams: Streams,
    metrics: Arc<dyn RequestMetrics>,
    /// Whether forwarding headers from an untrusted address were logged.
    untrusted_logged: Arc<AtomicBool>,
}

impl App {
    /// Creates the HTTP interface of these use cases.
    #[must_use]
    pub fn new(core: Arc<gateward_app::App>, options: Options) -> Self {
        Self {
            core,
            options: Arc::new(options),
            draining: Arc::default(),
            inbox: None,
            streams: Streams::new(),
            metrics: Arc::new(NoRequestMetrics),
            untrusted_logged: Arc::default(),
        }
    }

    /// Counts requests with `metrics`. Without them, requests are not counted.
    #[must_use]
    pub fn with_request_metrics(self, metrics: Arc<dyn RequestMetrics>) -> Self {
        Self { metrics, ..self }
    }

    /// Serves the development inbox at `/dev/inbox`. Never use it in production: anyone who can
    /// read the emails can take over every account.
    #[must_use]
    pub fn with_inbox(self, inbox: Arc<dyn Inbox>) -> Self {
        Self { inbox: Some(inbox), ..self }
    }

    /// The development inbox, if there is one.
    pub(crate) fn inbox(&self) -> Option<&Arc<dyn Inbox>> {
        self.inbox.as_ref()
    }

    /// The use cases.
    #[must_use]
    pub fn core(&self) -> &gateward_app::App {
        &self.core
    }

    /// The options of the HTTP interface.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Counts requests.
    pub(crate) fn metrics(&self) -> &dyn RequestMetrics {
        &*self.metrics
    }

    /// Whether this is the first request with untrusted forwarding headers.
    pub(crate) fn is_first_untrusted(&self) -> bool {
        !self.untrusted_logged.swap(true, Ordering::Relaxed)
    }

    /// The IP address and user agent of the client.
    pub(crate) fn request_info(
        &self,
        request: &actix_web::HttpRequest,
    ) -> gateward_app::domain::RequestInfo {
        request_info::request_info(request, &self.options.trusted_proxies)
    }

    /// Wakes the open revocation streams after this node has received new invalidation events. If
    /// an application never calls this, streams check for new events every second.
    pub fn announce_invalidations(&self) {
        self.streams.wake();
    }

    /// Prepares for shutdown: the readiness check fails, and open streams end.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
        self.streams.wake();
    }

    /// Whether the process is shutting down.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Runs work to completion, even if the client disconnects.
    pub(crate) async fn detached<T: 'static>(
        &self,
        work: impl AsyncFnOnce(Arc<gateward_app::App>) -> T + 'static,
    ) -> Result<T, Problem> {
        let core = Arc::clone(&self.core);
        let task = actix_web::rt::spawn(async move { work(core).await }.in_current_span());
        task.await.map_err(|_| {
            tracing::error!("use case panicked");
            Problem::new(Code::Internal)
        })
    }
}

/// Mounts the service in an actix-web application.
///
/// It serves the paths of the API document and the pages, and leaves other paths to the
/// application.
pub fn configure(app: &App, config: &mut ServiceConfig) {
    config.app_data(Data::new(app.clone()));
    routes::register(app, endpoints::all(app.options()), config);
}

/// Responds to every other path with `not_found`, for applications without other routes.
pub fn configure_not_found(config: &mut ServiceConfig) {
    routes::register_not_found(config);
}
