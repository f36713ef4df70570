//! Metrics: those of the node, served only on `ops.listen`.

use std::net::TcpListener;

use actix_web::web::{self, Data};
use actix_web::{App, HttpResponse, HttpServer};
use gateward_node::Node;

/// Serves the page.
pub(crate) fn serve(listener: TcpListener, node: Node) -> anyhow::Result<actix_web::dev::Server> {
    let node = Data::new(node);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(node.clone())
            .service(web::resource("/metrics").route(web::get().to(show)))
    });
    Ok(server.workers(1).shutdown_timeout(1).disable_signals().listen(listener)?.run())
}

async fn show(node: Data<Node>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(node.metrics_text().unwrap_or_default())
}
