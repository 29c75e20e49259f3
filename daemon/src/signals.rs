//! What the outside asks of a daemon by signals.
//!
//! SIGHUP: look at the inventory now. SIGTERM and SIGINT: finish and exit. SIGPIPE stays ignored, as
//! Rust's runtime has set it: a peer that hangs up is an error of one write.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Look at the inventory now.
    Look,
    /// Finish what is under way and exit.
    Finish,
}

/// The signals of this process, caught from [`install`](Signals::install) on.
#[derive(Debug)]
pub struct Signals {
    hang_up: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Catches the signals, early: until then SIGHUP ends the process. Needs a tokio runtime with I/O.
    pub fn install() -> io::Result<Signals> {
        Ok(Signals {
            hang_up: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next one. Several equal ones that come at once count as one; to finish comes before
    /// to look. May be dropped and called again without losing any.
    pub async fn next(&mut self) -> Asked {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => Asked::Finish,
            _ = self.interrupt.recv() => Asked::Finish,
            _ = self.hang_up.recv() => Asked::Look,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::fork::in_child;
    use nix::sys::signal::{Signal as Raise, raise};

    #[test]
    fn hang_up_means_look_and_terminate_or_interrupt_finish() {
        in_child(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut signals = Signals::install().unwrap();
                for (sent, asked) in [
                    (Raise::SIGHUP, Asked::Look),
                    (Raise::SIGTERM, Asked::Finish),
                    (Raise::SIGHUP, Asked::Look),
                    (Raise::SIGINT, Asked::Finish),
                ] {
                    raise(sent).unwrap();
                    assert_eq!(signals.next().await, asked);
                }
            });
        });
    }

    #[test]
    fn a_peer_that_hangs_up_does_not_kill_us() {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
        let ignored = u64::from_str_radix(ignored.trim(), 16).unwrap();
        assert_ne!(ignored & (1 << (libc::SIGPIPE - 1)), 0);
    }
}
