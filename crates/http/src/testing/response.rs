//! `TestResponse`: a complete response, and what tests read from it.

use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;
use serde_json::Value;

/// A complete response.
#[derive(Debug)]
pub(crate) struct TestResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    json: Option<Value>,
}

impl TestResponse {
    pub(super) fn new(status: StatusCode, headers: HeaderMap, text: String) -> Self {
        let json = serde_json::from_str(&text).ok();
        Self { status, headers, text, json }
    }

    /// Asserts the status.
    #[track_caller]
    pub(crate) fn is(self, status: StatusCode) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// Asserts that the response is a problem with this code and sets no cookie.
    #[track_caller]
    pub(crate) fn refused(self, code: &str) -> Self {
        assert_eq!(self.json()["code"], code, "{self:?}");
        assert_eq!(self.cookies(), [""; 0]);
        self
    }

    /// The status and code of a problem.
    #[track_caller]
    pub(crate) fn problem(&self) -> (u16, String) {
        let code = self.json()["code"].as_str().unwrap_or_default().to_owned();
        (self.status.as_u16(), code)
    }

    /// The body, which must be JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        self.as_json().clone()
    }

    /// A string in the body.
    #[track_caller]
    pub(crate) fn text_of(&self, field: &str) -> &str {
        self.as_json()[field].as_str().unwrap_or_else(|| panic!("no {field} in {self:?}"))
    }

    /// The names of the fields of the body.
    #[track_caller]
    pub(crate) fn fields(&self) -> Vec<&str> {
        self.as_json().as_object().unwrap().keys().map(String::as_str).collect()
    }

    /// The fields and codes of a validation error.
    #[track_caller]
    pub(crate) fn field_errors(&self) -> Vec<(String, String)> {
        assert_eq!(self.problem(), (422, "validation_failed".to_owned()), "{}", self.text);
        let errors = self.as_json()["errors"].as_array().unwrap();
        let text = |error: &Value, name: &str| error[name].as_str().unwrap().to_owned();
        errors.iter().map(|error| (text(error, "field"), text(error, "code"))).collect()
    }

    /// A header, which must be present.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}")).to_str().unwrap()
    }

    /// The `Set-Cookie` headers.
    pub(crate) fn cookies(&self) -> Vec<&str> {
        self.headers.get_all("set-cookie").map(|line| line.to_str().unwrap()).collect()
    }

    /// The value of a cookie that is set.
    #[track_caller]
    pub(crate) fn cookie(&self, name: &str) -> &str {
        let mut values = self.cookies().into_iter().filter_map(|line| {
            line.split(';').next().unwrap().strip_prefix(name)?.strip_prefix('=')
        });
        values.next().unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }

    #[track_caller]
    fn as_json(&self) -> &Value {
        self.json.as_ref().unwrap_or_else(|| panic!("no JSON: {self:?}"))
    }
}
