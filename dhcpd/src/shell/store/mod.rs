//! Where leases are durable.
//!
//! A store is a journal: records with ascending positions, of which the latest of each address counts.
//! It is written by one thread, in groups, and read once at the start: the index is in memory. An engine
//! that several servers share implements the same.

mod entries;
mod frame;
mod journal;
#[cfg(test)]
mod tests;

pub use journal::RedbJournal;

use std::fmt;

use crate::core::Record;

/// A journal of leases.
pub trait LeaseStore: Send {
    /// The latest record of each address, in the order of their positions. To be called once, first.
    ///
    /// # Errors
    /// The store cannot be read, and nothing in it can be saved.
    fn load(&mut self) -> Result<Loaded, StoreError>;

    /// Makes `records` durable, all of them or none. On success they are on disk, not before.
    ///
    /// # Errors
    /// They are not durable. The same records, with more behind them, may be tried again.
    fn commit(&mut self, records: &[(u64, Record)]) -> Result<(), StoreError>;
}

/// What was found in a store.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The latest record of each address, with its position.
    pub records: Vec<(u64, Record)>,
    /// What was wrong and what was done about it, if anything was.
    pub damage: Option<String>,
}

/// Why leases cannot be read or written, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError(pub String);

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StoreError {}
