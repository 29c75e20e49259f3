//! Router advertisements around their core: the socket, the interfaces, the counts.

use std::fs;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use daemon::interfaces::Interface;
use daemon::metrics::{Counters, Registry, Tally};
use daemon::neighbours::{Heard, NeighbourSocket, ROUTER_SOLICITATION};
use tracing::{debug, info, warn};

use crate::core::Now;
use crate::core::ra::{Announcement, Announcer, Link, Solicitation};
use crate::shell::ports::Port;
use crate::view::DhcpView;

daemon::counted_reasons! {
    /// What happens about router advertisements.
    pub enum Advertising {
        /// A solicitation was heard that is answered.
        Solicited => "solicited",
        /// Something was heard that is no valid solicitation, or nothing is announced on its link.
        Unheeded => "unheeded",
        /// An advertisement was sent.
        Advertised => "advertised",
        /// An advertisement could not be sent.
        Unsent => "unsent",
    }
}

/// Sends advertisements.
pub(super) struct Announcing {
    /// `None`: it could not be opened.
    socket: Option<NeighbourSocket>,
    announcer: Announcer,
    /// Indices of the interfaces where solicitations are heard.
    joined: Vec<u32>,
    tally: Tally<Advertising>,
    out: Vec<Announcement>,
    /// On how many links something is announced; for the log.
    count: usize,
}

/// The counters of advertisements.
pub(super) fn counters(registry: &mut Registry) -> Arc<Counters<Advertising>> {
    let counters = Counters::new("hostbook_dhcpd_advertising", "Router advertisements", "event");
    counters.register(registry);
    counters
}

/// Opens the socket while there are privileges.
pub(in crate::shell) fn open_neighbours() -> Option<NeighbourSocket> {
    let opened = NeighbourSocket::open();
    opened.inspect_err(|error| warn!(%error, "router advertisements cannot be sent")).ok()
}

impl Announcing {
    pub(super) fn new(socket: Option<NeighbourSocket>, seed: u64, tally: Tally<Advertising>) -> Announcing {
        let (joined, out) = (Vec::new(), Vec::new());
        Announcing { socket, announcer: Announcer::new(seed), joined, tally, out, count: 0 }
    }

    /// Follows the interfaces among `ports` and the inventory.
    pub(super) fn follow(&mut self, ports: &[Port], interfaces: &[Interface], now: Now, view: &DhcpView) {
        let Some(socket) = &self.socket else { return };
        let named = |interface: &&Interface| ports.iter().any(|port| port.name == interface.name);
        let served: Vec<&Interface> = interfaces.iter().filter(named).filter(|one| one.up).collect();
        self.joined.retain(|index| served.iter().any(|interface| interface.index == *index));
        for interface in &served {
            if !self.joined.contains(&interface.index) {
                match socket.join(interface.index) {
                    Ok(()) => self.joined.push(interface.index),
                    Err(error) => debug!(interface = %interface.name, %error, "solicitations are not heard"),
                }
            }
        }
        let links: Vec<Link> = served.into_iter().map(link).collect();
        self.announcer.follow(&links, view, now, &mut self.out);
        self.send();
        if self.announcer.count() != self.count {
            self.count = self.announcer.count();
            info!(links = self.count, "router advertisements");
        }
        self.pass(now);
    }

    /// Hears one packet, and heeds it if it is a router solicitation; `None` when there is no more.
    pub(super) fn hear(&mut self, now: Now) -> Option<Heard> {
        let heard = self.socket.as_ref().and_then(NeighbourSocket::hear)?;
        if heard.octets.first() == Some(&ROUTER_SOLICITATION) {
            let (octets, hop_limit, interface, from) =
                (&*heard.octets, heard.hop_limit, heard.interface, heard.from);
            let solicitation = Solicitation { octets, hop_limit, interface, from };
            let heeded = self.announcer.hear(solicitation, now);
            self.tally.count(if heeded { Advertising::Solicited } else { Advertising::Unheeded });
        }
        Some(heard)
    }

    pub(super) fn deadline(&self) -> Option<u64> {
        self.announcer.deadline()
    }

    /// Sends what is due.
    pub(super) fn pass(&mut self, now: Now) {
        self.announcer.pass(now, &mut self.out);
        self.send();
    }

    fn send(&mut self) {
        let Some(socket) = &self.socket else { return };
        for Announcement { interface, from, to, octets } in self.out.drain(..) {
            match socket.send(interface, from, to, &octets) {
                Ok(()) => self.tally.count(Advertising::Advertised),
                Err(error) => {
                    debug!(interface, %to, %error, "an advertisement was not sent");
                    self.tally.count(Advertising::Unsent);
                }
            }
        }
    }

    pub(super) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.socket.as_ref().map(AsFd::as_fd)
    }
}

fn link(interface: &Interface) -> Link {
    let path = format!("/proc/sys/net/ipv6/conf/{}/forwarding", interface.name);
    Link {
        index: interface.index,
        addresses: interface.ipv6.iter().map(|(address, _)| *address).collect(),
        mac: interface.mac,
        forwards: fs::read_to_string(path).is_ok_and(|text| text.trim() != "0"),
    }
}
