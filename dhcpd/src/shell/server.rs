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
use super::counters::FamilyTally;
use super::inquiry::{Inquirer, inquiries};
use super::keeper::{Keeper, Kept};
use super::store::LeaseStore;
use super::worker::{Service, Worker};
use super::writer::{Writer, wake_pair};
use crate::core::Family;
use crate::view::DhcpView;

/// The threads that answer. Dropping it ends them.
pub(super) struct Server {
    stop: Option<Stop>,
    threads: Vec<JoinHandle<()>>,
    pulses: Vec<Arc<AtomicU64>>,
    views: Arc<ArcSwap<DhcpView>>,
    /// How often [`Server::is_alive`] will be asked.
    watchdog: Option<Duration>,
    keepers: Vec<Keeper>,
}

/// What others know of a thread.
pub(super) struct Thread<C> {
    /// Asks it about leases.
    pub(super) inquirer: Arc<Inquirer<C>>,
    /// What keeps leases from being written.
    pub(super) store_problem: Arc<Mutex<Option<String>>>,
}

impl Server {
    /// No thread yet. `watchdog`: how often [`Server::is_alive`] will be asked.
    ///
    /// # Errors
    /// The system has no descriptors left.
    pub(super) fn new(views: &Arc<ArcSwap<DhcpView>>, watchdog: Option<Duration>) -> io::Result<Server> {
        let (threads, pulses) = (Vec::new(), Vec::new());
        let (stop, views) = (Some(Stop::new()?), Arc::clone(views));
        Ok(Server { stop, threads, pulses, views, watchdog, keepers: Vec::new() })
    }

    /// Starts the thread `name` of `service`, whose leases are in `store`.
    ///
    /// # Errors
    /// It cannot be started.
    pub(super) fn start<S: Service + Send + 'static>(
        &mut self,
        name: &str,
        service: S,
        store: Box<dyn LeaseStore>,
        tally: FamilyTally<S::Family>,
    ) -> io::Result<Thread<S::Core>>
    where
        S::Core: 'static,
        <S::Family as Family>::Reply: Send,
    {
        let Some(stop) = &self.stop else { return Err(io::ErrorKind::NotConnected.into()) };
        let pulse = Arc::new(AtomicU64::new(0));
        let changes = Changes::listen()
            .inspect_err(|error| warn!(%error, "changes of interfaces are seen within seconds, not at once"));
        let (waker, sleeper) = wake_pair()?;
        let (inquirer, inquiries) = inquiries(waker.try_clone()?);
        let store_problem = Arc::new(Mutex::new(None));
        let worker = Worker {
            service,
            writer: Writer::start(store, waker)?,
            sleeper,
            inquiries,
            store_problem: Arc::clone(&store_problem),
            boot: boot_number(),
            changes: changes.ok(),
            views: Arc::clone(&self.views),
            tally,
            stop: stop.token(),
            pulse: Arc::clone(&pulse),
            pulse_interval: self.watchdog.map(|interval| interval / 4),
        };
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || worker.run())?;
        self.threads.push(thread);
        self.pulses.push(pulse);
        Ok(Thread { inquirer: Arc::new(inquirer), store_problem })
    }

    /// Starts a thread that writes down what a worker has learned.
    ///
    /// # Errors
    /// It cannot be started.
    pub(super) fn keep<C: 'static, T: Send + 'static>(
        &mut self,
        state: &Arc<StateDir>,
        inquirer: &Arc<Inquirer<C>>,
        kept: Kept<C, T>,
    ) -> io::Result<()> {
        self.keepers.push(Keeper::start(state, inquirer, kept)?);
        Ok(())
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
        // They ask the threads for the last time.
        self.keepers.clear();
        drop(self.stop.take());
        for thread in self.threads.drain(..) {
            // A panic was printed when it happened.
            let _ = thread.join();
        }
    }
}
