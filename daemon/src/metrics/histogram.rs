//! Histograms for the hot path: how long something took, by what it was. Each worker has rows of its own, so that it
//! shares no cache line with another; many things that took the same time are one addition.

use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use super::CountedReason;

/// Upper bounds of the buckets in microseconds; above the last there is one more.
const BOUNDS: [u32; 15] = [
    20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000,
    5_000_000,
];

/// One family of histograms, one for each kind of thing.
pub struct Histograms<R> {
    name: &'static str,
    help: &'static str,
    label: &'static str,
    observers: Mutex<Vec<Arc<[Row]>>>,
    kind: PhantomData<fn(R)>,
}

/// What one worker has seen.
pub struct Observer<R> {
    rows: Arc<[Row]>,
    kind: PhantomData<fn(R)>,
}

/// The times of one kind of thing, two cache lines wide.
#[repr(align(128))]
#[derive(Default)]
struct Row {
    buckets: [AtomicU64; BOUNDS.len() + 1],
    microseconds: AtomicU64,
}

impl<R: CountedReason> Histograms<R> {
    /// A family called `name` in metrics, in seconds, whose histograms differ by `label`.
    pub fn new(name: &'static str, help: &'static str, label: &'static str) -> Arc<Histograms<R>> {
        Arc::new(Histograms { name, help, label, observers: Mutex::default(), kind: PhantomData })
    }

    /// Adds the family to what a scrape returns.
    pub fn register(self: &Arc<Self>, registry: &mut Registry) {
        registry.register_collector(Box::new(Arc::clone(self)));
    }

    /// Another worker's; what it has seen stays when it is dropped.
    pub fn observer(&self) -> Observer<R> {
        let rows: Arc<[Row]> = R::ALL.iter().map(|_| Row::default()).collect();
        self.lock().push(Arc::clone(&rows));
        Observer { rows, kind: PhantomData }
    }

    /// How many things of each kind there were, and their seconds in all, for status; zeros are left out.
    pub fn to_json(&self) -> serde_json::Value {
        let seen = R::ALL.iter().filter_map(|kind| {
            let (counts, seconds) = self.sums(*kind);
            let count: u64 = counts.iter().sum();
            let entry = serde_json::json!({ "count": count, "seconds": seconds });
            (count > 0).then(|| (kind.label().to_owned(), entry))
        });
        seen.collect()
    }

    /// How many of each bucket, and the sum in seconds.
    fn sums(&self, kind: R) -> ([u64; BOUNDS.len() + 1], f64) {
        let mut sums = [0_u64; BOUNDS.len() + 1];
        let mut microseconds: u64 = 0;
        for rows in self.lock().iter() {
            let Some(row) = rows.get(kind.index()) else { continue };
            for (sum, bucket) in sums.iter_mut().zip(&row.buckets) {
                *sum = sum.wrapping_add(bucket.load(Ordering::Relaxed));
            }
            microseconds = microseconds.wrapping_add(row.microseconds.load(Ordering::Relaxed));
        }
        (sums, Duration::from_micros(microseconds).as_secs_f64())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<[Row]>>> {
        self.observers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R: CountedReason> Observer<R> {
    /// Takes note that so many things of this kind took `each`.
    #[inline]
    pub fn observe(&self, kind: R, each: Duration, times: u64) {
        let Some(row) = self.rows.get(kind.index()) else { return };
        let microseconds = u64::try_from(each.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.partition_point(|bound| u64::from(*bound) < microseconds);
        if let Some(bucket) = row.buckets.get(bucket) {
            bucket.fetch_add(times, Ordering::Relaxed);
        }
        row.microseconds.fetch_add(microseconds.saturating_mul(times), Ordering::Relaxed);
    }
}

impl<R> Clone for Observer<R> {
    fn clone(&self) -> Self {
        Observer { rows: Arc::clone(&self.rows), kind: PhantomData }
    }
}

impl<R> fmt::Debug for Histograms<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Histograms").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<R: CountedReason> Collector for Histograms<R> {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut family = encoder.encode_descriptor(self.name, self.help, None, MetricType::Histogram)?;
        let bounds = || BOUNDS.iter().map(|bound| f64::from(*bound) / 1e6).chain([f64::INFINITY]);
        for kind in R::ALL {
            let (counts, seconds) = self.sums(*kind);
            let buckets: Vec<(f64, u64)> = bounds().zip(counts).collect();
            let labels = [(self.label, kind.label())];
            let mut metric = family.encode_family(&labels)?;
            metric.encode_histogram::<NoLabelSet>(seconds, counts.iter().sum(), &buckets, None)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::counted_reasons! {
        enum Way {
            Udp => "udp",
            Tcp => "tcp",
        }
    }

    #[test]
    fn a_scrape_has_what_all_workers_saw_in_growing_buckets() {
        let histograms = Histograms::<Way>::new("took_seconds", "How long", "way");
        let mut registry = Registry::default();
        histograms.register(&mut registry);
        let (one, other) = (histograms.observer(), histograms.observer());
        one.observe(Way::Udp, Duration::from_micros(20), 64);
        one.observe(Way::Udp, Duration::from_micros(21), 1);
        other.observe(Way::Udp, Duration::from_secs(9), 2);
        drop(other);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        for line in [
            "took_seconds_bucket{le=\"0.00002\",way=\"udp\"} 64",
            "took_seconds_bucket{le=\"0.00005\",way=\"udp\"} 65",
            "took_seconds_bucket{le=\"5.0\",way=\"udp\"} 65",
            "took_seconds_bucket{le=\"+Inf\",way=\"udp\"} 67",
            "took_seconds_count{way=\"udp\"} 67",
            "took_seconds_count{way=\"tcp\"} 0",
            "took_seconds_sum{way=\"udp\"} 18.001301",
        ] {
            assert!(text.lines().any(|found| found == line), "no `{line}` in\n{text}");
        }
    }
}
