//! Emails in words, and templates that are refused.

use std::fs;

use gateward_domain::email::{EmailMessage, EmailTemplate};
use tempfile::TempDir;

use crate::samples::{SERVICE, bare, sample};
use crate::wrap::LINE_LEN_MAX;
use crate::{Rendered, Templates};

fn render(email: &EmailMessage) -> Rendered {
    Templates::built_in().unwrap().render(email, SERVICE).unwrap()
}

/// A folder of templates with one file.
fn folder(name: &str, text: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), text).unwrap();
    folder
}

/// What is said of a folder with this file.
fn refusal(name: &str, text: &str) -> String {
    Templates::with_folder(folder(name, text).path()).unwrap_err().to_string()
}

const ENGLISH: &str = include_str!("../../templates/en.toml");
const TEXT: &str = include_str!("../../templates/email.txt");
const HTML: &str = include_str!("../../templates/email.html");

#[test]
fn every_email_says_what_happened_when_and_from_where() {
    let samples = Templates::built_in().unwrap().samples(SERVICE).unwrap();
    assert_eq!(samples.len(), EmailTemplate::ALL.len());
    for (text, rendered) in samples {
        for part in [&rendered.text, &rendered.html] {
            assert!(part.contains("20 November 2026, 04:10 UTC"), "{text}: {part}");
            assert!(part.contains("2001:db8::7"), "{text}: {part}");
            assert!(part.contains("If you did n"), "{text}: {part}");
            assert!(part.contains(SERVICE), "{text}: {part}");
            assert!(!part.contains("{{") && !part.contains("{%"), "{text}: {part}");
        }
        assert!(rendered.subject.contains(SERVICE), "{text}");
    }
}

#[test]
fn an_email_with_a_link_shows_link_code_and_until_when_they_are_good() {
    for text in EmailTemplate::ALL {
        let email = sample(*text);
        let rendered = render(&email);
        let Some(link) = email.link else {
            assert!(!rendered.text.contains("://"), "{text}: {}", rendered.text);
            assert!(!rendered.html.contains("://"), "{text}: {}", rendered.html);
            continue;
        };
        assert!(rendered.text.lines().any(|line| line == link), "{text}: {}", rendered.text);
        assert!(rendered.text.contains("\n    01234567\n"), "{text}: {}", rendered.text);
        assert!(rendered.html.contains(&format!("href=\"{link}\"")), "{text}: {}", rendered.html);
        assert!(rendered.html.contains(&format!(">{link}<")), "{text}: {}", rendered.html);
        assert!(rendered.html.contains(">01234567<"), "{text}: {}", rendered.html);
        for part in [&rendered.text, &rendered.html] {
            assert!(part.contains("21 November 2026, 04:10 UTC"), "{text}: {part}");
        }
    }
}

#[test]
fn an_email_is_whole_without_what_is_not_known() {
    for text in EmailTemplate::ALL {
        let rendered = render(&bare(sample(*text)));
        for part in [&rendered.text, &rendered.html] {
            for word in ["2001:db8", ">none", "undefined", "IP address", "expires on"] {
                assert!(!part.contains(word), "{text}, {word}: {part}");
            }
        }
    }
}

#[test]
fn lines_of_the_text_part_are_short_and_no_two_empty_ones_follow_each_other() {
    for (text, rendered) in Templates::built_in().unwrap().samples(SERVICE).unwrap() {
        for line in rendered.text.lines() {
            let fits = line.chars().count() <= LINE_LEN_MAX || line.starts_with("https://");
            assert!(fits, "{text}: {line}");
        }
        assert!(!rendered.text.contains("\n\n\n"), "{text}: {}", rendered.text);
        assert!(rendered.text.is_ascii() && rendered.html.is_ascii(), "{text}: needs no encoding");
    }
}

#[test]
fn the_html_part_loads_nothing_and_runs_nothing() {
    for (text, rendered) in Templates::built_in().unwrap().samples(SERVICE).unwrap() {
        for word in ["<img", "<script", "src=", "url(", "@import", "<link", "<iframe", "<table"] {
            assert!(!rendered.html.contains(word), "{text}: {word}");
        }
        assert!(rendered.html.contains("name=\"color-scheme\" content=\"light dark\""));
    }
}

#[test]
fn h3_what_stands_in_html_is_escaped() {
    let link = "https://login.example.org/?a=1&b=\"><script>'#token=x";
    let email =
        EmailMessage { link: Some(link.to_owned()), ..sample(EmailTemplate::ConfirmSignup) };
    let service = "<a href=//evil.example>Ada & 'Co'</a>";
    let rendered = Templates::built_in().unwrap().render(&email, service).unwrap();
    let (html, text) = (&rendered.html, &rendered.text);
    assert!(!html.contains("<a href=//") && !html.contains("<script>"), "{html}");
    assert!(
        html.contains("&lt;a href=//evil.example&gt;Ada &amp; &#39;Co&#39;&lt;/a&gt;"),
        "{html}"
    );
    assert!(html.contains("/?a=1&amp;b=&quot;&gt;&lt;script&gt;&#39;#token=x"), "{html}");
    assert!(text.contains(link), "the text part is plain: {text}");
}

#[test]
fn an_email_without_its_link_is_not_made_and_one_with_a_link_too_many_neither() {
    let templates = Templates::built_in().unwrap();
    let lacking = EmailMessage { link: None, ..sample(EmailTemplate::ResetPassword) };
    assert!(templates.render(&lacking, SERVICE).is_err());
    let link = Some("https://login.example.org".to_owned());
    let acting = EmailMessage { link, ..sample(EmailTemplate::AccountExists) };
    assert!(templates.render(&acting, SERVICE).is_err());
}

#[test]
fn files_of_a_folder_replace_the_built_in_ones() {
    let german = ENGLISH
        .replace("lang = \"en\"", "lang = \"de\"")
        .replace("\"Hello,\"", "\"Grüß dich,\"")
        .replace("\"November\"", "\"Nebelmond\"");
    let folder = folder("en.toml", &german);
    fs::write(folder.path().join(".hidden.toml"), "").unwrap();
    fs::write(folder.path().join("README"), "").unwrap();
    let templates = Templates::with_folder(folder.path()).unwrap();
    let rendered = templates.render(&sample(EmailTemplate::TokenReused), SERVICE).unwrap();
    assert!(rendered.html.contains("<html lang=\"de\">") && rendered.html.contains("Grüß dich,"));
    assert!(rendered.text.contains("20 Nebelmond 2026"), "{}", rendered.text);

    let only_code = folder_of_layout("{{ title }} {{ code }} {{ link }}");
    let templates = Templates::with_folder(only_code.path()).unwrap();
    let rendered = templates.render(&sample(EmailTemplate::ResetPassword), SERVICE).unwrap();
    assert!(rendered.text.starts_with("Reset your password 01234567 https://"));
    assert!(rendered.html.contains("<h1"), "the other layout is the built-in one");
}

fn folder_of_layout(text: &str) -> TempDir {
    folder("email.txt", &format!("{{% if link and code %}}{text}{{% else %}}{TEXT}{{% endif %}}"))
}

#[test]
fn bad_language_files_are_refused_with_file_and_key() {
    let cut = |from: &str| ENGLISH.split(from).next().unwrap().to_owned();
    for (text, says) in [
        (cut("[emails.account_deleted]"), vec!["emails.account_deleted is missing"]),
        (
            format!(
                "{ENGLISH}\n[emails.spam]\nsubject = ''\ntitle = ''\nparagraphs = []\nclosing = ''"
            ),
            vec!["`spam`"],
        ),
        (ENGLISH.replacen("greeting =", "greting =", 1), vec!["line 13", "greting"]),
        (
            ENGLISH.replacen("title = \"Reset your password\"\n", "", 1),
            vec!["[emails.reset_password]", "title"],
        ),
        (
            ENGLISH.replacen("button = \"Keep this email address\"\n", "", 1),
            vec!["emails.email_change.button"],
        ),
        (format!("{ENGLISH}button = 'Go'"), vec!["emails.account_deleted", "button"]),
        (
            ENGLISH.replacen("Welcome to", "Welcome {{ username }} to", 1),
            vec!["emails.confirm_signup.paragraphs.0", "undefined"],
        ),
        (
            ENGLISH.replacen("Welcome to", "Welcome {{ to", 1),
            vec!["emails.confirm_signup.paragraphs.0", "syntax error"],
        ),
        (
            ENGLISH.replacen("Welcome to", "Welcome {{ ip }} to", 1),
            vec!["emails.confirm_signup.paragraphs.0"],
        ),
        (
            ENGLISH.replacen("subject = \"", "subject = \"Two\\nlines ", 1),
            vec!["emails.confirm_signup.subject", "one line"],
        ),
        (ENGLISH.replacen("\"December\"", "", 1), vec!["12"]),
        ("lang".to_owned(), vec!["line 1"]),
    ] {
        assert_ne!(text, ENGLISH, "{says:?}: nothing was changed");
        let refusal = refusal("en.toml", &text);
        assert!(refusal.starts_with("en.toml: "), "{refusal}");
        assert!(says.iter().all(|word| refusal.contains(word)), "{says:?}: {refusal}");
        assert_eq!(refusal.lines().count(), 1, "{refusal}");
    }
}

#[test]
fn bad_layouts_and_folders_are_refused_with_the_file() {
    for (name, text, says) in [
        (
            "email.txt",
            TEXT.replace("{{ link }}", ""),
            "email.txt: the email confirm_signup does not contain",
        ),
        (
            "email.html",
            HTML.replace("{{ code }}", ""),
            "email.html: the email confirm_signup does not contain",
        ),
        ("email.html", "{% if %}".to_owned(), "email.html: syntax error"),
        ("email.txt", format!("{TEXT}{{{{ user_agent }}}}"), "email.txt: undefined value"),
        ("email.htm.html", HTML.to_owned(), "replaces no built-in file"),
        ("de.toml", ENGLISH.to_owned(), "replaces no built-in file"),
    ] {
        let refusal = refusal(name, &text);
        assert!(refusal.contains(says), "{says}: {refusal}");
    }
    let missing = tempfile::tempdir().unwrap().path().join("nowhere");
    let refusal = Templates::with_folder(&missing).unwrap_err().to_string();
    assert!(refusal.contains("nowhere cannot be read"), "{refusal}");
}

#[test]
fn what_is_shown_of_emails_for_debugging_holds_no_secret() {
    let email = sample(EmailTemplate::ResetPassword);
    let templates = Templates::built_in().unwrap();
    let shown = format!("{email:?} {:?} {templates:?}", render(&email));
    assert!(!shown.contains("01234567") && !shown.contains("token="), "{shown}");
}
