//! The words that the code no longer uses, and what it says instead. `docs/glossary.md` explains
//! the new ones.

/// A word that is refused, in any regular inflection. Several words count where they follow each
/// other.
pub struct Word {
    pub old: &'static str,
    pub new: &'static str,
}

const fn word(old: &'static str, new: &'static str) -> Word {
    Word { old, new }
}

/// Refused in names: code, SQL, the API, settings, metrics, files.
pub const IN_NAMES: &[Word] = &[
    word("acquaintance", "known_device"),
    word("aftermath", "after_commit"),
    word("begun", "started"),
    word("bond", "associated_data"),
    word("caught_up", "recovered"),
    word("chapter", "timeline_entry"),
    word("deed", "statement_kind"),
    word("disown", "report_login"),
    word("doorbell", "outbox_notifier"),
    word("forgive", "reset"),
    word("handed_reset", "operator_reset"),
    word("knowledge", "auth_cache"),
    word("letter", "email (outbox_email, email_message, email_template)"),
    word("news", "invalidation_event"),
    word("node_memory", "auth_cache"),
    word("occurrence", "metric"),
    word("pathway", "scope (rate_limit_scope)"),
    word("postman", "outbox_worker"),
    word("strike", "failed_attempt"),
    word("tally", "attempt_counter"),
    word("weigh", "check"),
];

/// A name that may hold a refused word.
pub struct Exception {
    pub name: &'static str,
    pub reason: &'static str,
}

/// Names that others have chosen.
pub const EXCEPTIONS: &[Exception] =
    &[Exception { name: "letter-spacing", reason: "a property of CSS" }];

/// Files whose text is not looked at; their names are.
pub const EXEMPT_FILES: &[(&str, &str)] = &[
    ("crates/domain/src/password/common.txt", "passwords that people choose"),
    ("tests/tidy/words/list.rs", "this list"),
    ("tests/tidy/words/tests.rs", "shows that the list is enforced"),
];
