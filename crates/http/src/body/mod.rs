//! `Body`: the request body. Handlers read it after they have checked the credentials.

mod fields;
mod form;
mod json;
mod query;

use std::future::{Ready, ready};
use std::time::Duration;

use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, dev::Payload};
use futures_util::StreamExt;

pub(crate) use fields::{Fields, password_error};
pub(crate) use form::form_pairs;
pub(crate) use json::{Document, Value, document};
pub(crate) use query::{query, refuse_query};

use crate::problem::{Code, Problem, details};

/// The maximum size of a request body, in bytes.
pub(crate) const BODY_LEN_MAX: usize = 16 * 1024;

/// How long a body may take to arrive: 16 KiB need a tenth of it on a slow connection.
const BODY_DEADLINE: Duration = Duration::from_secs(10);

pub(crate) const JSON: &str = "application/json";

pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// The query and the body of a request that have not been read yet.
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
    /// Reads the fields of the JSON object in the body.
    pub(crate) async fn fields(self) -> Result<Fields, Problem> {
        refuse_query(&self.request)?;
        self.fields_ignoring_query().await
    }

    /// Like [`Self::fields`], for dialects: the systems that they imitate ignore the query.
    pub(crate) async fn fields_ignoring_query(self) -> Result<Fields, Problem> {
        check_type(&self.request, JSON)?;
        let bytes = self.bytes().await?;
        parse(&bytes)
    }

    /// Like [`Self::fields`] for requests with an optional body: no body is an empty object.
    pub(crate) async fn optional_fields(self) -> Result<Fields, Problem> {
        refuse_query(&self.request)?;
        let request = self.request.clone();
        let bytes = self.bytes().await?;
        if bytes.is_empty() {
            return Ok(Fields::new(json::Members(Vec::new())));
        }
        check_type(&request, JSON)?;
        parse(&bytes)
    }

    /// Reads the bytes of the form in the body.
    pub(crate) async fn form(self) -> Result<Vec<u8>, Problem> {
        refuse_query(&self.request)?;
        check_type(&self.request, FORM)?;
        self.bytes().await
    }

    /// Reads the whole body, within the limits of size and time.
    pub(crate) async fn bytes(mut self) -> Result<Vec<u8>, Problem> {
        let declared = self.request.headers().get(header::CONTENT_LENGTH);
        let declared = declared.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
        if declared.is_some_and(|length| length > BODY_LEN_MAX) {
            return Err(Problem::new(Code::BodyTooLarge));
        }
        let read = async {
            let mut bytes = Vec::with_capacity(declared.unwrap_or(256));
            while let Some(chunk) = self.payload.next().await {
                let chunk = chunk.map_err(|_| Problem::malformed(details::BODY_INCOMPLETE))?;
                if bytes.len() + chunk.len() > BODY_LEN_MAX {
                    return Err(Problem::new(Code::BodyTooLarge));
                }
                bytes.extend_from_slice(&chunk);
            }
            Ok(bytes)
        };
        let late = || Problem::malformed(details::BODY_LATE);
        tokio::time::timeout(BODY_DEADLINE, read).await.map_err(|_| late())?
    }
}

/// Checks that the body has this media type, uncompressed and in UTF-8.
fn check_type(request: &HttpRequest, wanted: &str) -> Result<(), Problem> {
    let mut kinds = request.headers().get_all(header::CONTENT_TYPE);
    let kind = kinds.next().and_then(|kind| kind.to_str().ok());
    let is_wanted = kind.is_some_and(|kind| is_kind(kind, wanted));
    let is_coded = request.headers().contains_key(header::CONTENT_ENCODING);
    if is_wanted && !is_coded && kinds.next().is_none() {
        Ok(())
    } else {
        Err(Problem::new(Code::UnsupportedMediaType))
    }
}

/// Whether a media type is the expected one, with UTF-8 as its only parameter (RFC 9110, section
/// 8.3.1).
pub(crate) fn is_kind(kind: &str, wanted: &str) -> bool {
    let mut parts = kind.split(';').map(str::trim);
    let is_utf8 = |parameter: &str| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        name.eq_ignore_ascii_case("charset")
            && quoted.unwrap_or(value).eq_ignore_ascii_case("utf-8")
    };
    parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case(wanted))
        && parts.all(|parameter| parameter.is_empty() || is_utf8(parameter))
}

fn parse(bytes: &[u8]) -> Result<Fields, Problem> {
    json::read(bytes).map(Fields::new).map_err(|error| {
        Problem::malformed(match error {
            json::JsonError::Syntax if bytes.is_empty() => details::BODY_EMPTY,
            json::JsonError::Syntax => details::BODY_SYNTAX,
            json::JsonError::Duplicate => details::KEY_TWICE,
            json::JsonError::NotAnObject => details::NOT_AN_OBJECT,
        })
    })
}
