//! How the ports change the tables.
//!
//! A transaction can open a table only once at a time, so each function opens its table, changes it
//! and closes it again.

use gateward_domain::link::SecretHash;
use gateward_domain::ports::StoreError;
use redb::{Key, ReadableTable, TableDefinition, TableHandle, Value, WriteTransaction};

use super::{KeyOf, Owners, View, table};
use crate::failed;
use crate::rows::Row;

/// Inserts a row with a new key.
pub fn insert<R: Row>(
    transaction: &WriteTransaction,
    key: KeyOf<'_, R>,
    noun: &R::Noun,
) -> Result<(), StoreError> {
    if write::<R>(transaction, key, noun)? { Err(doubled(R::TABLE)) } else { Ok(()) }
}

/// Changes a row if it exists and `change` agrees. Returns whether it was changed.
///
/// It corresponds to an `UPDATE … WHERE …`: there is no other write between reading and writing.
pub fn update<'k, R: Row>(
    transaction: &WriteTransaction,
    key: KeyOf<'k, R>,
    change: impl FnOnce(&mut R::Noun) -> bool,
) -> Result<bool, StoreError>
where
    KeyOf<'k, R>: Copy,
{
    let Some(mut noun) = View::Own(transaction).find::<R>(key)? else { return Ok(false) };
    if !change(&mut noun) {
        return Ok(false);
    }
    write::<R>(transaction, key, &noun)
}

/// Assigns a unique name to an owner. Returns `false`, and changes nothing, if it is taken.
pub fn claim<K: Key + 'static>(
    transaction: &WriteTransaction,
    owners: Owners<K>,
    name: K::SelfType<'_>,
    owner: u128,
) -> Result<bool, StoreError> {
    let mut owners = transaction.open_table(owners).map_err(failed)?;
    let before = owners.get(&name).map_err(failed)?.map(|before| before.value());
    if before.is_some_and(|before| before != owner) {
        return Ok(false);
    }
    owners.insert(name, owner).map_err(failed)?;
    Ok(true)
}

/// Records the owner of a secret. Random secrets never collide.
pub fn claim_secret(
    transaction: &WriteTransaction,
    owners: Owners<&'static [u8; 32]>,
    secret: &SecretHash,
    owner: u128,
) -> Result<(), StoreError> {
    let claimed = claim(transaction, owners, &secret.0, owner)?;
    if claimed { Ok(()) } else { Err(doubled(owners.name())) }
}

/// Adds an entry to an index.
pub fn enter<K: Key + 'static>(
    transaction: &WriteTransaction,
    index: TableDefinition<'static, K, ()>,
    entry: K::SelfType<'_>,
) -> Result<(), StoreError> {
    let mut entries = transaction.open_table(index).map_err(failed)?;
    entries.insert(entry, ()).map_err(failed)?;
    Ok(())
}

/// Removes the value of a key.
pub fn remove<K: Key + 'static, V: Value + 'static>(
    transaction: &WriteTransaction,
    definition: TableDefinition<'static, K, V>,
    key: K::SelfType<'_>,
) -> Result<(), StoreError> {
    let mut rows = transaction.open_table(definition).map_err(failed)?;
    rows.remove(key).map_err(failed)?;
    Ok(())
}

/// Writes a row. Returns whether one with this key existed.
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

/// Returns the error of inserting an existing key.
fn doubled(table: &str) -> StoreError {
    StoreError::Unavailable(format!("the table {table} has this key already").into())
}
