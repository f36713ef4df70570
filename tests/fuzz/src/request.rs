//! A request as text: method and target, headers, an empty line, the body.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::http::{Method, Uri};
use actix_web::test::TestRequest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::Variables;
use crate::variables::find;

/// A request that HTTP allows.
#[derive(Clone)]
pub struct RequestText {
    /// The method.
    pub method: Method,
    /// The target: a path with an optional query.
    pub target: Uri,
    /// The headers, in order.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub body: Vec<u8>,
}

impl RequestText {
    /// Parses a text after its variables are filled in. `None` if the HTTP server would not pass
    /// such a request on.
    #[must_use]
    pub fn parse(text: &[u8], variables: &Variables) -> Option<Self> {
        let text = variables.fill(text);
        let (head, body) = match find(&text, b"\n\n") {
            Some(end) => (&text[..end], &text[end + 2..]),
            None => (text.as_slice(), &b""[..]),
        };
        let mut lines = head.split(|byte| *byte == b'\n');
        let line = lines.next()?;
        let space = line.iter().position(|byte| *byte == b' ')?;
        let method = Method::from_bytes(&line[..space]).ok()?;
        let target = Uri::try_from(&line[space + 1..]).ok()?;
        target.path().starts_with('/').then_some(())?;
        let headers = lines.map(header).collect::<Option<_>>()?;
        Some(Self { method, target, headers, body: body.to_vec() })
    }

    /// The values of a header, in order.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        let same = self.headers.iter().filter(move |(header, _)| *header == name);
        same.map(|(_, value)| value.as_bytes())
    }

    /// The request, from a trusted proxy on this machine.
    #[must_use]
    pub fn to_test_request(&self) -> TestRequest {
        let mut request = TestRequest::default()
            .method(self.method.clone())
            .uri(&self.target.to_string())
            .peer_addr(SocketAddr::from((Ipv4Addr::LOCALHOST, 1)));
        for (name, value) in &self.headers {
            request = request.append_header((name.clone(), value.clone()));
        }
        request.set_payload(self.body.clone())
    }
}

impl fmt::Debug for RequestText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{} {}", self.method, self.target)?;
        for (name, value) in &self.headers {
            writeln!(formatter, "{name}: {}", value.as_bytes().escape_ascii())?;
        }
        writeln!(formatter, "\n{}", self.body.escape_ascii())
    }
}

fn header(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = HeaderName::from_bytes(&line[..colon]).ok()?;
    let value = line[colon + 1..].trim_ascii();
    Some((name, HeaderValue::from_bytes(&basic(value).unwrap_or_else(|| value.to_vec())).ok()?))
}

/// `Basic NAME SECRET`, encoded as the REST clients do.
fn basic(value: &[u8]) -> Option<Vec<u8>> {
    let pair = value.strip_prefix(b"Basic ")?;
    let space = pair.iter().position(|byte| *byte == b' ')?;
    let pair = [&pair[..space], b":", &pair[space + 1..]].concat();
    Some(format!("Basic {}", STANDARD.encode(pair)).into_bytes())
}
