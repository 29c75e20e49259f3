//! The clocks of the machine.

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::time::{ClockId, clock_gettime};

use crate::core::Now;

/// The present by both clocks: one that counts suspended time and never steps, and that of the wall.
pub(super) fn now() -> Now {
    let boot = clock_gettime(ClockId::CLOCK_BOOTTIME).or_else(|_| clock_gettime(ClockId::CLOCK_MONOTONIC));
    let boot = boot.map_or(Duration::ZERO, Duration::from);
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Now {
        monotonic_ms: u64::try_from(boot.as_millis()).unwrap_or(u64::MAX),
        unix_ms: i64::try_from(wall.as_millis()).unwrap_or(i64::MAX),
    }
}

/// A number for this boot of the machine; `None` if it tells none.
pub(super) fn boot_number() -> Option<u64> {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).take(13).collect();
    u64::from_str_radix(&digits, 16).ok()
}
