//! The served interfaces as they are now, for the core, for status, and for an operator's eyes.

use std::net::Ipv4Addr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use daemon::interfaces::Interface;
use tracing::warn;

use super::ports::Port;
use crate::core::Link;
use crate::view::DhcpView;

/// What is known of the served interfaces; the worker writes it, status and reloads read it.
#[derive(Debug, Default)]
pub(super) struct Links {
    served: Mutex<Vec<Served>>,
    /// Problems that were told.
    told: Mutex<Vec<String>>,
}

/// An interface that is served, or would be if it were there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Served {
    pub(super) name: String,
    pub(super) state: State,
    pub(super) addresses: Vec<Ipv4Addr>,
}

/// Whether packets can come by an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// There is no such interface.
    Gone,
    /// It is down.
    Down,
    /// It is up.
    Up,
}

impl Links {
    /// Notes what `interfaces` say of `ports`; returns what the core is to know.
    pub(super) fn set(&self, ports: &[Port], interfaces: &[Interface]) -> Vec<Link> {
        let of = |port: &Port| interfaces.iter().find(|interface| interface.name == port.name);
        let served = ports.iter().map(|port| {
            let interface = of(port).filter(|_| port.socket.is_some());
            Served {
                name: port.name.clone(),
                state: interface
                    .map_or(State::Gone, |interface| if interface.up { State::Up } else { State::Down }),
                addresses: interface.map(addresses).unwrap_or_default(),
            }
        });
        *lock(&self.served) = served.collect();
        let present = ports.iter().filter(|port| port.socket.is_some()).filter_map(of);
        present
            .map(|interface| Link {
                index: interface.index,
                addresses: addresses(interface),
                mtu: interface.mtu,
            })
            .collect()
    }

    /// The interfaces, for status.
    pub(super) fn served(&self) -> Vec<Served> {
        lock(&self.served).clone()
    }

    /// Why clients on some interface get no answer, one line each.
    pub(super) fn problems(&self, view: &DhcpView) -> Vec<String> {
        lock(&self.served).iter().filter_map(|served| problem(served, view)).collect()
    }

    /// Warns of problems that were not there before.
    pub(super) fn report(&self, view: &DhcpView) {
        let problems = self.problems(view);
        let mut told = lock(&self.told);
        for problem in problems.iter().filter(|problem| !told.contains(problem)) {
            warn!("{problem}");
        }
        *told = problems;
    }
}

fn problem(served: &Served, view: &DhcpView) -> Option<String> {
    let name = &served.name;
    match served.state {
        State::Gone => return Some(format!("there is no interface `{name}`: nothing is served there")),
        State::Down => {
            return Some(format!("interface `{name}` is down: `ip link set {name} up` switches it on"));
        }
        State::Up => {}
    }
    // A site of IPv6 alone needs no IPv4 address.
    if view.networks().next().is_none() && view.networks6().next().is_some() {
        return None;
    }
    if served.addresses.is_empty() {
        return Some(format!(
            "interface `{name}` has no IPv4 address: clients there get no answer until it has one"
        ));
    }
    if served.addresses.iter().all(|address| view.network_of(*address).is_none()) {
        let list: Vec<String> = served.addresses.iter().map(ToString::to_string).collect();
        return Some(format!(
            "no address of interface `{name}` ({}) is in a network of the inventory: only clients behind relay \
             agents are served there",
            list.join(", ")
        ));
    }
    None
}

fn addresses(interface: &Interface) -> Vec<Ipv4Addr> {
    interface.ipv4.iter().map(|(address, _)| *address).collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use inventory_core::model::Snapshot;

    #[test]
    fn every_reason_why_an_interface_serves_nobody_says_what_to_do() {
        let view = DhcpView::build(&Snapshot::nothing());
        let links = Links::default();
        let served = |state, addresses: &[Ipv4Addr]| {
            let served = Served { name: "eth7".to_owned(), state, addresses: addresses.to_vec() };
            *lock(&links.served) = vec![served];
            links.problems(&view).concat()
        };
        assert!(served(State::Gone, &[]).contains("no interface `eth7`"));
        assert!(served(State::Down, &[]).contains("`ip link set eth7 up`"));
        assert!(served(State::Up, &[]).contains("no IPv4 address"));
        assert!(served(State::Up, &[Ipv4Addr::new(192, 0, 2, 1)]).contains("(192.0.2.1) is in a network"));
    }
}
