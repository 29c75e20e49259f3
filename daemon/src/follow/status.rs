//! What following the inventory looks like from outside: control socket, metrics, `hostbook status`.

use std::time::{SystemTime, UNIX_EPOCH};

use inventory_core::diag::Diagnostic;
use inventory_core::model::{Commit, Snapshot};
use serde::{Deserialize, Serialize};

use crate::metrics::InventoryFigures;

/// State of a followed inventory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FollowStatus {
    /// Generation in service; 0 before the first.
    pub generation: u64,
    /// Content hash in service, 64 hexadecimal digits.
    pub hash: String,
    /// The commit in service, the newest where several inventories are served; `None` where none is a
    /// branch.
    pub commit: Option<String>,
    /// Whether what is in service is what the inventory says now.
    pub ok: bool,
    /// Whether what is in service came from the state directory, because the inventory was broken at start.
    pub from_last_good: bool,
    /// Hosts in service.
    pub hosts: usize,
    /// Networks in service.
    pub networks: usize,
    /// Zones in service, derived reverse zones included.
    pub zones: usize,
    /// When this generation came into service, in seconds since 1970.
    pub served_since: u64,
    /// When the inventory was last looked at, in seconds since 1970.
    pub looked_at: u64,
    /// What is wrong with the inventory now.
    pub errors: Errors,
    /// How many warnings the state in service has.
    pub warnings: usize,
    /// Why the last good state could not be kept.
    pub last_good_trouble: Option<String>,
    /// Each inventory that is followed, in the order of the command line.
    pub sources: Vec<SourceStatus>,
}

/// State of one inventory among those that are followed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SourceStatus {
    /// Where it is, as the command line names it.
    pub place: String,
    /// What it is called in paths.
    pub label: String,
    /// Whether what is served of it is what it says now.
    pub ok: bool,
    /// Whether anything of it is served.
    pub in_service: bool,
    /// Its own content hash that is served; empty if nothing is.
    pub hash: String,
    /// The commit that is served.
    pub commit: Option<String>,
    /// When that was made, in seconds since 1970.
    pub commit_time: Option<u64>,
    /// Whether what is served of it came from the state directory.
    pub from_last_good: bool,
    /// What is wrong with it now, by itself or beside the others.
    pub errors: Errors,
}

/// What is wrong, bounded.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Errors {
    /// How many there are.
    pub count: usize,
    /// The first of them.
    pub first: Vec<Diagnostic>,
}

/// Diagnostics that a status carries at most.
const SHOWN_MAX: usize = 20;

impl FollowStatus {
    /// What of it goes to metrics.
    pub fn figures(&self) -> InventoryFigures {
        InventoryFigures {
            generation: self.generation,
            hash: self.hash.clone(),
            ok: self.ok,
            errors: u64::try_from(self.errors.count).unwrap_or(u64::MAX),
            served_since: self.served_since,
        }
    }

    /// Says what is in service now, and what is wrong with what is not.
    pub(super) fn update(
        &mut self,
        current: &Snapshot,
        commit: Option<Commit>,
        wrong: Vec<Diagnostic>,
        warnings: usize,
        sources: Vec<SourceStatus>,
    ) {
        let inventory = &current.inventory;
        if self.generation != current.generation {
            self.served_since = unix_now();
        }
        self.generation = current.generation;
        self.hash = current.hash.to_string();
        self.commit = commit.map(|commit| commit.id.to_string());
        self.ok = sources.iter().all(|source| source.ok);
        self.from_last_good = sources.iter().any(|source| source.from_last_good);
        self.hosts = inventory.host_count();
        self.networks = inventory.globals.networks.len();
        self.zones = inventory.globals.zones.len();
        self.errors = Errors::of(wrong);
        self.warnings = warnings;
        self.sources = sources;
        self.looked_at = unix_now();
    }
}

impl Errors {
    /// All of `errors` counted, the first of them shown.
    pub(super) fn of(mut errors: Vec<Diagnostic>) -> Errors {
        let count = errors.len();
        errors.truncate(SHOWN_MAX);
        Errors { count, first: errors }
    }
}

fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
