//! What following the inventory looks like from outside: control socket, metrics, `hostbook status`.

use std::time::{SystemTime, UNIX_EPOCH};

use inventory_core::diag::Diagnostic;
use inventory_core::model::Snapshot;
use serde::{Deserialize, Serialize};

use crate::metrics::InventoryFigures;

/// State of a followed inventory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FollowStatus {
    /// Generation in service; 0 before the first.
    pub generation: u64,
    /// Content hash in service, 64 hexadecimal digits.
    pub hash: String,
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

    pub(super) fn good(&mut self, snapshot: &Snapshot, warnings: &[Diagnostic]) {
        let inventory = &snapshot.inventory;
        let hash = snapshot.hash.to_string();
        if self.hash != hash || self.generation != snapshot.generation {
            self.served_since = unix_now();
        }
        self.generation = snapshot.generation;
        self.hash = hash;
        self.ok = true;
        self.from_last_good = false;
        self.hosts = inventory.host_count();
        self.networks = inventory.globals.networks.len();
        self.zones = inventory.globals.zones.len();
        self.errors = Errors::default();
        self.warnings = warnings.len();
        self.looked();
    }

    pub(super) fn broken(&mut self, diagnostics: Vec<Diagnostic>) {
        let mut errors: Vec<_> = diagnostics.into_iter().filter(Diagnostic::is_error).collect();
        let count = errors.len();
        errors.truncate(SHOWN_MAX);
        self.ok = false;
        self.errors = Errors { count, first: errors };
        self.looked();
    }

    pub(super) fn looked(&mut self) {
        self.looked_at = unix_now();
    }
}

fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
