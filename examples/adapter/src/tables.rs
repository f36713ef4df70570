//! The tables, and the few ways in which the ports get at them.
//!
//! A table can be open once in a transaction at a time, so each function here opens its table,
//! does its work and closes it again.

use gateward_domain::ports::{StoreError, Taken};
use redb::{
    Key, ReadTransaction, ReadableTable, TableDefinition, TableError, Value, WriteTransaction,
};

use crate::failed;
use crate::rows::{EventRow, InstanceRow, KeyRow, Row, SessionRow, UserRow};

/// Names that belong to one account each.
pub type Names = TableDefinition<'static, &'static str, u128>;

/// Which rows belong to an owner, in order of time: owner, microseconds, row.
pub type Index = TableDefinition<'static, (u128, i64, u128), ()>;

/// Usernames without regard to case, and whose they are.
pub const USERNAMES: Names = TableDefinition::new("usernames");
/// Addresses, and whose they are.
pub const EMAILS: Names = TableDefinition::new("emails");
/// The sessions of a user, by when they began.
pub const SESSIONS_OF_USER: Index = TableDefinition::new("sessions_of_user");
/// The events of a session, by when they happened.
pub const EVENTS_OF_SESSION: Index = TableDefinition::new("events_of_session");
/// All sessions, by the end of their longest life.
pub const LIFETIMES: TableDefinition<'static, (i64, u128), ()> = TableDefinition::new("lifetimes");

/// The table of a row.
pub const fn table<R: Row>() -> TableDefinition<'static, R::Key, &'static [u8]> {
    TableDefinition::new(R::TABLE)
}

/// What finds a row of its kind.
pub type KeyOf<'k, R> = <<R as Row>::Key as Value>::SelfType<'k>;

/// Makes all tables: a reader cannot open one that was never made.
pub fn create_all(transaction: &WriteTransaction) -> Result<(), StoreError> {
    let create = || -> Result<(), TableError> {
        transaction.open_table(USERNAMES)?;
        transaction.open_table(EMAILS)?;
        transaction.open_table(SESSIONS_OF_USER)?;
        transaction.open_table(EVENTS_OF_SESSION)?;
        transaction.open_table(LIFETIMES)?;
        transaction.open_table(table::<UserRow>())?;
        transaction.open_table(table::<SessionRow>())?;
        transaction.open_table(table::<EventRow>())?;
        transaction.open_table(table::<KeyRow>())?;
        transaction.open_table(table::<InstanceRow>())?;
        Ok(())
    };
    create().map_err(failed)
}

/// What a unit of work sees.
#[derive(Clone, Copy)]
pub enum View<'t> {
    /// What was committed when it began.
    Committed(&'t ReadTransaction),
    /// That, with its own changes.
    Own(&'t WriteTransaction),
}

/// Opens a table in whichever transaction it is, and does the same with it.
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
    /// The row with this key.
    pub fn find<R: Row>(self, key: KeyOf<'_, R>) -> Result<Option<R::Noun>, StoreError> {
        with_table!(self, table::<R>(), rows => {
            let found = rows.get(key).map_err(failed)?;
            found.map(|row| decode::<R>(row.value())).transpose()
        })
    }

    /// All rows of a table that is small.
    pub fn all<R: Row>(self) -> Result<Vec<R::Noun>, StoreError> {
        with_table!(self, table::<R>(), rows => {
            let all = rows.iter().map_err(failed)?;
            all.map(|row| decode::<R>(row.map_err(failed)?.1.value())).collect()
        })
    }

    /// Whose this name is.
    pub fn owner(self, names: Names, name: &str) -> Result<Option<u128>, StoreError> {
        with_table!(self, names, owners => {
            Ok(owners.get(name).map_err(failed)?.map(|owner| owner.value()))
        })
    }

    /// What belongs to an owner, oldest first.
    pub fn members(self, index: Index, owner: u128, limit: usize) -> Result<Vec<u128>, StoreError> {
        let range = (owner, i64::MIN, u128::MIN)..=(owner, i64::MAX, u128::MAX);
        with_table!(self, index, members => {
            let members = members.range(range).map_err(failed)?.take(limit);
            members.map(|member| Ok(member.map_err(failed)?.0.value().2)).collect()
        })
    }
}

fn decode<R: Row>(bytes: &[u8]) -> Result<R::Noun, StoreError> {
    let corrupt = |column| StoreError::Corrupt { table: R::TABLE, column };
    let row: R = serde_json::from_slice(bytes).map_err(|_| corrupt("row"))?;
    row.into_noun().map_err(corrupt)
}

/// Writes a row; says whether there was one with this key.
fn write<R: Row>(
    transaction: &WriteTransaction,
    key: KeyOf<'_, R>,
    noun: &R::Noun,
) -> Result<bool, StoreError> {
    let bytes = serde_json::to_vec(&R::of(noun));
    let bytes = bytes.map_err(|error| StoreError::Unavailable(Box::new(error)))?;
    let mut rows = transaction.open_table(table::<R>()).map_err(failed)?;
    let before = rows.insert(key, bytes.as_slice()).map_err(failed)?;
    Ok(before.is_some())
}

/// Adds a row whose key nobody has.
pub fn insert<R: Row>(
    transaction: &WriteTransaction,
    key: KeyOf<'_, R>,
    noun: &R::Noun,
) -> Result<(), StoreError> {
    if write::<R>(transaction, key, noun)? {
        let doubled = format!("the table {} has a row with this key already", R::TABLE);
        return Err(StoreError::Unavailable(doubled.into()));
    }
    Ok(())
}

/// Changes a row if it is there and `change` agrees; says whether it was changed.
///
/// This is the place of an `UPDATE … WHERE …`: between reading and writing nobody else writes.
pub fn update<R: Row<Key = u128>>(
    transaction: &WriteTransaction,
    key: u128,
    change: impl FnOnce(&mut R::Noun) -> bool,
) -> Result<bool, StoreError> {
    let Some(mut noun) = View::Own(transaction).find::<R>(key)? else { return Ok(false) };
    if !change(&mut noun) {
        return Ok(false);
    }
    write::<R>(transaction, key, &noun)
}

/// Gives a name to an account, unless it is another's.
pub fn claim(
    transaction: &WriteTransaction,
    names: Names,
    (name, owner): (&str, u128),
    what: Taken,
) -> Result<(), StoreError> {
    let mut owners = transaction.open_table(names).map_err(failed)?;
    let before = owners.insert(name, owner).map_err(failed)?;
    // What was written over another's name is undone with the error.
    if before.is_some_and(|before| before.value() != owner) {
        return Err(StoreError::Taken(what));
    }
    Ok(())
}

/// Adds an entry to an index, or to another table that says nothing but that something is there.
pub fn enter<K: Key + 'static>(
    transaction: &WriteTransaction,
    index: TableDefinition<'static, K, ()>,
    entry: K::SelfType<'_>,
) -> Result<(), StoreError> {
    let mut entries = transaction.open_table(index).map_err(failed)?;
    entries.insert(entry, ()).map_err(failed)?;
    Ok(())
}

/// Removes whatever stands under a key.
pub fn remove<K: Key + 'static, V: Value + 'static>(
    transaction: &WriteTransaction,
    definition: TableDefinition<'static, K, V>,
    key: K::SelfType<'_>,
) -> Result<(), StoreError> {
    let mut rows = transaction.open_table(definition).map_err(failed)?;
    rows.remove(key).map_err(failed)?;
    Ok(())
}
