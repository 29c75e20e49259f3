//! The core of DHCPv6 with its sockets, which follow the inventory: without an IPv6 network to serve
//! there are none. Router advertisements are the same thread's.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Instant;

use daemon::interfaces::Interface;
use daemon::metrics::Tally;
use daemon::neighbours::NeighbourSocket;
use daemon::udp::{Datagram, MAX_BATCH, Route, SendBatch, Wait};
use ipnet::Ipv6Net;
use tracing::{Level, debug, enabled, info, warn};

use super::announcing::Announcing;
use super::{Six, ports};
use crate::core::neighbours::Heard;
use crate::core::v6::{
    Core, Input, Keys, Link, Notice, Outputs, Packet, Reconfigured, Reply, Transaction, V6,
};
use crate::core::{Change, ClientKey, Now, Record};
use crate::shell::counters::Traffic;
use crate::shell::ports::Port;
use crate::shell::replies::account;
use crate::shell::tell::{Budget, tell_changes, tell_of_clock, tell_of_stranded};
use crate::shell::worker::{Happening, Service};
use crate::view::{DhcpView, Layout6};

/// Octets of the longest reply: what one Ethernet frame carries.
const REPLY_OCTETS: usize = 1500;

/// Answers DHCPv6.
pub(in crate::shell) struct SixService {
    core: Core,
    ports: Vec<Port>,
    six: Arc<Six>,
    announcing: Announcing,
    /// HTTP port of the boot service, if there is one.
    boot_port: Option<u16>,
    /// For clients that take a Reconfigure: until the leases are read, nobody knows what they were told.
    reconfigure: Option<(Option<Keys>, Vec<Reconfigured>)>,
    replies: SendBatch,
    /// Index of the interface that the replies leave by.
    interface: u32,
}

/// What it begins with.
pub(in crate::shell) struct Begin {
    /// HTTP port of the boot service, if there is one.
    pub(in crate::shell) boot_port: Option<u16>,
    /// For clients that take a Reconfigure.
    pub(in crate::shell) keys: Option<Keys>,
    /// Those that are known already.
    pub(in crate::shell) clients: Vec<Reconfigured>,
}

impl SixService {
    /// For the named interfaces. It opens its sockets when it hears of those.
    pub(in crate::shell) fn new(
        names: &[String],
        six: Arc<Six>,
        neighbours: Option<NeighbourSocket>,
        begin: Begin,
    ) -> SixService {
        let Begin { boot_port, keys, clients } = begin;
        // Any number that is another one on another server.
        let seed = six.duid.iter().fold(0, |seed: u64, octet| seed.rotate_left(7) ^ u64::from(*octet));
        SixService {
            announcing: Announcing::new(neighbours, seed, six.advertising.tally()),
            core: Core::new(&six.duid).with_boot(boot_port),
            reconfigure: Some((keys, clients)),
            boot_port,
            ports: ports::closed(names),
            six,
            replies: SendBatch::new(MAX_BATCH, REPLY_OCTETS),
            interface: 0,
        }
    }

    /// Opens and closes sockets.
    fn follow(&mut self, interfaces: &[Interface], view: &DhcpView) -> Vec<Link> {
        let serves = view.networks6().any(|network| network.dhcp);
        for port in &mut self.ports {
            if serves { port.follow(interfaces) } else { port.close() }
        }
        let links = links(&self.ports, interfaces);
        if self.six.hear(&self.ports) {
            for link in &links {
                info!(interface = link.index, addresses = ?link.addresses, "serving DHCPv6");
            }
        }
        links
    }
}

impl Service for SixService {
    type Family = V6;
    type Core = Core;
    /// A client's, with room for relay agents around it.
    const MESSAGE_OCTETS: usize = 4096;

    fn core(&self) -> &Core {
        &self.core
    }

    fn recover(&mut self, records: Vec<(u64, Record)>, boot: Option<u64>, now: Now) {
        let core = Core::recover(&self.six.duid, records, boot, now).with_boot(self.boot_port);
        let core = core.with_learned_of(&mut self.core);
        self.core = match self.reconfigure.take() {
            Some((keys, clients)) => core.with_reconfigure(keys, clients),
            None => core,
        };
    }

    fn deadline(&self) -> Option<u64> {
        [self.core.deadline(), self.announcing.deadline()].into_iter().flatten().min()
    }

    fn happen(&mut self, what: Happening<'_>, now: Now, view: &DhcpView, out: &mut Outputs) {
        let input = match what {
            Happening::Interfaces(interfaces) => {
                self.announcing.follow(&self.ports, interfaces, now, view);
                Input::Links(self.follow(interfaces, view))
            }
            Happening::Committed(position) => Input::Committed(position),
            Happening::StoreFailing => Input::StoreFailing,
            Happening::Tick => {
                self.announcing.pass(now);
                Input::Tick
            }
        };
        self.core.handle(&input, now, view, out);
    }

    fn packet(&mut self, datagram: &Datagram<'_>, now: Now, view: &DhcpView, out: &mut Outputs) -> bool {
        let Some(packet) = packet(datagram) else { return false };
        self.core.handle(&Input::Packet(packet), now, view, out);
        true
    }

    fn ports(&self) -> &[Port] {
        &self.ports
    }

    fn others(&self) -> Vec<BorrowedFd<'_>> {
        self.announcing.descriptor().into_iter().collect()
    }

    fn hear_other(&mut self, now: Now, _view: &DhcpView, _out: &mut Outputs) -> bool {
        let Some(heard) = self.announcing.hear(now) else { return false };
        let (octets, hop_limit, from) = (&*heard.octets, heard.hop_limit, heard.from);
        self.core.hear_neighbour(Heard { octets, hop_limit, from }, now);
        true
    }

    fn add(&mut self, reply: &Reply, octets: &[u8], traffic: &Tally<Traffic>) {
        if self.interface != reply.interface || self.replies.buffer().is_none() {
            self.send(traffic);
            self.interface = reply.interface;
        }
        let route = Route { source: reply.source.map(IpAddr::V6), interface: reply.interface };
        let room = self.replies.buffer().and_then(|buffer| buffer.get_mut(..octets.len()));
        let written = room.map(|room| room.copy_from_slice(octets)).is_some();
        if !(written && self.replies.commit(octets.len(), SocketAddr::V6(reply.to), route)) {
            traffic.count(Traffic::Unsent);
        }
    }

    fn send(&mut self, traffic: &Tally<Traffic>) {
        if self.replies.is_empty() {
            return;
        }
        let port = self.ports.iter().find(|port| port.index() == self.interface);
        let Some(socket) = port.and_then(|port| port.socket.as_ref()) else {
            let unsent = u64::try_from(self.replies.discard()).unwrap_or(u64::MAX);
            return traffic.add(Traffic::Unsent, unsent);
        };
        let report = self.replies.send(socket, Wait::ForOne);
        account(&report, self.replies.discard(), traffic);
    }

    fn tell(out: &Outputs, view: &DhcpView, budget: &mut Budget, now: Instant) {
        if enabled!(Level::DEBUG) {
            out.transactions().iter().for_each(trace);
        }
        tell_changes(out, |change| is_known(change, view), budget, now);
        out.notices().iter().for_each(notify);
    }
}

/// Whether the client is a machine of the inventory, in the network of its lease.
fn is_known(change: &Change<Ipv6Net>, view: &DhcpView) -> bool {
    let Some(network) = Layout6::new(view).network_of(change.address).map(|network| network.id) else {
        return false;
    };
    let duid = change.client.as_ref().and_then(ClientKey::association).map(|(.., duid)| duid);
    change.mac.is_some_and(|mac| view.by_mac(network, mac).is_some())
        || duid.is_some_and(|duid| view.by_duid(network, duid).is_some())
}

/// What the core is to know of the interfaces that are heard.
fn links(ports: &[Port], interfaces: &[Interface]) -> Vec<Link> {
    let open = ports.iter().filter(|port| port.socket.is_some());
    let heard = open.filter_map(|port| interfaces.iter().find(|interface| interface.name == port.name));
    heard
        .map(|interface| Link {
            index: interface.index,
            addresses: interface.ipv6.iter().map(|(address, _)| *address).collect(),
            addresses4: interface.ipv4.iter().map(|(address, _)| *address).collect(),
            mtu: interface.mtu,
        })
        .collect()
}

/// What the core is to know of a datagram; `None` if it was longer than the buffer.
fn packet<'a>(datagram: &Datagram<'a>) -> Option<Packet<'a>> {
    let SocketAddr::V6(from) = datagram.from else { return None };
    let destination = datagram.to.and_then(|to| match to {
        IpAddr::V6(to) => Some(to),
        IpAddr::V4(_) => None,
    });
    let bytes = Cow::Borrowed(datagram.bytes);
    (!datagram.truncated).then_some(Packet { bytes, interface: datagram.interface, from, destination })
}

fn notify(notice: &Notice) {
    match notice {
        Notice::AddressConflict { address, host } => warn!(
            %address, %host,
            "another machine uses the address of this host, which has declined it: find that machine \
             (`ip -6 neigh` on the router or the switch's tables tell where it is), or give the host another \
             address"
        ),
        Notice::Stranded { leases } => tell_of_stranded(*leases),
        Notice::ClockStepped { by } => tell_of_clock(*by),
    }
}

#[cold]
fn trace(transaction: &Transaction) {
    let outcome = &transaction.outcome;
    match transaction.received {
        Some((message, [a, b, c])) => {
            let xid = format_args!("{a:02x}{b:02x}{c:02x}");
            debug!(?message, %xid, ?outcome, "DHCPv6 transaction");
        }
        None => debug!(?outcome, "a datagram that is no DHCPv6 message"),
    }
}
