//! The query of a request, read like a body: each parameter at most once, no unknown ones.

use std::collections::HashSet;

use actix_web::HttpRequest;

use super::fields::Fields;
use super::json::{Members, Value};
use crate::problem::{FieldText, Problem, details, field_texts};

/// The default page size.
const LIMIT_DEFAULT: u32 = 50;

/// The maximum page size.
const LIMIT_MAX: u32 = 100;

/// Reads the query parameters (URL Standard, section 5.1). Duplicate parameters are ambiguous, so
/// they make the whole request malformed.
pub(crate) fn query(request: &HttpRequest) -> Result<Fields, Problem> {
    let mut members: Vec<(String, Value)> = Vec::new();
    let mut known = HashSet::new();
    for (name, value) in url::form_urlencoded::parse(request.query_string().as_bytes()) {
        if !known.insert(name.clone()) {
            return Err(Problem::malformed(details::QUERY_TWICE));
        }
        members.push((name.into_owned(), Value::Text(value.into_owned())));
    }
    Ok(Fields::of_query(Members(members)))
}

/// Rejects any query, for requests without query parameters.
pub(crate) fn refuse_query(request: &HttpRequest) -> Result<(), Problem> {
    query(request)?.finish(Some(()))
}

impl Fields {
    /// Takes the page size.
    pub(crate) fn limit(&mut self) -> Option<u32> {
        let Some(text) = self.optional_string("limit") else { return Some(LIMIT_DEFAULT) };
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
        let limit = text.parse().ok().filter(|limit| is_plain && (1..=LIMIT_MAX).contains(limit));
        if limit.is_none() {
            self.wrong("limit", field_texts::LIMIT);
        }
        limit
    }

    /// Takes the optional cursor, and parses it with `read`.
    pub(crate) fn cursor<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        self.parameter(name, field_texts::CURSOR, read)
    }

    /// Takes an optional parameter, and parses it with `read`; reports `wrong` if that fails.
    pub(crate) fn parameter<T>(
        &mut self,
        name: &str,
        wrong: FieldText,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.optional_string(name)?;
        let value = read(&text);
        if value.is_none() {
            self.wrong(name, wrong);
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;
    use crate::problem::Code;

    fn fields(text: &str) -> Result<Fields, Problem> {
        query(&TestRequest::with_uri(&format!("/x?{text}")).to_http_request())
    }

    #[test]
    fn a_page_has_1_to_100_items_and_50_by_default() {
        for (text, limit) in
            [("", Some(50)), ("limit=1", Some(1)), ("limit=%31", Some(1)), ("limit=100", Some(100))]
        {
            assert_eq!(fields(text).unwrap().limit(), limit, "{text}");
        }
        for text in
            ["0", "101", "-1", "%2B1", "+1", "1.0", "", "1e1", "x", "99999999999", "%D9%A1", "null"]
        {
            let mut fields = fields(&format!("limit={text}")).unwrap();
            let limit = fields.limit();
            let problem = fields.finish(limit).err().unwrap();
            assert_eq!(problem.code(), Code::ValidationFailed, "{text}");
            assert_eq!(problem.errors[0].field, "limit", "{text}");
        }
    }

    /// Row W11: no duplicate parameter, however it is encoded, and no unknown one.
    #[test]
    fn w11_a_query_has_each_known_parameter_once() {
        for text in ["limit=1&limit=1", "limit=1&%6Cimit=2", "a&a", "limit=1&x=1&x=1"] {
            assert_eq!(fields(text).err().unwrap().code(), Code::MalformedRequest, "{text}");
        }
        let mut fields = fields("limit=5&Limit=6&access_token=x").unwrap();
        let limit = fields.limit();
        let problem = fields.finish(limit).err().unwrap();
        let unknown: Vec<_> = problem.errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(unknown, ["Limit", "access_token"]);
        assert!(problem.errors[0].message.contains("query parameter"));
    }
}
