//! A position in the feed of a Postgres server, and its encoding as a cursor.

use gateward_domain::feed::FeedCursor;

/// The position of a reader of the feed.
///
/// Transactions are numbered at their first write and committed in another order. A position is
/// therefore an entry, plus the earlier transactions that were still running: their entries are yet
/// to come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedPosition {
    /// Start time of the server. A server that was restored or has taken over from another may lack
    /// writes, and reuses their numbers.
    pub server: i64,
    /// The transaction of the last entry, in the order of the feed.
    pub xid: i64,
    /// Sequence number of the last entry.
    pub seq: i64,
    /// Earlier transactions that were not read completely.
    pub late: Vec<Late>,
}

/// A transaction that was running when the reader passed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Late {
    /// The transaction's number, which is lower than that of the position.
    pub xid: i64,
    /// Sequence number up to which its entries were read.
    pub known: i64,
}

/// The transactions of a server at the time of a read.
#[derive(Clone, Debug)]
pub struct Moment {
    /// Start time of the server.
    pub server: i64,
    /// The first transaction that has not started.
    pub next_xid: i64,
    /// The running transactions, including the reader's own.
    pub running: Vec<i64>,
}

impl FeedPosition {
    /// Parses a cursor from untrusted input.
    pub fn of(cursor: &FeedCursor) -> Option<Self> {
        let mut fields = cursor.as_str().split('.');
        let mut field = || number(fields.next()?);
        let (server, xid, seq) = (field()?, field()?, field()?);
        let late = |text: &str| {
            let (before, known) = text.split_once('-').unwrap_or((text, "0"));
            let before = number(before).filter(|before| (1..=xid).contains(before))?;
            Some(Late { xid: xid - before, known: number(known)? })
        };
        let late: Option<Vec<_>> = fields.map(late).collect();
        Some(Self { server, xid, seq, late: late? })
    }

    /// Encodes the cursor. `None` if it is too long because too many transactions are running.
    pub fn cursor(&self) -> Option<FeedCursor> {
        let late = |late: &Late| match (self.xid - late.xid, late.known) {
            (before, 0) => format!("{before:x}"),
            (before, known) => format!("{before:x}-{known:x}"),
        };
        let position = [self.server, self.xid, self.seq].map(|number| format!("{number:x}"));
        let fields: Vec<_> = position.into_iter().chain(self.late.iter().map(late)).collect();
        FeedCursor::parse(&fields.join(".")).ok()
    }

    /// Returns whether a server can continue from here.
    pub const fn is_of(&self, moment: &Moment) -> bool {
        self.server == moment.server && self.xid < moment.next_xid
    }

    /// Returns the position of an entry that was read from here. The entries before it in the
    /// result count as read.
    ///
    /// An entry of a running transaction is the reader's own and may yet be rolled back: the
    /// position stays before it, and it is read again.
    pub fn after(&self, xid: i64, seq: i64, moment: &Moment) -> Self {
        let server = moment.server;
        if moment.running.contains(&xid) {
            Self { server, ..self.clone() }
        } else if xid < self.xid {
            // An entry of a late transaction. Earlier ones have ended and were read completely by
            // now, unless they are still running.
            let open = |late: &&Late| late.xid >= xid || moment.running.contains(&late.xid);
            let known = |late: &Late| if late.xid == xid { seq } else { late.known };
            let known = |late: &Late| Late { known: known(late), ..*late };
            let late = self.late.iter().filter(open).map(known).collect();
            Self { server, late, ..*self }
        } else {
            // Entries of late transactions come before it in the result.
            let running = moment.running.iter().filter(|running| **running < xid);
            let late = running.map(|running| Late { xid: *running, known: 0 }).collect();
            Self { server, xid, seq, late }
        }
    }
}

/// Parses a non-negative number in hexadecimal digits.
fn number(text: &str) -> Option<i64> {
    u64::from_str_radix(text, 16).ok().and_then(|number| number.try_into().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn late(xid: i64, known: i64) -> Late {
        Late { xid, known }
    }

    #[test]
    fn the_text_of_a_place_can_be_read_back() {
        for late in [vec![], vec![late(1, 0)], vec![late(900, 7), late(999, 0), late(0, 1)]] {
            let position =
                FeedPosition { server: 800_000_000_000_000, xid: 1000, seq: i64::MAX, late };
            assert_eq!(FeedPosition::of(&position.cursor().unwrap()), Some(position));
        }
    }

    #[test]
    fn what_is_no_place_is_none() {
        for text in [
            "1",
            "1.2",
            "1.2.",
            "1.2.x",
            "1.-2.3",
            "1.2.3.",
            "1.2.3.0",
            "1.2.3.3",
            "1.2.3.1-",
            "1.2.3.1-2-3",
            "1.ffffffffffffffff.3",
            "1.2.10000000000000000",
        ] {
            assert_eq!(FeedPosition::of(&FeedCursor::parse(text).unwrap()), None, "{text}");
        }
    }

    #[test]
    fn a_place_that_is_too_long_for_a_cursor_is_none() {
        let position = |count| FeedPosition {
            xid: 1 << 40,
            late: (0..count).map(|xid| late(xid, 0)).collect(),
            ..FeedPosition::default()
        };
        assert!(position(300).cursor().is_some());
        assert_eq!(position(400).cursor(), None);
    }

    #[test]
    fn a_transaction_is_late_until_its_last_entry_is_passed() {
        let moment =
            |running: &[i64]| Moment { server: 1, next_xid: 50, running: running.to_vec() };
        let position = FeedPosition::default().after(20, 5, &moment(&[10, 15, 30]));
        assert_eq!((position.xid, position.seq), (20, 5));
        assert_eq!(position.late, [late(10, 0), late(15, 0)]);
        // The second has ended, and the result stops within it.
        let amid = position.after(15, 2, &moment(&[10]));
        assert_eq!((amid.xid, amid.seq), (20, 5));
        assert_eq!(amid.late, [late(10, 0), late(15, 2)]);
        // Both have ended, and the result starts with the first.
        let first = amid.after(10, 1, &moment(&[]));
        assert_eq!(first.late, [late(10, 1), late(15, 2)]);
        assert_eq!(first.after(15, 3, &moment(&[])).late, [late(15, 3)]);
        let onward = first.after(30, 9, &moment(&[25]));
        assert_eq!((onward.xid, onward.seq, onward.late), (30, 9, vec![late(25, 0)]));
    }
}
