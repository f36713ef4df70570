//! Strict JSON: no duplicate member at any depth, and integers kept apart from other numbers.
//!
//! The HTTP interface has a parser of its own for request bodies: adapters share only the domain,
//! and the domain knows no JSON.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A JSON value. Strings borrow from the input unless they contain an escape.
#[derive(Debug)]
pub(crate) enum Json<'a> {
    /// `null`, and numbers that are not 64-bit integers: no token may contain them.
    Other,
    /// `true` or `false`.
    Bool(bool),
    /// An integer, written without fraction and exponent.
    Int(i64),
    /// A string.
    Text(Cow<'a, str>),
    /// An array.
    List(Vec<Json<'a>>),
    Object(Object<'a>),
}

/// A JSON object.
#[derive(Debug)]
pub(crate) struct Object<'a>(BTreeMap<Cow<'a, str>, Json<'a>>);

impl<'a> Object<'a> {
    /// Parses a text that is exactly one object, in UTF-8 (RFC 8259).
    pub(crate) fn parse(text: &'a [u8]) -> Option<Self> {
        match serde_json::from_slice(text) {
            Ok(Json::Object(object)) => Some(object),
            _ => None,
        }
    }

    /// Returns the names of the members.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(AsRef::as_ref)
    }

    /// Returns a member that is a string.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        if let Json::Text(text) = self.0.get(name)? { Some(text) } else { None }
    }

    /// Returns a member that is an integer.
    pub(crate) fn int(&self, name: &str) -> Option<i64> {
        if let Json::Int(int) = self.0.get(name)? { Some(*int) } else { None }
    }

    /// Returns a member that is a boolean.
    pub(crate) fn bool(&self, name: &str) -> Option<bool> {
        if let Json::Bool(bool) = self.0.get(name)? { Some(*bool) } else { None }
    }

    /// Returns whether a member is a list of strings only.
    pub(crate) fn has_texts(&self, name: &str) -> bool {
        match self.0.get(name) {
            Some(Json::List(items)) => items.iter().all(|item| matches!(item, Json::Text(_))),
            _ => false,
        }
    }
}

impl<'de> Deserialize<'de> for Json<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value without duplicate members")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Json::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Json::Other)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Json::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(value).map_or(Json::Other, Json::Int))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Json::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Json::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut object = BTreeMap::new();
        while let Some((Name(name), value)) = members.next_entry()? {
            if object.insert(name, value).is_some() {
                return Err(de::Error::custom("a member stands there twice"));
            }
        }
        Ok(Json::Object(Object(object)))
    }
}

/// The name of a member.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Json::deserialize(deserializer)? {
            Json::Text(name) => Ok(Self(name)),
            _ => Err(de::Error::custom("the name of a member is a string")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_that_stands_there_twice_is_refused_at_any_depth() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"x":{"a":1,"a":1}}"#,
            r#"{"x":[[{"a":null,"b":1,"a":1}]]}"#,
        ] {
            assert!(Object::parse(text.as_bytes()).is_none(), "{text}");
        }
        assert!(Object::parse(br#"{"a":{"b":1},"b":{"a":1}}"#).is_some());
    }

    #[test]
    fn only_one_object_in_utf_8_is_read() {
        for text in ["", "[]", "1", "\"x\"", "null", "{} {}", "{}x", "{\"a\":1,}", "\u{feff}{}"] {
            assert!(Object::parse(text.as_bytes()).is_none(), "{text:?}");
        }
        assert!(Object::parse(b"{\"a\":\"\xff\"}").is_none());
        assert!(Object::parse(&[b"{\"a\":".repeat(5000), b"1".to_vec()].concat()).is_none());
        assert!(Object::parse(b" {\"a\" : 1}\n").is_some());
    }

    #[test]
    fn only_integers_are_integers() {
        let text = br#"{"i":7,"n":-1,"f":7.0,"e":7e0,"s":"7","b":true,"u":9223372036854775808}"#;
        let object = Object::parse(text).unwrap();
        assert_eq!((object.int("i"), object.int("n")), (Some(7), Some(-1)));
        for name in ["f", "e", "s", "b", "u", "none"] {
            assert_eq!(object.int(name), None, "{name}");
        }
        assert_eq!((object.text("s"), object.bool("b")), (Some("7"), Some(true)));
    }
}
