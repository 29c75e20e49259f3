//! DHCPv4 around its core: sockets, probes, replies.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Instant;

use daemon::interfaces::Interface;
use daemon::metrics::Tally;
use daemon::udp::{Datagram, RecvBatch};
use inventory_core::mac::MacAddr;
use tracing::info;

use super::counters::Traffic;
use super::links::Links;
use super::ports::{Port, Ports};
use super::replies::{Exits, Replies};
use super::tell::{Budget, tell};
use super::worker::{Happening, Service};
use crate::core::{Core, Destination, Input, Link, Now, Outputs, Packet, Record, Reply, SeenMachine, V4};
use crate::view::DhcpView;

/// The core of DHCPv4 with its sockets.
pub(super) struct Four {
    core: Core,
    ports: Ports,
    links: Arc<Links>,
    /// Address that was asked at each of the boot ports.
    boot_addresses: Vec<Option<Ipv4Addr>>,
    /// Which of the descriptors beside the ports is heard next.
    turn: usize,
    /// HTTP port of the boot service, if there is one.
    boot_port: Option<u16>,
    replies: Replies,
}

/// What the core begins with.
pub(super) struct Begin {
    /// HTTP port of the boot service, if there is one.
    pub(super) boot_port: Option<u16>,
    /// Machines seen before, the latest first.
    pub(super) seen: Vec<(MacAddr, SeenMachine)>,
}

impl Four {
    pub(super) fn new(ports: Ports, links: Arc<Links>, begin: Begin) -> Four {
        let Begin { boot_port, seen } = begin;
        let core = Core::new().with_boot(boot_port).with_seen(seen.into_iter());
        let (boot_addresses, replies) = (Vec::new(), Replies::new());
        Four { core, ports, links, boot_addresses, turn: 0, boot_port, replies }
    }

    /// Opens sockets anew where an interface is another one than it was.
    fn follow(&mut self, interfaces: &[Interface], view: &DhcpView) -> Vec<Link> {
        for port in &mut self.ports.all {
            port.follow(interfaces);
        }
        let is_proxy = view.networks().any(|network| network.proxy);
        for port in &mut self.ports.boot {
            if is_proxy { port.follow(interfaces) } else { port.close() }
        }
        self.ports.probes.follow(interfaces);
        let before = self.links.served();
        let links = self.links.set(&self.ports.all, interfaces);
        let served = self.links.served();
        // It was asked of us, whichever of our addresses there it was.
        let asked =
            |port: &Port| served.iter().find(|served| served.name == port.name)?.addresses.first().copied();
        self.boot_addresses = self.ports.boot.iter().map(asked).collect();
        if served != before {
            for served in served {
                info!(interface = %served.name, state = ?served.state, addresses = ?served.addresses, "interface");
            }
            self.links.report(view);
        }
        links
    }
}

impl Four {
    /// A datagram to one of the ports where machines ask what they boot.
    fn hear_boot(&self, place: usize) -> Option<Packet<'static>> {
        let port = self.ports.boot.get(place)?;
        let mut buffer = [0; <Four as Service>::MESSAGE_OCTETS];
        let (octets, from) = port.socket.as_ref()?.recv_from(&mut buffer).ok()?;
        let SocketAddr::V4(from) = from else { return None };
        let bytes = buffer.get(..octets)?.to_vec().into();
        let destination = self.boot_addresses.get(place).copied().flatten();
        Some(Packet { bytes, interface: port.index(), from, destination })
    }

    /// Sends a reply from that port.
    fn send_boot(&self, interface: u32, to: SocketAddr, octets: &[u8], traffic: &Tally<Traffic>) {
        let port = self.ports.boot.iter().find(|port| port.index() == interface);
        let sent = port.and_then(|port| port.socket.as_ref()?.send_to(octets, to).ok());
        traffic.count(if sent.is_some() { Traffic::Sent } else { Traffic::Unsent });
    }
}

impl Service for Four {
    type Family = V4;
    type Core = Core;
    /// No client or relay agent sends more than an Ethernet frame; one that does is counted.
    const MESSAGE_OCTETS: usize = 2048;

    fn core(&self) -> &Core {
        &self.core
    }

    fn recover(&mut self, records: Vec<(u64, Record)>, boot: Option<u64>, now: Now) {
        let seen = std::mem::take(&mut self.core).into_seen();
        let core = Core::recover(records, boot, now).with_boot(self.boot_port);
        self.core = core.with_seen(seen.into_iter());
    }

    fn deadline(&self) -> Option<u64> {
        self.core.deadline()
    }

    fn happen(&mut self, what: Happening<'_>, now: Now, view: &DhcpView, out: &mut Outputs) {
        let input = match what {
            Happening::Interfaces(interfaces) => Input::Links(self.follow(interfaces, view)),
            Happening::Committed(position) => Input::Committed(position),
            Happening::StoreFailing => Input::StoreFailing,
            Happening::Tick => Input::Tick,
        };
        self.core.handle(&input, now, view, out);
    }

    #[inline]
    fn packet(&mut self, datagram: &Datagram<'_>, now: Now, view: &DhcpView, out: &mut Outputs) -> bool {
        let Some(packet) = packet(datagram) else { return false };
        self.core.handle(&Input::Packet(packet), now, view, out);
        true
    }

    fn look_ahead(&self, messages: &RecvBatch, place: usize, view: &DhcpView) {
        let Some(port) = self.ports.all.get(place) else { return };
        self.core.look_ahead(messages.payloads(), port.index(), view);
    }

    fn ports(&self) -> &[Port] {
        &self.ports.all
    }

    fn others(&self) -> Vec<BorrowedFd<'_>> {
        let boot = self.ports.boot.iter().filter_map(|port| Some(port.socket.as_ref()?.as_fd()));
        self.ports.probes.descriptors().chain(boot).collect()
    }

    fn hear_other(&mut self, now: Now, view: &DhcpView, out: &mut Outputs) -> bool {
        let sources = 2 + self.ports.boot.len();
        let heard = in_turn(self.turn, sources, |source| match source {
            0 => self.ports.probes.hear_claim(),
            1 => self.ports.probes.hear_echo(),
            _ => self.hear_boot(source - 2).map(|packet| Some(Input::BootPacket(packet))),
        });
        let Some((source, input)) = heard else { return false };
        self.turn = source + 1;
        if let Some(input) = input {
            self.core.handle(&input, now, view, out);
        }
        true
    }

    fn act(&mut self, out: &Outputs) {
        for probe in out.probes() {
            self.ports.probes.send(probe);
        }
    }

    #[inline]
    fn add(&mut self, reply: &Reply, octets: &[u8], traffic: &Tally<Traffic>) {
        let interface = reply.destination.interface();
        if let Destination::Boot { address, port, .. } = reply.destination {
            return self.send_boot(interface, SocketAddr::from((address, port)), octets, traffic);
        }
        if self.replies.interface != interface {
            self.send(traffic);
            self.replies.interface = interface;
        }
        match self.ports.of_interface(interface) {
            Some(socket) => {
                self.replies.add(reply, octets, Exits { socket, packet: &self.ports.packet, traffic });
            }
            None => traffic.count(Traffic::Unsent),
        }
    }

    fn send(&mut self, traffic: &Tally<Traffic>) {
        if let Some(socket) = self.ports.of_interface(self.replies.interface) {
            self.replies.send(Exits { socket, packet: &self.ports.packet, traffic });
        }
    }

    fn tell(out: &Outputs, view: &DhcpView, budget: &mut Budget, now: Instant) {
        tell(out, view, budget, now);
    }
}

/// What the core is to know of a datagram; `None` if it was longer than the buffer.
#[inline]
fn packet<'a>(datagram: &Datagram<'a>) -> Option<Packet<'a>> {
    let SocketAddr::V4(from) = datagram.from else { return None };
    let destination = datagram.to.and_then(|to| match to {
        IpAddr::V4(to) => Some(to),
        IpAddr::V6(_) => None,
    });
    let bytes = Cow::Borrowed(datagram.bytes);
    (!datagram.truncated).then_some(Packet { bytes, interface: datagram.interface, from, destination })
}

/// What is heard of one of so many sources, and of which. They are asked from `first` on in a circle, so that
/// one that always has something keeps no other from being heard.
fn in_turn<T>(first: usize, sources: usize, hear: impl Fn(usize) -> Option<T>) -> Option<(usize, T)> {
    (first..first + sources).map(|place| place % sources).find_map(|place| Some((place, hear(place)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_that_always_has_something_keeps_no_other_from_being_heard() {
        let busy = [true, false, true, true];
        let mut turn = 0;
        let heard: Vec<usize> = (0..6)
            .filter_map(|_| {
                let (source, ()) = in_turn(turn, busy.len(), |place| busy[place].then_some(()))?;
                turn = source + 1;
                Some(source)
            })
            .collect();
        assert_eq!(heard, [0, 2, 3, 0, 2, 3]);
        assert_eq!(in_turn(3, 4, |_| None::<()>), None);
    }
}
