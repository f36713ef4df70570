//! HTTP requests of the doctor.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Response};

/// The deadline of a response.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The maximum size of a response: a metrics page has some ten thousand bytes.
const BYTES_MAX: usize = 4 << 20;

/// Creates a client without proxy and redirects.
pub(super) fn client() -> reqwest::Result<Client> {
    Client::builder().timeout(TIMEOUT).redirect(Policy::none()).no_proxy().build()
}

/// Reads a response up to the maximum size.
pub(super) async fn text(mut response: Response) -> reqwest::Result<String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > BYTES_MAX {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
