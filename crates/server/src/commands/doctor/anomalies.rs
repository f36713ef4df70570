//! What stands in the database and cannot be true, in words.

use gateward_diesel::{Anomaly, Flaw};

use super::finding::{Code, Finding};

/// What to do where something else than this service has written.
const FOREIGN: &str = "find out who has written there: a restore of some tables only, or somebody by \
                       hand";

/// The finding for an anomaly.
pub(super) fn finding(anomaly: &Anomaly) -> Finding {
    let Anomaly { what, count, example } = anomaly;
    let (code, told) = told(*what);
    let what = match what {
        Flaw::NoAdministrator => told,
        _ => format!("{told}: {count}, such as {example}"),
    };
    Finding::new(code, what, remedy(anomaly))
}

/// The code, and what it means.
fn told(flaw: Flaw) -> (Code, String) {
    let (code, told) = match flaw {
        Flaw::SessionOfDisabledUser => {
            (Code::SessionOfDisabledUser, "sessions live whose user is disabled")
        }
        Flaw::SessionWithoutUser => (Code::SessionWithoutUser, "sessions live whose user is gone"),
        Flaw::SharedSalt => {
            (Code::SessionTwice, "sessions share the salt of another one: two generations live")
        }
        Flaw::EndedSessionLives => {
            (Code::EndedSessionLives, "sessions live of which the audit trail says that they ended")
        }
        Flaw::UsedLinkOpen => (Code::UsedLinkOpen, "links are open that were used"),
        Flaw::Orphan { table } => {
            return (Code::Orphan, format!("rows of {table} are about an account that is gone"));
        }
        Flaw::UndefinedRole => (Code::UndefinedRole, "accounts hold a role that is not defined"),
        Flaw::FailedEmail => (Code::EmailsFailed, "emails were given up"),
        Flaw::OverdueEmail => (Code::EmailsOverdue, "emails were due an hour ago and wait"),
        Flaw::NoAdministrator => (Code::NoAdministrator, "no enabled account holds the role admin"),
        Flaw::CleanupOverdue { table } => {
            return (
                Code::CleanupOverdue,
                format!("rows of {table} should have been cleaned up a day ago"),
            );
        }
        Flaw::UnchainedEvent => {
            (Code::AuditUnchained, "events have had no place in the audit trail for ten minutes")
        }
        Flaw::FromTheFuture { table } => {
            return (
                Code::Future,
                format!("rows of {table} were written at a time that has not come"),
            );
        }
    };
    (code, told.to_owned())
}

fn remedy(Anomaly { what, example, .. }: &Anomaly) -> String {
    match what {
        Flaw::SessionOfDisabledUser => format!(
            "gateward session explain {example} --json names the user; end what lives: gateward user \
             logout USER"
        ),
        Flaw::SessionWithoutUser | Flaw::SharedSalt | Flaw::EndedSessionLives => {
            "end all sessions: gateward session end-all; after a restore that is part of it anyway"
                .to_owned()
        }
        Flaw::UsedLinkOpen => format!("delete these rows of links, and {FOREIGN}"),
        Flaw::Orphan { table } => format!("delete these rows of {table}, and {FOREIGN}"),
        Flaw::UndefinedRole => format!(
            "it gives nothing; define it, or take it away: gateward user show {example} names it, \
             gateward user revoke {example} ROLE takes it"
        ),
        Flaw::FailedEmail => "gateward mail list --state failed says why; then run gateward mail retry \
                             --all, or wait until they are cleaned up"
            .to_owned(),
        Flaw::OverdueEmail => {
            "see whether a node runs and whether its SMTP server takes emails: gateward mail list".to_owned()
        }
        Flaw::NoAdministrator => {
            "gateward user create --username NAME --email ADDRESS --admin, or gateward user grant USER \
             admin"
                .to_owned()
        }
        Flaw::CleanupOverdue { .. } => "see whether a node runs, and its log for \"cleanup failed\"".to_owned(),
        Flaw::UnchainedEvent => {
            "see whether a node runs, and its log for what keeps it from sealing".to_owned()
        }
        Flaw::FromTheFuture { .. } => {
            "set the clocks of all nodes by NTP; one of them was ahead".to_owned()
        }
    }
}
