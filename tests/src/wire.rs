//! `Wire`: raw bytes on a connection, as no client library would send them.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A connection to a node.
pub struct Wire(TcpStream);

/// The bytes that a connection returned.
#[derive(Debug)]
pub struct RawResponse {
    /// The bytes, as text.
    pub text: String,
    /// Whether the node closed the connection.
    pub closed: bool,
}

impl Wire {
    /// Connects to the node at this URL.
    pub async fn open(url: &str) -> Self {
        let (_, address) = url.split_once("://").unwrap();
        Self(TcpStream::connect(address).await.unwrap())
    }

    /// Sends bytes; false if the node has closed the connection.
    pub async fn send(&mut self, bytes: &[u8]) -> bool {
        self.0.write_all(bytes).await.is_ok()
    }

    /// Reads until the node closes the connection, or until this time has passed.
    pub async fn read_for(&mut self, patience: Duration) -> RawResponse {
        let mut bytes = Vec::new();
        let closed = timeout(patience, self.0.read_to_end(&mut bytes)).await.is_ok();
        RawResponse { text: String::from_utf8_lossy(&bytes).into_owned(), closed }
    }

    /// Reads the head of a response and as much of its body as has come with it.
    pub async fn read_checkpoint(&mut self, patience: Duration) -> RawResponse {
        let mut bytes = Vec::new();
        let read = async {
            while !bytes.windows(4).any(|window| window == b"\r\n\r\n") {
                if matches!(self.0.read_buf(&mut bytes).await, Ok(0) | Err(_)) {
                    return true;
                }
            }
            false
        };
        let closed = timeout(patience, read).await.unwrap_or(false);
        RawResponse { text: String::from_utf8_lossy(&bytes).into_owned(), closed }
    }

    /// Sends bytes and returns the response until the node closes the connection or stays silent.
    pub async fn exchange(url: &str, bytes: &[u8]) -> RawResponse {
        let mut wire = Self::open(url).await;
        wire.send(bytes).await;
        wire.read_for(Duration::from_millis(700)).await
    }
}

impl RawResponse {
    /// The statuses of the responses, in order.
    #[must_use]
    pub fn statuses(&self) -> Vec<u16> {
        let heads = self.text.match_indices("HTTP/1.1 ");
        heads
            .filter_map(|(at, head)| self.text.get(at + head.len()..)?.get(..3)?.parse().ok())
            .collect()
    }

    /// The body of the first response as JSON; `null` if it is not JSON.
    #[must_use]
    pub fn body(&self) -> Value {
        let body = self.text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        let mut values = serde_json::Deserializer::from_str(body).into_iter();
        values.next().and_then(Result::ok).unwrap_or(Value::Null)
    }

    /// Whether the first head has this line, compared case-insensitively.
    #[must_use]
    pub fn has_line(&self, line: &str) -> bool {
        self.text
            .lines()
            .take_while(|text| !text.is_empty())
            .any(|text| text.eq_ignore_ascii_case(line))
    }
}
