//! `Input`: the fields of a request body, as a serializer of Django REST framework reads them. All
//! errors are reported together; unknown fields are ignored.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::convert::Infallible;
use std::future::ready;

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use futures_util::stream;
use gateward_app::domain::Password;

use super::errors::{FieldTexts, Refusal};
use super::texts;
use crate::body::{self, Body, Document, Value};
use crate::problem::{Code, Problem, details};

const MULTIPART: &str = "multipart/form-data";

/// How many characters of an unknown media type a response repeats at most.
const MEDIA_ECHO_MAX: usize = 100;

type Members = Vec<(String, Value)>;

/// The fields of a body.
pub(super) struct Input {
    members: Members,
    errors: FieldTexts,
}

/// How the fields are written.
enum Media {
    Json,
    Form,
    Multipart { boundary: String },
}

impl Input {
    /// Reads the body. No body is one without fields, whatever its media type.
    pub(super) async fn read(request: &HttpRequest, body: Body) -> Result<Self, Refusal> {
        let bytes = body.bytes().await?;
        let members = if bytes.is_empty() {
            Members::new()
        } else {
            match media(request)? {
                Media::Json => in_json(&bytes)?,
                Media::Form => in_form(&bytes)?,
                Media::Multipart { boundary } => in_multipart(bytes, boundary).await?,
            }
        };
        Ok(Self { members, errors: BTreeMap::new() })
    }

    /// Takes a required text, without blanks around it.
    pub(super) fn text(&mut self, name: &'static str) -> Option<String> {
        let text = self.take(name)?;
        let text = text.trim();
        if text.is_empty() {
            self.wrong(name, texts::BLANK);
            return None;
        }
        Some(text.to_owned())
    }

    /// Takes a required password. Blanks around it are part of it.
    pub(super) fn password(&mut self, name: &'static str) -> Option<Password> {
        let text = self.take(name)?;
        if text.is_empty() {
            self.wrong(name, texts::BLANK);
            return None;
        }
        Password::received(text).map_err(|error| self.wrong(name, texts::bad_password(error))).ok()
    }

    /// Records an error.
    pub(super) fn wrong(&mut self, name: &'static str, text: impl Into<Cow<'static, str>>) {
        self.errors.insert(name.into(), [text.into()]);
    }

    /// Returns `value` if it is complete and there were no errors.
    pub(super) fn finish<T>(self, value: Option<T>) -> Result<T, Refusal> {
        match value {
            Some(value) if self.errors.is_empty() => Ok(value),
            _ => Err(Refusal::Fields(self.errors)),
        }
    }

    /// Takes a text that may be empty. Numbers count as text.
    fn take(&mut self, name: &'static str) -> Option<String> {
        let index = self.members.iter().position(|(member, _)| member == name);
        let text = match index.map(|index| self.members.swap_remove(index).1) {
            Some(Value::Text(text) | Value::Number(text)) => return Some(text),
            Some(Value::Null) => texts::NULL,
            Some(Value::Flag(_) | Value::List(_) | Value::Object) => texts::NOT_A_STRING,
            None => texts::REQUIRED,
        };
        self.wrong(name, text);
        None
    }
}

/// The media type of the body, uncompressed and in UTF-8.
fn media(request: &HttpRequest) -> Result<Media, Refusal> {
    let mut kinds = request.headers().get_all(CONTENT_TYPE);
    let kind = kinds.next().and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if kinds.next().is_some() || request.headers().contains_key(CONTENT_ENCODING) {
        Err(unsupported(kind))
    } else if body::is_kind(kind, body::JSON) {
        Ok(Media::Json)
    } else if body::is_kind(kind, body::FORM) {
        Ok(Media::Form)
    } else if essence.eq_ignore_ascii_case(MULTIPART) {
        let boundary = multer::parse_boundary(kind).map_err(|_| malformed(texts::BAD_BOUNDARY))?;
        Ok(Media::Multipart { boundary })
    } else {
        Err(unsupported(kind))
    }
}

fn in_json(bytes: &[u8]) -> Result<Members, Refusal> {
    let kind = match body::document(bytes) {
        Ok(Document::Object(members)) => return Ok(members),
        Ok(Document::Value(value)) => match value {
            Value::Null => return Err(Refusal::body(texts::NO_DATA)),
            Value::Flag(_) => "bool",
            Value::Text(_) => "str",
            Value::List(_) => "list",
            Value::Number(text) if text.contains('.') => "float",
            Value::Number(_) => "int",
            Value::Object => "dict",
        },
        Err(error) => return Err(malformed(texts::bad_json(&error))),
    };
    Err(Refusal::body(texts::not_a_dictionary(kind)))
}

fn in_form(bytes: &[u8]) -> Result<Members, Refusal> {
    let pairs = body::form_pairs(bytes).ok_or_else(|| malformed(details::FORM_NOT_UTF8))?;
    once_each(pairs.into_iter().map(|(name, text)| (name, Value::Text(text))))
}

async fn in_multipart(bytes: Vec<u8>, boundary: String) -> Result<Members, Refusal> {
    let parts = read_parts(bytes, boundary).await.map_err(|_| malformed(texts::BAD_MULTIPART))?;
    let mut members = Members::new();
    for (name, bytes) in parts {
        let value = match bytes.map(String::from_utf8) {
            None => Value::Object,
            Some(Ok(text)) => Value::Text(text),
            Some(Err(_)) => return Err(malformed(details::FORM_NOT_UTF8)),
        };
        members.push((name, value));
    }
    once_each(members)
}

/// The parts of a form by their names; of a file, only the name.
async fn read_parts(
    bytes: Vec<u8>,
    boundary: String,
) -> Result<Vec<(String, Option<Vec<u8>>)>, multer::Error> {
    let whole = stream::once(ready(Ok::<_, Infallible>(bytes)));
    let mut parts = multer::Multipart::new(whole, boundary);
    let mut read = Vec::new();
    while let Some(part) = parts.next_field().await? {
        let Some(name) = part.name().map(str::to_owned) else { continue };
        let is_file = part.file_name().is_some();
        let bytes = part.bytes().await?.to_vec();
        read.push((name, (!is_file).then_some(bytes)));
    }
    Ok(read)
}

/// Refuses a form with a field that appears twice: readers of it could disagree about which counts.
fn once_each(members: impl IntoIterator<Item = (String, Value)>) -> Result<Members, Refusal> {
    let mut names = HashSet::new();
    let mut kept = Members::new();
    for (name, value) in members {
        if !names.insert(name.clone()) {
            return Err(Problem::malformed(details::FORM_PARAMETER_TWICE).into());
        }
        kept.push((name, value));
    }
    Ok(kept)
}

fn malformed(text: impl Into<Cow<'static, str>>) -> Refusal {
    Refusal::detail(Code::MalformedRequest, StatusCode::BAD_REQUEST, text)
}

fn unsupported(kind: &str) -> Refusal {
    let kind: String = kind.chars().take(MEDIA_ECHO_MAX).collect();
    let text = texts::unsupported(&kind);
    Refusal::detail(Code::UnsupportedMediaType, StatusCode::UNSUPPORTED_MEDIA_TYPE, text)
}
