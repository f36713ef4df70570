//! Contradictions in the data, as findings.

use gateward_diesel::{Anomaly, Flaw};

use super::finding::{Code, Finding};

/// What to do when something other than this service wrote the rows.
const FOREIGN: &str = "find out what wrote them: a restore of some tables only, or a manual change";

pub(super) fn finding(anomaly: &Anomaly) -> Finding {
    let Anomaly { what, count, example } = anomaly;
    let (code, told) = told(*what);
    let what = match what {
        Flaw::NoAdministrator => told,
        _ => format!("{told}: {count}, such as {example}"),
    };
    Finding::new(code, what, remedy(anomaly))
}

/// The code of a flaw, and its description.
fn told(flaw: Flaw) -> (Code, String) {
    let (code, told) = match flaw {
        Flaw::SessionOfDisabledUser => {
            (Code::SessionOfDisabledUser, "active sessions whose user is disabled")
        }
        Flaw::SessionWithoutUser => {
            (Code::SessionWithoutUser, "active sessions whose user does not exist")
        }
        Flaw::SharedSalt => {
            (Code::SessionTwice, "sessions that share a salt: two generations are active")
        }
        Flaw::EndedSessionLives => {
            (Code::EndedSessionLives, "active sessions that ended according to the audit trail")
        }
        Flaw::UsedLinkOpen => (Code::UsedLinkOpen, "used links that are still open"),
        Flaw::Orphan { table } => {
            return (Code::Orphan, format!("rows of {table} whose user does not exist"));
        }
        Flaw::UndefinedRole => (Code::UndefinedRole, "users with an undefined role"),
        Flaw::FailedEmail => (Code::EmailsFailed, "emails that failed permanently"),
        Flaw::OverdueEmail => (Code::EmailsOverdue, "emails that have been due for an hour"),
        Flaw::NoAdministrator => (Code::NoAdministrator, "no enabled user has the role admin"),
        Flaw::CleanupOverdue { table } => {
            return (
                Code::CleanupOverdue,
                format!("rows of {table} that should have been cleaned up a day ago"),
            );
        }
        Flaw::UnchainedEvent => {
            (Code::AuditUnchained, "events missing from the audit chain for ten minutes")
        }
        Flaw::FromTheFuture { table } => {
            return (Code::Future, format!("rows of {table} with a time in the future"));
        }
    };
    (code, told.to_owned())
}

fn remedy(Anomaly { what, example, .. }: &Anomaly) -> String {
    match what {
        Flaw::SessionOfDisabledUser => format!(
            "find the user with: gateward session explain {example} --json; then run: gateward \
             user logout USER"
        ),
        Flaw::SessionWithoutUser | Flaw::SharedSalt | Flaw::EndedSessionLives => {
            "run: gateward session end-all; it is also a step of every restore".to_owned()
        }
        Flaw::UsedLinkOpen => format!("delete these rows of links, and {FOREIGN}"),
        Flaw::Orphan { table } => format!("delete these rows of {table}, and {FOREIGN}"),
        Flaw::UndefinedRole => format!(
            "the role gives no permissions; define it, or find it with: gateward user show \
             {example}; then run: gateward user revoke {example} ROLE"
        ),
        Flaw::FailedEmail => "see why with: gateward mail list --state failed; then run: gateward \
                              mail retry --all, or wait until they are cleaned up"
            .to_owned(),
        Flaw::OverdueEmail => {
            "check that a node is running and that its SMTP server accepts emails: gateward mail \
             list"
                .to_owned()
        }
        Flaw::NoAdministrator => {
            "run: gateward user create --username NAME --email ADDRESS --admin, or gateward user \
             grant USER admin"
                .to_owned()
        }
        Flaw::CleanupOverdue { .. } => "check that a node is running, and search its log for \
                                        \"cleanup failed\""
            .to_owned(),
        Flaw::UnchainedEvent => {
            "check that a node is running, and search its log for \"audit chaining failed\""
                .to_owned()
        }
        Flaw::FromTheFuture { .. } => {
            "synchronize the clocks of all nodes with NTP; one of them was ahead".to_owned()
        }
    }
}
