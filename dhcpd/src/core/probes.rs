//! Probes: whether anybody uses an address, asked before the address is offered, and the messages that
//! wait for it (RFC 2131, section 2.2).
//!
//! A message that waited is decided about anew when its probe is over, by the view of that moment. Several
//! may wait for one probe: a client repeats itself, and an edit can give the address to another host
//! meanwhile. Each of them is answered then, so nothing here may forget a message that waits.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddrV4};

use super::input::{Now, Packet};
use super::reason::Reason;

/// How long an answer is waited for: on the link, and through relay agents.
const ARP_MS: i64 = 200;
const ICMP_MS: i64 = 500;
/// How long a probe that nobody answered is believed.
const QUIET_MS: i64 = 60_000;
/// Probes without an answer that are remembered.
const QUIET_MAX: usize = 4096;
/// Messages that wait at once; each takes as much memory as it is long.
const WAITING_MAX: usize = 2048;
/// Messages that wait for one probe.
const WAITING_EACH: usize = 4;

/// All probes.
#[derive(Debug, Default)]
pub(super) struct Probes {
    running: BTreeMap<Ipv4Addr, Running>,
    /// When the waiting for each is over.
    due: BTreeSet<(i64, Ipv4Addr)>,
    /// Number of messages that wait.
    waiting: usize,
    /// Addresses that nobody used, with when that was asked.
    quiet: BTreeMap<Ipv4Addr, i64>,
}

/// A probe that may still be answered.
#[derive(Debug)]
struct Running {
    asked: i64,
    due: i64,
    waiting: Vec<Waiting>,
}

/// A message that is answered later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    bytes: Box<[u8]>,
    interface: u32,
    from: SocketAddrV4,
    destination: Option<Ipv4Addr>,
}

impl Probes {
    /// Whether a recent probe of `address` that was asked at `since` or later had no answer.
    pub(super) fn is_quiet(&self, address: Ipv4Addr, since: i64, now: i64) -> bool {
        self.quiet.get(&address).is_some_and(|asked| *asked >= since && now - asked < QUIET_MS)
    }

    /// Whether an answer about `address` is waited for.
    pub(super) fn is_running(&self, address: Ipv4Addr) -> bool {
        self.running.contains_key(&address)
    }

    /// When the next one is over, in milliseconds of the boot's clock.
    pub(super) fn deadline(&self) -> Option<i64> {
        self.due.first().map(|(due, _)| *due)
    }

    /// Lets a message wait until it is known whether anybody uses `address`; whether that is to be asked.
    /// `Err(Busy)`: too many wait.
    pub(super) fn wait(
        &mut self,
        address: Ipv4Addr,
        packet: &Packet<'_>,
        on_link: bool,
        now: Now,
    ) -> Result<bool, Reason> {
        let message = Waiting::from(packet);
        if let Some(running) = self.running.get(&address) {
            if running.waiting.contains(&message) {
                return Ok(false);
            }
            if running.waiting.len() >= WAITING_EACH {
                return Err(Reason::Busy);
            }
        }
        if self.waiting >= WAITING_MAX {
            return Err(Reason::Busy);
        }
        self.waiting += 1;
        if let Some(running) = self.running.get_mut(&address) {
            running.waiting.push(message);
            return Ok(false);
        }
        let due = now.ms() + if on_link { ARP_MS } else { ICMP_MS };
        self.due.insert((due, address));
        self.running.insert(address, Running { asked: now.ms(), due, waiting: vec![message] });
        Ok(true)
    }

    /// The messages of the next probe that is over at `now`, which nobody answered.
    pub(super) fn next_over(&mut self, now: Now) -> Option<Vec<Waiting>> {
        let (_, address) = *self.due.first().filter(|(due, _)| *due <= now.ms())?;
        let running = self.end(address)?;
        if self.quiet.len() >= QUIET_MAX {
            self.quiet.retain(|_, asked| now.ms() - *asked < QUIET_MS);
        }
        if self.quiet.len() >= QUIET_MAX {
            // Whoever needs to know it of that one asks again.
            self.quiet.pop_first();
        }
        self.quiet.insert(address, running.asked);
        Some(running.waiting)
    }

    /// The messages that waited for `address`, which somebody uses: who has the hardware address `mac`, if
    /// that is known. `None`: none waits, or it is who waits that answered itself.
    pub(super) fn answered(&mut self, address: Ipv4Addr, mac: Option<[u8; 6]>) -> Option<Vec<Waiting>> {
        let running = self.running.get(&address)?;
        if mac.is_some_and(|mac| running.waiting.iter().all(|message| message.is_from(mac))) {
            return None;
        }
        self.quiet.remove(&address);
        Some(self.end(address)?.waiting)
    }

    fn end(&mut self, address: Ipv4Addr) -> Option<Running> {
        let running = self.running.remove(&address)?;
        self.due.remove(&(running.due, address));
        self.waiting -= running.waiting.len();
        Some(running)
    }
}

impl Waiting {
    /// The message as it came.
    pub(super) fn packet(&self) -> Packet<'_> {
        Packet {
            bytes: (&*self.bytes).into(),
            interface: self.interface,
            from: self.from,
            destination: self.destination,
        }
    }

    /// Whether the client's hardware address is `mac`.
    fn is_from(&self, mac: [u8; 6]) -> bool {
        self.bytes.get(28..34) == Some(mac.as_slice())
    }
}

impl From<&Packet<'_>> for Waiting {
    fn from(packet: &Packet<'_>) -> Waiting {
        Waiting {
            bytes: (*packet.bytes).into(),
            interface: packet.interface,
            from: packet.from,
            destination: packet.destination,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(monotonic_ms: u64) -> Now {
        Now { monotonic_ms, unix_ms: 0 }
    }

    fn packet(octets: &[u8]) -> Packet<'_> {
        let from = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 68);
        Packet { bytes: octets.into(), interface: 2, from, destination: None }
    }

    fn address(n: u32) -> Ipv4Addr {
        Ipv4Addr::from(0x0a00_0000 + n)
    }

    #[test]
    fn all_that_wait_for_a_probe_come_back_and_no_more_than_fit() {
        let mut probes = Probes::default();
        assert_eq!(probes.wait(address(1), &packet(b"1"), true, at(10)), Ok(true));
        assert_eq!(probes.wait(address(1), &packet(b"1"), true, at(11)), Ok(false), "the same again");
        for octets in [b"2", b"3", b"4"] {
            assert_eq!(probes.wait(address(1), &packet(octets), true, at(12)), Ok(false));
        }
        assert_eq!(probes.wait(address(1), &packet(b"5"), true, at(13)), Err(Reason::Busy));
        assert_eq!((probes.deadline(), probes.next_over(at(209))), (Some(210), None));
        assert_eq!(probes.next_over(at(210)).map(|waiting| waiting.len()), Some(4));
        assert_eq!((probes.deadline(), probes.waiting), (None, 0));
        assert!(probes.is_quiet(address(1), 10, 220));
        assert!(!probes.is_quiet(address(1), 11, 220), "it was asked before");
        assert!(!probes.is_quiet(address(1), 0, 60_010));
    }

    #[test]
    fn a_flood_of_probes_is_bounded_and_the_latest_result_is_known() {
        let mut probes = Probes::default();
        for n in 0..10_000 {
            let _ = probes.wait(address(n), &packet(b"1"), false, at(0));
        }
        assert_eq!((probes.waiting, probes.running.len()), (WAITING_MAX, WAITING_MAX));
        for round in 1..4 {
            while probes.next_over(at(round * 500)).is_some() {}
            for n in 0..2000 {
                let _ = probes.wait(
                    address(100_000 * u32::from(round == 3) + n),
                    &packet(b"1"),
                    false,
                    at(round * 500),
                );
            }
        }
        while probes.next_over(at(9000)).is_some() {}
        assert!(probes.quiet.len() <= QUIET_MAX);
        assert!(probes.is_quiet(address(100_000), 0, 9000));
    }
}
