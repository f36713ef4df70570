//! Strict parsing of one JSON object: no duplicate keys, at any depth (RFC 8259, section 4).

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

/// A JSON value in a request body. No request has nested objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Flag(bool),
    Text(String),
    List(Vec<Value>),
    /// A number, as text.
    Number(String),
    Object,
}

/// The fields of an object, in order.
pub(crate) struct Members(pub(crate) Vec<(String, Value)>);

/// Why a body cannot be parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JsonError {
    /// Not JSON in UTF-8.
    Syntax,
    /// A key appears twice.
    Duplicate,
    /// JSON, but not an object.
    NotAnObject,
}

/// The serde error for a duplicate key; [`read`] recognizes it.
const DUPLICATE: &str = "duplicate member";

/// Parses a body of any kind. The text of the error says where it is wrong, and repeats no part of
/// the body.
pub(crate) fn document(bytes: &[u8]) -> serde_json::Result<Document> {
    serde_json::from_slice(bytes)
}

/// Parses a body.
pub(crate) fn read(bytes: &[u8]) -> Result<Members, JsonError> {
    match document(bytes) {
        Ok(Document::Object(members)) => Ok(Members(members)),
        Ok(Document::Value(_)) => Err(JsonError::NotAnObject),
        Err(error) if error.is_data() && error.to_string().starts_with(DUPLICATE) => {
            Err(JsonError::Duplicate)
        }
        Err(_) => Err(JsonError::Syntax),
    }
}

/// A complete JSON document.
pub(crate) enum Document {
    Object(Vec<(String, Value)>),
    Value(Value),
}

impl Document {
    fn into_value(self) -> Value {
        match self {
            Self::Object(_) => Value::Object,
            Self::Value(value) => value,
        }
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DocumentVisitor)
    }
}

struct DocumentVisitor;

impl<'de> Visitor<'de> for DocumentVisitor {
    type Value = Document;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Document, E> {
        Ok(Document::Value(Value::Null))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Document, E> {
        Ok(Document::Value(Value::Flag(flag)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Document, E> {
        Ok(Document::Value(Value::Number(number.to_string())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Document, E> {
        Ok(Document::Value(Value::Number(number.to_string())))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Document, E> {
        Ok(Document::Value(Value::Number(format!("{number:?}"))))
    }

    fn visit_str<E>(self, text: &str) -> Result<Document, E> {
        Ok(Document::Value(Value::Text(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Document, E> {
        Ok(Document::Value(Value::Text(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Document, A::Error> {
        let mut values = Vec::new();
        while let Some(item) = items.next_element::<Document>()? {
            values.push(item.into_value());
        }
        Ok(Document::Value(Value::List(values)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Document, A::Error> {
        let mut members: Vec<(String, Value)> = Vec::new();
        // A body of 16 KiB has room for 2,700 fields: comparing each with each would cost more than
        // everything else that happens before the credentials are checked.
        let mut known = HashSet::new();
        while let Some((name, value)) = entries.next_entry::<String, Document>()? {
            if !known.insert(name.clone()) {
                return Err(A::Error::custom(DUPLICATE));
            }
            members.push((name, value.into_value()));
        }
        Ok(Document::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> Option<JsonError> {
        read(text.as_bytes()).err()
    }

    #[test]
    fn one_object_is_a_body() {
        let members = read(br#"{"a":"x","b":true,"c":null,"d":1,"e":[{"a":1}]}"#).unwrap().0;
        let values: Vec<_> = members.into_iter().map(|(_, value)| value).collect();
        let text = Value::Text("x".to_owned());
        let (number, list) = (Value::Number("1".to_owned()), Value::List(vec![Value::Object]));
        assert_eq!(values, [text, Value::Flag(true), Value::Null, number, list]);
    }

    /// Row P12: a duplicate key is rejected, however it is encoded and at any depth.
    #[test]
    fn p12_a_member_may_not_appear_twice() {
        for text in [
            r#"{"a":1,"a":2}"#,
            r#"{"a":1,"\u0061":1}"#,
            r#"{"o":{"a":1,"a":1}}"#,
            r#"{"o":[{"a":1,"a":1}]}"#,
            r#"[{"a":1,"a":1}]"#,
        ] {
            assert_eq!(error(text), Some(JsonError::Duplicate), "{text}");
        }
    }

    #[test]
    fn anything_but_an_object_is_refused() {
        for text in ["[]", "null", "1", "\"x\"", "true"] {
            assert_eq!(error(text), Some(JsonError::NotAnObject), "{text}");
        }
        for text in
            ["", "{", "{}x", "{a:1}", "{'a':1}", "{\"a\":1,}", "\u{feff}{}", "{\"a\":\"\\ud800\"}"]
        {
            assert_eq!(error(text), Some(JsonError::Syntax), "{text}");
        }
        assert_eq!(read(b"{\"a\":\"\xff\"}").err(), Some(JsonError::Syntax));
    }
}
