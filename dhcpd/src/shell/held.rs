//! Replies that wait until what they promise is on disk.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Replies that wait at once.
const MAX: usize = 65_536;
/// Clients have asked again by then.
const PATIENCE: Duration = Duration::from_secs(4);

/// The replies, in the order of their records.
#[derive(Debug)]
pub(super) struct Held<R> {
    replies: VecDeque<(u64, Instant, R, Box<[u8]>)>,
}

impl<R> Default for Held<R> {
    fn default() -> Held<R> {
        Held { replies: VecDeque::new() }
    }
}

impl<R: Clone> Held<R> {
    /// Keeps a reply that waits for the record at `after`; false: there are too many.
    pub(super) fn keep(&mut self, after: u64, reply: &R, octets: &[u8], now: Instant) -> bool {
        let room = self.replies.len() < MAX;
        if room {
            self.replies.push_back((after, now, reply.clone(), octets.into()));
        }
        room
    }

    /// Calls `send` with the replies whose records are durable up to `position`, unless they are too old.
    pub(super) fn release(&mut self, position: u64, now: Instant, mut send: impl FnMut(&R, &[u8])) {
        // A repeated request may wait for an older record than the one before it.
        self.replies.retain(|(after, since, reply, octets)| {
            if *after > position {
                return true;
            }
            if now.saturating_duration_since(*since) <= PATIENCE {
                send(reply, octets);
            }
            false
        });
    }

    /// Throws all of them away; returns how many.
    pub(super) fn discard(&mut self) -> usize {
        let count = self.replies.len();
        self.replies.clear();
        count
    }
}
