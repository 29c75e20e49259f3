//! Asking whether anybody uses an address: by ARP on the link, by ICMP echo elsewhere.

use std::io::Read;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsFd, BorrowedFd};

use daemon::frame::checksum;
use daemon::interfaces::Interface;
use daemon::udp::ArpSocket;
use socket2::{Domain, Protocol, Socket, Type};
use tracing::{debug, warn};

use crate::core::{Input, Probe};

/// Tells our echoes from those of others on this machine.
const ECHO_ID: u16 = 0x6862;

/// The sockets. One that cannot be opened is told of, and its probes count as unanswered.
#[derive(Debug)]
pub(super) struct Probes {
    arp: Option<ArpSocket>,
    icmp: Option<Socket>,
    /// Hardware address by index of the interface.
    macs: Vec<(u32, [u8; 6])>,
}

impl Probes {
    /// Opens the sockets; needs `CAP_NET_RAW`.
    pub(super) fn open() -> Probes {
        let arp = ArpSocket::open();
        let arp = arp
            .inspect_err(|error| warn!(%error, "addresses cannot be probed by ARP before they are offered"));
        let icmp = open_icmp();
        let icmp = icmp.inspect_err(
            |error| warn!(%error, "addresses behind relays cannot be probed before they are offered"),
        );
        Probes { arp: arp.ok(), icmp: icmp.ok(), macs: Vec::new() }
    }

    /// Follows the interfaces.
    pub(super) fn follow(&mut self, interfaces: &[Interface]) {
        self.macs =
            interfaces.iter().filter_map(|interface| Some((interface.index, interface.mac?))).collect();
    }

    /// Sends a probe.
    pub(super) fn send(&self, probe: &Probe) {
        let sent = match probe.link {
            Some(index) => {
                let mac = self.macs.iter().find(|(other, _)| *other == index).map(|(_, mac)| *mac);
                self.arp.as_ref().zip(mac).map(|(arp, mac)| arp.probe(index, mac, probe.address))
            }
            None => self.icmp.as_ref().map(|icmp| {
                icmp.send_to(&echo_request(), &SocketAddrV4::new(probe.address, 0).into()).map(|_| ())
            }),
        };
        if let Some(Err(error)) = sent {
            debug!(address = %probe.address, %error, "a probe was not sent");
        }
    }

    /// Descriptors to be waited for.
    pub(super) fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.arp.as_ref().map(ArpSocket::as_fd).into_iter().chain(self.icmp.as_ref().map(Socket::as_fd))
    }

    /// The next answer; `None` when there is no more.
    pub(super) fn hear(&self) -> Option<Input<'static>> {
        if let Some(claim) = self.arp.as_ref().and_then(ArpSocket::hear) {
            return Some(Input::InUse { address: claim.address, mac: Some(claim.mac) });
        }
        let mut icmp = self.icmp.as_ref()?;
        let mut packet = [0; 128];
        loop {
            let len = icmp.read(&mut packet).ok()?;
            if let Some(address) = packet.get(..len).and_then(echo_reply) {
                return Some(Input::InUse { address, mac: None });
            }
        }
    }
}

fn open_icmp() -> std::io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn echo_request() -> [u8; 8] {
    let [high, low] = ECHO_ID.to_be_bytes();
    let mut packet = [8, 0, 0, 0, high, low, 0, 1];
    let [sum_high, sum_low] = checksum(&packet).to_be_bytes();
    (packet[2], packet[3]) = (sum_high, sum_low);
    packet
}

/// Who sent an IP packet that answers an echo of ours.
fn echo_reply(packet: &[u8]) -> Option<Ipv4Addr> {
    let header = usize::from(packet.first()? & 0x0f) * 4;
    let source: [u8; 4] = packet.get(12..16)?.try_into().ok()?;
    let [kind, code, _, _, high, low, ..] = *packet.get(header..)? else { return None };
    let ours = u16::from_be_bytes([high, low]) == ECHO_ID;
    (kind == 0 && code == 0 && ours).then_some(source.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_echo_reply_of_ours_tells_who_sent_it() {
        let mut packet = vec![0x45; 20];
        packet[12..16].copy_from_slice(&[10, 0, 0, 5]);
        packet.extend(echo_request());
        assert_eq!(checksum(&packet[20..]), 0);
        assert_eq!(echo_reply(&packet), None, "a request");
        packet[20] = 0;
        assert_eq!(echo_reply(&packet), Some([10, 0, 0, 5].into()));
        packet[25] ^= 1;
        assert_eq!(echo_reply(&packet), None, "of another program");
        for len in 0..26 {
            assert_eq!(echo_reply(&packet[..len]), None);
        }
    }
}
