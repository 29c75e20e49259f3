//! The wall clock.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::core::serial::UnixSeconds;

/// The time now.
pub(super) fn wall_clock() -> UnixSeconds {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    UnixSeconds(since.map_or(0, |since| since.as_secs()))
}
