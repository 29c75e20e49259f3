//! What `hostbook status` is told.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use daemon::control::{Request, refuse};
use daemon::follow::FollowStatus;
use daemon::metrics::Common;
use serde_json::{Value, json};

use super::book::{self, Use};
use super::counters::DhcpCounters;
use super::links::{Links, Served, State};
use super::names::Names;
use super::server::Thread;
use super::v6::Six;
use crate::core::{Core, v6};
use crate::history::History;
use crate::view::DhcpView;

/// Networks that are listed at most.
const NETWORKS_SHOWN: usize = 1000;

/// Where the daemon's state is read from.
pub(super) struct Status {
    pub(super) common: Arc<Common>,
    pub(super) follow: Arc<Mutex<FollowStatus>>,
    pub(super) views: Arc<ArcSwap<DhcpView>>,
    pub(super) counters: Arc<DhcpCounters>,
    pub(super) links: Arc<Links>,
    pub(super) four: Thread<Core>,
    pub(super) six: Arc<Six>,
    pub(super) six_thread: Thread<v6::Core>,
    /// What keeps machines from booting.
    pub(super) boot_problems: Box<dyn Fn() -> Vec<String> + Send + Sync>,
    /// Which hosts are installed; `None`: nothing boots from here.
    pub(super) installed: Option<Box<dyn Fn() -> Value + Send + Sync>>,
    /// What leases become; `None`: it is not kept.
    pub(super) history: Option<Arc<History>>,
    /// Which names leases have in the DNS.
    pub(super) names: Names,
}

impl Status {
    /// Answers a request on the control socket.
    pub(super) fn answer(&self, request: &Request) -> Value {
        match request.get.as_str() {
            "status" => self.to_json(),
            "leases" => self.leases().unwrap_or_else(busy),
            "installed" => self.installed.as_ref().map_or_else(|| json!([]), |installed| installed()),
            other => {
                refuse(format!("unknown request `{other}`: dhcpd knows `status`, `leases` and `installed`"))
            }
        }
    }

    /// All leases: IPv4's, then IPv6's.
    fn leases(&self) -> Option<Value> {
        let four = self.four.inquirer.ask(book::leases)?;
        let six = self.six_thread.inquirer.ask(book::leases6)?;
        Some(four.into_iter().chain(six).collect())
    }

    fn to_json(&self) -> Value {
        let view = self.views.load();
        let of_worker = |core: &Core, view: &DhcpView| (book::uses(core, view), book::seen(core, view));
        let (networks, seen) = self.four.inquirer.ask(of_worker).unwrap_or_default();
        let of_six =
            |core: &v6::Core, view: &DhcpView| (book::uses6(core, view), book::neighbours(core, view));
        let (networks6, neighbours) = self.six_thread.inquirer.ask(of_six).unwrap_or_default();
        let seen: Value = seen.as_array().into_iter().flatten().cloned().chain(neighbours).collect();
        let networks = networks.iter().map(Use::to_json).chain(networks6).take(NETWORKS_SHOWN);
        let store_problems =
            [&self.four.store_problem, &self.six_thread.store_problem].map(|problem| lock(problem).clone());
        let mut problems = self.links.problems(&view);
        problems.extend((self.boot_problems)());
        problems.extend(self.history.as_ref().and_then(|history| history.trouble()));
        problems.extend(self.names.trouble());
        let no_lease = |why| format!("no lease is given: {why}");
        problems.extend(store_problems.into_iter().flatten().map(no_lease));
        let mut status = json!({
            "daemon": "dhcpd",
            "generation": view.generation(),
            "hash": view.hash().to_string(),
            "inventory": *lock(&self.follow),
            "listeners": self.links.served().iter().map(listener).collect::<Vec<_>>(),
            "networks": networks.collect::<Vec<_>>(),
            "seen": seen,
            "keys": view.key_count(),
            "problems": problems,
            "counters": self.counters.to_json(),
            "dhcpv6": self.six.to_json(),
            "lease_names": self.names.to_json(),
            "history": self.history.as_ref().map(|history| json!({ "lost": history.lost() })),
        });
        if let (Value::Object(status), Value::Object(common)) = (&mut status, self.common.to_json()) {
            status.extend(common);
        }
        status
    }
}

fn busy() -> Value {
    refuse("the worker does not answer")
}

/// An interface in a few words.
fn listener(served: &Served) -> String {
    let addresses: Vec<String> = served.addresses.iter().map(ToString::to_string).collect();
    match (served.state, addresses.as_slice()) {
        (State::Gone, _) => format!("{} (gone)", served.name),
        (State::Down, _) => format!("{} (down)", served.name),
        (State::Up, []) => format!("{} (no address)", served.name),
        (State::Up, addresses) => format!("{} ({})", served.name, addresses.join(", ")),
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
