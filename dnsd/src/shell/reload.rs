//! Taking a snapshot into service: its view is built beside the old one, then a pointer is swapped.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use daemon::state::StateDir;
use inventory_core::model::Snapshot;
use tracing::{info, warn};

use crate::core::serial::{Serials, UnixSeconds};
use crate::view::{DnsView, Problem, WrittenSerial};

/// File of the serials, below the state directory.
const SERIALS: &str = "serials.json";

/// Puts views into service.
pub(super) struct Reloader {
    views: Arc<ArcSwap<DnsView>>,
    state: Arc<StateDir>,
    serials: Serials,
    trouble: Arc<Mutex<Option<String>>>,
    last: Option<Arc<Snapshot>>,
    known: Vec<Problem>,
    clock: Clock,
}

/// Says the time: the system's, or a test's.
pub(super) type Clock = Box<dyn FnMut() -> UnixSeconds + Send>;

impl Reloader {
    /// Reads the serials of an earlier run. If they cannot be read, serials begin with the time, which is
    /// more than any earlier one as long as the clock is right.
    pub(super) fn new(
        views: Arc<ArcSwap<DnsView>>,
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
        Reloader { views, state, serials, trouble, last: None, known: Vec::new(), clock }
    }

    /// Builds the view of `snapshot`, makes its serials durable, and swaps it in.
    pub(super) fn apply(&mut self, snapshot: &Arc<Snapshot>) {
        let started = Instant::now();
        let mut view = match &self.last {
            Some(last) => self.views.load().updated(&last.inventory, snapshot),
            None => DnsView::build(snapshot),
        };
        self.advance_serials(&mut view);
        self.report(&view);
        let (names, zones) = (view.node_count(), view.zones().len());
        let milliseconds = started.elapsed().as_millis();
        daemon::view::swap(&self.views, view);
        info!(generation = snapshot.generation, zones, names, milliseconds, "names in service");
        self.last = Some(Arc::clone(snapshot));
    }

    fn advance_serials(&mut self, view: &mut DnsView) {
        let now = (self.clock)();
        let mut grown = false;
        let mut behind = Vec::new();
        for (number, zone) in view.zones().iter() {
            let (name, content) = (zone.name.to_string(), view.content(number));
            let Some(WrittenSerial { serial, content: of_file }) = zone.written else {
                grown |= self.serials.advance(&name, content, now).1;
                continue;
            };
            let advanced = self.serials.follow(&name, content, serial, of_file);
            grown |= advanced.new;
            if advanced.behind {
                behind.push(Problem::SerialBehind { zone: zone.name.clone(), written: serial });
            }
        }
        view.set_behind(behind);
        view.set_serials(|zone| self.serials.get(&zone.to_string()).unwrap_or(0));
        if !grown && self.last.is_some() && self.trouble().is_none() {
            return;
        }
        let written = serde_json::to_vec(&self.serials)
            .map_err(|error| error.to_string())
            .and_then(|text| self.state.write(SERIALS, &text).map_err(|error| error.to_string()));
        if let Err(why) = &written {
            // Serving old data would be worse: after a restart the serial is the time, which is later.
            warn!(%why, "serials cannot be kept: secondaries may miss a change if the clock goes back");
        }
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = written.err();
    }

    fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Warns of what is not served, once.
    fn report(&mut self, view: &DnsView) {
        for problem in view.problems().iter().filter(|problem| !self.known.contains(problem)) {
            warn!("{problem}");
        }
        self.known = view.problems().to_vec();
    }
}

/// The system's clock.
pub(super) fn system_clock() -> Clock {
    Box::new(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        UnixSeconds(since.map_or(0, |since| since.as_secs()))
    })
}

#[cfg(test)]
mod tests;
