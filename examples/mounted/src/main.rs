//! Starts the application.

use std::path::Path;

use actix_web::web::Data;
use actix_web::{App, HttpServer};
use gateward_example_mounted::{Notes, auth, configure};

/// The address to listen on.
const ADDRESS: &str = "127.0.0.1:8090";

/// The public base URL, which is the issuer of all tokens.
const PUBLIC_URL: &str = "http://127.0.0.1:8090";

/// The folder of the database and the master key.
const FOLDER: &str = "data/mounted";

#[actix_web::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().init();
    let node = auth::node(Path::new(FOLDER), PUBLIC_URL).await?;
    let notes = Data::new(Notes::default());
    node.spawn_jobs();
    let auth = node.app().clone();
    tracing::info!(url = PUBLIC_URL, "listening");
    HttpServer::new(move || {
        let (auth, notes) = (auth.clone(), notes.clone());
        App::new().configure(move |config| configure(&auth, &notes, config))
    })
    .bind(ADDRESS)?
    .run()
    .await?;
    node.stop().await;
    Ok(())
}
