//! The ports of the installation: its keys, its identity and its events.

use async_trait::async_trait;
use gateward_domain::key::StoredKey;
use gateward_domain::ports::{EventLog, Instance, KeyRepo, StoreError};
use gateward_domain::{Event, SessionId};

use crate::rows::{EventRow, InstanceRow, KeyRow};
use crate::tables::{EVENTS_OF_SESSION, enter, insert};
use crate::unit::RedbTx;

#[async_trait]
impl KeyRepo for RedbTx {
    async fn lock_instance(&mut self, proposed: &Instance) -> Result<Instance, StoreError> {
        let proposed = proposed.clone();
        if let Some(stands) = self.lock(|view| view.find::<InstanceRow>(())).await? {
            return Ok(stands);
        }
        self.write(move |transaction| {
            insert::<InstanceRow>(transaction, (), &proposed)?;
            Ok(proposed)
        })
        .await
    }

    async fn find_instance(&mut self) -> Result<Option<Instance>, StoreError> {
        self.read(|view| view.find::<InstanceRow>(())).await
    }

    async fn insert_key(&mut self, key: &StoredKey) -> Result<(), StoreError> {
        let key = key.clone();
        self.write(move |transaction| insert::<KeyRow>(transaction, &key.id.0, &key)).await
    }

    async fn list_keys(&mut self) -> Result<Vec<StoredKey>, StoreError> {
        self.read(|view| {
            let mut keys = view.all::<KeyRow>()?;
            keys.sort_by_key(|key| (key.active_from, key.created_at, key.id.clone()));
            Ok(keys)
        })
        .await
    }
}

#[async_trait]
impl EventLog for RedbTx {
    async fn insert_event(&mut self, event: &Event) -> Result<(), StoreError> {
        let event = event.clone();
        self.write(move |transaction| {
            let id = event.id.uuid().as_u128();
            if let Some(session_id) = event.session_id {
                let place = (session_id.uuid().as_u128(), event.at.micros(), id);
                enter(transaction, EVENTS_OF_SESSION, place)?;
            }
            insert::<EventRow>(transaction, id, &event)
        })
        .await
    }

    async fn list_session_events(
        &mut self,
        session_id: SessionId,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        self.read(move |view| {
            let ids = view.members(EVENTS_OF_SESSION, session_id.uuid().as_u128(), limit)?;
            ids.into_iter().filter_map(|id| view.find::<EventRow>(id).transpose()).collect()
        })
        .await
    }
}
