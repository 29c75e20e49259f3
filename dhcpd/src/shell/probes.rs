//! Asking whether anybody uses an address: by ARP on the link, by ICMP echo elsewhere.
//!
//! An answer counts where it was asked for, and on the link that it was asked on. An echo must bring a number
//! back that nobody can guess, so that only who hears the question can answer it; ARP has no room for one.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use daemon::frame::checksum;
use daemon::interfaces::Interface;
use daemon::udp::ArpSocket;
use socket2::{Domain, Protocol, Socket, Type};
use tracing::{debug, warn};

use crate::core::{Input, Probe};

/// Tells our echoes from those of others on this machine.
const ECHO_ID: u16 = 0x6862;
/// Header and number.
const ECHO_OCTETS: usize = 16;
/// How long questions are remembered at least; the core waits for less.
const REMEMBERED: Duration = Duration::from_secs(2);
/// Questions that are remembered without looking which are old; the core asks fewer at once.
const ASKED_MAX: usize = 4096;

/// The sockets. One that cannot be opened is told of, and its probes count as unanswered.
#[derive(Debug)]
pub(super) struct Probes {
    arp: Option<ArpSocket>,
    icmp: Option<Socket>,
    /// Hardware address by index of the interface.
    macs: Vec<(u32, [u8; 6])>,
    asked: Asked,
}

/// What was asked a moment ago.
#[derive(Debug, Default)]
struct Asked {
    by_address: BTreeMap<Ipv4Addr, Question>,
    random: RandomState,
    count: u64,
}

#[derive(Debug)]
struct Question {
    at: Instant,
    /// Interface, where it was asked by ARP.
    link: Option<u32>,
    number: u64,
}

impl Asked {
    /// Remembers a question; the number that an answer to its echo brings back.
    fn note(&mut self, probe: &Probe, now: Instant) -> u64 {
        if self.by_address.len() >= ASKED_MAX {
            self.by_address.retain(|_, question| now.duration_since(question.at) < REMEMBERED);
        }
        self.count += 1;
        let number = self.random.hash_one((self.count, probe.address));
        self.by_address.insert(probe.address, Question { at: now, link: probe.link, number });
        number
    }

    /// Whether somebody was asked by ARP on this interface who has `address`.
    fn is_on(&self, address: Ipv4Addr, interface: u32) -> bool {
        self.by_address.get(&address).is_some_and(|question| question.link == Some(interface))
    }

    /// Whether the last echo that went to `address` had this number.
    fn is_numbered(&self, address: Ipv4Addr, number: u64) -> bool {
        let question = self.by_address.get(&address);
        question.is_some_and(|question| question.link.is_none() && question.number == number)
    }
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
        Probes { arp: arp.ok(), icmp: icmp.ok(), macs: Vec::new(), asked: Asked::default() }
    }

    /// Follows the interfaces.
    pub(super) fn follow(&mut self, interfaces: &[Interface]) {
        self.macs =
            interfaces.iter().filter_map(|interface| Some((interface.index, interface.mac?))).collect();
    }

    /// Sends a probe.
    pub(super) fn send(&mut self, probe: &Probe) {
        let number = self.asked.note(probe, Instant::now());
        let sent = match probe.link {
            Some(index) => {
                let mac = self.macs.iter().find(|(other, _)| *other == index).map(|(_, mac)| *mac);
                self.arp.as_ref().zip(mac).map(|(arp, mac)| arp.probe(index, mac, probe.address))
            }
            None => self.icmp.as_ref().map(|icmp| {
                icmp.send_to(&echo_request(number), &SocketAddrV4::new(probe.address, 0).into()).map(|_| ())
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

    /// What the next packet by ARP tells; `None` when none waits. Most are of nobody that was asked.
    pub(super) fn hear_claim(&self) -> Option<Option<Input<'static>>> {
        let claim = self.arp.as_ref()?.hear()?;
        let claim = claim.filter(|claim| self.asked.is_on(claim.address, claim.interface));
        Some(claim.map(|claim| Input::InUse { address: claim.address, mac: Some(claim.mac) }))
    }

    /// The same by ICMP.
    pub(super) fn hear_echo(&self) -> Option<Option<Input<'static>>> {
        let mut packet = [0; 128];
        let len = self.icmp.as_ref()?.read(&mut packet).ok()?;
        let reply = packet.get(..len).and_then(echo_reply);
        let reply = reply.filter(|(address, number)| self.asked.is_numbered(*address, *number));
        Some(reply.map(|(address, _)| Input::InUse { address, mac: None }))
    }
}

fn open_icmp() -> std::io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn echo_request(number: u64) -> [u8; ECHO_OCTETS] {
    let [high, low] = ECHO_ID.to_be_bytes();
    let mut packet = [0; ECHO_OCTETS];
    packet[..8].copy_from_slice(&[8, 0, 0, 0, high, low, 0, 1]);
    packet[8..].copy_from_slice(&number.to_be_bytes());
    let [sum_high, sum_low] = checksum(&packet).to_be_bytes();
    (packet[2], packet[3]) = (sum_high, sum_low);
    packet
}

/// Who sent an IP packet that answers an echo of ours, and the number in it.
fn echo_reply(packet: &[u8]) -> Option<(Ipv4Addr, u64)> {
    let header = usize::from(packet.first()? & 0x0f) * 4;
    let source: [u8; 4] = packet.get(12..16)?.try_into().ok()?;
    let (echo, rest) = packet.get(header..)?.split_first_chunk::<8>()?;
    let [kind, code, _, _, high, low, _, _] = *echo;
    let ours = u16::from_be_bytes([high, low]) == ECHO_ID;
    let number = u64::from_be_bytes(*rest.first_chunk()?);
    (kind == 0 && code == 0 && ours).then_some((source.into(), number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_echo_reply_of_ours_tells_who_sent_it_and_its_number() {
        let mut packet = vec![0x45; 20];
        packet[12..16].copy_from_slice(&[10, 0, 0, 5]);
        packet.extend(echo_request(77));
        assert_eq!(checksum(&packet[20..]), 0);
        assert_eq!(echo_reply(&packet), None, "a request");
        packet[20] = 0;
        assert_eq!(echo_reply(&packet), Some(([10, 0, 0, 5].into(), 77)));
        packet[25] ^= 1;
        assert_eq!(echo_reply(&packet), None, "of another program");
        packet[25] ^= 1;
        for len in 0..packet.len() {
            assert_eq!(echo_reply(&packet[..len]), None);
        }
    }

    #[test]
    fn an_answer_counts_for_the_last_question_on_its_link_or_with_its_number() {
        let (mut asked, now) = (Asked::default(), Instant::now());
        let address = Ipv4Addr::new(10, 0, 0, 5);
        assert!(!asked.is_on(address, 2) && !asked.is_numbered(address, 0), "nobody asked");
        let first = asked.note(&Probe { address, link: None }, now);
        assert!(asked.is_numbered(address, first) && !asked.is_numbered(address, first ^ 1));
        assert!(!asked.is_on(address, 2), "nobody asked by ARP");
        let second = asked.note(&Probe { address, link: None }, now);
        assert!(first != second && !asked.is_numbered(address, first), "too late");
        asked.note(&Probe { address, link: Some(2) }, now);
        assert!(asked.is_on(address, 2) && !asked.is_on(address, 3));
        assert!(!asked.is_numbered(address, second));
    }

    #[test]
    fn what_was_asked_is_forgotten_when_there_is_much_of_it() {
        let (mut asked, now) = (Asked::default(), Instant::now());
        for n in 0..u32::try_from(ASKED_MAX).unwrap() {
            asked.note(&Probe { address: Ipv4Addr::from(n), link: Some(2) }, now);
        }
        asked.note(&Probe { address: Ipv4Addr::BROADCAST, link: Some(2) }, now + REMEMBERED);
        assert_eq!(asked.by_address.len(), 1);
    }
}
