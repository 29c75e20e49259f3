//! The thread that answers: receive what waits on a socket, decide all of it by one view, send.
//!
//! One thread owns the core, so that it needs no lock. Two or three system calls serve up to 64
//! messages. The interfaces are looked at again when the kernel says that they have changed, and every
//! few seconds, since it may not have said so.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use daemon::interfaces::{Changes, interfaces};
use daemon::stop::StopToken;
use daemon::udp::{Datagram, MAX_BATCH, RecvBatch, Wait};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tracing::{Level, debug, enabled, error, info, warn};

use super::counters::{Traffic, WorkerTally};
use super::links::Links;
use super::ports::Ports;
use super::replies::{Exits, Replies};
use crate::core::{Core, Input, Notice, Now, Outputs, Packet, Transaction};
use crate::view::DhcpView;

/// Octets of a message that are read. No client or relay agent sends more than an Ethernet frame; one
/// that does is counted.
const MESSAGE_OCTETS: usize = 2048;
/// How often the interfaces are looked at in any case.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);
/// Pause after an error that may stay.
const PAUSE: Duration = Duration::from_millis(10);

/// Owns the core and the sockets.
pub(super) struct Worker {
    pub(super) ports: Ports,
    /// `None` where the system does not tell.
    pub(super) changes: Option<Changes>,
    pub(super) links: Arc<Links>,
    pub(super) views: Arc<ArcSwap<DhcpView>>,
    /// HTTP port of the boot service, if there is one.
    pub(super) boot_port: Option<u16>,
    pub(super) tally: WorkerTally,
    pub(super) stop: StopToken,
    /// Grows as long as the worker is alive.
    pub(super) pulse: Arc<AtomicU64>,
    /// How often at least it grows, if somebody watches.
    pub(super) pulse_interval: Option<Duration>,
}

/// What the worker changes while it runs.
struct State {
    core: Core,
    out: Outputs,
    messages: RecvBatch,
    replies: Replies,
    started: Instant,
    /// When the interfaces were looked at.
    looked: Instant,
    /// Losses that the kernel has counted, by place of the port.
    overflow: Vec<u32>,
}

/// What woke the worker.
#[derive(Default)]
struct Woken {
    stopped: bool,
    changed: bool,
    /// Places of the ports that can be read.
    readable: Vec<usize>,
}

impl Worker {
    /// Answers until the stop comes.
    pub(super) fn run(mut self) {
        let started = Instant::now();
        let mut state = State {
            core: Core::new().with_boot(self.boot_port),
            out: Outputs::default(),
            messages: RecvBatch::new(MAX_BATCH, MESSAGE_OCTETS),
            replies: Replies::new(),
            started,
            looked: started,
            overflow: vec![0; self.ports.all.len()],
        };
        self.look_at_links(&mut state);
        let mut woken = Woken::default();
        loop {
            self.pulse.fetch_add(1, Ordering::Relaxed);
            if let Err(error) = self.wait(&mut woken) {
                error!(%error, "the worker cannot wait for messages");
                std::thread::sleep(PAUSE);
            }
            if woken.stopped {
                return;
            }
            if woken.changed || state.looked.elapsed() >= LOOK_INTERVAL {
                self.look_at_links(&mut state);
            }
            for place in &woken.readable {
                self.receive(*place, &mut state);
            }
        }
    }

    /// Waits for messages, a change of the interfaces, the stop, or the time to look around.
    fn wait(&self, woken: &mut Woken) -> nix::Result<()> {
        woken.readable.clear();
        let sockets = self.ports.all.iter().enumerate();
        let sockets = sockets.filter_map(|(place, port)| Some((place, port.socket.as_ref()?.as_fd())));
        let (mut places, mut waiting) = (Vec::new(), vec![PollFd::new(self.stop.as_fd(), PollFlags::POLLIN)]);
        waiting.extend(self.changes.as_ref().map(|changes| PollFd::new(changes.as_fd(), PollFlags::POLLIN)));
        let others = waiting.len();
        for (place, socket) in sockets {
            places.push(place);
            waiting.push(PollFd::new(socket, PollFlags::POLLIN));
        }
        let timeout = self.pulse_interval.map_or(LOOK_INTERVAL, |interval| interval.min(LOOK_INTERVAL));
        match poll(&mut waiting, PollTimeout::try_from(timeout).unwrap_or(PollTimeout::MAX)) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error),
        }
        let ready: Vec<bool> = waiting.iter().map(|fd| fd.any().unwrap_or(true)).collect();
        let (other, sockets) = ready.split_at(others);
        woken.stopped = other.first().copied().unwrap_or(false);
        woken.changed = other.get(1).copied().unwrap_or(false);
        woken
            .readable
            .extend(places.iter().zip(sockets).filter(|(_, ready)| **ready).map(|(place, _)| *place));
        Ok(())
    }

    /// Tells the core which interfaces there are.
    #[cold]
    fn look_at_links(&mut self, state: &mut State) {
        state.looked = Instant::now();
        if let Some(changes) = &self.changes {
            changes.clear();
        }
        let interfaces = match interfaces() {
            Ok(interfaces) => interfaces,
            Err(error) => return warn!(%error, "interfaces cannot be listed: those known so far are served"),
        };
        for port in &mut self.ports.all {
            port.follow(&interfaces);
        }
        let before = self.links.served();
        let links = self.links.set(&self.ports.all, &interfaces);
        let view = self.views.load();
        if self.links.served() != before {
            for served in self.links.served() {
                info!(interface = %served.name, state = ?served.state, addresses = ?served.addresses, "interface");
            }
            self.links.report(&view);
        }
        state.core.handle(&Input::Links(links), now(state.started), &view, &mut state.out);
        state.out.clear();
    }

    /// Answers what waits on one socket, at most a batch: the others have their turn, too.
    fn receive(&self, place: usize, state: &mut State) {
        let Some(socket) = self.ports.all.get(place).and_then(|port| port.socket.as_ref()) else { return };
        match state.messages.receive(socket, Wait::Never) {
            Ok(0) => return,
            Ok(_) => {}
            // Such as an interface that went down.
            Err(error) => {
                debug!(%error, "receiving failed");
                return std::thread::sleep(PAUSE);
            }
        }
        let State { core, out, messages, replies, .. } = state;
        let exits = Exits { socket, packet: &self.ports.packet, tally: &self.tally };
        let (now, view) = (now(state.started), self.views.load());
        let mut lost = None;
        for datagram in messages.iter() {
            lost = Some(datagram.overflow);
            let Some(packet) = packet(&datagram) else {
                self.tally.too_long();
                continue;
            };
            core.handle(&Input::Packet(packet), now, &view, out);
            for (reply, octets) in out.replies() {
                replies.add(reply, octets, exits);
            }
            self.tally.count(out);
            tell(out);
            out.clear();
        }
        drop(view);
        replies.send(exits);
        self.tally.traffic.add(Traffic::Received, u64::try_from(messages.len()).unwrap_or(u64::MAX));
        if let (Some(lost), Some(before)) = (lost, state.overflow.get_mut(place)) {
            self.tally.traffic.add(Traffic::Overflow, lost.wrapping_sub(*before).into());
            *before = lost;
        }
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

fn now(started: Instant) -> Now {
    Now { monotonic_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX) }
}

/// One line a transaction for who debugs, and what an operator must know.
fn tell(out: &Outputs) {
    if enabled!(Level::DEBUG) {
        out.transactions().iter().for_each(trace);
    }
    for notice in out.notices() {
        match notice {
            Notice::AddressConflict { address, host, mac } => {
                let mac = mac.map(|mac| mac.to_string()).unwrap_or_default();
                warn!(
                    %address, %host, %mac,
                    "another machine uses the address of this host, which has declined it: find that machine \
                     (`arping -D` or the switch's tables tell where it is), or give the host another address"
                );
            }
        }
    }
}

#[cold]
fn trace(transaction: &Transaction) {
    let outcome = &transaction.outcome;
    match &transaction.received {
        Some(received) => {
            let mac = received.mac.map(|mac| mac.to_string()).unwrap_or_default();
            let xid = format_args!("{:08x}", received.xid);
            debug!(message = ?received.kind, %xid, %mac, ?outcome, "transaction");
        }
        None => debug!(?outcome, "a datagram that is no request"),
    }
}
