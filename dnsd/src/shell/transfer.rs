//! Transfers over connections: messages are made one by one, as fast as the client takes them.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::task::yield_now;
use tokio::time::timeout;
use tracing::{debug, info};

use crate::core::transfer::{Grant, Kind, Part, Transfer};
use crate::view::DnsView;

use super::clock::wall_clock;
use super::connections::{Connections, Seat};
use super::counters::{ConnectionTally, Traffic};
use super::service::Service;
use super::stream::append;

/// Transfers at once; others wait. Each holds a view and a message or two; beside that a signed zone all its
/// records, and one of changes all of those.
pub(super) const AT_ONCE: usize = 16;
/// How long a client may take for one message: slow lines are no reason to begin again.
const READING: Duration = Duration::from_secs(60);

/// A transfer that was granted.
pub(super) struct Granted {
    pub(super) view: Arc<DnsView>,
    pub(super) grant: Grant,
}

/// Sends a transfer; `false` when the connection has to end.
pub(super) async fn send(seat: &Seat, granted: Granted, stream: &mut (impl AsyncWrite + Unpin)) -> bool {
    let (Connections { service, turns, tally, .. }, peer) = (seat.connections(), seat.peer());
    let Ok(_turn) = turns.acquire().await else { return false };
    let Granted { view, grant } = granted;
    let zone = view.zones().zone(grant.zone).name.clone();
    let Some(mut transfer) = begin(service, view, grant).await else { return false };
    let mut octets: u64 = 0;
    loop {
        match transfer.next(wall_clock()) {
            Part::Message(message) => {
                octets += u64::try_from(message.len()).unwrap_or(0);
                if !write(stream, &message, tally).await {
                    tally.traffic.count(Traffic::TransferFailed);
                    debug!(%zone, %peer, "a secondary ended its copying");
                    return false;
                }
            }
            Part::Nothing => yield_now().await,
            Part::Failed => {
                tally.traffic.count(Traffic::TransferFailed);
                return false;
            }
            Part::End => break,
        }
    }
    let (kind, serial) = (transfer.kind(), transfer.serial());
    service.secondaries.copied(&zone, peer, serial, kind, wall_clock());
    let event = match kind {
        Kind::Whole => Traffic::TransferWhole,
        Kind::Changes => Traffic::TransferChanges,
        Kind::UpToDate => Traffic::TransferUpToDate,
    };
    tally.traffic.count(event);
    match kind {
        Kind::Whole => info!(%zone, %peer, serial, octets, "a secondary copied the zone"),
        Kind::Changes => info!(%zone, %peer, serial, octets, "a secondary copied what changed"),
        Kind::UpToDate => debug!(%zone, %peer, serial, "a secondary is up to date"),
    }
    true
}

/// Reads what changed, if that is asked for, or puts the zone in order: either may take its time.
async fn begin(service: &Arc<Service>, view: Arc<DnsView>, grant: Grant) -> Option<Transfer> {
    let (zone, to) = (view.zones().zone(grant.zone).name.clone(), view.serial(grant.zone));
    let from = grant.since.filter(|from| *from != to);
    let shared = Arc::clone(service);
    let begun = tokio::task::spawn_blocking(move || {
        let steps = from.and_then(|from| shared.journal.as_ref()?.steps(&zone, from, to));
        Transfer::new(view, grant, steps)
    });
    begun.await.ok()
}

async fn write(stream: &mut (impl AsyncWrite + Unpin), message: &[u8], tally: &ConnectionTally) -> bool {
    let mut framed = Vec::with_capacity(2 + message.len());
    append(message, &mut framed);
    let send = async {
        stream.write_all(&framed).await?;
        stream.flush().await
    };
    match timeout(READING, send).await {
        Ok(written) => written.is_ok(),
        Err(_) => {
            tally.traffic.count(Traffic::TcpSlowReader);
            false
        }
    }
}
