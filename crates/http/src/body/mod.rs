//! `Body`: the body of a request, read when the handler asks for it, after the credentials.

mod fields;
mod json;

use std::future::{Ready, ready};
use std::time::Duration;

use actix_web::http::header;
use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload};
use futures_util::StreamExt;

pub(crate) use fields::{Fields, password_error};

use crate::problem::{Code, Problem};

/// The most bytes of a body.
pub(crate) const BODY_LEN_MAX: usize = 16 * 1024;

/// How long a body may take to arrive: 16 KiB need a tenth of it on the slowest line.
const BODY_DEADLINE: Duration = Duration::from_secs(10);

/// The query and the body of a request, not read yet.
pub(crate) struct Body {
    request: HttpRequest,
    payload: Payload,
}

impl FromRequest for Body {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(Ok(Self { request: request.clone(), payload: payload.take() }))
    }
}

impl Body {
    /// Reads the members of the JSON object that the body must be.
    pub(crate) async fn fields(self) -> Result<Fields, Problem> {
        refuse_query(&self.request)?;
        check_type(&self.request)?;
        let bytes = self.bytes().await?;
        parse(&bytes)
    }

    /// The same where no body is needed: nothing is as good as an empty object.
    pub(crate) async fn optional_fields(self) -> Result<Fields, Problem> {
        refuse_query(&self.request)?;
        let request = self.request.clone();
        let bytes = self.bytes().await?;
        if bytes.is_empty() {
            return Ok(Fields::new(json::Members(Vec::new())));
        }
        check_type(&request)?;
        parse(&bytes)
    }

    /// Reads all bytes, as long as they are few and come soon.
    async fn bytes(mut self) -> Result<Vec<u8>, Problem> {
        let declared = self.request.headers().get(header::CONTENT_LENGTH);
        let declared = declared.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
        if declared.is_some_and(|length| length > BODY_LEN_MAX) {
            return Err(Problem::new(Code::BodyTooLarge));
        }
        let read = async {
            let mut bytes = Vec::with_capacity(declared.unwrap_or(256));
            while let Some(chunk) = self.payload.next().await {
                let chunk = chunk
                    .map_err(|_| Problem::malformed("The body ended early; send it whole."))?;
                if bytes.len() + chunk.len() > BODY_LEN_MAX {
                    return Err(Problem::new(Code::BodyTooLarge));
                }
                bytes.extend_from_slice(&chunk);
            }
            Ok(bytes)
        };
        let late = || Problem::malformed("The body took too long to arrive; send it again.");
        tokio::time::timeout(BODY_DEADLINE, read).await.map_err(|_| late())?
    }
}

/// Refuses any query: no endpoint that takes a body takes one, and an unknown parameter is an
/// error.
pub(crate) fn refuse_query(request: &HttpRequest) -> Result<(), Problem> {
    let Some((name, _)) = url::form_urlencoded::parse(request.query_string().as_bytes()).next()
    else {
        return Ok(());
    };
    let name: String = name.chars().take(64).collect();
    Err(Problem::field(&name, "unknown_field", "is not a query parameter of this request"))
}

/// Whether the body is declared as plain JSON in UTF-8.
fn check_type(request: &HttpRequest) -> Result<(), Problem> {
    let refuse = || Problem::new(Code::UnsupportedMediaType);
    if request.headers().get_all(header::CONTENT_TYPE).count() > 1
        || request.headers().contains_key(header::CONTENT_ENCODING)
    {
        return Err(refuse());
    }
    let Ok(Some(mime)) = request.mime_type() else { return Err(refuse()) };
    let utf8 = mime.params().all(|(name, value)| {
        name.as_str().eq_ignore_ascii_case("charset")
            && value.as_str().eq_ignore_ascii_case("utf-8")
    });
    if mime.essence_str().eq_ignore_ascii_case("application/json") && utf8 {
        Ok(())
    } else {
        Err(refuse())
    }
}

fn parse(bytes: &[u8]) -> Result<Fields, Problem> {
    json::read(bytes).map(Fields::new).map_err(|error| {
        Problem::malformed(match error {
            json::JsonError::Syntax => "The body is not JSON in UTF-8; mend its syntax.",
            json::JsonError::Duplicate => "A member of the body appears twice; send it once.",
            json::JsonError::NotAnObject => "The body must be one JSON object.",
        })
    })
}
