//! Answering datagrams: one thread per socket, a batch at a time.
//!
//! Receive what waits, answer all of it from one view, send the replies: two system calls for up to 64
//! queries. No lock is taken on the way, but for a question that somebody wants to see: what workers share are tables
//! of fixed size, of counts and of signatures. Memory is taken for aliases, additional records and signatures only,
//! and given back with the reply. A reply leaves from the address that was asked.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use daemon::stop::{StopToken, Woken};
use daemon::udp::{Datagram, RecvBatch, SendBatch, Wait};
use tracing::{debug, error};

use super::counters::{Carrier, Traffic, WorkerTally};
use super::forward::Question;
use super::query_log::{Heard, Sampler};
use super::service::Service;
use super::updates::Back;
use crate::core::{self, Asked, BATCH, Outcome, QueryContext, Reason, Transport, UDP_PAYLOAD};
use crate::view::DnsView;

/// Octets of a query that are read. A longer one is answered with FORMERR: no question is as long.
const QUERY_OCTETS: usize = 2048;

/// One worker.
pub(super) struct Worker {
    pub(super) socket: Arc<UdpSocket>,
    pub(super) service: Arc<Service>,
    pub(super) tally: WorkerTally,
    pub(super) sampler: Sampler,
    pub(super) stop: StopToken,
    pub(super) stopping: Arc<AtomicBool>,
    /// Grows as long as the worker is alive: see [`Worker::run`].
    pub(super) pulse: Arc<AtomicU64>,
    /// How often at least it grows, if somebody watches.
    pub(super) pulse_interval: Option<Duration>,
}

impl Worker {
    /// Answers until the stop comes.
    pub(super) fn run(mut self) {
        let mut queries = RecvBatch::new(BATCH, QUERY_OCTETS);
        let mut replies = SendBatch::new(BATCH, UDP_PAYLOAD.into());
        let mut asked = Vec::with_capacity(BATCH);
        let mut overflow: u32 = 0;
        while !self.stopping.load(Ordering::Relaxed) {
            self.pulse.fetch_add(1, Ordering::Relaxed);
            match queries.receive(&self.socket, Wait::Never) {
                Ok(0) => match self.stop.wait(&self.socket, self.pulse_interval) {
                    Ok(Woken::Stopped) => return,
                    Ok(Woken::Readable | Woken::TimedOut) => {}
                    Err(error) => {
                        error!(%error, "a worker cannot wait for queries");
                        std::thread::sleep(PAUSE);
                    }
                },
                Ok(_) => self.batch(&queries, &mut asked, &mut replies, &mut overflow),
                // Such as an interface that went down: the socket is good for others.
                Err(error) => {
                    debug!(%error, "receiving failed");
                    std::thread::sleep(PAUSE);
                }
            }
        }
    }

    fn batch(
        &mut self,
        queries: &RecvBatch,
        asked: &mut Vec<Asked>,
        replies: &mut SendBatch,
        overflow: &mut u32,
    ) {
        let service = Arc::clone(&self.service);
        let (view, known) = (service.views.load(), service.batch(Transport::Udp));
        self.tally.zones.follow(&view);
        self.sampler.follow(&service.queries, known.elapsed());
        asked.clear();
        asked.extend(queries.iter().map(|query| Asked::read(query.bytes)));
        core::fetch_ahead(&view, asked);
        for (query, asked) in queries.iter().zip(asked) {
            let Some(room) = replies.buffer() else { break };
            let context = known.context(query.from.ip());
            let (all, view) = (&view, view.seen_by(context.peer));
            let outcome = if asked.is_update() && !view.lease_networks().is_empty() {
                match self.update(&query, context, room) {
                    Some(outcome) => outcome,
                    None => continue,
                }
            } else {
                asked.answer(view, query.bytes, context, room)
            };
            if let Some(servers) = asked.upstream(view, context.peer, outcome) {
                let taken = self.forward(&query, outcome.reply_in(room).unwrap_or_default(), servers);
                let outcome = (!taken).then_some(Outcome::Dropped(Reason::ForwardBusy));
                self.note(all, asked, context.peer, outcome);
                continue;
            }
            self.note(all, asked, context.peer, Some(outcome));
            if let Some(octets) = outcome.octets()
                && !replies.commit(octets, query.from, query.reply_route())
            {
                self.tally.traffic.count(Traffic::UdpUnsent);
            }
            if query.overflow != *overflow {
                self.tally.traffic.add(Traffic::UdpOverflow, query.overflow.wrapping_sub(*overflow).into());
                *overflow = query.overflow;
            }
        }
        drop(view);
        self.tally.traffic.add(Traffic::UdpReceived, count(queries.len()));
        if replies.is_empty() {
            return;
        }
        let report = replies.send(&self.socket, Wait::ForOne);
        // All of a batch leave at once.
        self.tally.latencies.observe(Carrier::Udp, known.age(), count(report.sent));
        self.tally.traffic.add(Traffic::UdpSent, count(report.sent));
        for (failure, number) in report.failures() {
            debug!(?failure, number, "replies were not sent");
            self.tally.traffic.add(Traffic::UdpUnsent, number.into());
        }
        // A client that got no reply asks again; waiting here would keep all others.
        self.tally.traffic.add(Traffic::UdpUnsent, count(replies.discard()));
    }

    /// Counts a question, and shows it to who wants to see it. No outcome: it is looked up elsewhere.
    #[inline]
    fn note(&mut self, view: &DnsView, asked: &Asked, client: IpAddr, outcome: Option<Outcome>) {
        if let Some(outcome) = outcome {
            self.tally.count(view, asked, outcome);
        }
        let heard = Heard { client, carrier: Carrier::Udp, outcome };
        self.sampler.hear(&self.service.queries, view, asked, heard);
    }

    /// Has a question looked up elsewhere that our own reply leaves open; `false` if too many wait.
    #[cold]
    fn forward(&self, query: &Datagram<'_>, own: &[u8], servers: &Arc<[SocketAddr]>) -> bool {
        let (socket, to, route) = (Arc::clone(&self.socket), query.from, query.reply_route());
        let question = Question {
            query: query.bytes.into(),
            own: own.into(),
            peer: query.from.ip(),
            transport: Transport::Udp,
            servers: Arc::clone(servers),
            back: Back::Datagram { socket, to, route },
        };
        self.service.forward.take(question)
    }

    /// Lets an update wait, if it is one that may.
    #[cold]
    fn update(&self, query: &Datagram<'_>, context: QueryContext<'_>, room: &mut [u8]) -> Option<Outcome> {
        let (socket, to, route) = (&self.socket, query.from, query.reply_route());
        let back = || Back::Datagram { socket: Arc::clone(socket), to, route };
        self.service.updates.take(query.bytes, context, room, back)
    }
}

/// Pause after an error that may stay.
const PAUSE: Duration = Duration::from_millis(10);

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
