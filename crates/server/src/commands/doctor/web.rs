//! Requests as a client makes them.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Response};

/// How long an answer may take.
const RESPONSE_LEN_MAX: Duration = Duration::from_secs(5);

/// The most bytes of an answer that are read: a page of metrics has some ten thousand.
const BYTES_MAX: usize = 4 << 20;

/// Makes the client. It goes straight there and nowhere else.
pub(super) fn client() -> reqwest::Result<Client> {
    Client::builder().timeout(RESPONSE_LEN_MAX).redirect(Policy::none()).no_proxy().build()
}

/// Reads an answer, as much of it as is reasonable.
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
