//! The page of the inbox.

use std::fmt::{self, Write};
use std::sync::LazyLock;

use actix_web::HttpResponse;
use gateward_app::domain::ports::InboxEmail;
use sha2::{Digest, Sha256};

use crate::Options;
use crate::endpoints::rfc3339;
use crate::pages::{Look, STYLE, escape};

/// The style of the pages, with that of the list.
static LOOK: LazyLock<Look> = LazyLock::new(|| {
    let style = [STYLE, include_str!("inbox.css")].concat();
    let more = "frame-src 'self'; connect-src 'self'; form-action 'none'";
    Look::new(HEAD, style, include_str!("inbox.js"), more)
});

/// An email may use its own inline styles and open its links, nothing else. Only the inbox page may
/// frame it.
pub(super) const EMAIL_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'self'; \
    sandbox allow-popups allow-popups-to-escape-sandbox";

/// Refreshes the page without a script.
const HEAD: &str = "<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>";

/// The page with these emails.
pub(super) fn inbox(emails: &[InboxEmail], options: &Options) -> HttpResponse {
    let mut list = String::new();
    for (index, email) in emails.iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = write_row(&mut list, email, index == 0);
    }
    if emails.is_empty() {
        list = empty(options);
    }
    let body = format!(
        "<h1>Inbox</h1><p class=\"lead\">In development, no email leaves this machine. You \
         find it here instead.</p><div id=\"emails\">{list}</div>"
    );
    LOOK.response(&mut HttpResponse::Ok(), "Inbox", &body)
}

/// The identifier of an email here. It stays the same when newer emails arrive.
pub(super) fn id(email: &InboxEmail) -> String {
    let mut hash = Sha256::new();
    hash.update(email.headers.as_bytes());
    hash.update(email.html.as_bytes());
    let mut id = String::from("l");
    for byte in hash.finalize().iter().take(12) {
        // Writing to a string cannot fail.
        let _ = write!(id, "{byte:02x}");
    }
    id
}

/// The HTML part for its frame. Links open in a new tab.
pub(super) fn framed(html: &str) -> String {
    const BASE: &str = "<base target=\"_blank\">";
    match html.split_once("<head>") {
        Some((before, after)) => [before, "<head>", BASE, after].concat(),
        None => [BASE, html].concat(),
    }
}

/// The text before the first email.
fn empty(options: &Options) -> String {
    let (url, base) = (escape(&options.public_url), escape(&options.base_path));
    format!(
        "<div class=\"empty\" id=\"empty\"><h2>No emails yet</h2>\
         <p>Sign up, and the first email appears here:</p>\
         <pre><code>curl {url}{base}/signup \\\n  -H 'Content-Type: application/json' \\\n  \
         -d '{{\"username\": \"ada\", \"email\": \"ada@example.org\",\n       \
         \"password\": \"correct horse battery\"}}'</code></pre></div>"
    )
}

/// One email in the list.
fn write_row(list: &mut String, email: &InboxEmail, is_open: bool) -> fmt::Result {
    let (id, at) = (id(email), rfc3339(email.sent_at));
    let (subject, to) = (escape(&email.subject), escape(email.to.as_str()));
    let open = if is_open { " open" } else { "" };
    let shown_at = at.replace('T', " ").replace('Z', " UTC");
    write!(
        list,
        "<details class=\"email\" id=\"{id}\"{open}><summary><span class=\"subject\">{subject}\
         </span><span class=\"about\">to <b>{to}</b> · <time datetime=\"{at}\">{shown_at}</time>\
         </span></summary><div class=\"parts\">"
    )?;
    write_keys(list, email)?;
    write!(
        list,
        "<iframe src=\"/dev/inbox/{id}.html\" title=\"{subject}\" loading=\"lazy\" \
         sandbox=\"allow-popups allow-popups-to-escape-sandbox\"></iframe>\
         <details id=\"{id}-text\"><summary>Text part</summary><pre>{}</pre></details>\
         <details id=\"{id}-headers\"><summary>Headers</summary><pre>{}</pre></details>\
         </div></details>",
        escape(&email.text),
        escape(&email.headers),
    )
}

/// The code and the links, which a developer looks for.
fn write_keys(list: &mut String, email: &InboxEmail) -> fmt::Result {
    if email.code.is_none() && email.links.is_empty() {
        return Ok(());
    }
    list.push_str("<dl class=\"keys\">");
    if let Some(code) = &email.code {
        write!(list, "<dt>Code</dt><dd><code class=\"code\">{}</code></dd>", escape(code))?;
    }
    for link in &email.links {
        let link = escape(link);
        list.push_str("<dt>Link</dt>");
        if link.starts_with("http://") || link.starts_with("https://") {
            write!(
                list,
                "<dd><a href=\"{link}\" target=\"_blank\" rel=\"noopener noreferrer\">{link}</a>\
                 </dd>"
            )?;
        } else {
            write!(list, "<dd>{link}</dd>")?;
        }
    }
    list.push_str("</dl>");
    Ok(())
}
