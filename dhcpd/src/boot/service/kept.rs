//! Snapshots that boots began with, for the files of those boots.

use std::collections::VecDeque;
use std::sync::Arc;

use inventory_core::model::Snapshot;

use crate::boot::version_of;

/// How many there are at most.
pub(super) const KEPT: usize = 16;
/// How long after its last script a snapshot is kept: longer than any installation takes.
pub(super) const AGE_MS: u64 = 24 * 60 * 60 * 1000;

/// The snapshots, the one that made the latest script last.
#[derive(Debug, Default)]
pub(super) struct Kept(VecDeque<(Box<str>, u64, Arc<Snapshot>)>);

impl Kept {
    /// The snapshot that `version` names, if a boot began with it of late.
    pub(super) fn get(&self, version: &str, now_ms: u64) -> Option<Arc<Snapshot>> {
        let young = |at: u64| now_ms.saturating_sub(at) < AGE_MS;
        let found = self.0.iter().find(|(kept, at, _)| **kept == *version && young(*at));
        found.map(|(_, _, snapshot)| Arc::clone(snapshot))
    }

    /// Keeps a snapshot that a script was made from. Those that are too old are let go.
    pub(super) fn keep(&mut self, snapshot: &Arc<Snapshot>, now_ms: u64) {
        let version: Box<str> = version_of(snapshot.hash).into();
        self.0.retain(|(kept, at, _)| *kept != version && now_ms.saturating_sub(*at) < AGE_MS);
        if self.0.len() >= KEPT {
            self.0.pop_front();
        }
        self.0.push_back((version, now_ms, Arc::clone(snapshot)));
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }
}
