//! One HTTP/1.1 connection that is kept alive, with as little work per request as possible.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

/// A server that takes longer hangs: even a login in the longest queue is refused within seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// More than any response of these endpoints, so that reading never allocates.
const BUFFER_LEN: usize = 16 * 1024;

/// Gateward sends about a dozen headers.
const HEADERS_MAX: usize = 48;

/// A connection to a server.
pub(crate) struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// A response, in the buffer of its connection.
#[derive(Debug, PartialEq)]
pub(crate) struct Response<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
}

/// Where a response ends.
#[derive(Debug, PartialEq)]
struct Head {
    status: u16,
    body_start: usize,
    body_len: usize,
}

impl Wire {
    /// Connects to the server from this address.
    pub(crate) async fn connect(server: SocketAddr, source: Ipv4Addr) -> anyhow::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(source.into(), 0))?;
        let stream = socket.connect(server).await;
        let stream = stream.with_context(|| format!("cannot connect to {server}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(BUFFER_LEN) })
    }

    /// Sends a request and reads its response.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> anyhow::Result<Response<'_>> {
        let exchanged = timeout(PATIENCE, self.exchange_now(request)).await;
        exchanged.context("the server does not respond")?
    }

    async fn exchange_now(&mut self, request: &[u8]) -> anyhow::Result<Response<'_>> {
        self.stream.write_all(request).await.context("cannot send a request")?;
        self.buffer.clear();
        loop {
            let read = self.stream.read_buf(&mut self.buffer).await;
            ensure!(read.context("cannot read a response")? > 0, "the server closed a connection");
            let Some(head) = parse(&self.buffer)? else { continue };
            let end = head.body_start + head.body_len;
            if self.buffer.len() >= end {
                ensure!(self.buffer.len() == end, "the server sent more than one response");
                let body = self.buffer.get(head.body_start..).unwrap_or_default();
                return Ok(Response { status: head.status, body });
            }
        }
    }
}

/// Parses the head of a response. `None` if it is incomplete.
fn parse(bytes: &[u8]) -> anyhow::Result<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut response = httparse::Response::new(&mut headers);
    let body_start = match response.parse(bytes).context("the response is not HTTP")? {
        httparse::Status::Complete(body_start) => body_start,
        httparse::Status::Partial => return Ok(None),
    };
    let status = response.code.context("the response has no status")?;
    let length = response.headers.iter().find(|header| is_length(header.name));
    let Some(length) = length else { bail!("the response {status} has no Content-Length") };
    let body_len = str::from_utf8(length.value)?.trim().parse()?;
    Ok(Some(Head { status, body_start, body_len }))
}

fn is_length(name: &str) -> bool {
    name.eq_ignore_ascii_case("content-length")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_says_where_the_response_ends() {
        let bytes = b"HTTP/1.1 200 OK\r\nx: y\r\ncontent-length: 2\r\n\r\n{}";
        assert_eq!(parse(bytes).unwrap(), Some(Head { status: 200, body_start: 44, body_len: 2 }));
    }

    #[test]
    fn an_incomplete_head_is_not_an_error() {
        assert_eq!(parse(b"HTTP/1.1 503 Service Unavailable\r\ncont").unwrap(), None);
    }

    #[test]
    fn a_response_without_a_length_is_an_error() {
        assert!(parse(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
        assert!(parse(b"SSH-2.0-OpenSSH_9.2\r\n").is_err());
    }
}
