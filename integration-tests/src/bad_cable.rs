//! A cable that loses a tenth of all frames and doubles another tenth, in both directions.
//!
//! Kernels have this as `netem`, but not all kernels have that: so frames are taken from one interface and
//! put out by another, here. Which frames are lost follows from a seed, and how they come from the machine.

use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use nix::ifaddrs::getifaddrs;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, LinkAddr, MsgFlags, SockFlag, SockProtocol, SockType, bind, recvfrom, send, socket,
};

use crate::net::{Lan, Machine};
use crate::run::sh;

/// Frames that the kernel shows because it has sent them (packet(7)).
const OUTGOING: u8 = 4;

/// The cable. It is cut with the value.
#[derive(Debug)]
pub struct BadCable {
    end: Arc<AtomicBool>,
    thread: Option<JoinHandle<Counts>>,
}

/// What became of the frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All that came.
    pub frames: u32,
    /// Those that were lost.
    pub lost: u32,
    /// Those that arrived twice.
    pub doubled: u32,
}

impl BadCable {
    /// A new machine that is plugged into `lan` by such a cable.
    pub fn attach(lan: &Lan, name: &str, mac: &str) -> (Machine, BadCable) {
        let own = Lan::new(&format!("b-{name}"), &[]);
        let machine = own.attach(name, mac);
        machine.sh("ethtool -K eth0 tx off >/dev/null");
        // The bridge is taken away again, the end of the machine's cable stays.
        sh(&format!("ip link set v-{name} nomaster && ip link del b-{name}"));
        (machine, BadCable::between(lan, &format!("v-{name}")))
    }

    /// From the interface `far` of this namespace into `lan`.
    ///
    /// # Panics
    /// There is no such interface, or it is plugged in already.
    pub fn between(lan: &Lan, far: &str) -> BadCable {
        let bridge = lan.interface();
        // Checksums and segments are made by the kernel, since no card follows that would.
        sh(&format!(
            "ip link add bad0 type veth peer name bad1
             ethtool -K bad1 tx off >/dev/null
             ip link set bad1 master {bridge} up
             ip link set bad0 up"
        ));
        let ends = [far, "bad0"].map(open);
        let end = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&end);
        let thread = std::thread::spawn(move || pass(&ends, &until));
        BadCable { end, thread: Some(thread) }
    }

    /// Cuts it.
    ///
    /// # Panics
    /// It has broken before.
    pub fn cut(mut self) -> Counts {
        self.end.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for BadCable {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn pass(ends: &[std::os::fd::OwnedFd; 2], until: &AtomicBool) -> Counts {
    let (mut counts, mut seed, mut frame) = (Counts::default(), 0x9e37_79b9_u32, vec![0; 1 << 16]);
    while !until.load(Ordering::Relaxed) {
        let mut waiting =
            ends.each_ref().map(|end| PollFd::new(std::os::fd::AsFd::as_fd(end), PollFlags::POLLIN));
        let _ = poll(&mut waiting, PollTimeout::from(20_u8));
        for (from, to) in [(&ends[0], &ends[1]), (&ends[1], &ends[0])] {
            while let Ok((length, sender)) = recvfrom::<LinkAddr>(from.as_raw_fd(), &mut frame) {
                if sender.is_some_and(|sender| sender.pkttype() == OUTGOING) {
                    continue;
                }
                seed ^= seed << 13;
                seed ^= seed >> 17;
                seed ^= seed << 5;
                let copies = [0, 2, 1, 1, 1, 1, 1, 1, 1, 1][(seed % 10) as usize];
                counts.frames += 1;
                counts.lost += u32::from(copies == 0);
                counts.doubled += u32::from(copies == 2);
                for _ in 0..copies {
                    // What does not go out is lost as well.
                    let _ = send(to.as_raw_fd(), &frame[..length], MsgFlags::empty());
                }
            }
        }
    }
    counts
}

/// A socket for all frames of an interface.
fn open(interface: &str) -> std::os::fd::OwnedFd {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(AddressFamily::Packet, SockType::Raw, flags, SockProtocol::EthAll).unwrap();
    let mut all = getifaddrs().unwrap().filter(|one| one.interface_name == interface);
    let link = all.find_map(|one| one.address?.as_link_addr().copied());
    bind(socket.as_raw_fd(), &link.unwrap_or_else(|| panic!("no interface {interface}"))).unwrap();
    socket
}
