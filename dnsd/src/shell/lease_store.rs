//! The names of leases on disk: whoever has told us of one does not tell us again after a restart.

use std::path::PathBuf;

use daemon::state::StateDir;
use inventory_core::name::Name;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, TableError};
use tracing::warn;

use super::journal::open_database;
use crate::core::update::{Before, LeaseName, LeaseNames, Pointer};

/// By name in wire form.
const NAMES: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("names");
/// By address as text.
const POINTERS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("pointers");
/// File of both, below the state directory.
const FILE: &str = "names.redb";

/// The file; it is made when there is something to keep.
#[derive(Debug)]
pub(super) struct LeaseStore {
    path: PathBuf,
    database: Option<Database>,
}

impl LeaseStore {
    /// The file in `state`, and what is in it: nothing, and a warning, if it cannot be read.
    pub(super) fn open(state: &StateDir) -> (LeaseStore, LeaseNames) {
        let mut store = LeaseStore { path: state.path().join(FILE), database: None };
        if !store.path.exists() {
            return (store, LeaseNames::default());
        }
        let names = store.load().unwrap_or_else(|why| {
            warn!(%why, file = FILE, "names of leases cannot be read: there are none until machines renew");
            // What is in it would be there again after a restart, and of leases that have ended meanwhile.
            store.database = None;
            if let Err(error) = std::fs::rename(&store.path, store.path.with_extension("damaged")) {
                warn!(%error, file = FILE, "the file cannot be put aside");
            }
            LeaseNames::default()
        });
        (store, names)
    }

    /// Makes durable what names and addresses have that are in `changed`.
    ///
    /// # Errors
    /// Why that cannot be; the file is as it was.
    pub(super) fn commit(&mut self, names: &LeaseNames, changed: &Before) -> Result<(), String> {
        let written = self.write(names, changed).map_err(|error| error.to_string());
        if written.is_err() {
            // A database does not recover from errors of its file: it is opened anew.
            self.database = None;
        }
        written
    }

    fn write(&mut self, names: &LeaseNames, changed: &Before) -> Result<(), redb::Error> {
        let transaction = self.database()?.begin_write()?;
        {
            let mut table = transaction.open_table(NAMES)?;
            for name in changed.names.keys() {
                match names.get(name).and_then(|entry| serde_json::to_vec(entry).ok()) {
                    Some(value) => table.insert(name.as_wire(), &*value)?,
                    None => table.remove(name.as_wire())?,
                };
            }
            let mut table = transaction.open_table(POINTERS)?;
            for address in changed.pointers.keys() {
                let key = address.to_string();
                match names.pointer(*address).and_then(|pointer| serde_json::to_vec(pointer).ok()) {
                    Some(value) => table.insert(&*key, &*value)?,
                    None => table.remove(&*key)?,
                };
            }
        }
        transaction.commit()?;
        Ok(())
    }

    fn load(&mut self) -> Result<LeaseNames, redb::Error> {
        let transaction = self.database()?.begin_read()?;
        let (mut names, mut ignored) = (LeaseNames::default(), Before::default());
        match transaction.open_table(NAMES) {
            Ok(table) => {
                for entry in table.iter()? {
                    let (key, value) = entry?;
                    let name = Name::from_wire(key.value());
                    let entry = serde_json::from_slice::<LeaseName>(value.value()).ok();
                    if let (Some(name), Some(entry)) = (name, entry) {
                        names.set(&name, Some(entry), &mut ignored);
                    }
                }
            }
            Err(TableError::TableDoesNotExist(_)) => return Ok(names),
            Err(error) => return Err(error.into()),
        }
        for entry in transaction.open_table(POINTERS)?.iter()? {
            let (key, value) = entry?;
            let pointer = serde_json::from_slice::<Pointer>(value.value()).ok();
            if let (Ok(address), Some(pointer)) = (key.value().parse(), pointer) {
                names.set_pointer(address, Some(pointer), &mut ignored);
            }
        }
        Ok(names)
    }

    fn database(&mut self) -> Result<&Database, redb::Error> {
        let database = match self.database.take() {
            Some(database) => database,
            None => open_database(&self.path)?,
        };
        Ok(self.database.insert(database))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_put_aside_and_never_read_again() {
        let directory = std::env::temp_dir().join(format!("hostbook-names-{}", std::process::id()));
        let state = StateDir::open(&directory, None).unwrap();
        let path = directory.join(FILE);
        // Names are there, and the table that belongs to them is none of ours.
        let database = open_database(&path).unwrap();
        let transaction = database.begin_write().unwrap();
        transaction.open_table(NAMES).unwrap().insert(&b"\x01a\x00"[..], &b"{}"[..]).unwrap();
        transaction.open_table(TableDefinition::<u64, u64>::new("pointers")).unwrap();
        transaction.commit().unwrap();
        drop(database);
        for _ in 0..2 {
            let (store, names) = LeaseStore::open(&state);
            assert!(store.database.is_none() && names.get(&Name::parse("a", None).unwrap()).is_none());
            assert!(!path.exists() && path.with_extension("damaged").exists());
        }
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
