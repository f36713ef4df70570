//! `Look`: the frame around every page, and the policy that allows only its own blocks.

use actix_web::http::header;
use actix_web::{HttpResponse, HttpResponseBuilder};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// The style of all pages.
pub(crate) const STYLE: &str = include_str!("page.css");

const FRAME: &str = include_str!("frame.html");

/// The style and the script of a kind of page, with the policy that allows them by their hashes.
pub(crate) struct Look {
    head: &'static str,
    style: String,
    script: &'static str,
    policy: String,
}

impl Look {
    /// Makes the policy for these blocks. `head` is more HTML for the head, and `more` are the
    /// other sources that the pages need.
    pub(crate) fn new(head: &'static str, style: String, script: &'static str, more: &str) -> Self {
        let policy = format!(
            "default-src 'none'; style-src {}; script-src {}; {more}; base-uri 'none'; \
             frame-ancestors 'none'",
            source(&style),
            source(script),
        );
        Self { head, style, script, policy }
    }

    /// Responds with a page. The title is fixed text; the body is HTML.
    pub(crate) fn response(
        &self,
        response: &mut HttpResponseBuilder,
        title: &str,
        body: &str,
    ) -> HttpResponse {
        response
            .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
            .insert_header((header::CONTENT_SECURITY_POLICY, self.policy.as_str()))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .body(self.page(title, body))
    }

    /// The whole page. The frame is split before anything is inserted, so that inserted text is
    /// never mistaken for a placeholder.
    fn page(&self, title: &str, body: &str) -> String {
        let (head, rest) = FRAME.split_once("<style>{style}").unwrap_or((FRAME, ""));
        let (middle, rest) = rest.split_once("{body}").unwrap_or((rest, ""));
        let (end, last) = rest.split_once("{script}").unwrap_or((rest, ""));
        let head = head.replace("{title}", title);
        [&head, self.head, "<style>", &self.style, middle, body, end, self.script, last].concat()
    }
}

/// The source that allows a block with exactly this text (CSP, section 2.3.1).
fn source(block: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(block.as_bytes())))
}

/// Escapes text for HTML, in an element or in a quoted attribute.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
