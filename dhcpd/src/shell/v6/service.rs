//! The thread that answers DHCPv6: receive what waits on a socket, decide all of it by one view, send.
//!
//! The sockets follow the inventory: without an IPv6 network to serve there are none.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use daemon::interfaces::{Changes, Interface, interfaces};
use daemon::stop::StopToken;
use daemon::udp::{Datagram, MAX_BATCH, RecvBatch, Route, SendBatch, Wait};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tracing::{Level, debug, enabled, error, info, warn};

use super::counters::Tally6;
use super::{Six, ports};
use crate::core::v6::{Core, Input, Link, Notice, Outputs, Packet, Transaction};
use crate::shell::clock::now;
use crate::shell::counters::Traffic;
use crate::shell::ports::Port;
use crate::shell::replies::account;
use crate::view::DhcpView;

/// Octets of a message that are read: a client's, with room for relay agents around it.
const MESSAGE_OCTETS: usize = 4096;
/// Octets of the longest reply: what one Ethernet frame carries.
const REPLY_OCTETS: usize = 1500;
/// How often the interfaces and the inventory's networks are looked at in any case.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);
/// Pause after an error that may stay.
const PAUSE: Duration = Duration::from_millis(10);

/// Owns the core and the sockets.
pub(in crate::shell) struct Worker {
    ports: Vec<Port>,
    changes: Option<Changes>,
    six: Arc<Six>,
    views: Arc<ArcSwap<DhcpView>>,
    tally: Tally6,
    stop: StopToken,
    /// Grows as long as the worker is alive.
    pulse: Arc<AtomicU64>,
    /// How long it waits at most.
    patience: Duration,
    core: Core,
    out: Outputs,
    messages: RecvBatch,
    replies: SendBatch,
    /// When the interfaces were looked at, and of which generation the view was.
    looked: (Instant, u64),
}

impl Worker {
    /// A worker for the named interfaces. It opens its sockets when it runs.
    pub(in crate::shell) fn new(
        names: &[String],
        six: Arc<Six>,
        views: Arc<ArcSwap<DhcpView>>,
        stop: StopToken,
        pulse: Arc<AtomicU64>,
        pulse_interval: Option<Duration>,
    ) -> Worker {
        Worker {
            ports: ports::closed(names),
            // Not being told is worth no second warning: DHCPv4 has given one.
            changes: Changes::listen().ok(),
            tally: six.counters.worker(),
            core: Core::new(&six.duid),
            six,
            views,
            stop,
            pulse,
            patience: pulse_interval.map_or(LOOK_INTERVAL, |interval| interval.min(LOOK_INTERVAL)),
            out: Outputs::default(),
            messages: RecvBatch::new(MAX_BATCH, MESSAGE_OCTETS),
            replies: SendBatch::new(MAX_BATCH, REPLY_OCTETS),
            looked: (Instant::now(), 0),
        }
    }

    /// Answers until the stop comes.
    pub(in crate::shell) fn run(mut self) {
        self.look_around();
        loop {
            self.pulse.fetch_add(1, Ordering::Relaxed);
            let ready = self.wait().unwrap_or_else(|error| {
                error!(%error, "the worker cannot wait for messages");
                std::thread::sleep(PAUSE);
                Vec::new()
            });
            let [stopped, changed, readable @ ..] = &*ready else { continue };
            if *stopped {
                return;
            }
            let (looked, generation) = self.looked;
            let news = *changed || self.views.load().generation() != generation;
            if news || looked.elapsed() >= LOOK_INTERVAL {
                self.look_around();
            }
            for (place, ready) in readable.iter().enumerate() {
                if *ready {
                    self.receive(place);
                }
            }
        }
    }

    /// Waits for the stop, a change of the interfaces, messages, or the time to look around. Returns
    /// which of them came, the messages by the place of their port.
    fn wait(&self) -> nix::Result<Vec<bool>> {
        let changes = self.changes.as_ref().map(AsFd::as_fd);
        let sockets = self.ports.iter().map(|port| port.socket.as_ref().map(AsFd::as_fd));
        let all: Vec<Option<BorrowedFd<'_>>> =
            [Some(self.stop.as_fd()), changes].into_iter().chain(sockets).collect();
        let mut waiting: Vec<PollFd<'_>> =
            all.iter().flatten().map(|fd| PollFd::new(*fd, PollFlags::POLLIN)).collect();
        match poll(&mut waiting, PollTimeout::try_from(self.patience).unwrap_or(PollTimeout::MAX)) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error),
        }
        let mut polled = waiting.iter().map(|fd| fd.any().unwrap_or(true));
        Ok(all.iter().map(|fd| fd.is_some() && polled.next().unwrap_or(false)).collect())
    }

    /// Opens and closes sockets, and tells the core which interfaces there are.
    #[cold]
    fn look_around(&mut self) {
        let view = self.views.load_full();
        self.looked = (Instant::now(), view.generation());
        if let Some(changes) = &self.changes {
            changes.clear();
        }
        let interfaces = match interfaces() {
            Ok(interfaces) => interfaces,
            Err(error) => return warn!(%error, "interfaces cannot be listed: those known so far are served"),
        };
        let serves = view.networks6().any(|network| network.dhcp);
        for port in &mut self.ports {
            if serves { port.follow(&interfaces) } else { port.close() }
        }
        let links = links(&self.ports, &interfaces);
        if self.six.hear(&self.ports) {
            for link in &links {
                info!(interface = link.index, addresses = ?link.addresses, "serving DHCPv6");
            }
        }
        self.core.handle(&Input::Links(links), now(), &view, &mut self.out);
        self.out.clear();
    }

    /// Answers what waits on one socket, at most a batch: the others have their turn, too.
    fn receive(&mut self, place: usize) {
        let Some(socket) = self.ports.get(place).and_then(|port| port.socket.as_ref()) else { return };
        match self.messages.receive(socket, Wait::Never) {
            Ok(0) => return,
            Ok(_) => {}
            // Such as an interface that went down.
            Err(error) => {
                debug!(%error, "receiving failed");
                return std::thread::sleep(PAUSE);
            }
        }
        let (now, view) = (now(), self.views.load());
        for datagram in self.messages.iter() {
            let Some(packet) = packet(&datagram) else {
                self.tally.too_long();
                continue;
            };
            self.core.handle(&Input::Packet(packet), now, &view, &mut self.out);
            for (reply, octets) in self.out.replies() {
                let route = Route { source: reply.source.map(IpAddr::V6), interface: reply.interface };
                let room = self.replies.buffer().and_then(|buffer| buffer.get_mut(..octets.len()));
                let written = room.map(|room| room.copy_from_slice(octets)).is_some();
                let committed = written && self.replies.commit(octets.len(), SocketAddr::V6(reply.to), route);
                if !committed {
                    self.tally.traffic.count(Traffic::Unsent);
                }
            }
            self.tally.count(&self.out);
            tell(&self.out);
            self.out.clear();
        }
        self.tally.traffic.add(Traffic::Received, u64::try_from(self.messages.len()).unwrap_or(u64::MAX));
        if !self.replies.is_empty() {
            let report = self.replies.send(socket, Wait::ForOne);
            account(&report, self.replies.discard(), &self.tally.traffic);
        }
    }
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

/// One line a transaction for who debugs, and what an operator must know.
fn tell(out: &Outputs) {
    if enabled!(Level::DEBUG) {
        out.transactions().iter().for_each(trace);
    }
    for notice in out.notices() {
        match notice {
            Notice::AddressConflict { address, host } => warn!(
                %address, %host,
                "another machine uses the address of this host, which has declined it: find that machine \
                 (`ip -6 neigh` on the router or the switch's tables tell where it is), or give the host another \
                 address"
            ),
        }
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
