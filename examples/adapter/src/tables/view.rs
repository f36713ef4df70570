//! `View`: how the ports read the tables.
//!
//! A transaction can open a table only once at a time, so each method opens its table, reads and
//! closes it again.

use std::ops::Bound::{Excluded, Included, Unbounded};
use std::ops::RangeBounds;

use gateward_domain::ports::StoreError;
use redb::{Key, ReadTransaction, ReadableTable, WriteTransaction};

use super::{Index, KeyOf, Owners, Pages, Times, USER_NUMBERS, table};
use crate::failed;
use crate::rows::Row;

/// What a unit of work sees.
#[derive(Clone, Copy)]
pub enum View<'t> {
    /// The state committed when the unit began.
    Committed(&'t ReadTransaction),
    /// That state, with the unit's own changes.
    Own(&'t WriteTransaction),
}

/// Opens a table in either transaction, and runs the same code with it.
macro_rules! with_table {
    ($view:expr, $definition:expr, $table:ident => $work:expr) => {
        match $view {
            View::Committed(transaction) => {
                let $table = transaction.open_table($definition).map_err(failed)?;
                $work
            }
            View::Own(transaction) => {
                let $table = transaction.open_table($definition).map_err(failed)?;
                $work
            }
        }
    };
}

impl View<'_> {
    /// Returns the row with this key.
    pub fn find<R: Row>(self, key: KeyOf<'_, R>) -> Result<Option<R::Noun>, StoreError> {
        with_table!(self, table::<R>(), rows => {
            let found = rows.get(key).map_err(failed)?;
            found.map(|row| decode::<R>(row.value())).transpose()
        })
    }

    /// Returns the number of an account.
    pub fn user_number(self, account: u128) -> Result<Option<i64>, StoreError> {
        with_table!(self, USER_NUMBERS, numbers => {
            Ok(numbers.get(account).map_err(failed)?.map(|number| number.value()))
        })
    }

    /// Returns the existing rows with these keys, in the order of the keys.
    pub fn find_all<R: Row<Key = u128>>(self, keys: Vec<u128>) -> Result<Vec<R::Noun>, StoreError> {
        keys.into_iter().filter_map(|key| self.find::<R>(key).transpose()).collect()
    }

    /// Returns all rows of a small table.
    pub fn all<R: Row>(self) -> Result<Vec<R::Noun>, StoreError> {
        with_table!(self, table::<R>(), rows => {
            let all = rows.iter().map_err(failed)?;
            all.map(|row| decode::<R>(row.map_err(failed)?.1.value())).collect()
        })
    }

    /// Returns the first matching rows after a key, ordered by key, at most `limit`. Scans the
    /// table until it has them.
    pub fn after<R: Row<Key = u128>>(
        self,
        after: Option<u128>,
        limit: usize,
        wanted: impl Fn(&R::Noun) -> bool,
    ) -> Result<Vec<R::Noun>, StoreError> {
        let first = after.map_or(Unbounded, Excluded);
        with_table!(self, table::<R>(), rows => {
            let rows = rows.range::<u128>((first, Unbounded)).map_err(failed)?;
            let nouns = rows.map(|row| decode::<R>(row.map_err(failed)?.1.value()));
            nouns.filter(|noun| noun.as_ref().map_or(true, &wanted)).take(limit).collect()
        })
    }

    /// Returns the last matching rows within a range of keys, last first, at most `limit`. Scans
    /// the range until it has them.
    pub fn last<R: Row<Key = u128>>(
        self,
        range: impl RangeBounds<u128>,
        limit: usize,
        wanted: impl Fn(&R::Noun) -> bool,
    ) -> Result<Vec<R::Noun>, StoreError> {
        with_table!(self, table::<R>(), rows => {
            let rows = rows.range::<u128>(range).map_err(failed)?.rev();
            let nouns = rows.map(|row| decode::<R>(row.map_err(failed)?.1.value()));
            nouns.filter(|noun| noun.as_ref().map_or(true, &wanted)).take(limit).collect()
        })
    }

    /// Returns the newest matching rows, at most `limit`. Scans the table until it has them.
    pub fn newest<R: Row>(
        self,
        limit: usize,
        wanted: impl Fn(&R::Noun) -> bool,
    ) -> Result<Vec<R::Noun>, StoreError> {
        with_table!(self, table::<R>(), rows => {
            let all = rows.iter().map_err(failed)?.rev();
            let nouns = all.map(|row| decode::<R>(row.map_err(failed)?.1.value()));
            nouns.filter(|noun| noun.as_ref().map_or(true, &wanted)).take(limit).collect()
        })
    }

    /// Returns the owner of a key.
    pub fn owner<K: Key + 'static>(
        self,
        owners: Owners<K>,
        name: K::SelfType<'_>,
    ) -> Result<Option<u128>, StoreError> {
        with_table!(self, owners, owners => {
            Ok(owners.get(name).map_err(failed)?.map(|owner| owner.value()))
        })
    }

    /// Returns the rows of an owner, oldest first, then by identifier.
    pub fn members<'o, O: Key + 'static>(
        self,
        index: Index<O>,
        owner: O::SelfType<'o>,
        limit: usize,
    ) -> Result<Vec<u128>, StoreError>
    where
        O::SelfType<'o>: Copy,
    {
        let range = (owner, i64::MIN, u128::MIN)..=(owner, i64::MAX, u128::MAX);
        with_table!(self, index, members => {
            let members = members.range(range).map_err(failed)?.take(limit);
            members.map(|member| Ok(member.map_err(failed)?.0.value().2)).collect()
        })
    }

    /// Returns the rows of an owner after `after`, ordered by identifier.
    pub fn page(
        self,
        index: Pages,
        owner: u128,
        after: Option<u128>,
        limit: usize,
    ) -> Result<Vec<u128>, StoreError> {
        let first = after.map_or(Included((owner, u128::MIN)), |after| Excluded((owner, after)));
        with_table!(self, index, members => {
            let range = (first, Included((owner, u128::MAX)));
            let members = members.range::<(u128, u128)>(range).map_err(failed)?.take(limit);
            members.map(|member| Ok(member.map_err(failed)?.0.value().1)).collect()
        })
    }

    /// Returns the rows in a range of times, or of numbers, in order.
    pub fn span(
        self,
        times: Times,
        range: impl RangeBounds<(i64, u128)>,
        limit: usize,
    ) -> Result<Vec<u128>, StoreError> {
        Ok(self.places(times, range, limit)?.into_iter().map(|(_, row)| row).collect())
    }

    /// The same, with the times.
    pub fn places(
        self,
        times: Times,
        range: impl RangeBounds<(i64, u128)>,
        limit: usize,
    ) -> Result<Vec<(i64, u128)>, StoreError> {
        with_table!(self, times, entries => {
            let entries = entries.range(range).map_err(failed)?.take(limit);
            entries.map(|entry| Ok(entry.map_err(failed)?.0.value())).collect()
        })
    }

    /// Returns the owners of the names that start with a text, ordered by their bytes, those after
    /// `after`.
    pub fn named(
        self,
        owners: Owners<&'static str>,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<u128>, StoreError> {
        let after = after.filter(|after| *after >= prefix);
        let range = (after.map_or(Included(prefix), Excluded), Unbounded);
        with_table!(self, owners, owners => {
            let mut found = Vec::new();
            for entry in owners.range::<&str>(range).map_err(failed)?.take(limit) {
                let (name, owner) = entry.map_err(failed)?;
                if !name.value().starts_with(prefix) {
                    break;
                }
                found.push(owner.value());
            }
            Ok(found)
        })
    }
}

/// Parses a row.
fn decode<R: Row>(bytes: &[u8]) -> Result<R::Noun, StoreError> {
    let corrupt = |column| StoreError::Corrupt { table: R::TABLE, column };
    let row: R = serde_json::from_slice(bytes).map_err(|_| corrupt("row"))?;
    row.into_noun().map_err(corrupt)
}
