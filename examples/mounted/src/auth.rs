//! Gateward in this application: a node with its database, its master key and its inbox.

use std::path::Path;
use std::sync::Arc;

use gateward_crypto::SystemClock;
use gateward_diesel::{CreateIfMissing, migrate, open};
use gateward_email::{DevInbox, MailSettings, Sender};
use gateward_http::app::{NewAlgorithm, Policy};
use gateward_node::{Node, read_or_create_master_key};

/// The sender of emails. Its name is how they refer to the application.
const SENDER: &str = "Notes <notes@localhost.invalid>";

/// Builds the node on a database in `folder`, and prepares the keys.
pub async fn node(folder: &Path, public_url: &str) -> anyhow::Result<Node> {
    std::fs::create_dir_all(folder)?;
    let database = format!("sqlite://{}", folder.join("auth.db").display());
    migrate(&database, CreateIfMissing::Yes).await?;
    let store = open(&database, &gateward_diesel::Options::default()).await?;
    let master_key = read_or_create_master_key(&folder.join("master.key"))?;
    let emails = MailSettings {
        from: Sender::parse(SENDER)?,
        public_url: public_url.to_owned(),
        templates: None,
    };
    // A public application uses an `SmtpMailer` here, and no inbox.
    let inbox = Arc::new(DevInbox::new(emails, Arc::new(SystemClock))?);
    let node = Node::builder(store, master_key, inbox.clone(), Policy::new(public_url))
        .inbox(inbox)
        .build()
        .await?;
    node.prepare_keys(NewAlgorithm::Begins).await?;
    Ok(node)
}
