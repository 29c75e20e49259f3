//! Answering over connections (RFC 7766).
//!
//! Any number of queries per connection, answered in their order, as fast as the client reads. Bounded
//! in every direction: connections, octets of a query, octets waiting to be sent, the time that a
//! client may take to complete a query or to read its answers.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, TcpListener as StdListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, timeout, timeout_at};
use tracing::{debug, warn};

use crate::core::transfer::{self as transfers, Opened};
use crate::core::{self, Outcome, Transport};

use super::counters::{ConnectionTally, Traffic};
use super::service::Service;
use super::transfer::{self, AT_ONCE, Granted};

/// Connections at once.
pub const CONNECTIONS_MAX: usize = 1024;
/// Connections of one client at once.
pub const CLIENT_CONNECTIONS_MAX: usize = 128;
/// Octets of a query at most: a question with any options that are in use has a tenth.
pub const QUERY_OCTETS_MAX: usize = 4096;
/// Octets of answers that are gathered before they are sent.
const GATHERED: usize = 16 * 1024;
/// How long a connection may wait for its next query to be complete.
const IDLE: Duration = Duration::from_secs(10);
/// The same when half of the connections are taken (RFC 7766, section 6.2.3).
const IDLE_WHEN_BUSY: Duration = Duration::from_secs(2);
/// How long a client may take to read what was gathered.
const READING: Duration = Duration::from_secs(10);
/// How long connections may take to send what they have when the daemon finishes.
const FAREWELL: Duration = Duration::from_secs(1);
/// Pause after an error of accept that does not go away by itself, such as too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// What all connections share.
pub(super) struct TcpService {
    pub(super) service: Arc<Service>,
    pub(super) tally: ConnectionTally,
    scratch: Mutex<Box<[u8]>>,
    /// Transfers have to have one.
    turns: Semaphore,
}

impl TcpService {
    pub(super) fn new(service: Arc<Service>, tally: ConnectionTally) -> Arc<TcpService> {
        let scratch = Mutex::new(vec![0; 2 + usize::from(u16::MAX)].into());
        Arc::new(TcpService { service, tally, scratch, turns: Semaphore::new(AT_ONCE) })
    }

    /// Serves the clients of `listeners` until `stop` turns true, then lets connections finish.
    pub(super) async fn serve(self: Arc<Self>, listeners: Vec<StdListener>, stop: watch::Receiver<bool>) {
        let (accepted, mut clients) = tokio::sync::mpsc::channel(16);
        let mut acceptors = JoinSet::new();
        for listener in listeners {
            match TcpListener::from_std(listener) {
                Ok(listener) => drop(acceptors.spawn(accept(listener, accepted.clone()))),
                Err(error) => warn!(%error, "cannot wait for connections"),
            }
        }
        let mut connections = JoinSet::new();
        let mut of_client: HashMap<IpAddr, usize> = HashMap::new();
        let mut stopping = stop.clone();
        loop {
            tokio::select! {
                _ = stopping.wait_for(|stop| *stop) => break,
                Some(ended) = connections.join_next() => forget(&mut of_client, ended),
                Some((stream, peer)) = clients.recv() => {
                    let client = client_of(peer);
                    let own = of_client.get(&client).copied().unwrap_or(0);
                    if connections.len() >= CONNECTIONS_MAX || own >= CLIENT_CONNECTIONS_MAX {
                        self.tally.traffic.count(Traffic::TcpRefused);
                        continue;
                    }
                    self.tally.traffic.count(Traffic::TcpAccepted);
                    let idle = if connections.len() * 2 < CONNECTIONS_MAX { IDLE } else { IDLE_WHEN_BUSY };
                    let stop = stop.clone();
                    let connection = Connection { service: Arc::clone(&self), stream, peer, stop, idle };
                    of_client.insert(client, own + 1);
                    connections.spawn(async move {
                        connection.serve().await;
                        client
                    });
                }
            }
        }
        acceptors.abort_all();
        let finished = async { while connections.join_next().await.is_some() {} };
        let _ = timeout(FAREWELL, finished).await;
    }

    /// Appends the answer to `query` to `output`, its length in front, or returns a transfer that is to
    /// be sent instead.
    fn answer(&self, query: &[u8], peer: IpAddr, output: &mut Vec<u8>) -> Option<Granted> {
        let (view, known) = (self.service.views.load(), self.service.batch(Transport::Tcp));
        let context = known.context(peer);
        let mut scratch = self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        if !transfers::is_asked_for(query) {
            self.reply(core::answer(&view, query, context, &mut scratch), &scratch, output);
            return None;
        }
        match transfers::open(&view, query, context, &mut scratch) {
            Opened::Reply(outcome) => {
                self.reply(outcome, &scratch, output);
                None
            }
            Opened::Granted(grant) => {
                self.tally.traffic.count(Traffic::TcpReceived);
                Some(Granted { view: arc_swap::Guard::into_inner(view), grant: *grant })
            }
        }
    }

    fn reply(&self, outcome: Outcome, scratch: &[u8], output: &mut Vec<u8>) {
        self.tally.count(outcome);
        if let Some(reply) = outcome.octets().and_then(|octets| scratch.get(..octets))
            && let Ok(length) = u16::try_from(reply.len())
        {
            output.extend_from_slice(&length.to_be_bytes());
            output.extend_from_slice(reply);
        }
    }
}

/// Counts a connection that ended.
fn forget(of_client: &mut HashMap<IpAddr, usize>, ended: Result<IpAddr, JoinError>) {
    // One that panicked stays counted: there is none.
    let Ok(client) = ended else { return };
    if let Some(count) = of_client.get_mut(&client) {
        *count -= 1;
        if *count == 0 {
            of_client.remove(&client);
        }
    }
}

/// The address that stands for all of a client: one has a whole network of IPv6 to itself.
fn client_of(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

async fn accept(listener: TcpListener, accepted: tokio::sync::mpsc::Sender<(TcpStream, IpAddr)>) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                if accepted.send((stream, peer.ip())).await.is_err() {
                    return;
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                debug!(%error, "a connection cannot be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

struct Connection {
    service: Arc<TcpService>,
    stream: TcpStream,
    peer: IpAddr,
    stop: watch::Receiver<bool>,
    idle: Duration,
}

impl Connection {
    async fn serve(mut self) {
        // Answers are written whole: nothing is gained by waiting for more octets.
        let _ = self.stream.set_nodelay(true);
        let (mut input, mut output) = (Vec::new(), Vec::new());
        let mut deadline = Instant::now() + self.idle;
        loop {
            let (mut used, mut granted) = (0, None);
            while granted.is_none()
                && output.len() < GATHERED
                && let Some((query, octets)) = next_message(input.get(used..).unwrap_or(&[]))
            {
                granted = self.service.answer(query, self.peer, &mut output);
                used += octets;
                deadline = Instant::now() + self.idle;
            }
            input.drain(..used);
            if !output.is_empty() {
                if !self.send(&output).await {
                    return;
                }
                output = Vec::new();
                if granted.is_none() {
                    continue;
                }
            }
            if let Some(granted) = granted {
                if !self.transfer(granted).await {
                    return;
                }
                deadline = Instant::now() + self.idle;
                continue;
            }
            if announced(&input).is_some_and(|octets| octets > QUERY_OCTETS_MAX) {
                self.service.tally.traffic.count(Traffic::TcpTooLong);
                return;
            }
            if !self.receive(&mut input, deadline).await {
                return;
            }
        }
    }

    /// Reads more; `false` when the connection ends.
    async fn receive(&mut self, input: &mut Vec<u8>, deadline: Instant) -> bool {
        input.reserve(512);
        tokio::select! {
            read = timeout_at(deadline, self.stream.read_buf(input)) => match read {
                Ok(Ok(octets)) => octets > 0,
                Ok(Err(_)) => false,
                Err(_) => {
                    self.service.tally.traffic.count(Traffic::TcpIdle);
                    false
                }
            },
            _ = self.stop.wait_for(|stop| *stop) => false,
        }
    }

    /// Sends a transfer; `false` when the connection ends.
    async fn transfer(&mut self, granted: Granted) -> bool {
        let TcpService { service, turns, tally, .. } = &*self.service;
        tokio::select! {
            sent = transfer::send(service, turns, tally, granted, &mut self.stream, self.peer) => sent,
            _ = self.stop.wait_for(|stop| *stop) => false,
        }
    }

    /// Sends answers; `false` when the connection ends.
    async fn send(&mut self, output: &[u8]) -> bool {
        match timeout(READING, self.stream.write_all(output)).await {
            Ok(written) => written.is_ok(),
            Err(_) => {
                self.service.tally.traffic.count(Traffic::TcpSlowReader);
                false
            }
        }
    }
}

/// Octets that the message in front has, by its length.
fn announced(input: &[u8]) -> Option<usize> {
    input.first_chunk::<2>().map(|length| usize::from(u16::from_be_bytes(*length)))
}

/// The message in front, if it is complete, and the octets that it takes with its length.
fn next_message(input: &[u8]) -> Option<(&[u8], usize)> {
    let octets = announced(input)?;
    let message = input.get(2..2 + octets).filter(|_| octets <= QUERY_OCTETS_MAX)?;
    Some((message, 2 + octets))
}
