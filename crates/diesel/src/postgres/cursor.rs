//! A place in the feed of a Postgres server, and its text.

use gateward_domain::feed::FeedCursor;

/// Where a reader of the feed stands.
///
/// Transactions are numbered when they first write and committed in another order. So a place is an
/// entry, and those of the transactions before it that were still running: what they have written
/// is yet to come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedPosition {
    /// Since when the server was running. One that was restored or has taken over from another may
    /// lack writes, and uses their numbers anew.
    pub server: i64,
    /// The transaction of the last entry, in the order of the feed.
    pub xid: i64,
    /// Its number.
    pub seq: i64,
    /// The transactions before it that are not wholly known.
    pub late: Vec<Late>,
}

/// A transaction that a reader has passed while it was running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Late {
    /// Which one; before that of the place.
    pub xid: i64,
    /// Up to which number its entries are known.
    pub known: i64,
}

/// What a server says of its transactions at the time of a read.
#[derive(Clone, Debug)]
pub struct Moment {
    /// Since when it is running.
    pub server: i64,
    /// The first transaction that was not begun.
    pub next_xid: i64,
    /// Those that are running, the reader's own among them.
    pub running: Vec<i64>,
}

impl FeedPosition {
    /// Reads the text of a cursor, which may be anybody's.
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

    /// The text; `None` if so many transactions are running that it is too long.
    pub fn cursor(&self) -> Option<FeedCursor> {
        let late = |late: &Late| match (self.xid - late.xid, late.known) {
            (before, 0) => format!("{before:x}"),
            (before, known) => format!("{before:x}-{known:x}"),
        };
        let position = [self.server, self.xid, self.seq].map(|number| format!("{number:x}"));
        let fields: Vec<_> = position.into_iter().chain(self.late.iter().map(late)).collect();
        FeedCursor::parse(&fields.join(".")).ok()
    }

    /// Whether a server can go on from here.
    pub const fn is_of(&self, moment: &Moment) -> bool {
        self.server == moment.server && self.xid < moment.next_xid
    }

    /// The place of an entry that was read from here; those before it in the answer are known.
    ///
    /// One of a transaction that runs is the reader's own and may yet be undone: the place stays
    /// before it, and it is read again.
    pub fn after(&self, xid: i64, seq: i64, moment: &Moment) -> Self {
        let server = moment.server;
        if moment.running.contains(&xid) {
            Self { server, ..self.clone() }
        } else if xid < self.xid {
            // One of a late transaction. Those before it are over and wholly known by now, unless
            // they are running still.
            let open = |late: &&Late| late.xid >= xid || moment.running.contains(&late.xid);
            let known = |late: &Late| if late.xid == xid { seq } else { late.known };
            let known = |late: &Late| Late { known: known(late), ..*late };
            let late = self.late.iter().filter(open).map(known).collect();
            Self { server, late, ..*self }
        } else {
            // Entries of late transactions come before it in the answer.
            let running = moment.running.iter().filter(|running| **running < xid);
            let late = running.map(|running| Late { xid: *running, known: 0 }).collect();
            Self { server, xid, seq, late }
        }
    }
}

/// A number that is not negative, in hexadecimal digits.
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
        // The second is over, and the answer ends amid it.
        let amid = position.after(15, 2, &moment(&[10]));
        assert_eq!((amid.xid, amid.seq), (20, 5));
        assert_eq!(amid.late, [late(10, 0), late(15, 2)]);
        // Both are over, and the answer begins with the first.
        let first = amid.after(10, 1, &moment(&[]));
        assert_eq!(first.late, [late(10, 1), late(15, 2)]);
        assert_eq!(first.after(15, 3, &moment(&[])).late, [late(15, 3)]);
        let onward = first.after(30, 9, &moment(&[25]));
        assert_eq!((onward.xid, onward.seq, onward.late), (30, 9, vec![late(25, 0)]));
    }
}
