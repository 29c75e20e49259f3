//! A relay agent between a machine that boots and the daemons, which makes a ROM of iPXE look like one
//! that is none.
//!
//! QEMU has no other network boot ROM than iPXE, which says so in options 77 and 175. Without those two its
//! requests are those of any PXE ROM. The loader that it then loads is iPXE as well, and may say so.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use daemon::udp::{self, Options};

use crate::net::Machine;

/// Octets in front of the options.
const FIXED: usize = 240;
const ACK: u8 = 5;
const DISCOVER: u8 = 1;

/// The agent. It ends with the value.
#[derive(Debug)]
pub struct OldRomRelay {
    end: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl OldRomRelay {
    /// Passes on between `eth0` of `router`, where its address is `agent`, and `server` behind `eth1`.
    ///
    /// # Panics
    /// The router cannot have the sockets.
    pub fn start(router: &Machine, agent: Ipv4Addr, server: Ipv4Addr) -> OldRomRelay {
        let [near, far] = router.on(|| ["eth0", "eth1"].map(socket));
        let end = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&end);
        let thread = std::thread::spawn(move || {
            let (mut octets, mut rom) = ([0; 2048], Rom::Old);
            while !until.load(Ordering::Relaxed) {
                if let Ok((length, _)) = near.recv_from(&mut octets) {
                    let mut packet = octets[..length].to_vec();
                    packet[3] += 1;
                    packet[24..28].copy_from_slice(&agent.octets());
                    rom = rom.asks(&mut packet);
                    let _ = far.send_to(&packet, SocketAddrV4::new(server, 67));
                }
                if let Ok((length, _)) = far.recv_from(&mut octets) {
                    rom = rom.hears(&octets[..length]);
                    let client = SocketAddr::from((Ipv4Addr::BROADCAST, 68));
                    let _ = near.send_to(&octets[..length], client);
                }
            }
        });
        OldRomRelay { end, thread: Some(thread) }
    }
}

impl Drop for OldRomRelay {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Which program of the machine is asking.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rom {
    /// The ROM.
    Old,
    /// The ROM, which has all it needs to load the loader.
    Told,
    /// The loader, or the system.
    Loader,
}

impl Rom {
    fn asks(self, packet: &mut [u8]) -> Rom {
        let kind = option(packet, 53).map(|at| packet[at + 2]);
        let now = if self == Rom::Told && kind == Some(DISCOVER) { Rom::Loader } else { self };
        if now != Rom::Loader {
            [77, 175].into_iter().for_each(|code| strip(packet, code));
        }
        now
    }

    fn hears(self, packet: &[u8]) -> Rom {
        let kind = option(packet, 53).map(|at| packet[at + 2]);
        if self == Rom::Old && kind == Some(ACK) { Rom::Told } else { self }
    }
}

/// Where an option begins.
fn option(packet: &[u8], code: u8) -> Option<usize> {
    let mut at = FIXED;
    while at + 1 < packet.len() && packet[at] != 255 {
        match packet[at] {
            0 => at += 1,
            found if found == code => return Some(at),
            _ => at += 2 + usize::from(packet[at + 1]),
        }
    }
    None
}

/// Makes padding of an option.
fn strip(packet: &mut [u8], code: u8) {
    if let Some(at) = option(packet, code) {
        let end = at + 2 + usize::from(packet[at + 1]);
        packet[at..end].fill(0);
    }
}

fn socket(interface: &str) -> UdpSocket {
    let mut options = Options::new(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 67)));
    options.device = Some(interface.to_owned());
    let socket = udp::bind(&options).unwrap();
    socket.set_broadcast(true).unwrap();
    socket.set_nonblocking(false).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
    socket
}
