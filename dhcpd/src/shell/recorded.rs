//! A lease store whose commits are heard by others: the history, and who tells names.

use std::sync::Arc;

use super::names::Mailbox;
use super::store::{LeaseStore, Loaded, StoreError};
use crate::core::Record;
use crate::history::History;

/// Commits to `store`, then tells the history what has become durable.
pub(super) struct Recorded<S> {
    pub(super) store: S,
    /// `None`: none is kept.
    pub(super) history: Option<Arc<History>>,
    /// Whether the history is to begin with the leases that there are.
    pub(super) is_new: bool,
    /// Who tells a DNS server of names.
    pub(super) names: Arc<Mailbox>,
}

impl<S: LeaseStore> LeaseStore for Recorded<S> {
    fn load(&mut self) -> Result<Loaded, StoreError> {
        let loaded = self.store.load()?;
        if let Some(history) = &self.history
            && std::mem::take(&mut self.is_new)
        {
            history.add(loaded.records.iter().map(|(_, record)| record));
        }
        self.names.hear_all();
        Ok(loaded)
    }

    fn commit(&mut self, records: &[(u64, Record)]) -> Result<(), StoreError> {
        self.store.commit(records)?;
        if let Some(history) = &self.history {
            history.add(records.iter().map(|(_, record)| record));
        }
        self.names.hear(records.iter().map(|(_, record)| record));
        Ok(())
    }
}
