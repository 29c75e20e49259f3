//! The loop of a thread that answers: receive what waits on a socket, decide all of it by one view, send.
//!
//! Each family has a thread of its own, which owns its core, so that it needs no lock. Two or three system
//! calls serve up to 64 messages. The interfaces are looked at again when the kernel says that they have
//! changed, and every few seconds, since it may not have said so. Replies that promise a lease are held
//! until the writer says that its record is on disk.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use daemon::interfaces::{Changes, Interface, interfaces};
use daemon::metrics::Tally;
use daemon::stop::StopToken;
use daemon::udp::{Datagram, MAX_BATCH, RecvBatch, Wait};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tracing::{debug, error, info, warn};

use super::clock::now;
use super::counters::{FamilyTally, Traffic};
use super::held::Held;
use super::inquiry::Inquiries;
use super::ports::Port;
use super::status::lock;
use super::tell::Budget;
use super::writer::{News, Sleeper, Writer};
use crate::core::{Family, FamilyOutputs as Outputs, Now, Record};
use crate::view::DhcpView;

/// How often the interfaces are looked at in any case.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);
/// Pause after an error that may stay.
const PAUSE: Duration = Duration::from_millis(10);

/// Something that happens to a core and is no message.
#[derive(Clone, Copy, Debug)]
pub(super) enum Happening<'a> {
    /// The interfaces of the machine are these.
    Interfaces(&'a [Interface]),
    /// All records up to this position are durable.
    Committed(u64),
    /// Records cannot be made durable at the moment.
    StoreFailing,
    /// Its deadline has come.
    Tick,
}

/// What differs between the families: a core with its sockets.
pub(super) trait Service {
    type Family: Family;
    type Core;
    /// Octets of a message that are read.
    const MESSAGE_OCTETS: usize;

    fn core(&self) -> &Self::Core;
    /// Begins anew with the leases that there are.
    fn recover(&mut self, records: Vec<(u64, Record)>, boot: Option<u64>, now: Now);
    /// When the core wants the time to be told, in milliseconds of the boot's clock.
    fn deadline(&self) -> Option<u64>;
    fn happen(&mut self, what: Happening<'_>, now: Now, view: &DhcpView, out: &mut Outputs<Self::Family>);
    /// Gives a datagram to the core; false if it was longer than the buffer.
    fn packet(
        &mut self,
        datagram: &Datagram<'_>,
        now: Now,
        view: &DhcpView,
        out: &mut Outputs<Self::Family>,
    ) -> bool;
    /// Has the memory fetched that deciding about messages of the port at this place will read.
    fn look_ahead(&self, _messages: &RecvBatch, _place: usize, _view: &DhcpView) {}
    fn ports(&self) -> &[Port];
    /// Further descriptors to be waited for.
    fn others(&self) -> Vec<BorrowedFd<'_>> {
        Vec::new()
    }
    /// Hears one thing from those descriptors; false when there is no more.
    fn hear_other(&mut self, _now: Now, _view: &DhcpView, _out: &mut Outputs<Self::Family>) -> bool {
        false
    }
    /// Does what the core wants beside replies.
    fn act(&mut self, _out: &Outputs<Self::Family>) {}
    /// Gathers a reply.
    fn add(&mut self, reply: &<Self::Family as Family>::Reply, octets: &[u8], traffic: &Tally<Traffic>);
    /// Sends what was gathered.
    fn send(&mut self, traffic: &Tally<Traffic>);
    /// Tells what one input led to.
    fn tell(out: &Outputs<Self::Family>, view: &DhcpView, budget: &mut Budget, now: Instant);
}

/// A service and what its loop needs.
pub(super) struct Worker<S: Service> {
    pub(super) service: S,
    /// `None` where the system does not tell.
    pub(super) changes: Option<Changes>,
    pub(super) views: Arc<ArcSwap<DhcpView>>,
    pub(super) tally: FamilyTally<S::Family>,
    pub(super) writer: Writer,
    /// Wakes for the writer's news and for questions.
    pub(super) sleeper: Sleeper,
    pub(super) inquiries: Inquiries<S::Core>,
    /// What keeps leases from being written, for status.
    pub(super) store_problem: Arc<Mutex<Option<String>>>,
    pub(super) boot: Option<u64>,
    pub(super) stop: StopToken,
    /// Grows as long as the worker is alive.
    pub(super) pulse: Arc<AtomicU64>,
    /// How often at least it grows, if somebody watches.
    pub(super) pulse_interval: Option<Duration>,
}

/// What the loop changes while it runs.
struct State<S: Service> {
    out: Outputs<S::Family>,
    held: Held<<S::Family as Family>::Reply>,
    /// To be written, all that came together at once: to wake the writer for each would cost as much as an answer.
    records: Vec<(u64, Record)>,
    budget: Budget,
    /// When the interfaces were looked at, and of which generation the view was.
    looked: (Instant, u64),
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
    /// Another descriptor can be read.
    other: bool,
    /// Places of the ports that can be read.
    readable: Vec<usize>,
}

impl<S: Service> Worker<S> {
    /// Answers until the stop comes.
    pub(super) fn run(mut self) {
        let started = Instant::now();
        let mut state = State {
            out: Outputs::default(),
            held: Held::default(),
            records: Vec::new(),
            budget: Budget::new(started),
            looked: (started, 0),
            overflow: vec![0; self.service.ports().len()],
        };
        let mut messages = RecvBatch::new(MAX_BATCH, S::MESSAGE_OCTETS);
        self.hear_writer(&mut state);
        self.look_around(&mut state);
        let mut woken = Woken::default();
        loop {
            if self.writer.is_running() {
                self.pulse.fetch_add(1, Ordering::Relaxed);
            } else {
                // The watchdog is to see that, and who looks at the status.
                self.hear_writer(&mut state);
            }
            if let Err(error) = self.wait(&mut woken) {
                error!(%error, "the worker cannot wait for messages");
                std::thread::sleep(PAUSE);
            }
            if woken.stopped {
                return;
            }
            let (looked, generation) = state.looked;
            let news = woken.changed || self.views.load().generation() != generation;
            if news || looked.elapsed() >= LOOK_INTERVAL {
                self.look_around(&mut state);
            }
            for place in &woken.readable {
                self.receive(*place, &mut messages, &mut state);
            }
            if woken.called {
                self.sleeper.clear();
                self.hear_writer(&mut state);
                self.inquiries.answer(self.service.core(), &self.views.load());
            }
            if woken.other {
                self.hear_others(&mut state);
            }
            if self.service.deadline().is_some_and(|due| due <= now().monotonic_ms) {
                self.happen(Happening::Tick, &mut state);
            }
        }
    }

    /// Hears what waits on the other descriptors, at most a batch of packets: strangers can fill them without end,
    /// and what is left wakes again.
    fn hear_others(&mut self, state: &mut State<S>) {
        a_batch_of(|| {
            let view = self.views.load_full();
            let heard = self.service.hear_other(now(), &view, &mut state.out);
            if heard {
                self.act(state, &view, Instant::now());
            }
            heard
        });
        self.send(state);
    }

    /// Hears what the writer has to say.
    fn hear_writer(&mut self, state: &mut State<S>) {
        while let Some(news) = self.writer.news() {
            let problem = match news {
                News::Loaded(loaded) => {
                    info!(leases = loaded.records.len(), "leases read");
                    if let Some(damage) = loaded.damage {
                        error!("{damage}");
                    }
                    self.service.recover(loaded.records, self.boot, now());
                    self.look_around(state);
                    None
                }
                News::Committed(position) => {
                    self.happen(Happening::Committed(position), state);
                    let (service, traffic) = (&mut self.service, &self.tally.traffic);
                    let released = |reply: &_, octets: &[u8]| service.add(reply, octets, traffic);
                    state.held.release(position, Instant::now(), released);
                    self.service.send(&self.tally.traffic);
                    None
                }
                News::Failing(error) => {
                    self.happen(Happening::StoreFailing, state);
                    let discarded = u64::try_from(state.held.discard()).unwrap_or(u64::MAX);
                    self.tally.traffic.add(Traffic::Unsent, discarded);
                    Some(error.to_string())
                }
            };
            *lock(&self.store_problem) = problem;
        }
    }

    /// Gives the core an event that is no message, and does what it wants.
    fn happen(&mut self, what: Happening<'_>, state: &mut State<S>) {
        let view = self.views.load_full();
        self.service.happen(what, now(), &view, &mut state.out);
        self.act(state, &view, Instant::now());
        self.send(state);
    }

    /// Has the records written that were gathered, and sends the replies that wait for none.
    fn send(&mut self, state: &mut State<S>) {
        if !state.records.is_empty() {
            self.writer.write(std::mem::replace(&mut state.records, Vec::with_capacity(MAX_BATCH)));
        }
        self.service.send(&self.tally.traffic);
    }

    /// Does what the core wants that has decided by `view`, but for writing records and sending replies, which are
    /// gathered.
    #[inline]
    fn act(&mut self, state: &mut State<S>, view: &DhcpView, at: Instant) {
        let State { out, held, budget, records, .. } = state;
        for (reply, octets) in out.replies() {
            match S::Family::after(reply) {
                None => self.service.add(reply, octets, &self.tally.traffic),
                Some(after) => {
                    if !held.keep(after, reply, octets, at) {
                        self.tally.traffic.count(Traffic::Unsent);
                    }
                }
            }
        }
        self.service.act(out);
        records.extend(out.take_records());
        self.tally.count(out);
        S::tell(out, view, budget, at);
        out.clear();
    }

    /// Waits for messages, a change of the interfaces, the stop, or the time to look around.
    fn wait(&self, woken: &mut Woken) -> nix::Result<()> {
        woken.readable.clear();
        let ports = self.service.ports().iter().enumerate();
        let sockets: Vec<(usize, BorrowedFd<'_>)> =
            ports.filter_map(|(place, port)| Some((place, port.socket.as_ref()?.as_fd()))).collect();
        let others = self.service.others();
        let changes = self.changes.as_ref().map(AsFd::as_fd);
        let mut waiting: Vec<PollFd<'_>> = [self.stop.as_fd(), self.sleeper.as_fd()]
            .into_iter()
            .chain(others.iter().copied())
            .chain(changes)
            .chain(sockets.iter().map(|(_, socket)| *socket))
            .map(|fd| PollFd::new(fd, PollFlags::POLLIN))
            .collect();
        let timeout = self.pulse_interval.map_or(LOOK_INTERVAL, |interval| interval.min(LOOK_INTERVAL));
        let due = self.service.deadline();
        let due = due.map(|due| Duration::from_millis(due.saturating_sub(now().monotonic_ms)));
        let timeout = due.map_or(timeout, |due| due.min(timeout));
        match poll(&mut waiting, PollTimeout::try_from(timeout).unwrap_or(PollTimeout::MAX)) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error),
        }
        let mut ready = waiting.iter().map(|fd| fd.any().unwrap_or(true));
        woken.stopped = ready.next().unwrap_or(false);
        woken.called = ready.next().unwrap_or(false);
        woken.other = ready.by_ref().take(others.len()).fold(false, |any, one| any | one);
        woken.changed = changes.is_some() && ready.next().unwrap_or(false);
        woken
            .readable
            .extend(sockets.iter().zip(ready).filter(|(_, ready)| *ready).map(|((place, _), _)| *place));
        Ok(())
    }

    /// Opens sockets anew where that is needed, and tells the core which interfaces there are.
    #[cold]
    fn look_around(&mut self, state: &mut State<S>) {
        state.looked = (Instant::now(), self.views.load().generation());
        if let Some(changes) = &self.changes {
            changes.clear();
        }
        match interfaces() {
            Ok(interfaces) => self.happen(Happening::Interfaces(&interfaces), state),
            Err(error) => warn!(%error, "interfaces cannot be listed: those known so far are served"),
        }
    }

    /// Answers what waits on one socket, at most a batch: the others have their turn, too.
    fn receive(&mut self, place: usize, messages: &mut RecvBatch, state: &mut State<S>) {
        let Some(socket) = self.service.ports().get(place).and_then(|port| port.socket.as_ref()) else {
            return;
        };
        match messages.receive(socket, Wait::Never) {
            Ok(0) => return,
            Ok(_) => {}
            // Such as an interface that went down.
            Err(error) => {
                debug!(%error, "receiving failed");
                return std::thread::sleep(PAUSE);
            }
        }
        let (now, at, view) = (now(), Instant::now(), self.views.load_full());
        self.service.look_ahead(messages, place, &view);
        let mut lost = None;
        for datagram in messages.iter() {
            lost = Some(datagram.overflow);
            if self.service.packet(&datagram, now, &view, &mut state.out) {
                self.act(state, &view, at);
            } else {
                self.tally.too_long();
            }
        }
        self.send(state);
        self.tally.traffic.add(Traffic::Received, u64::try_from(messages.len()).unwrap_or(u64::MAX));
        if let (Some(lost), Some(before)) = (lost, state.overflow.get_mut(place)) {
            self.tally.traffic.add(Traffic::Overflow, lost.wrapping_sub(*before).into());
            *before = lost;
        }
    }
}

/// Hears until there is no more, at most a batch.
fn a_batch_of(mut hear: impl FnMut() -> bool) {
    for _ in 0..MAX_BATCH {
        if !hear() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_ends_is_heard_in_batches() {
        let heard = |waiting: usize| {
            let mut count = 0;
            a_batch_of(|| {
                count += 1;
                count <= waiting
            });
            count
        };
        assert_eq!((heard(0), heard(3), heard(usize::MAX)), (1, 4, MAX_BATCH));
    }
}
