//! The thread behind the sockets, and its end.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
use daemon::interfaces::Changes;
use daemon::stop::Stop;
use tracing::warn;

use super::clock::boot_number;
use super::counters::DhcpCounters;
use super::inquiry::{Inquirer, inquiries};
use super::links::Links;
use super::ports::Ports;
use super::store::LeaseStore;
use super::worker::Worker;
use super::writer::{Writer, wake_pair};
use crate::view::DhcpView;

/// The thread that answers. Dropping it ends the thread.
pub(super) struct Server {
    stop: Option<Stop>,
    thread: Option<JoinHandle<()>>,
    pulse: Arc<AtomicU64>,
    /// Asks the thread about leases.
    pub(super) inquirer: Arc<Inquirer>,
    /// What keeps leases from being written.
    pub(super) store_problem: Arc<Mutex<Option<String>>>,
}

impl Server {
    /// Starts the thread. `watchdog`: how often [`Server::is_alive`] will be asked.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub(super) fn start(
        ports: Ports,
        store: Box<dyn LeaseStore>,
        links: &Arc<Links>,
        views: &Arc<ArcSwap<DhcpView>>,
        counters: &DhcpCounters,
        boot_port: Option<u16>,
        watchdog: Option<Duration>,
    ) -> io::Result<Server> {
        let stop = Stop::new()?;
        let pulse = Arc::new(AtomicU64::new(0));
        let changes = Changes::listen()
            .inspect_err(|error| warn!(%error, "changes of interfaces are seen within seconds, not at once"));
        let (waker, sleeper) = wake_pair()?;
        let (inquirer, inquiries) = inquiries(waker.try_clone()?);
        let store_problem = Arc::new(Mutex::new(None));
        let worker = Worker {
            writer: Writer::start(store, waker)?,
            sleeper,
            inquiries,
            store_problem: Arc::clone(&store_problem),
            boot: boot_number(),
            ports,
            changes: changes.ok(),
            links: Arc::clone(links),
            views: Arc::clone(views),
            boot_port,
            tally: counters.worker(),
            stop: stop.token(),
            pulse: Arc::clone(&pulse),
            pulse_interval: watchdog.map(|interval| interval / 4),
        };
        let thread = std::thread::Builder::new().name("dhcpv4".to_owned()).spawn(move || worker.run())?;
        let inquirer = Arc::new(inquirer);
        Ok(Server { stop: Some(stop), thread: Some(thread), pulse, inquirer, store_problem })
    }

    /// A question that says whether the worker went on since it was asked last.
    pub(super) fn is_alive(&self) -> impl Fn() -> bool + use<> {
        let (pulse, seen) = (Arc::clone(&self.pulse), AtomicU64::new(u64::MAX));
        move || {
            let now = pulse.load(Ordering::Relaxed);
            seen.swap(now, Ordering::Relaxed) != now
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic was printed when it happened.
            let _ = thread.join();
        }
    }
}
