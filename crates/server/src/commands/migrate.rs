//! `gateward migrate`

use gateward_diesel::CreateIfMissing;

use super::tell;
use crate::settings::Settings;
use crate::wiring;

/// Applies pending migrations; creates a missing SQLite database.
pub(crate) async fn run(settings: &Settings) -> anyhow::Result<()> {
    let url = settings.database_url.expose();
    let applied = gateward_diesel::migrate(url, CreateIfMissing::Yes).await;
    let applied = applied.map_err(|error| wiring::of_migration(error).into_inner())?;
    for name in &applied {
        tell(&format!("Applied migration {name}."));
    }
    if applied.is_empty() {
        tell("The database is up to date.");
    }
    Ok(())
}
