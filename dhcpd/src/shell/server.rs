//! The threads behind the sockets, one for each family, and their end.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
use daemon::interfaces::Changes;
use daemon::state::StateDir;
use daemon::stop::Stop;
use tracing::warn;

use super::clock::boot_number;
use super::counters::DhcpCounters;
use super::inquiry::{Inquirer, inquiries};
use super::links::Links;
use super::ports::Ports;
use super::seen::Keeper;
use super::store::LeaseStore;
use super::v6::{self, Six};
use super::worker::{Begin, Worker};
use super::writer::{Writer, wake_pair};
use crate::view::DhcpView;

/// The threads that answer. Dropping it ends them.
pub(super) struct Server {
    keeper: Option<Keeper>,
    stop: Option<Stop>,
    threads: Vec<JoinHandle<()>>,
    pulses: Vec<Arc<AtomicU64>>,
    /// Asks the thread about leases.
    pub(super) inquirer: Arc<Inquirer>,
    /// What keeps leases from being written.
    pub(super) store_problem: Arc<Mutex<Option<String>>>,
}

impl Server {
    /// Starts the threads. `watchdog`: how often [`Server::is_alive`] will be asked.
    ///
    /// # Errors
    /// A thread cannot be started.
    pub(super) fn start(
        ports: Ports,
        store: Box<dyn LeaseStore>,
        links: &Arc<Links>,
        views: &Arc<ArcSwap<DhcpView>>,
        counters: &DhcpCounters,
        begin: Begin,
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
            begin,
            tally: counters.worker(),
            stop: stop.token(),
            pulse: Arc::clone(&pulse),
            pulse_interval: watchdog.map(|interval| interval / 4),
        };
        let thread = std::thread::Builder::new().name("dhcpv4".to_owned()).spawn(move || worker.run())?;
        let inquirer = Arc::new(inquirer);
        let (threads, pulses) = (vec![thread], vec![pulse]);
        Ok(Server { keeper: None, stop: Some(stop), threads, pulses, inquirer, store_problem })
    }

    /// With a thread of DHCPv6 for the interfaces `names`, beside that of DHCPv4.
    ///
    /// # Errors
    /// It cannot be started.
    pub(super) fn with_v6(
        mut self,
        names: &[String],
        six: &Arc<Six>,
        views: &Arc<ArcSwap<DhcpView>>,
        watchdog: Option<Duration>,
    ) -> io::Result<Server> {
        let Some(stop) = &self.stop else { return Ok(self) };
        let pulse = Arc::new(AtomicU64::new(0));
        let interval = watchdog.map(|interval| interval / 4);
        let (six, views) = (Arc::clone(six), Arc::clone(views));
        let worker = v6::Worker::new(names, six, views, stop.token(), Arc::clone(&pulse), interval);
        let thread = std::thread::Builder::new().name("dhcpv6".to_owned()).spawn(move || worker.run())?;
        self.threads.push(thread);
        self.pulses.push(pulse);
        Ok(self)
    }

    /// With a thread that writes down the machines seen.
    ///
    /// # Errors
    /// It cannot be started.
    pub(super) fn keeping_seen(mut self, state: &Arc<StateDir>) -> io::Result<Server> {
        self.keeper = Some(Keeper::start(state, &self.inquirer)?);
        Ok(self)
    }

    /// A question that says whether the workers went on since it was asked last.
    pub(super) fn is_alive(&self) -> impl Fn() -> bool + use<> {
        let pulses: Vec<_> =
            self.pulses.iter().map(|pulse| (Arc::clone(pulse), AtomicU64::new(u64::MAX))).collect();
        move || {
            let went_on = pulses.iter().map(|(pulse, seen)| {
                let now = pulse.load(Ordering::Relaxed);
                seen.swap(now, Ordering::Relaxed) != now
            });
            // Each is looked at, or one that stands still would hide another.
            went_on.fold(true, |all, one| all & one)
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It asks the threads for the last time.
        drop(self.keeper.take());
        drop(self.stop.take());
        for thread in self.threads.drain(..) {
            // A panic was printed when it happened.
            let _ = thread.join();
        }
    }
}
