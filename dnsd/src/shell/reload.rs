//! Taking a snapshot into service: its view is built beside the old one, then a pointer is swapped.

mod leases;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::convert::Infallible;
use std::io;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use daemon::state::StateDir;
use inventory_core::model::Snapshot;
use inventory_core::name::Name;
use tracing::{info, warn};

use crate::core::delta::Delta;
use crate::core::dnssec::lifecycle::Command;
use crate::core::dnssec::{Signing, ZoneSigner};
use crate::core::serial::{Serials, UnixSeconds};
use crate::view::{DnsView, Problem, WrittenSerial, ZoneNumber};

use super::clock::wall_clock;
use super::lease_store::LeaseStore;
use super::service::Service;
use super::status::lock;
use super::zone_keys::ZoneKeyStore;
use leases::Leases;

/// File of the serials, below the state directory.
const SERIALS: &str = "serials.json";

/// Puts views into service.
pub(super) struct Reloader {
    service: Arc<Service>,
    state: Arc<StateDir>,
    serials: Serials,
    trouble: Arc<Mutex<Option<String>>>,
    last: Option<Arc<Snapshot>>,
    /// What waits until its serials can be kept.
    held: Option<Arc<Snapshot>>,
    known: Vec<Problem>,
    clock: Clock,
    zone_keys: ZoneKeyStore,
    leases: Leases,
}

/// Says the time: the system's, or a test's.
pub(super) type Clock = Box<dyn FnMut() -> UnixSeconds + Send>;

impl Reloader {
    /// Reads the serials of an earlier run. If they cannot be read, serials begin with the time, which is
    /// more than any earlier one as long as the clock is right.
    pub(super) fn new(
        service: Arc<Service>,
        state: Arc<StateDir>,
        trouble: Arc<Mutex<Option<String>>>,
        clock: Clock,
    ) -> Reloader {
        let serials = match state.read(SERIALS).map(|file| file.map(|text| serde_json::from_slice(&text))) {
            Ok(None) => Serials::default(),
            Ok(Some(Ok(serials))) => serials,
            Ok(Some(Err(error))) => {
                warn!(%error, file = SERIALS, "serials of the last run cannot be read: they start from the time");
                Serials::default()
            }
            Err(error) => {
                warn!(%error, "serials of the last run cannot be read: they start from the time");
                Serials::default()
            }
        };
        let zone_keys = ZoneKeyStore::new(Arc::clone(&state));
        let leases = Leases::new(LeaseStore::open(&state));
        Reloader {
            service,
            state,
            serials,
            trouble,
            last: None,
            held: None,
            known: Vec::new(),
            clock,
            zone_keys,
            leases,
        }
    }

    /// Builds the view of `snapshot`, makes its serials durable, and swaps it in.
    ///
    /// A serial that is forgotten may be given again for other content, which secondaries would never copy.
    /// So one that is not the time is not served before it is on disk: what is in service stays until it
    /// is, or time has caught up, see [`Reloader::retry`]. One that is the time needs no disk: whoever has
    /// forgotten it gives a later one. So while serials cannot be kept, changes get the time, also those of a
    /// branch, which else get that of their commit. At the start, when nothing is in service yet, names go
    /// before serials.
    pub(super) fn apply(&mut self, snapshot: &Arc<Snapshot>) {
        let started = Instant::now();
        let base = match &self.last {
            Some(last) => self.leases.base.updated(&last.inventory, snapshot),
            None => DnsView::build(snapshot),
        };
        let mut view = self.leases.put_into(&base, &snapshot.inventory.globals);
        let now = (self.clock)();
        view.set_signing(self.zone_keys.signing(&view, now));
        self.say_keys(&view);
        let committed = snapshot.commit.as_ref().map(|commit| commit.unix_seconds);
        let (names, zones) = (view.node_count(), view.zones().len());
        if !self.put_in_service(view, committed) {
            self.held = Some(Arc::clone(snapshot));
            return;
        }
        self.held = None;
        self.leases.follow(base);
        self.count_leases();
        self.service.keys.set(&snapshot.inventory.globals.keys);
        let milliseconds = started.elapsed().as_millis();
        info!(generation = snapshot.generation, zones, names, milliseconds, "names in service");
        self.last = Some(Arc::clone(snapshot));
    }

    /// Tries again what could not be kept, and does what time wants of the keys of signed zones; to be called
    /// every few seconds. Costs little if nothing is due.
    pub(super) fn retry(&mut self) {
        match self.held.take() {
            Some(snapshot) => self.apply(&snapshot),
            None => {
                if self.trouble().is_some() {
                    self.keep_serials();
                }
                self.tick();
            }
        }
    }

    /// Does what time wants of the keys of signed zones.
    pub(super) fn tick(&mut self) {
        let now = (self.clock)();
        let view = self.service.views.load_full();
        if self.last.is_none() || view.zones().iter().all(|(_, zone)| zone.dnssec.is_none()) {
            return;
        }
        let signing = self.zone_keys.signing(&view, now);
        self.say_keys(&view);
        let is_new = |number| {
            let content = |signing: &Signing| signing.zone(number).map(ZoneSigner::content);
            content(&signing) != content(view.signing())
        };
        if view.zones().iter().any(|(number, _)| is_new(number)) {
            let mut next = DnsView::clone(&view);
            next.set_signing(signing);
            // If its serials cannot be kept, it is tried again.
            let _ = self.put_in_service(next, None);
        }
    }

    /// Does what an operator wants with the key-signing key of `zone`.
    ///
    /// # Errors
    /// Says why that cannot be.
    pub(super) fn command(&mut self, zone: &Name, command: Command) -> Result<(), String> {
        let now = (self.clock)();
        self.zone_keys.command(zone, command, now)?;
        self.tick();
        Ok(())
    }

    fn say_keys(&self, view: &DnsView) {
        let signed = view.zones().iter().filter(|(_, zone)| zone.dnssec.is_some());
        let said = signed.map(|(_, zone)| (zone.name.clone(), self.zone_keys.to_json(&zone.name)));
        *lock(&self.service.zone_keys) = said.collect();
    }

    /// Gives the zones of `view` their serials and swaps it in; `false`, and nothing changed, if those cannot
    /// be kept.
    fn put_in_service(&mut self, mut view: DnsView, committed: Option<u64>) -> bool {
        let before = self.serials.clone();
        let untroubled = self.trouble().is_none();
        let mut may_be_served = self.advance_serials(&mut view, committed);
        if !may_be_served && untroubled && committed.is_some() {
            // What could not be kept was the time of the commit.
            self.serials = before.clone();
            may_be_served = self.advance_serials(&mut view, committed);
        }
        if !may_be_served && self.last.is_some() {
            self.serials = before;
            return false;
        }
        self.report(&view);
        self.keep_changes(&view);
        daemon::view::swap(&self.service.views, view);
        self.service.changed.notify_one();
        true
    }

    /// Gives the zones of `view` their serials; `false` if one could not be kept that has to be.
    ///
    /// All servers that follow a branch give a change the time of its commit, unless that lies ahead, or
    /// serials cannot be kept.
    fn advance_serials(&mut self, view: &mut DnsView, committed: Option<u64>) -> bool {
        let wall = (self.clock)();
        let committed = committed.filter(|_| self.trouble().is_none());
        let now = committed.map_or(wall, |time| UnixSeconds(time).min(wall));
        let (mut grown, mut must_be_kept) = (false, false);
        let mut behind = Vec::new();
        for (number, zone) in view.zones().iter() {
            let (name, content) = (zone.name.to_string(), view.content(number));
            let Some(WrittenSerial { serial, content: of_file }) = zone.written else {
                let (serial, new) = self.serials.advance(&name, content, now);
                grown |= new;
                must_be_kept |= new && serial != wall.low_half();
                continue;
            };
            let advanced = self.serials.follow(&name, content, serial, of_file);
            grown |= advanced.new;
            must_be_kept |= advanced.new && advanced.serial != serial;
            if advanced.behind {
                behind.push(Problem::SerialBehind { zone: zone.name.clone(), written: serial });
            }
        }
        view.set_behind(behind);
        view.set_serials(|zone| self.serials.get(&zone.to_string()).unwrap_or(0));
        if !grown && self.last.is_some() && self.trouble().is_none() {
            return true;
        }
        self.keep_serials() || !must_be_kept
    }

    /// Writes the serials to disk; `false` if that cannot be.
    fn keep_serials(&self) -> bool {
        let written = serde_json::to_vec(&self.serials)
            .map_err(|error| error.to_string())
            .and_then(|text| self.state.write(SERIALS, &text).map_err(|error| error.to_string()));
        let kept = written.is_ok();
        let said = std::mem::replace(&mut *lock(&self.trouble), written.err());
        match (&said, &*lock(&self.trouble)) {
            (None, Some(why)) => {
                warn!(%why, "serials cannot be kept: changes get the time for a serial, and secondaries may miss one if the clock goes back");
            }
            (Some(_), None) => info!("serials are kept again"),
            _ => {}
        }
        kept
    }

    /// Keeps what changed in zones that others copy, from the view in service to `view`.
    fn keep_changes(&self, view: &DnsView) {
        let Some(journal) = &self.service.journal else { return };
        let old = self.service.views.load();
        let mut changed = Vec::new();
        for (number, zone) in view.zones().iter().filter(|(_, zone)| !zone.secondaries.is_empty()) {
            let before = old.zones().with_apex(zone.name.as_wire());
            let before = before.filter(|before| old.serial(*before) != view.serial(number));
            changed.extend(before.map(|before| (number, before, &zone.name)));
        }
        if changed.is_empty() {
            return;
        }
        let wanted: HashSet<_> = changed.iter().map(|(number, ..)| *number).collect();
        let mut changes = view.changes_since(&old, |zone| wanted.contains(&zone));
        let step = |(number, before, name): (ZoneNumber, ZoneNumber, &Name)| {
            // What secondaries have of a signed zone has signatures too, which are not kept.
            if view.signing().zone(number).is_some() || old.signing().zone(before).is_some() {
                return (name.clone(), None);
            }
            let change = changes.remove(&number).unwrap_or_default();
            (name.clone(), Delta::new(&old.soa(before), &view.soa(number), &change))
        };
        let steps: Vec<_> = changed.iter().copied().map(step).collect();
        if let Err(error) = journal.append(&steps) {
            warn!(%error, "changes cannot be kept: secondaries copy zones as a whole");
        }
    }

    fn trouble(&self) -> Option<String> {
        lock(&self.trouble).clone()
    }

    /// Warns of what is not served, once.
    fn report(&mut self, view: &DnsView) {
        for problem in view.problems().iter().filter(|problem| !self.known.contains(problem)) {
            warn!("{problem}");
        }
        self.known = view.problems().to_vec();
    }
}

/// For how many seconds a change waits at once for the time to catch up with its serials.
const CATCHING_UP_SECONDS: u32 = 3;

/// Takes `snapshot` into service. A second change within a second has a serial ahead of the time; if that cannot be
/// kept, this waits a moment for the time, rather than until the next [`Reloader::retry`].
pub(super) fn take(reloader: &Mutex<Reloader>, snapshot: &Arc<Snapshot>) {
    lock(reloader).apply(snapshot);
    for _ in 0..CATCHING_UP_SECONDS {
        if lock(reloader).held.is_none() {
            return;
        }
        std::thread::sleep(Duration::from_secs(1));
        lock(reloader).retry();
    }
}

/// How often what could not be kept is tried again.
const RETRY: Duration = Duration::from_secs(5);

/// Starts the thread that tries again; it ends when what comes back is dropped.
///
/// # Errors
/// The thread cannot be started.
pub(super) fn retry_often(reloader: Arc<Mutex<Reloader>>) -> io::Result<Sender<Infallible>> {
    let (stop, stopped) = mpsc::channel();
    std::thread::Builder::new().name("serials".to_owned()).spawn(move || {
        while stopped.recv_timeout(RETRY) == Err(RecvTimeoutError::Timeout) {
            lock(&reloader).retry();
        }
    })?;
    Ok(stop)
}

/// The system's clock.
pub(super) fn system_clock() -> Clock {
    Box::new(wall_clock)
}
