//! Stopping early: one flag, and the local processes that are to end with it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use nix::sys::signal::{SigSet, Signal, killpg};
use nix::unistd::Pid;

/// Whether the run is to stop, shared by all that could wait long.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    asked: AtomicBool,
    groups: Mutex<BTreeSet<i32>>,
}

impl Stop {
    /// Catches SIGINT, SIGTERM and SIGHUP: the first one asks to stop, the second one ends the program at once. Call it
    /// before any thread is started. Children are not touched by it: the standard library gives them an
    /// empty signal mask.
    pub fn on_signals() -> Stop {
        let stop = Stop::default();
        let signals = SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP]);
        if signals.thread_block().is_ok() {
            let stop = stop.clone();
            std::thread::spawn(move || {
                if signals.wait().is_ok() {
                    eprintln!("hostbook-config: interrupted; cleaning up");
                    stop.ask();
                }
                if signals.wait().is_ok() {
                    std::process::exit(1);
                }
            });
        }
        stop
    }

    /// Asks to stop and ends the local scripts that run.
    pub fn ask(&self) {
        self.inner.asked.store(true, Ordering::SeqCst);
        for group in self.groups().iter() {
            let _ = killpg(Pid::from_raw(*group), Signal::SIGTERM);
        }
    }

    /// Whether to stop.
    pub fn is_asked(&self) -> bool {
        self.inner.asked.load(Ordering::SeqCst)
    }

    /// Remembers the process group `leader` while `wait` runs.
    pub fn watching<T>(&self, leader: u32, wait: impl FnOnce() -> T) -> T {
        let group = i32::try_from(leader).unwrap_or_default();
        self.groups().insert(group);
        if self.is_asked() {
            let _ = killpg(Pid::from_raw(group), Signal::SIGTERM);
        }
        let result = wait();
        self.groups().remove(&group);
        result
    }

    fn groups(&self) -> std::sync::MutexGuard<'_, BTreeSet<i32>> {
        self.inner.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
