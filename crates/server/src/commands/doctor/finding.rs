//! Findings: the problem, its severity, and the remedy.

/// Defines the codes and their list from one table.
macro_rules! codes {
    ($($name:ident = $text:literal,)*) => {
        /// Stable codes for scripts; `docs/doctor.md` explains each.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Code {
            $($name,)*
        }

        impl Code {
            /// All codes.
            #[cfg(test)]
            pub(super) const ALL: &[Self] = &[$(Self::$name,)*];

            pub(super) const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

codes! {
    Settings = "settings",
    KeyFileExposed = "key_file_exposed",
    PublicUrlPlain = "public_url_plain",
    BreachedList = "breached_list",
    DatabaseUnreachable = "database_unreachable",
    MigrationsPending = "migrations_pending",
    MigrationsAltered = "migrations_altered",
    Unanswered = "unanswered",
    ClockDatabase = "clock_database",
    SessionOfDisabledUser = "session_of_disabled_user",
    SessionWithoutUser = "session_without_user",
    SessionTwice = "session_twice",
    EndedSessionLives = "ended_session_lives",
    UsedLinkOpen = "used_link_open",
    Orphan = "orphan",
    UndefinedRole = "undefined_role",
    EmailsFailed = "emails_failed",
    EmailsOverdue = "emails_overdue",
    NoAdministrator = "no_administrator",
    CleanupOverdue = "cleanup_overdue",
    AuditUnchained = "audit_unchained",
    Future = "future",
    Start = "start",
    NeverUsed = "never_used",
    Issuer = "issuer",
    KeyOverdue = "key_overdue",
    MasterKey = "master_key",
    AuditChain = "audit_chain",
    PublicUrlUnreachable = "public_url_unreachable",
    PublicUrlCertificate = "public_url_certificate",
    PublicUrlOther = "public_url_other",
    ClockPublicUrl = "clock_public_url",
    ProxyUntrusted = "proxy_untrusted",
    MailSetup = "mail_setup",
    MailUnreachable = "mail_unreachable",
    MailCertificate = "mail_certificate",
    MailLogin = "mail_login",
}

/// The severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    /// Must be fixed.
    Finding,
    /// May be intended.
    Warning,
}

impl Level {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Finding => "finding",
            Self::Warning => "warning",
        }
    }
}

/// A problem, or a possible one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) code: Code,
    pub(super) level: Level,
    pub(super) what: String,
    pub(super) remedy: String,
}

impl Finding {
    /// A problem that must be fixed.
    pub(super) fn new(code: Code, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { code, level: Level::Finding, what: what.into(), remedy: remedy.into() }
    }

    /// A possible problem.
    pub(super) fn warning(code: Code, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { level: Level::Warning, ..Self::new(code, what, remedy) }
    }

    /// Turns a warning into a finding.
    pub(super) fn graver(self) -> Self {
        Self { level: Level::Finding, ..self }
    }

    /// A check that could not run.
    pub(super) fn unanswered(about: &str, error: impl Into<anyhow::Error>) -> Self {
        let error = error.into();
        Self::new(
            Code::Unanswered,
            format!("{about} could not be checked: {error:#}"),
            "fix the other findings first, especially pending migrations, then run this again",
        )
    }
}
