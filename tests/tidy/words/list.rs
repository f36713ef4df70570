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

/// Refused in the sentences of texts and comments.
pub const IN_PROSE: &[Word] = &[
    word("anew", "again"),
    word("chance", "random value, randomness"),
    word("is good until", "expires at, is valid until"),
    word("is no more", "no longer exists, has ended"),
    word("is over", "has ended, has expired"),
    word("is told", "receives, is notified"),
    word("letter", "email"),
    word("log-in", "login (noun), log in (verb)"),
    word("mend", "fix, repair"),
    word("nobody", "no one, or the subject that is meant"),
    word("somebody", "someone, or the subject that is meant"),
    word("stands in", "is in, replaces"),
    word("wants a", "needs a, must be a"),
    word("wants an", "needs an, must be an"),
    word("wherefore", "so, therefore"),
    word("whoever", "anyone who, or the subject that is meant"),
];

/// A name that may hold a refused word, or a phrase of prose.
pub struct Exception {
    pub name: &'static str,
    pub reason: &'static str,
}

/// Phrases in which a refused word means something else.
pub const PROSE_EXCEPTIONS: &[Exception] = &[
    Exception { name: "ASCII letters", reason: "characters" },
    Exception { name: "a letter first", reason: "a character" },
    Exception { name: "letters A to Z", reason: "characters" },
    Exception { name: "letters and digits", reason: "characters" },
    Exception { name: "letters, digits", reason: "characters" },
    Exception { name: "letters, numbers", reason: "characters, in a text of Django" },
];

/// Names that others have chosen.
pub const EXCEPTIONS: &[Exception] =
    &[Exception { name: "letter-spacing", reason: "a property of CSS" }];

/// Files whose text is not looked at; their names are.
pub const EXEMPT_FILES: &[(&str, &str)] = &[
    ("crates/domain/src/password/common.txt", "passwords that people choose"),
    ("tests/tidy/words/list.rs", "this list"),
    ("tests/tidy/words/tests.rs", "shows that the list is enforced"),
];
