//! What both daemons show about themselves: which inventory they serve, since when, and their memory.

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use nix::unistd::{SysconfVar, sysconf};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeGaugeValue, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use serde_json::{Value, json};

/// The common figures of a daemon, for its metrics and its status.
pub struct Common {
    version: &'static str,
    started: f64,
    inventory: Box<dyn Fn() -> InventoryFigures + Send + Sync>,
}

/// What a daemon serves, as a scrape shows it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InventoryFigures {
    /// Local number of the snapshot that is served, 0 before the first.
    pub generation: u64,
    /// Text of its content hash.
    pub hash: String,
    /// Whether the inventory as it is now is the one that is served.
    pub ok: bool,
    /// Mistakes in the inventory as it is now.
    pub errors: u64,
    /// When the snapshot came into service, in seconds since 1970.
    pub served_since: u64,
}

impl Common {
    /// Figures of a daemon of this version that has started at `started`. `inventory` is asked at each
    /// scrape what is served; it does not wait.
    pub fn new(
        version: &'static str,
        started: SystemTime,
        inventory: impl Fn() -> InventoryFigures + Send + Sync + 'static,
    ) -> Arc<Common> {
        let started = started.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        Arc::new(Common { version, started, inventory: Box::new(inventory) })
    }

    /// Adds the figures to what a scrape returns.
    pub fn register(self: &Arc<Self>, registry: &mut Registry) {
        registry.register_collector(Box::new(Arc::clone(self)));
    }

    /// Version, process and memory for status. What is served is not in it: the daemon knows more of
    /// that than these figures.
    pub fn to_json(&self) -> Value {
        json!({
            "version": self.version,
            "pid": std::process::id(),
            "started": self.started,
            "resident_bytes": resident_bytes(),
        })
    }
}

impl fmt::Debug for Common {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Common").field("version", &self.version).finish_non_exhaustive()
    }
}

impl Collector for Common {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let e = &mut encoder;
        let InventoryFigures { generation, hash, ok, errors, served_since } = (self.inventory)();
        let ok = u64::from(ok);
        gauge(e, "hostbook_inventory_generation", "Local number of the served inventory", generation)?;
        gauge(e, "hostbook_inventory_ok", "1 if what is served is what the inventory says now", ok)?;
        gauge(e, "hostbook_inventory_errors", "Mistakes in the inventory as it is now", errors)?;
        gauge(e, "hostbook_inventory_served_since_seconds", "Since when it is served", served_since)?;
        labelled(e, "hostbook_inventory_info", "Content hash of the served inventory", ("hash", &hash))?;
        labelled(e, "hostbook_build_info", "Version of this daemon", ("version", self.version))?;
        gauge(e, "process_start_time_seconds", "Start of this process in seconds since 1970", self.started)?;
        gauge(e, "process_resident_memory_bytes", "Memory of this process in RAM", resident_bytes())
    }
}

fn gauge<T>(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: T) -> fmt::Result
where
    T: EncodeGaugeValue + Copy,
    ConstGauge<T>: EncodeMetric,
{
    let metric = ConstGauge::new(value);
    metric.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)
}

/// A gauge that is always 1 and carries its message in a label.
fn labelled(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, label: (&str, &str)) -> fmt::Result {
    let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    ConstGauge::new(1_u64).encode(family.encode_family(&[label])?)
}

/// Memory of this process in RAM, from /proc/self/statm (proc(5)); 0 where that cannot be read.
pub(super) fn resident_bytes() -> u64 {
    let page = sysconf(SysconfVar::PAGE_SIZE).ok().flatten().and_then(|size| u64::try_from(size).ok());
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split_ascii_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or(0) * page.unwrap_or(4096)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use std::time::Duration;

    #[test]
    fn a_scrape_tells_which_inventory_is_served_now_and_since_when() {
        let figures = Arc::new(Mutex::new(InventoryFigures {
            generation: 7,
            hash: "3f9a".to_owned(),
            ok: true,
            errors: 0,
            served_since: 1700,
        }));
        let source = Arc::clone(&figures);
        let started = UNIX_EPOCH + Duration::from_millis(1_000_500);
        let common = Common::new("0.1.0", started, move || source.lock().unwrap().clone());
        let mut registry = Registry::default();
        common.register(&mut registry);
        let scrape = || {
            let mut text = String::new();
            prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
            text
        };
        let text = scrape();
        for line in [
            "hostbook_inventory_generation 7",
            "hostbook_inventory_ok 1",
            "hostbook_inventory_errors 0",
            "hostbook_inventory_served_since_seconds 1700",
            "hostbook_inventory_info{hash=\"3f9a\"} 1",
            "hostbook_build_info{version=\"0.1.0\"} 1",
            "process_start_time_seconds 1000.5",
        ] {
            assert!(text.lines().any(|found| found == line), "no `{line}` in\n{text}");
        }
        *figures.lock().unwrap() = InventoryFigures { errors: 3, ok: false, ..InventoryFigures::default() };
        let text = scrape();
        assert!(text.contains("hostbook_inventory_ok 0\n") && text.contains("hostbook_inventory_errors 3\n"));
    }

    #[test]
    fn this_process_has_some_memory_in_ram() {
        assert!(resident_bytes() > 100_000);
    }
}
