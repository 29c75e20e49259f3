//! Looking names up elsewhere for the clients of some networks: what our own reply leaves open goes to the servers that
//! their network names, through hickory-resolver's pool of servers and its cache.
//!
//! A thread of its own: whoever answers from our zones waits for nothing. Bounded in questions at once, in all and of
//! each client, and in time. One question that many ask is asked once; so a server that asks us again for what
//! we ask it, ourselves included, gets no further question of ours, and all end in SERVFAIL.

mod reply;
mod special;
mod upstream;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use daemon::metrics::SharedTally;
use daemon::udp::SendBatch;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::timeout;
use tracing::debug;

use super::places::Places;
use super::service::Service;
use super::status::lock;
use super::updates::Back;
use crate::core::{Transport, UDP_PAYLOAD};

use reply::Asked;
use upstream::{Failure, Upstreams};

/// Questions that are looked up at once, and that wait for that at most.
const AT_ONCE: usize = 1024;
/// The same of one client.
const OF_CLIENT: usize = 128;
/// How long an answer is waited for: less than clients wait.
const PATIENCE: Duration = Duration::from_millis(4500);

daemon::counted_reasons! {
    /// What became of questions for names elsewhere.
    pub(super) enum Forwarded {
        /// Answered, whatever was said.
        Answered => "answered",
        /// The same out of the cache.
        Cached => "cached",
        /// A name that no server is asked for.
        Special => "special",
        /// No server answered in time (SERVFAIL).
        TimedOut => "timed-out",
        /// A server refused, or said something that is no answer (SERVFAIL).
        Failed => "failed",
        /// Too many of this client, or of all: no reply.
        Busy => "busy",
        /// What was asked cannot be passed on.
        Malformed => "malformed",
    }
}

/// A question and where its answer goes.
pub(super) struct Question {
    pub(super) query: Box<[u8]>,
    /// Our own reply, which leaves something open.
    pub(super) own: Box<[u8]>,
    pub(super) peer: IpAddr,
    pub(super) transport: Transport,
    pub(super) servers: Arc<[SocketAddr]>,
    pub(super) back: Back,
}

/// Where questions wait; nowhere while nobody takes them.
#[derive(Debug, Default)]
pub(super) struct ForwardQueue(Mutex<Option<Sender<Question>>>);

/// The thread that looks names up. Dropping it ends it.
pub(super) struct Forwarding {
    service: Arc<Service>,
    thread: Option<JoinHandle<()>>,
}

impl ForwardQueue {
    /// Lets a question wait to be looked up; false, and it is lost, if too many do.
    pub(super) fn take(&self, question: Question) -> bool {
        lock(&self.0).as_ref().is_some_and(|queue| queue.try_send(question).is_ok())
    }
}

/// Starts the thread.
///
/// # Errors
/// It cannot be started.
pub(super) fn start(service: &Arc<Service>, tally: SharedTally<Forwarded>) -> io::Result<Forwarding> {
    let (queue, waiting) = channel(AT_ONCE);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let run = move || {
        let local = tokio::task::LocalSet::new();
        runtime.block_on(local.run_until(look_up(waiting, Arc::new(tally))));
    };
    let thread = std::thread::Builder::new().name("forward".to_owned()).spawn(run)?;
    *lock(&service.forward.0) = Some(queue);
    Ok(Forwarding { service: Arc::clone(service), thread: Some(thread) })
}

async fn look_up(mut waiting: Receiver<Question>, tally: Arc<SharedTally<Forwarded>>) {
    let upstreams = Arc::new(Upstreams::default());
    let places = Places::new(OF_CLIENT);
    while let Some(question) = waiting.recv().await {
        let Some(place) = places.take(question.peer, AT_ONCE) else {
            tally.count(Forwarded::Busy);
            continue;
        };
        let (upstreams, tally) = (Arc::clone(&upstreams), Arc::clone(&tally));
        tokio::task::spawn_local(async move {
            let _place = place;
            tally.count(answer(question, &upstreams).await);
        });
    }
}

async fn answer(question: Question, upstreams: &Upstreams) -> Forwarded {
    let Question { query, own, transport, servers, back, .. } = question;
    let mut batch = SendBatch::new(1, UDP_PAYLOAD.into());
    let Some(asked) = Asked::read(&query, &own, transport) else {
        back.send(own.into(), &mut batch);
        return Forwarded::Malformed;
    };
    let (found, what) = match special::answer(asked.query(), &servers) {
        Some(message) => (Ok(message), Forwarded::Special),
        None => match timeout(PATIENCE, upstreams.ask(&servers, &asked)).await {
            Ok(Ok((message, true))) => (Ok(message), Forwarded::Cached),
            Ok(Ok((message, false))) => (Ok(message), Forwarded::Answered),
            Ok(Err(failure)) => (Err(failure), failure.counted()),
            Err(_) => (Err(Failure::TimedOut), Forwarded::TimedOut),
        },
    };
    if let Err(failure) = &found {
        debug!(name = %asked.query().name(), ?failure, "a name elsewhere was not found out");
    }
    if let Some(reply) = asked.reply(found) {
        back.send(reply, &mut batch);
    }
    what
}

impl Drop for Forwarding {
    fn drop(&mut self) {
        drop(lock(&self.service.forward.0).take());
        if let Some(thread) = self.thread.take() {
            // A panic was printed when it happened.
            let _ = thread.join();
        }
    }
}
