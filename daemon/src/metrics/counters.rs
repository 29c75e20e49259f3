//! Counters for the hot path: one plain array per worker, summed when somebody asks.
//!
//! A worker's [`Tally`] is its own: no lock, no atomic read-modify-write, no cache line shared with
//! another worker. Sums are taken while workers count on; each single number is exact at some moment of
//! the reading, and none ever falls.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::registry::Registry;

use super::CountedReason;

/// One family of counters, with a value for each reason.
pub struct Counters<R> {
    name: &'static str,
    help: &'static str,
    label: &'static str,
    cells: Mutex<Vec<Arc<Cells>>>,
    reason: PhantomData<fn(R)>,
}

/// The counts of one worker. It can move to another thread, but two threads can't count into it.
pub struct Tally<R> {
    cells: Arc<Cells>,
    // A `Cell` is Send and not Sync: exactly what a single writer may be.
    single_writer: PhantomData<Cell<R>>,
}

/// Counts that many threads or tasks may add to; each addition costs an atomic read-modify-write.
pub struct SharedTally<R> {
    cells: Arc<Cells>,
    reason: PhantomData<fn(R)>,
}

/// Two cache lines wide: the prefetcher of common processors fetches lines in pairs.
#[repr(align(128))]
struct Line([AtomicU64; 16]);

struct Cells(Box<[Line]>);

impl<R: CountedReason> Counters<R> {
    /// A family called `name` in metrics (`_total` is added there), whose values differ by `label`.
    pub fn new(name: &'static str, help: &'static str, label: &'static str) -> Arc<Counters<R>> {
        debug_assert!(R::ALL.iter().enumerate().all(|(position, reason)| reason.index() == position));
        Arc::new(Counters { name, help, label, cells: Mutex::new(Vec::new()), reason: PhantomData })
    }

    /// Adds the family to what a scrape returns.
    pub fn register(self: &Arc<Self>, registry: &mut Registry) {
        registry.register_collector(Box::new(Arc::clone(self)));
    }

    /// A new worker's counts. They stay in the sum when the tally is dropped; call it once per worker,
    /// not once per packet.
    pub fn tally(&self) -> Tally<R> {
        Tally { cells: self.add_cells(), single_writer: PhantomData }
    }

    /// New counts for several threads or tasks.
    pub fn shared_tally(&self) -> SharedTally<R> {
        SharedTally { cells: self.add_cells(), reason: PhantomData }
    }

    /// The sum for one reason over all workers.
    pub fn get(&self, reason: R) -> u64 {
        self.lock().iter().map(|cells| cells.get(reason.index())).fold(0, u64::wrapping_add)
    }

    /// The sums for all reasons, in the enum's order.
    pub fn all(&self) -> impl Iterator<Item = (R, u64)> {
        R::ALL.iter().map(|&reason| (reason, self.get(reason)))
    }

    /// The sums as a JSON object by label, for status; zeros are left out.
    pub fn to_json(&self) -> serde_json::Value {
        let counted = self.all().filter(|(_, count)| *count != 0);
        counted.map(|(reason, count)| (reason.label().to_owned(), serde_json::Value::from(count))).collect()
    }

    fn add_cells(&self) -> Arc<Cells> {
        let lines = R::ALL.len().div_ceil(Line::LEN);
        let cells = Arc::new(Cells((0..lines).map(|_| Line::zero()).collect()));
        self.lock().push(Arc::clone(&cells));
        cells
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Cells>>> {
        self.cells.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R: CountedReason> Tally<R> {
    /// Adds one.
    #[inline]
    pub fn count(&self, reason: R) {
        self.add(reason, 1);
    }

    /// Adds `n`.
    #[inline]
    pub fn add(&self, reason: R, n: u64) {
        if let Some(cell) = self.cells.cell(reason.index()) {
            // Load and store instead of fetch_add: this thread is the only writer.
            cell.store(cell.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
        }
    }
}

impl<R: CountedReason> SharedTally<R> {
    /// Adds one.
    pub fn count(&self, reason: R) {
        self.add(reason, 1);
    }

    /// Adds `n`.
    pub fn add(&self, reason: R, n: u64) {
        if let Some(cell) = self.cells.cell(reason.index()) {
            cell.fetch_add(n, Ordering::Relaxed);
        }
    }
}

impl<R> Clone for SharedTally<R> {
    fn clone(&self) -> Self {
        SharedTally { cells: Arc::clone(&self.cells), reason: PhantomData }
    }
}

impl Line {
    const LEN: usize = 16;

    fn zero() -> Line {
        Line([const { AtomicU64::new(0) }; Line::LEN])
    }
}

impl Cells {
    #[inline]
    fn cell(&self, index: usize) -> Option<&AtomicU64> {
        self.0.get(index / Line::LEN)?.0.get(index % Line::LEN)
    }

    fn get(&self, index: usize) -> u64 {
        self.cell(index).map_or(0, |cell| cell.load(Ordering::Relaxed))
    }
}

impl<R> fmt::Debug for Counters<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counters").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<R: CountedReason> Collector for Counters<R> {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut family = encoder.encode_descriptor(self.name, self.help, None, MetricType::Counter)?;
        for (reason, count) in self.all() {
            let labels = [(self.label, reason.label())];
            ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::counted_reasons! {
        enum Colour {
            Red => "red",
            Green => "green",
        }
    }

    #[test]
    fn the_counts_of_all_workers_are_summed_also_of_those_that_ended() {
        let counters = Counters::<Colour>::new("seen", "Seen", "colour");
        let shared = counters.shared_tally();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let tally = counters.tally();
                let shared = shared.clone();
                scope.spawn(move || {
                    for _ in 0..1000 {
                        tally.count(Colour::Red);
                        shared.count(Colour::Green);
                    }
                });
            }
        });
        assert_eq!((counters.get(Colour::Red), counters.get(Colour::Green)), (4000, 4000));
    }

    #[test]
    fn a_scrape_shows_every_reason_and_status_those_that_happened() {
        let counters = Counters::<Colour>::new("seen", "Seen", "colour");
        let mut registry = Registry::with_prefix("hostbook");
        counters.register(&mut registry);
        counters.tally().add(Colour::Green, 7);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        assert_eq!(
            text,
            "# HELP hostbook_seen Seen\n# TYPE hostbook_seen counter\n\
             hostbook_seen_total{colour=\"red\"} 0\nhostbook_seen_total{colour=\"green\"} 7\n# EOF\n"
        );
        assert_eq!(counters.to_json(), serde_json::json!({ "green": 7 }));
    }

    #[test]
    fn an_enum_with_more_values_than_a_line_is_counted_whole() {
        #[derive(Clone, Copy)]
        struct Wide(usize);
        const WIDE: [Wide; 40] = {
            let mut all = [Wide(0); 40];
            let mut i = 0;
            while i < 40 {
                all[i] = Wide(i);
                i += 1;
            }
            all
        };
        impl CountedReason for Wide {
            const ALL: &'static [Wide] = &WIDE;
            fn index(self) -> usize {
                self.0
            }
            fn label(self) -> &'static str {
                "wide"
            }
        }
        let counters = Counters::<Wide>::new("wide", "Wide", "w");
        let tally = counters.tally();
        for reason in Wide::ALL {
            tally.add(*reason, reason.0 as u64);
        }
        assert!(counters.all().all(|(reason, count)| count == reason.0 as u64));
    }

    #[test]
    fn a_tally_moves_between_threads_and_a_shared_one_is_used_by_many() {
        fn is_send<T: Send>() {}
        fn is_sync<T: Sync>() {}
        is_send::<Tally<Colour>>();
        is_send::<SharedTally<Colour>>();
        is_sync::<SharedTally<Colour>>();
        is_sync::<Counters<Colour>>();
    }
}
