//! How a run is done.

use std::time::Duration;

/// What all parts have in common.
#[derive(Clone, Copy, Debug)]
pub struct Runs {
    /// Number of rounds.
    pub rounds: usize,
    /// How long each server is asked in each.
    pub each: Duration,
    /// Ours and the echo alone, without the servers of others.
    pub only_ours: bool,
}
