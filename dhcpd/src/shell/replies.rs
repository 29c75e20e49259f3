//! Replies on their way out: gathered, then sent with one system call a socket.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};

use daemon::metrics::Tally;
use daemon::udp::{MAX_BATCH, PacketSocket, Route, SendBatch, SendReport, UDP_FRAME_OVERHEAD, Wait};
use tracing::debug;

use super::counters::Traffic;
use crate::core::{CLIENT_PORT, Destination, Reply, SERVER_PORT};

/// Octets of the longest reply: what one Ethernet frame carries.
const REPLY_OCTETS: usize = 1500;

/// Replies that wait to be sent by way of one interface.
pub(super) struct Replies {
    udp: SendBatch,
    link: SendBatch,
    /// Index of the interface.
    pub(super) interface: u32,
}

/// Where they are sent by.
#[derive(Clone, Copy)]
pub(super) struct Exits<'a> {
    pub(super) socket: &'a UdpSocket,
    pub(super) packet: &'a PacketSocket,
    pub(super) traffic: &'a Tally<Traffic>,
}

impl Replies {
    pub(super) fn new() -> Replies {
        Replies {
            udp: SendBatch::new(MAX_BATCH, REPLY_OCTETS),
            link: SendBatch::new(MAX_BATCH, REPLY_OCTETS + UDP_FRAME_OVERHEAD),
            interface: 0,
        }
    }

    /// Adds a reply, and sends those before it if there is no room.
    #[inline]
    pub(super) fn add(&mut self, reply: &Reply, octets: &[u8], exits: Exits<'_>) {
        let by_link = matches!(reply.destination, Destination::Link { .. });
        let batch = if by_link { &mut self.link } else { &mut self.udp };
        if batch.buffer().is_none() {
            self.send(exits);
        }
        let batch = if by_link { &mut self.link } else { &mut self.udp };
        let room = batch.buffer().and_then(|buffer| buffer.get_mut(..octets.len()));
        let Some(room) = room else { return exits.traffic.count(Traffic::Unsent) };
        room.copy_from_slice(octets);
        let committed = match reply.destination {
            Destination::Broadcast { interface } => {
                let everybody = SocketAddr::from((Ipv4Addr::BROADCAST, CLIENT_PORT));
                batch.commit(octets.len(), everybody, Route { source: source(reply), interface })
            }
            Destination::Udp { address, port, .. } => {
                let to = SocketAddr::from((address, port));
                batch.commit(octets.len(), to, Route { source: source(reply), interface: 0 })
            }
            // Sent at once, by a socket with another port.
            Destination::Boot { .. } => false,
            Destination::Link { interface, mac, address } => {
                let from = SocketAddrV4::new(reply.source, SERVER_PORT);
                let to = SocketAddrV4::new(address, CLIENT_PORT);
                batch.commit_udp_frame(octets.len(), interface, mac.0, from, to)
            }
        };
        if !committed {
            exits.traffic.count(Traffic::Unsent);
        }
    }

    /// Sends all of them.
    pub(super) fn send(&mut self, exits: Exits<'_>) {
        if !self.udp.is_empty() {
            let report = self.udp.send(exits.socket, Wait::ForOne);
            account(&report, self.udp.discard(), exits.traffic);
        }
        if !self.link.is_empty() {
            let report = self.link.send(exits.packet, Wait::ForOne);
            account(&report, self.link.discard(), exits.traffic);
        }
    }
}

/// `None` lets the kernel choose.
fn source(reply: &Reply) -> Option<IpAddr> {
    Some(IpAddr::V4(reply.source)).filter(|source| !source.is_unspecified())
}

/// Counts what became of a batch. A client that got no reply asks again; waiting for room in a full
/// socket would keep all others.
pub(super) fn account(report: &SendReport, left: usize, traffic: &Tally<Traffic>) {
    traffic.add(Traffic::Sent, count(report.sent));
    traffic.add(Traffic::Unsent, count(left));
    for (failure, number) in report.failures() {
        debug!(?failure, number, "replies were not sent");
        traffic.add(Traffic::Unsent, number.into());
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
