//! The machine that is measured on: which core does what, and how much of a core we are granted.

use std::fs;
use std::time::{Duration, Instant};

use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::{Pid, SysconfVar, sysconf};

use super::clock::processor_time;

/// Core of the servers.
pub const SERVER_CORE: usize = 0;

/// Core of the load: another one, if there is any.
pub fn load_core() -> usize {
    usize::from(cores() > 1)
}

/// Number of cores, whichever of them this thread may use.
fn cores() -> usize {
    let count = sysconf(SysconfVar::_NPROCESSORS_ONLN).ok().flatten();
    count.and_then(|count| usize::try_from(count).ok()).unwrap_or(1)
}

/// Keeps this thread on one core. Where that is not permitted it stays where it is.
pub fn pin(core: usize) {
    let mut set = CpuSet::new();
    let _ = set.set(core).and_then(|()| sched_setaffinity(Pid::from_raw(0), &set));
}

/// What can be said of the machine.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Name of its processor.
    pub processor: String,
    /// Number of cores.
    pub cores: usize,
    /// Version of its kernel.
    pub kernel: String,
    /// Share of a core that a busy thread got, while it wanted all.
    pub granted: f64,
    /// The longest time in which it got nothing.
    pub longest_gap: Duration,
    /// How many others wanted a core in the last minute, on average.
    pub load: f64,
}

impl Machine {
    /// Looks at this machine for a second.
    pub fn look() -> Machine {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let processor = read("/proc/cpuinfo");
        let processor = processor.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let (granted, longest_gap) = granted(Duration::from_secs(1));
        Machine {
            processor: processor.map_or_else(|| "unknown".to_owned(), |(_, name)| name.to_owned()),
            cores: cores(),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            granted,
            longest_gap,
            load: read("/proc/loadavg").split(' ').next().and_then(|text| text.parse().ok()).unwrap_or(0.0),
        }
    }
}

/// Spins for as long as `wanted`; returns the share of the time that it ran, and the longest gap.
fn granted(wanted: Duration) -> (f64, Duration) {
    let own = std::process::id();
    let (start, used) = (Instant::now(), processor_time(own));
    let (mut last, mut gap) = (start, Duration::ZERO);
    while last - start < wanted {
        let now = Instant::now();
        gap = gap.max(now - last);
        last = now;
    }
    ((processor_time(own) - used).as_secs_f64() / start.elapsed().as_secs_f64(), gap)
}
