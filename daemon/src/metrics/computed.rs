//! Counters that follow from others, or are kept elsewhere.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::registry::Registry;

/// A family of counters whose values are worked out when somebody asks. None may ever fall.
pub struct Computed<const LABELS: usize, V> {
    name: &'static str,
    help: &'static str,
    labels: [&'static str; LABELS],
    values: V,
}

impl<const LABELS: usize, V> Computed<LABELS, V>
where
    V: Fn() -> Vec<([String; LABELS], u64)> + Send + Sync + 'static,
{
    /// Adds a family called `name` (`_total` is added there) to what a scrape returns. `values` gives what its labels
    /// are, in their order, and a count.
    pub fn register(
        registry: &mut Registry,
        name: &'static str,
        help: &'static str,
        labels: [&'static str; LABELS],
        values: V,
    ) {
        registry.register_collector(Box::new(Computed { name, help, labels, values }));
    }
}

impl<const LABELS: usize, V> fmt::Debug for Computed<LABELS, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Computed").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<const LABELS: usize, V> Collector for Computed<LABELS, V>
where
    V: Fn() -> Vec<([String; LABELS], u64)> + Send + Sync + 'static,
{
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut family = encoder.encode_descriptor(self.name, self.help, None, MetricType::Counter)?;
        for (words, count) in (self.values)() {
            let labels: Vec<(&str, String)> = self.labels.into_iter().zip(words).collect();
            ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scrape_shows_what_there_is_at_that_time() {
        let mut registry = Registry::default();
        let values = || vec![(["a\"".to_owned(), "x".to_owned()], 3)];
        Computed::register(&mut registry, "seen", "Seen", ["what", "how"], values);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        assert!(text.contains("seen_total{what=\"a\\\"\",how=\"x\"} 3\n"), "{text}");
    }
}
