//! How much one client, and all of them, may have at once; who makes room when nothing is left.
//!
//! Places are filled by whoever asks first. When all are, who has not answered yet makes room, so that requests
//! with made-up addresses keep nobody out; then the part of the network that has the most, so that
//! one that fills its own links keeps no other from booting.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Transfers or connections of all clients: each costs a socket and an open file.
const ALL_MAX: usize = 512;
/// Of one client. Loaders fetch a few files side by side; behind a relay of the host's own there are more.
const CLIENT_MAX: usize = 16;
/// Bits that the addresses of one part of the network have in common.
const PART_BITS: (u32, u32) = (24, 64);

/// Counts what is under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Limits {
    table: Arc<Mutex<Table>>,
}

#[derive(Debug, Default)]
struct Table {
    /// By number, so in the order in which they came.
    places: BTreeMap<u64, Place>,
    next: u64,
}

#[derive(Debug)]
struct Place {
    peer: SocketAddr,
    has_answered: bool,
    taken: Arc<Notify>,
}

/// Room for one; dropping it gives the room back.
#[derive(Debug)]
pub(super) struct Room {
    limits: Limits,
    number: u64,
    taken: Arc<Notify>,
}

/// Why there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// This very port has a transfer: its request came twice.
    Again,
    /// Too many.
    TooMany,
}

impl Limits {
    /// Whether a client may have one more, before it is looked up what that would be.
    pub(super) fn admits(&self, peer: SocketAddr) -> Result<(), Full> {
        self.lock().admits(peer)
    }

    /// Room for a client's port. Cost: linear in what is under way.
    pub(super) fn enter(&self, peer: SocketAddr) -> Result<Room, Full> {
        let mut table = self.lock();
        table.admits(peer)?;
        if table.places.len() >= ALL_MAX {
            let number = table.who_makes_room(part_of(peer.ip())).ok_or(Full::TooMany)?;
            if let Some(place) = table.places.remove(&number) {
                place.taken.notify_one();
            }
        }
        let number = table.next;
        table.next += 1;
        let taken = Arc::new(Notify::new());
        table.places.insert(number, Place { peer, has_answered: false, taken: Arc::clone(&taken) });
        Ok(Room { limits: self.clone(), number, taken })
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn admits(&self, peer: SocketAddr) -> Result<(), Full> {
        let of_client = self.places.values().filter(|place| place.peer.ip() == peer.ip());
        if of_client.clone().any(|place| place.peer == peer) {
            return Err(Full::Again);
        }
        if of_client.count() < CLIENT_MAX { Ok(()) } else { Err(Full::TooMany) }
    }

    /// Who makes room for a client of this part of the network: the first that has not answered yet, else the last of
    /// the part that has the most, if that is more than the client's part would have.
    fn who_makes_room(&self, newcomer: IpAddr) -> Option<u64> {
        if let Some((number, _)) = self.places.iter().find(|(_, place)| !place.has_answered) {
            return Some(*number);
        }
        let mut parts: HashMap<IpAddr, (usize, u64)> = HashMap::new();
        for (number, place) in &self.places {
            let (count, last) = parts.entry(part_of(place.peer.ip())).or_default();
            (*count, *last) = (*count + 1, *number);
        }
        let own = parts.get(&newcomer).map_or(0, |(count, _)| *count);
        let (most, last) = parts.values().max()?;
        (own + 1 < *most).then_some(*last)
    }
}

/// The part of the network that an address is of.
fn part_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => Ipv4Addr::from_bits(v4.to_bits() & (u32::MAX << (32 - PART_BITS.0))).into(),
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << (128 - PART_BITS.1))).into(),
    }
}

impl Room {
    /// The client has answered from its address.
    pub(super) fn answered(&self) {
        if let Some(place) = self.limits.lock().places.get_mut(&self.number) {
            place.has_answered = true;
        }
    }

    /// Waits until the room is another's.
    pub(super) async fn taken(&self) {
        self.taken.notified().await;
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.limits.lock().places.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(net: u8, ip: usize, port: usize) -> SocketAddr {
        SocketAddr::from(([10, 0, net, u8::try_from(ip).unwrap()], u16::try_from(port).unwrap()))
    }

    /// So many rooms of a part of the network, whose clients have answered.
    fn fill(limits: &Limits, net: u8, count: usize) -> Vec<Room> {
        let enter = |n: usize| {
            let room = limits.enter(peer(net, n / CLIENT_MAX + 1, n % CLIENT_MAX + 1)).unwrap();
            room.answered();
            room
        };
        (0..count).map(enter).collect()
    }

    fn is_taken(room: &Room) -> bool {
        let mut taken = std::pin::pin!(room.taken());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        taken.as_mut().poll(&mut context).is_ready()
    }

    #[test]
    fn a_client_and_all_clients_have_room_for_so_many_and_get_it_back() {
        let limits = Limits::default();
        let mut rooms = fill(&limits, 0, CLIENT_MAX);
        assert_eq!(limits.enter(peer(0, 1, 3)).unwrap_err(), Full::Again);
        assert_eq!(limits.enter(peer(0, 1, 999)).unwrap_err(), Full::TooMany);
        rooms.pop();
        rooms.push(limits.enter(peer(0, 1, 999)).unwrap());
        rooms.iter().for_each(Room::answered);
        rooms.extend(fill(&limits, 1, ALL_MAX / 2 - CLIENT_MAX));
        rooms.extend(fill(&limits, 2, ALL_MAX / 2));
        assert_eq!(limits.enter(peer(2, 200, 1)).unwrap_err(), Full::TooMany);
        drop(rooms);
        assert!(limits.lock().places.is_empty());
    }

    #[test]
    fn requests_that_nobody_answers_for_keep_nobody_out() {
        let limits = Limits::default();
        let mut rooms = fill(&limits, 1, ALL_MAX - 2);
        rooms.extend([3, 4].map(|net| limits.enter(peer(net, 1, 1)).unwrap()));
        let newcomer = limits.enter(peer(1, 250, 1)).unwrap();
        assert!(is_taken(&rooms[ALL_MAX - 2]) && !is_taken(&rooms[ALL_MAX - 1]), "the first of them");
        assert!(rooms[..ALL_MAX - 2].iter().all(|room| !is_taken(room)));
        newcomer.answered();
        drop(rooms.remove(ALL_MAX - 2));
        assert_eq!(limits.lock().places.len(), ALL_MAX, "what was taken is given back once");
    }

    #[test]
    fn a_part_of_the_network_that_fills_everything_makes_room_for_the_others() {
        let limits = Limits::default();
        let crowd = fill(&limits, 1, ALL_MAX);
        let other = fill(&limits, 2, ALL_MAX / 2);
        assert_eq!(crowd.iter().filter(|room| is_taken(room)).count(), ALL_MAX / 2);
        assert_eq!(limits.enter(peer(2, 200, 1)).unwrap_err(), Full::TooMany, "an equal share");
        let third = limits.enter(peer(3, 1, 1)).unwrap();
        third.answered();
        drop(other);
        assert_eq!(limits.lock().places.len(), ALL_MAX / 2 + 1, "the half of the crowd, and the third");
    }

    #[test]
    fn a_part_of_the_network_is_a_link_of_either_family() {
        let part = |text: &str| part_of(text.parse().unwrap()).to_string();
        assert_eq!([part("10.1.2.3"), part("::ffff:10.1.2.3")], ["10.1.2.0", "10.1.2.0"]);
        assert_eq!(part("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    }
}
