//! The thread that answers: receive what waits on a socket, decide all of it by one view, send.
//!
//! One thread owns the core, so that it needs no lock. Two or three system calls serve up to 64
//! messages. The interfaces are looked at again when the kernel says that they have changed, and every
//! few seconds, since it may not have said so.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use daemon::interfaces::{Changes, interfaces};
use daemon::stop::StopToken;
use daemon::udp::{Datagram, MAX_BATCH, RecvBatch, Wait};
use inventory_core::mac::MacAddr;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tracing::{debug, error, info, warn};

use super::clock::now;
use super::counters::{Traffic, WorkerTally};
use super::held::Held;
use super::inquiry::Inquiries;
use super::links::Links;
use super::ports::Ports;
use super::replies::{Exits, Replies};
use super::status::lock;
use super::tell::{Budget, tell};
use super::writer::{News, Sleeper, Writer};
use crate::core::{Core, Input, Outputs, Packet, Reply, SeenMachine};
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
    pub(super) begin: Begin,
    pub(super) tally: WorkerTally,
    pub(super) writer: Writer,
    /// Wakes for the writer's news and for questions.
    pub(super) sleeper: Sleeper,
    pub(super) inquiries: Inquiries,
    /// What keeps leases from being written, for status.
    pub(super) store_problem: Arc<Mutex<Option<String>>>,
    pub(super) boot: Option<u64>,
    pub(super) stop: StopToken,
    /// Grows as long as the worker is alive.
    pub(super) pulse: Arc<AtomicU64>,
    /// How often at least it grows, if somebody watches.
    pub(super) pulse_interval: Option<Duration>,
}

/// What the core begins with.
pub(super) struct Begin {
    /// HTTP port of the boot service, if there is one.
    pub(super) boot_port: Option<u16>,
    /// Machines seen before, the latest first.
    pub(super) seen: Vec<(MacAddr, SeenMachine)>,
}

/// What the worker changes while it runs.
struct State {
    core: Core,
    out: Outputs,
    replies: Replies,
    held: Held,
    budget: Budget,
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
    /// The writer has news, or somebody a question.
    called: bool,
    /// A probe was answered, perhaps.
    probed: bool,
    /// Places of the ports that can be read.
    readable: Vec<usize>,
}

impl Worker {
    /// Answers until the stop comes.
    pub(super) fn run(mut self) {
        let started = Instant::now();
        let seen = std::mem::take(&mut self.begin.seen);
        let boot_port = self.begin.boot_port;
        let mut state = State {
            core: Core::new().with_boot(boot_port).with_seen(seen.into_iter()),
            out: Outputs::default(),
            replies: Replies::new(),
            held: Held::default(),
            budget: Budget::new(started),
            looked: started,
            overflow: vec![0; self.ports.all.len()],
        };
        let mut messages = RecvBatch::new(MAX_BATCH, MESSAGE_OCTETS);
        self.hear_writer(&mut state);
        self.look_at_links(&mut state);
        let mut woken = Woken::default();
        loop {
            self.pulse.fetch_add(1, Ordering::Relaxed);
            if let Err(error) = self.wait(&state, &mut woken) {
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
                self.receive(*place, &mut messages, &mut state);
            }
            if woken.called {
                self.sleeper.clear();
                self.hear_writer(&mut state);
                self.inquiries.answer(&state.core, &self.views.load());
            }
            while let Some(answer) = woken.probed.then(|| self.ports.probes.hear()).flatten() {
                self.handle(&answer, &mut state);
            }
            if state.core.deadline().is_some_and(|due| due <= now().monotonic_ms) {
                self.handle(&Input::Tick, &mut state);
            }
        }
    }

    /// Hears what the writer has to say.
    fn hear_writer(&self, state: &mut State) {
        while let Some(news) = self.writer.news() {
            let problem = match news {
                News::Loaded(loaded) => {
                    info!(leases = loaded.records.len(), "leases read");
                    if let Some(damage) = loaded.damage {
                        error!("{damage}");
                    }
                    let before = std::mem::take(&mut state.core).into_seen();
                    let core =
                        Core::recover(loaded.records, self.boot, now()).with_boot(self.begin.boot_port);
                    state.core = core.with_seen(before.into_iter());
                    state.looked = Instant::now().checked_sub(LOOK_INTERVAL).unwrap_or(state.looked);
                    None
                }
                News::Committed(position) => {
                    self.handle(&Input::Committed(position), state);
                    let State { held, replies, .. } = state;
                    held.release(position, Instant::now(), |reply, octets| self.add(replies, reply, octets));
                    self.send(replies);
                    None
                }
                News::Failing(error) => {
                    self.handle(&Input::StoreFailing, state);
                    let discarded = u64::try_from(state.held.discard()).unwrap_or(u64::MAX);
                    self.tally.traffic.add(Traffic::Unsent, discarded);
                    Some(error.to_string())
                }
            };
            *lock(&self.store_problem) = problem;
        }
    }

    /// Gives the core an event that is no message, and does what it wants.
    fn handle(&self, input: &Input<'_>, state: &mut State) {
        let view = self.views.load();
        state.core.handle(input, now(), &view, &mut state.out);
        self.act(state);
        self.send(&mut state.replies);
    }

    /// Does what the core wants, but for sending replies, which are gathered.
    #[inline]
    fn act(&self, state: &mut State) {
        let State { out, replies, held, budget, .. } = state;
        for (reply, octets) in out.replies() {
            match reply.after {
                None => self.add(replies, reply, octets),
                Some(after) => {
                    if !held.keep(after, reply, octets, Instant::now()) {
                        self.tally.traffic.count(Traffic::Unsent);
                    }
                }
            }
        }
        for probe in out.probes() {
            self.ports.probes.send(probe);
        }
        self.writer.write(out.take_records());
        self.tally.count(out);
        tell(out, budget, Instant::now());
        out.clear();
    }

    /// Adds a reply to those that go out next.
    #[inline]
    fn add(&self, replies: &mut Replies, reply: &Reply, octets: &[u8]) {
        let interface = reply.destination.interface();
        if replies.interface != interface {
            self.send(replies);
            replies.interface = interface;
        }
        match self.ports.of_interface(interface) {
            Some(socket) => replies.add(reply, octets, self.exits(socket)),
            None => self.tally.traffic.count(Traffic::Unsent),
        }
    }

    /// Sends what was gathered.
    fn send(&self, replies: &mut Replies) {
        if let Some(socket) = self.ports.of_interface(replies.interface) {
            replies.send(self.exits(socket));
        }
    }

    fn exits<'a>(&'a self, socket: &'a std::net::UdpSocket) -> Exits<'a> {
        Exits { socket, packet: &self.ports.packet, tally: &self.tally }
    }

    /// Waits for messages, a change of the interfaces, the stop, or the time to look around.
    fn wait(&self, state: &State, woken: &mut Woken) -> nix::Result<()> {
        woken.readable.clear();
        let sockets = self.ports.all.iter().enumerate();
        let sockets = sockets.filter_map(|(place, port)| Some((place, port.socket.as_ref()?.as_fd())));
        let (mut places, mut waiting) = (Vec::new(), vec![PollFd::new(self.stop.as_fd(), PollFlags::POLLIN)]);
        waiting.push(PollFd::new(self.sleeper.as_fd(), PollFlags::POLLIN));
        let probes = self.ports.probes.descriptors().map(|fd| PollFd::new(fd, PollFlags::POLLIN));
        waiting.extend(probes);
        let before_changes = waiting.len();
        waiting.extend(self.changes.as_ref().map(|changes| PollFd::new(changes.as_fd(), PollFlags::POLLIN)));
        let others = waiting.len();
        for (place, socket) in sockets {
            places.push(place);
            waiting.push(PollFd::new(socket, PollFlags::POLLIN));
        }
        let timeout = self.pulse_interval.map_or(LOOK_INTERVAL, |interval| interval.min(LOOK_INTERVAL));
        let due =
            state.core.deadline().map(|due| Duration::from_millis(due.saturating_sub(now().monotonic_ms)));
        let timeout = due.map_or(timeout, |due| due.min(timeout));
        match poll(&mut waiting, PollTimeout::try_from(timeout).unwrap_or(PollTimeout::MAX)) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error),
        }
        let ready: Vec<bool> = waiting.iter().map(|fd| fd.any().unwrap_or(true)).collect();
        let (other, sockets) = ready.split_at(others);
        woken.stopped = other.first().copied().unwrap_or(false);
        woken.called = other.get(1).copied().unwrap_or(false);
        woken.probed = other.get(2..before_changes).is_some_and(|probes| probes.contains(&true));
        woken.changed = other.get(before_changes).copied().unwrap_or(false);
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
        self.ports.probes.follow(&interfaces);
        let before = self.links.served();
        let links = self.links.set(&self.ports.all, &interfaces);
        let view = self.views.load();
        if self.links.served() != before {
            for served in self.links.served() {
                info!(interface = %served.name, state = ?served.state, addresses = ?served.addresses, "interface");
            }
            self.links.report(&view);
        }
        drop(view);
        self.handle(&Input::Links(links), state);
    }

    /// Answers what waits on one socket, at most a batch: the others have their turn, too.
    fn receive(&self, place: usize, messages: &mut RecvBatch, state: &mut State) {
        let Some(socket) = self.ports.all.get(place).and_then(|port| port.socket.as_ref()) else { return };
        match messages.receive(socket, Wait::Never) {
            Ok(0) => return,
            Ok(_) => {}
            // Such as an interface that went down.
            Err(error) => {
                debug!(%error, "receiving failed");
                return std::thread::sleep(PAUSE);
            }
        }
        let (now, view) = (now(), self.views.load());
        let mut lost = None;
        for datagram in messages.iter() {
            lost = Some(datagram.overflow);
            let Some(packet) = packet(&datagram) else {
                self.tally.too_long();
                continue;
            };
            state.core.handle(&Input::Packet(packet), now, &view, &mut state.out);
            self.act(state);
        }
        drop(view);
        self.send(&mut state.replies);
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
