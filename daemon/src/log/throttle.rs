//! Log lines that strangers can cause, at most one a minute for each reason.
//!
//! The counters know every event; the log shows that there are some. Time is an argument.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::metrics::CountedReason;

/// Decides which lines are written. Any number of threads may share one; it has no lock.
#[derive(Debug)]
pub struct Throttle<R> {
    base: Instant,
    states: Box<[State]>,
    reason: PhantomData<fn(R)>,
}

/// A line to be written now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// How many events went without a line of their own since the last line of the same reason.
    pub suppressed: u64,
}

#[derive(Debug, Default)]
struct State {
    /// Milliseconds since `base` from which on a line may be written.
    next: AtomicU64,
    suppressed: AtomicU64,
}

const INTERVAL: Duration = Duration::from_secs(60);

impl<R: CountedReason> Throttle<R> {
    /// Nothing was written yet. Times before `base` count as `base`.
    pub fn new(base: Instant) -> Throttle<R> {
        let states = R::ALL.iter().map(|_| State::default()).collect();
        Throttle { base, states, reason: PhantomData }
    }

    /// Something happened at `now`: returns the line to write, or `None` for one that is only counted.
    /// The first of a reason is always written.
    pub fn event(&self, reason: R, now: Instant) -> Option<Line> {
        let state = self.states.get(reason.index())?;
        if self.take_turn(state, now) {
            return Some(Line { suppressed: state.suppressed.swap(0, Ordering::Relaxed) });
        }
        state.suppressed.fetch_add(1, Ordering::Relaxed);
        None
    }

    /// The lines that are due at `now` for events which have got none and were not followed by another.
    /// For a timer, about once a minute, and at the end.
    pub fn due(&self, now: Instant) -> impl Iterator<Item = (R, Line)> {
        R::ALL.iter().zip(&self.states).filter_map(move |(reason, state)| {
            if state.suppressed.load(Ordering::Relaxed) == 0 || !self.take_turn(state, now) {
                return None;
            }
            let suppressed = state.suppressed.swap(0, Ordering::Relaxed);
            Some((*reason, Line { suppressed }))
        })
    }

    /// Of several threads that come at the same time exactly one gets the turn.
    fn take_turn(&self, state: &State, now: Instant) -> bool {
        let now = millis(now.saturating_duration_since(self.base));
        let next = state.next.load(Ordering::Relaxed);
        let after = now.saturating_add(millis(INTERVAL));
        now >= next && state.next.compare_exchange(next, after, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::counted_reasons! {
        enum Bad {
            Short => "short",
            Loop => "loop",
        }
    }

    const fn line(suppressed: u64) -> Option<Line> {
        Some(Line { suppressed })
    }

    #[test]
    fn a_flood_makes_one_line_a_minute_that_counts_the_others() {
        let start = Instant::now();
        let throttle = Throttle::<Bad>::new(start);
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(throttle.event(Bad::Short, at(0)), line(0));
        for _ in 0..1000 {
            assert_eq!(throttle.event(Bad::Short, at(59)), None);
        }
        assert_eq!(throttle.event(Bad::Short, at(60)), line(1000));
        assert_eq!(throttle.event(Bad::Short, at(61)), None);
        assert_eq!(throttle.event(Bad::Short, at(500)), line(1));
    }

    #[test]
    fn one_reason_does_not_silence_another() {
        let start = Instant::now();
        let throttle = Throttle::<Bad>::new(start);
        assert_eq!(throttle.event(Bad::Short, start), line(0));
        assert_eq!(throttle.event(Bad::Loop, start), line(0));
    }

    #[test]
    fn the_rest_of_a_flood_that_has_ended_is_told_by_the_timer_once() {
        let start = Instant::now();
        let throttle = Throttle::<Bad>::new(start);
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(throttle.event(Bad::Short, at(0)), line(0));
        assert_eq!(throttle.event(Bad::Short, at(1)), None);
        assert_eq!(throttle.event(Bad::Short, at(2)), None);
        assert_eq!(throttle.due(at(30)).count(), 0);
        assert_eq!(throttle.due(at(60)).collect::<Vec<_>>(), [(Bad::Short, Line { suppressed: 2 })]);
        assert_eq!(throttle.due(at(600)).count(), 0);
    }

    #[test]
    fn of_many_threads_at_one_moment_one_writes() {
        let start = Instant::now();
        let throttle = Throttle::<Bad>::new(start);
        let written: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| (0..1000).filter_map(|_| throttle.event(Bad::Loop, start)).count()))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(written, 1);
    }
}
