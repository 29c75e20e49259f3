//! The thread that follows: looks, chooses what can be served together, hands it on.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use inventory_core::diag::{self, Diagnostic};
use inventory_core::join::{Joiner, Part, clashes};
use inventory_core::model::Snapshot;
use inventory_core::watch::{Wake, Watcher};
use tracing::{error, info, warn};

use super::followed::{Followed, Look, labelled, labels, newest};
use super::status::FollowStatus;
use super::{FollowOptions, StartError};
use crate::sys::heap::give_back_memory;

/// More lines than this say nothing new; `hostbook check` shows all.
const LINES_MAX: usize = 10;
/// Once so many files have been read since the last time, freed memory is given back.
const FILES_READ: u64 = 64;

/// Follows all inventories.
pub(super) struct Follower {
    sources: Vec<Followed>,
    joiner: Joiner,
    /// What is in service.
    current: Option<Arc<Snapshot>>,
    generation: u64,
    /// Files read when freed memory was last given back.
    read_before: u64,
    status: Arc<Mutex<FollowStatus>>,
    daemon: &'static str,
}

impl Follower {
    pub(super) fn new(options: &FollowOptions, status: Arc<Mutex<FollowStatus>>) -> Follower {
        let is_only = options.inventories.len() == 1;
        let named = options.inventories.iter().zip(labels(&options.inventories));
        let sources = named.map(|(place, label)| Followed::new(place, label, &options.state_dir, is_only));
        Follower {
            sources: sources.collect(),
            joiner: Joiner::default(),
            current: None,
            generation: 0,
            read_before: 0,
            status,
            daemon: options.daemon,
        }
    }

    /// Takes the first state into service. An inventory that is broken is served in its last good state.
    pub(super) fn start(&mut self, apply: &mut impl FnMut(&Arc<Snapshot>)) -> Result<(), StartError> {
        let mut troubles = Vec::new();
        let mut kept = Vec::new();
        for source in &mut self.sources {
            if source.look() == Look::Broken {
                match source.take_last_good() {
                    Ok(since) => kept.push(since),
                    Err(why) => troubles.extend(why),
                }
            }
        }
        if self.sources.iter().all(|source| source.good.is_none()) {
            let wrong = self.sources.iter().flat_map(|source| self.shown(source));
            let inventory = self.sources.first().map(|source| source.place.clone()).unwrap_or_default();
            let last_good = (!troubles.is_empty()).then(|| troubles.join("; "));
            return Err(StartError { inventory, diagnostics: wrong.collect(), last_good });
        }
        self.serve(apply);
        self.tell_wrong();
        for why in troubles {
            error!(%why, "an inventory is not served");
        }
        for kept in kept {
            let hash =
                self.current.as_ref().map(|current| format!("{:.12}", current.hash)).unwrap_or_default();
            error!(
                daemon = self.daemon,
                %kept,
                %hash,
                "started on a broken inventory: serving the LAST GOOD state from the state directory until it is mended",
            );
        }
        Ok(())
    }

    /// Follows until the watcher is stopped.
    pub(super) fn run(mut self, mut watcher: Watcher, mut apply: impl FnMut(&Arc<Snapshot>)) {
        // What was made between the first look and now raised a hint; new directories did not.
        let mut again = watcher.refresh();
        loop {
            let wake = if std::mem::take(&mut again) { Wake::Hint } else { watcher.wait() };
            if wake == Wake::Stop {
                return;
            }
            self.look(wake, &mut apply);
            again = watcher.refresh();
        }
    }

    fn look(&mut self, wake: Wake, apply: &mut impl FnMut(&Arc<Snapshot>)) {
        let started = Instant::now();
        let looks: Vec<Look> = self.sources.iter_mut().map(Followed::look).collect();
        if looks.iter().all(|look| *look == Look::Unchanged) {
            if wake == Wake::Asked {
                info!("looked at the inventory as asked: nothing changed");
            }
            // A commit may have changed nothing that counts.
            self.update_status();
            return;
        }
        let before = self.generation;
        self.serve(apply);
        if self.generation != before {
            let milliseconds = started.elapsed().as_millis();
            info!(generation = self.generation, milliseconds, "change taken into service");
        }
        self.tell_wrong();
    }

    /// Takes into service what is good and goes together, then keeps it.
    fn serve(&mut self, apply: &mut impl FnMut(&Arc<Snapshot>)) {
        self.choose();
        let parts: Vec<Part<'_>> = self.sources.iter().filter_map(part).collect();
        let (hash, inventory) = self.joiner.join(&parts);
        if self.current.as_ref().is_none_or(|current| current.hash != hash) {
            self.generation += 1;
            let commit = newest(self.sources.iter());
            let snapshot = Arc::new(Snapshot { generation: self.generation, hash, inventory, commit });
            apply(&snapshot);
            let (hosts, hash) = (snapshot.inventory.host_count(), hash.to_string());
            let warnings: usize = self.sources.iter().map(|source| source.warnings).sum();
            let commit = snapshot.commit.as_ref().map(|commit| commit.id.to_string()).unwrap_or_default();
            info!(
                generation = snapshot.generation,
                hash = &hash[..12],
                hosts,
                warnings,
                commit = &commit[..commit.len().min(12)],
                "inventory in service"
            );
            self.current = Some(snapshot);
        } else if self.sources.iter().all(Followed::is_fine) {
            info!(generation = self.generation, "inventory is whole again, with what is served already");
        }
        self.update_status();
        self.keep();
        // What was parsed, and views that were replaced, lay between what stays.
        let read = self.sources.iter().map(Followed::files_read).sum();
        if self.read_before + FILES_READ <= read {
            self.read_before = read;
            give_back_memory();
        }
    }

    /// Decides for each inventory, in their order, which state of it is served: what it says now, else what
    /// was served of it, if that goes with those before it.
    fn choose(&mut self) {
        for index in 0..self.sources.len() {
            let (before, rest) = self.sources.split_at_mut(index);
            let Some(source) = rest.first_mut() else { continue };
            let parts: Vec<Part<'_>> = before.iter().filter_map(part).collect();
            source.clashes.clear();
            let Some(good) = source.good.clone() else { continue };
            let findings = clashes(&parts, &good.inventory);
            if findings.is_empty() {
                source.served = Some(good);
                continue;
            }
            source.clashes = source.located(&findings);
            let goes = |served: &Snapshot| clashes(&parts, &served.inventory).is_empty();
            source.served = source.served.take().filter(goes);
        }
    }

    fn keep(&mut self) {
        let kept: Vec<String> = self.sources.iter_mut().filter_map(|source| source.keep().err()).collect();
        let trouble = (!kept.is_empty()).then(|| kept.join("; "));
        if let Some(why) = &trouble {
            warn!(%why, "the last good state could not be kept: a restart on a broken inventory would find an older one");
        }
        self.with_status(|status| status.last_good_trouble = trouble);
    }

    /// Says what is wrong, and what is served meanwhile.
    fn tell_wrong(&self) {
        let wrong: Vec<Diagnostic> = self.sources.iter().flat_map(|source| self.shown(source)).collect();
        if wrong.is_empty() {
            return;
        }
        for diagnostic in wrong.iter().take(LINES_MAX) {
            error!("{}", diag::short(diagnostic));
        }
        let generation = self.generation;
        error!(
            errors = wrong.len(),
            generation, "the inventory is broken; generation {generation} stays in service"
        );
        for source in self.sources.iter().filter(|source| source.served.is_none()) {
            error!(inventory = %source.place.display(), "nothing of this inventory is served");
        }
    }

    /// What is wrong with one inventory, as it is shown.
    fn shown(&self, source: &Followed) -> Vec<Diagnostic> {
        let label = (self.sources.len() > 1).then_some(&source.label);
        let wrong = source.wrong();
        wrong.map(|one| label.map_or_else(|| one.clone(), |label| labelled(label, one))).collect()
    }

    fn update_status(&self) {
        let Some(current) = &self.current else { return };
        let wrong: Vec<Diagnostic> = self.sources.iter().flat_map(|source| self.shown(source)).collect();
        let sources = self.sources.iter().map(Followed::status).collect();
        let warnings = self.sources.iter().map(|source| source.warnings).sum();
        let commit = newest(self.sources.iter());
        self.with_status(|status| status.update(current, commit, wrong, warnings, sources));
    }

    fn with_status<T>(&self, act: impl FnOnce(&mut FollowStatus) -> T) -> T {
        act(&mut self.status.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn part(source: &Followed) -> Option<Part<'_>> {
    source.served.as_ref().map(|snapshot| Part { label: &source.label, snapshot })
}
