//! What was answered in each zone: a row of counts for each zone and each worker.
//!
//! Rows are found by a zone's number, which changes with the zones of the inventory. Whoever counts then hands its
//! rows in, to be added up by name, and gets new ones; what a zone has counted stays as long as it is there.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use daemon::metrics::{Computed, CountedReason, Registry};
use inventory_core::name::Name;

use super::status::lock;
use crate::core::{Answer, Outcome};
use crate::view::{DnsView, ZoneIndex, ZoneNumber};

/// Counts of each zone: by answer, then of errors.
const COUNTS: usize = 8;
const ERRORS: usize = Answer::ALL.len();
const _: () = assert!(ERRORS < COUNTS, "a row has room for all answers");

/// What all workers have counted.
#[derive(Debug, Default)]
pub(super) struct ZoneCounters {
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    /// What was handed in.
    before: BTreeMap<Name, [u64; COUNTS]>,
    /// What each worker counts into.
    rows: Vec<Arc<Rows>>,
}

/// What one worker counts into. Nobody else writes there.
#[derive(Debug)]
pub(super) struct ZoneTally {
    counters: Arc<ZoneCounters>,
    number: usize,
    rows: Arc<Rows>,
}

#[derive(Debug, Default)]
struct Rows {
    zones: Option<Arc<ZoneIndex>>,
    /// By the zone's number.
    rows: Box<[Row]>,
}

/// A cache line.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Row([AtomicU64; COUNTS]);

impl ZoneCounters {
    /// A new worker's counts.
    pub(super) fn tally(self: &Arc<Self>) -> ZoneTally {
        let (rows, mut table) = (Arc::new(Rows::default()), lock(&self.table));
        table.rows.push(Arc::clone(&rows));
        ZoneTally { counters: Arc::clone(self), number: table.rows.len() - 1, rows }
    }

    /// Adds the family to what a scrape returns.
    pub(super) fn register(self: &Arc<Self>, registry: &mut Registry) {
        let (name, help) = ("hostbook_dnsd_zone_answers", "Questions answered, by zone and by what was said");
        let counters = Arc::clone(self);
        Computed::register(registry, name, help, ["zone", "answer"], move || counters.scraped());
    }

    /// What a scrape returns. Zones and answers of which there was none are left out: a site has thousands of zones that
    /// nobody asks about.
    fn scraped(&self) -> Vec<([String; 2], u64)> {
        let mut all = Vec::new();
        for (zone, counts) in self.all() {
            let answers = Answer::ALL.iter().map(|answer| answer.label()).chain(["error"]);
            let counted = answers.zip(counts).filter(|(_, count)| *count > 0);
            all.extend(counted.map(|(answer, count)| ([zone.to_string(), answer.to_owned()], count)));
        }
        all
    }

    /// The sums of the zones where anything was asked.
    fn all(&self) -> BTreeMap<Name, [u64; COUNTS]> {
        let table = lock(&self.table);
        let mut all = table.before.clone();
        table.rows.iter().for_each(|rows| rows.add_to(&mut all));
        all
    }

    /// Questions about the zone `name` that were answered, be it with an error.
    pub(super) fn questions(&self, name: &Name) -> u64 {
        let table = lock(&self.table);
        let live = table.rows.iter().filter_map(|rows| rows.of(name));
        let before = table.before.get(name).copied();
        live.chain(before).flatten().fold(0, u64::wrapping_add)
    }
}

impl ZoneTally {
    /// Has rows for the zones of `view`.
    #[inline]
    pub(super) fn follow(&mut self, view: &DnsView) {
        if !self.rows.zones.as_ref().is_some_and(|zones| std::ptr::eq(&**zones, view.zones())) {
            self.change(view);
        }
    }

    #[cold]
    fn change(&mut self, view: &DnsView) {
        let zones = view.shared_zones();
        let rows = (0..zones.len()).map(|_| Row::default()).collect();
        let old = std::mem::replace(&mut self.rows, Arc::new(Rows { zones: Some(zones), rows }));
        let mut table = lock(&self.counters.table);
        old.add_to(&mut table.before);
        table.before.retain(|name, _| view.zones().with_apex(name.as_wire()).is_some());
        if let Some(place) = table.rows.get_mut(self.number) {
            *place = Arc::clone(&self.rows);
        }
    }

    /// Counts what was answered in a zone of the view that was followed last.
    #[inline]
    pub(super) fn count(&self, zone: ZoneNumber, outcome: Outcome) {
        let place = match outcome {
            Outcome::Answered { answer, .. } => answer.index(),
            Outcome::Failed { .. } => ERRORS,
            Outcome::Dropped(_) => return,
        };
        if let Some(cell) = self.rows.rows.get(zone.0 as usize).and_then(|row| row.0.get(place)) {
            // Load and store instead of fetch_add: nobody else writes.
            cell.store(cell.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
        }
    }
}

impl Rows {
    fn add_to(&self, all: &mut BTreeMap<Name, [u64; COUNTS]>) {
        for ((_, zone), row) in self.zones.iter().flat_map(|zones| zones.iter()).zip(&self.rows) {
            let counts = row.counts();
            if counts.iter().any(|count| *count > 0) {
                let sums = all.entry(zone.name.clone()).or_default();
                sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum = sum.wrapping_add(count));
            }
        }
    }

    fn of(&self, name: &Name) -> Option<[u64; COUNTS]> {
        let number = self.zones.as_ref()?.with_apex(name.as_wire())?;
        self.rows.get(number.0 as usize).map(Row::counts)
    }
}

impl Row {
    fn counts(&self) -> [u64; COUNTS] {
        self.0.each_ref().map(|count| count.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::view;

    const SAID: Outcome = Outcome::Answered { octets: 40, answer: Answer::Records, truncated: false };

    fn number(view: &DnsView, name: &str) -> ZoneNumber {
        view.zones().with_apex(Name::parse(name, None).unwrap().as_wire()).unwrap()
    }

    #[test]
    fn a_zone_counts_on_when_others_come_and_go_and_ends_with_itself() {
        let views =
            ["[zone.\"m.example\"]", "[zone.\"a.example\"]\n[zone.\"m.example\"]", "[zone.\"a.example\"]"];
        let views = views.map(|zones| view(&format!("[zone.\"lab.example\"]\n{zones}\n")));
        let counters = Arc::new(ZoneCounters::default());
        let mut tallies = [counters.tally(), counters.tally()];
        let name = Name::parse("m.example", None).unwrap();
        for view in &views[..2] {
            for tally in &mut tallies {
                tally.follow(view);
                tally.count(number(view, "m.example"), SAID);
            }
        }
        assert_eq!(counters.questions(&name), 4);
        assert_eq!(
            counters.all().into_iter().collect::<Vec<_>>(),
            [(name.clone(), [4, 0, 0, 0, 0, 0, 0, 0])]
        );
        tallies.iter_mut().for_each(|tally| tally.follow(&views[2]));
        assert_eq!((counters.questions(&name), counters.all().len()), (0, 0));
    }
}
