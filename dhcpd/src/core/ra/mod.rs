//! Router advertisements: what is announced on which link, and when (RFC 4861, section 6.2).
//!
//! A state machine like DHCP's: no sockets, clocks or randomness; the latter begins with a seed. Off for
//! every network that does not say `ra`. A change of what is announced is announced at once, a few times,
//! since machines may miss one; that there is nothing any more is said as well.

mod message;

use std::collections::BTreeMap;
use std::net::Ipv6Addr;

use super::Now;
use crate::view::{DhcpView, NetworkView6};

use message::{advertisement, farewell, is_solicitation};

/// Between advertisements that nobody asked for, in milliseconds (MinRtrAdvInterval, MaxRtrAdvInterval).
const INTERVAL_MS: (u64, u64) = (200_000, 600_000);
/// The same for the first ones after a change, and their number.
const FIRST_MS: u64 = 16_000;
const FIRST: u8 = 3;
/// Between any two to all machines (MIN_DELAY_BETWEEN_RAS).
const APART_MS: u64 = 3_000;
/// Longest delay of an answer (MAX_RA_DELAY_TIME).
const ANSWER_MS: u64 = 500;
/// Machines that are answered alone at once; beyond, the next advertisement to all is for them, too.
const ALONE_MAX: usize = 16;
/// All machines of a link.
const EVERYBODY: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

/// An interface, as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The kernel's index.
    pub index: u32,
    /// Its IPv6 addresses: they tell its networks, and without a link-local one nothing is sent.
    pub addresses: Vec<Ipv6Addr>,
    /// Its hardware address.
    pub mac: Option<[u8; 6]>,
    /// Whether the kernel forwards packets that come by it.
    pub forwards: bool,
}

/// A packet of ICMPv6 to be sent, with a hop limit of 255 and without its checksum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// By this interface.
    pub interface: u32,
    /// From its link-local address.
    pub from: Ipv6Addr,
    /// To all machines, or to the one that asked.
    pub to: Ipv6Addr,
    /// Its octets.
    pub octets: Vec<u8>,
}

/// A solicitation, perhaps.
#[derive(Clone, Copy, Debug)]
pub struct Solicitation<'a> {
    /// The octets of the packet.
    pub octets: &'a [u8],
    /// Its hop limit.
    pub hop_limit: u8,
    /// Index of the interface it came in by.
    pub interface: u32,
    /// Who sent it.
    pub from: Ipv6Addr,
}

/// All links.
#[derive(Debug)]
pub struct Announcer {
    links: BTreeMap<u32, Announced>,
    /// State of the random numbers.
    random: u64,
}

/// One link and what is announced there.
#[derive(Debug)]
struct Announced {
    link: Link,
    octets: Option<Vec<u8>>,
    /// When the next one to all is due.
    due: u64,
    /// When the last one to all was sent.
    last: Option<u64>,
    /// How many are still sent soon one after the other.
    first: u8,
    /// Machines that are answered alone, each at its time.
    alone: Vec<(u64, Ipv6Addr)>,
}

impl Announcer {
    /// Nothing is announced yet. `seed` makes the times of different servers differ.
    pub fn new(seed: u64) -> Announcer {
        Announcer { links: BTreeMap::new(), random: seed }
    }

    /// Follows the interfaces and the inventory; says farewell where nothing is announced any more.
    pub fn follow(&mut self, links: &[Link], view: &DhcpView, now: Now, out: &mut Vec<Announcement>) {
        let now = now.monotonic_ms;
        self.links.retain(|index, _| links.iter().any(|link| link.index == *index));
        for link in links {
            let octets = advertisement(link, networks(view, link));
            let known = self.links.entry(link.index).or_insert_with(|| Announced::new(link.clone()));
            if known.link == *link && known.octets == octets {
                continue;
            }
            if known.octets.is_some() && octets.is_none() {
                out.extend(known.announcement(EVERYBODY, farewell(link)));
            }
            known.link.clone_from(link);
            known.octets = octets;
            known.first = FIRST;
            known.due = known.last.map_or(now, |last| now.max(last + APART_MS));
        }
    }

    /// Hears a packet; false if it is no solicitation that is answered.
    pub fn hear(&mut self, heard: Solicitation<'_>, now: Now) -> bool {
        let delay = self.up_to(ANSWER_MS);
        let Some(known) = self.links.get_mut(&heard.interface).filter(|known| known.octets.is_some()) else {
            return false;
        };
        if !is_solicitation(heard.octets, heard.hop_limit, heard.from) {
            return false;
        }
        let due = now.monotonic_ms + delay;
        let alone = heard.from.is_unicast_link_local();
        if alone && known.alone.iter().any(|(_, to)| *to == heard.from) {
            return true;
        }
        if alone && known.alone.len() < ALONE_MAX {
            known.alone.push((due, heard.from));
        } else {
            known.due = known.due.min(known.last.map_or(due, |last| due.max(last + APART_MS)));
        }
        true
    }

    /// When [`Announcer::pass`] is due next, in milliseconds of the boot's clock.
    pub fn deadline(&self) -> Option<u64> {
        let announced = self.links.values().filter(|known| known.octets.is_some());
        let due = announced.flat_map(|known| known.alone.iter().map(|(due, _)| *due).chain([known.due]));
        due.min()
    }

    /// Sends what is due.
    pub fn pass(&mut self, now: Now, out: &mut Vec<Announcement>) {
        let now = now.monotonic_ms;
        let mut random = self.random;
        for known in self.links.values_mut() {
            let Some(octets) = known.octets.clone() else { continue };
            if known.due <= now {
                out.extend(known.announcement(EVERYBODY, octets.clone()));
                known.last = Some(now);
                known.first = known.first.saturating_sub(1);
                let (least, most) = INTERVAL_MS;
                let next = least + draw(&mut random) % (most - least);
                known.due = now + if known.first > 0 { next.min(FIRST_MS) } else { next };
            }
            let (alone, later) = known.alone.iter().partition::<Vec<_>, _>(|(due, _)| *due <= now);
            known.alone = later;
            for (_, to) in alone {
                out.extend(known.announcement(to, octets.clone()));
            }
        }
        self.random = random;
    }

    /// How many links something is announced on.
    pub fn count(&self) -> usize {
        self.links.values().filter(|known| known.octets.is_some()).count()
    }

    fn up_to(&mut self, most: u64) -> u64 {
        draw(&mut self.random) % (most + 1)
    }
}

impl Announced {
    fn new(link: Link) -> Announced {
        Announced { link, octets: None, due: 0, last: None, first: 0, alone: Vec::new() }
    }

    /// `None`: the link has no address to send from yet.
    fn announcement(&self, to: Ipv6Addr, octets: Vec<u8>) -> Option<Announcement> {
        let from = *self.link.addresses.iter().find(|address| address.is_unicast_link_local())?;
        Some(Announcement { interface: self.link.index, from, to, octets })
    }
}

/// The networks of a link, each once.
fn networks<'v>(view: &'v DhcpView, link: &Link) -> impl Iterator<Item = &'v NetworkView6> + Clone {
    let mut networks: Vec<&NetworkView6> = Vec::new();
    for network in link.addresses.iter().filter_map(|address| view.network6_of(*address)) {
        if !networks.iter().any(|known| known.id == network.id) {
            networks.push(network);
        }
    }
    networks.into_iter()
}

/// The next random number (splitmix64): nobody's secret depends on it.
fn draw(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ *state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}
