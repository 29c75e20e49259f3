//! One agent's connection: queries, each answered before the next one is read.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tracing::debug;

use super::Shared;
use crate::core::bulk::{BadQuery, BulkEvent, Leased, Page, Query, Status, Walk, done};
use crate::shell::clock::now;

/// How long an agent may be silent between queries and within one, and how long it may take for a page.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
/// Octets of a query: no message of DHCP is longer than an Ethernet frame.
const QUERY_OCTETS: usize = 1500;
/// Leases that the worker hands out at once.
const LEASES: usize = 128;
/// Pause between two questions to the worker.
const PAUSE: Duration = Duration::from_millis(1);

/// Why a connection ends.
enum End {
    /// The agent, or the network.
    Closed,
    /// It was silent for too long, or did not take its answer.
    Slow,
    /// What it says is no message.
    Unreadable,
}

/// Serves an agent that may ask, to the end of its connection.
pub(super) async fn serve(mut stream: TcpStream, agent: Ipv4Addr, shared: &Arc<Shared>) {
    let Ok(IpAddr::V4(server)) = stream.local_addr().map(|local| local.ip()) else { return };
    loop {
        let end = match one(&mut stream, agent, server, shared).await {
            Ok(()) => continue,
            Err(end) => end,
        };
        match end {
            End::Slow => shared.tally.count(BulkEvent::Slow),
            End::Unreadable => shared.tally.count(BulkEvent::BadQuery),
            End::Closed => {}
        }
        debug!(%agent, "the connection of an agent ends");
        return;
    }
}

/// Reads a query and answers it.
async fn one(
    stream: &mut TcpStream,
    agent: Ipv4Addr,
    server: Ipv4Addr,
    shared: &Arc<Shared>,
) -> Result<(), End> {
    let octets = patiently(shared, read(stream)).await?;
    let octets = octets.ok_or(End::Unreadable)?;
    let query = match Query::read(&octets) {
        Ok(query) => query,
        Err(BadQuery::Unreadable) => return Err(End::Unreadable),
        Err(BadQuery::Malformed { xid }) => {
            shared.tally.count(BulkEvent::BadQuery);
            return last(stream, xid, Status::Malformed, shared).await;
        }
    };
    shared.tally.count(BulkEvent::Query);
    let xid = query.xid;
    let Some(walk) = Walk::new(query, shared.views.load_full(), agent, server) else {
        shared.tally.count(BulkEvent::Refused);
        return last(stream, xid, Status::NotAllowed, shared).await;
    };
    let mut from = Some(Ipv4Addr::UNSPECIFIED);
    while let Some(here) = from {
        let Some((page, octets)) = page(&walk, here, shared).await else {
            shared.tally.count(BulkEvent::Terminated);
            return last(stream, xid, Status::Terminated, shared).await;
        };
        patiently(shared, stream.write_all(&octets)).await?;
        shared.tally.add(BulkEvent::Told, page.told);
        from = page.next;
    }
    shared.tally.count(BulkEvent::Done);
    last(stream, xid, Status::Success, shared).await
}

/// The next part of an answer; `None`: the worker does not say what it knows.
async fn page(walk: &Walk, from: Ipv4Addr, shared: &Arc<Shared>) -> Option<(Page, Vec<u8>)> {
    let _turn = shared.turn.acquire().await.ok()?;
    let worker = Arc::clone(&shared.worker);
    let asking = move || worker.ask(move |core, _| core.leases_from(from, LEASES));
    let known: Leased = tokio::task::spawn_blocking(asking).await.ok()??;
    let mut octets = Vec::new();
    let page = walk.page(from, &known, now(), &mut octets);
    tokio::time::sleep(PAUSE).await;
    Some((page, octets))
}

/// Ends an answer.
async fn last(stream: &mut TcpStream, xid: u32, status: Status, shared: &Shared) -> Result<(), End> {
    let mut octets = Vec::new();
    done(&mut octets, xid, status);
    patiently(shared, stream.write_all(&octets)).await
}

/// The octets of a message; `None`: it is longer than any query.
async fn read(stream: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    let length = usize::from(stream.read_u16().await?);
    if length > QUERY_OCTETS {
        return Ok(None);
    }
    let mut octets = vec![0; length];
    stream.read_exact(&mut octets).await?;
    Ok(Some(octets))
}

async fn patiently<T>(shared: &Shared, what: impl Future<Output = io::Result<T>>) -> Result<T, End> {
    match timeout(shared.patience, what).await {
        Ok(done) => done.map_err(|_| End::Closed),
        Err(_) => Err(End::Slow),
    }
}
