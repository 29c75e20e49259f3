//! Updates on their way: what is signed waits for a thread that makes it durable, many at a time. Who answers
//! questions waits for nothing.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use daemon::metrics::SharedTally;
use daemon::udp::{Route, SendBatch, Wait};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tracing::debug;

use super::clock::wall_clock;
use super::reload::Reloader;
use super::service::Service;
use super::status::lock;
use crate::core::update::{self, Opened, Signed, Verdict};
use crate::core::{Outcome, QueryContext, Reason};

/// Updates that wait at most.
const WAITING_MAX: usize = 512;
/// Updates that are made at a time.
const AT_A_TIME: usize = 64;
/// Octets of a reply at most: a header and a signature.
const REPLY_OCTETS: usize = 1024;

/// Where the reply goes.
pub(super) enum Back {
    /// Back by UDP.
    Datagram { socket: Arc<UdpSocket>, to: SocketAddr, route: Route },
    /// To who serves the connection.
    Stream(oneshot::Sender<Vec<u8>>),
}

/// An update and where its reply goes.
type Waiting = (Box<Signed>, Back);

/// Where updates wait; nowhere while nobody takes them.
#[derive(Debug, Default)]
pub(super) struct UpdateQueue(Mutex<Option<SyncSender<Waiting>>>);

/// What is known of the names of leases, for status.
#[derive(Debug, Default)]
pub(super) struct LeaseNameStatus {
    names: AtomicUsize,
    /// Why they cannot be changed.
    pub(super) trouble: Mutex<Option<String>>,
}

/// The thread that makes updates. Dropping it ends it, after what waits.
pub(super) struct Updating {
    service: Arc<Service>,
    thread: Option<JoinHandle<()>>,
}

impl UpdateQueue {
    /// Reads an update, and lets it wait if its signature holds; else what it came to, its reply in `out`.
    pub(super) fn take(
        &self,
        message: &[u8],
        context: QueryContext<'_>,
        out: &mut [u8],
        back: impl FnOnce() -> Back,
    ) -> Option<Outcome> {
        let signed = match update::open(message, context, out) {
            Opened::Reply(outcome) => return Some(outcome),
            Opened::Signed(signed) => signed,
        };
        let queue = lock(&self.0);
        let waits = queue.as_ref().is_some_and(|queue| queue.try_send((signed, back())).is_ok());
        // Whoever hears nothing asks again.
        (!waits).then_some(Outcome::Dropped(Reason::UpdateBusy))
    }
}

impl LeaseNameStatus {
    /// Takes note of how many there are.
    pub(super) fn count(&self, names: usize) {
        self.names.store(names, Ordering::Relaxed);
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.names.load(Ordering::Relaxed)
    }

    pub(super) fn to_json(&self) -> Value {
        json!({ "names": self.len(), "trouble": *lock(&self.trouble) })
    }
}

/// Starts the thread that makes updates.
///
/// # Errors
/// It cannot be started.
pub(super) fn start(
    reloader: &Arc<Mutex<Reloader>>,
    service: &Arc<Service>,
    tally: SharedTally<Verdict>,
) -> io::Result<Updating> {
    let (queue, waiting) = sync_channel(WAITING_MAX);
    let reloader = Arc::clone(reloader);
    let run = move || make(&reloader, &waiting, &tally);
    let thread = std::thread::Builder::new().name("updates".to_owned()).spawn(run)?;
    *lock(&service.updates.0) = Some(queue);
    Ok(Updating { service: Arc::clone(service), thread: Some(thread) })
}

fn make(reloader: &Mutex<Reloader>, waiting: &Receiver<Waiting>, tally: &SharedTally<Verdict>) {
    let mut replies = SendBatch::new(1, REPLY_OCTETS);
    while let Ok(first) = waiting.recv() {
        let mut batch = vec![first];
        batch.extend(waiting.try_iter().take(AT_A_TIME - 1));
        let updates: Vec<&Signed> = batch.iter().map(|(update, _)| &**update).collect();
        let verdicts = lock(reloader).update(&updates);
        let now = wall_clock();
        for ((mut update, back), verdict) in batch.into_iter().zip(verdicts) {
            tally.count(verdict);
            debug!(zone = %update.update.zone, ?verdict, "update");
            back.send(update.reply(verdict, now), &mut replies);
        }
    }
}

impl Back {
    /// Sends a reply; `replies` has room for one.
    pub(super) fn send(self, octets: Vec<u8>, replies: &mut SendBatch) {
        match self {
            // Fails if the client has left.
            Back::Stream(reply) => drop(reply.send(octets)),
            Back::Datagram { socket, to, route } => {
                let room = replies.buffer().and_then(|room| room.get_mut(..octets.len()));
                if let Some(room) = room {
                    room.copy_from_slice(&octets);
                    // What cannot be sent is asked for again.
                    let _ = replies.commit(octets.len(), to, route);
                    replies.send(&*socket, Wait::ForOne);
                    replies.discard();
                }
            }
        }
    }
}

impl Drop for Updating {
    fn drop(&mut self) {
        drop(lock(&self.service.updates.0).take());
        if let Some(thread) = self.thread.take() {
            // A panic was printed when it happened.
            let _ = thread.join();
        }
    }
}
