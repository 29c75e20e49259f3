//! How much one client, and all of them, may have at once.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

/// Transfers or connections of all clients: each costs a socket and an open file.
const ALL_MAX: usize = 512;
/// Of one client. Loaders fetch a few files side by side; behind a relay of the host's own there are more.
const CLIENT_MAX: usize = 16;

/// Counts what is under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Limits {
    running: Arc<Mutex<HashMap<IpAddr, Vec<u16>>>>,
}

/// Room for one; dropping it gives the room back.
#[derive(Debug)]
pub(super) struct Room {
    limits: Limits,
    peer: SocketAddr,
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
    /// Room for a client's port.
    pub(super) fn enter(&self, peer: SocketAddr) -> Result<Room, Full> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = running.values().map(Vec::len).sum();
        let ports = running.entry(peer.ip()).or_default();
        if ports.contains(&peer.port()) {
            return Err(Full::Again);
        }
        if all >= ALL_MAX || ports.len() >= CLIENT_MAX {
            if ports.is_empty() {
                running.remove(&peer.ip());
            }
            return Err(Full::TooMany);
        }
        ports.push(peer.port());
        Ok(Room { limits: self.clone(), peer })
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut running = self.limits.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ports) = running.get_mut(&self.peer.ip()) {
            ports.retain(|port| *port != self.peer.port());
            if ports.is_empty() {
                running.remove(&self.peer.ip());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(ip: u8, port: usize) -> SocketAddr {
        SocketAddr::from(([10, 0, ip, 1], u16::try_from(port).unwrap()))
    }

    #[test]
    fn a_client_and_all_clients_have_room_for_so_many_and_get_it_back() {
        let limits = Limits::default();
        let mut rooms: Vec<Room> = (0..CLIENT_MAX).map(|port| limits.enter(peer(0, port)).unwrap()).collect();
        assert_eq!(limits.enter(peer(0, 3)).unwrap_err(), Full::Again);
        assert_eq!(limits.enter(peer(0, 999)).unwrap_err(), Full::TooMany);
        rooms.pop();
        rooms.push(limits.enter(peer(0, 999)).unwrap());
        for ip in 1..=u8::try_from(ALL_MAX / CLIENT_MAX - 1).unwrap() {
            rooms.extend((0..CLIENT_MAX).map(|port| limits.enter(peer(ip, port)).unwrap()));
        }
        assert_eq!(limits.enter(peer(200, 1)).unwrap_err(), Full::TooMany);
        drop(rooms);
        assert!(limits.running.lock().unwrap().is_empty());
    }
}
