//! Limiting responses, so that nobody is flooded with answers to questions that he did not ask.
//!
//! Answers in datagrams are counted by the network that they go to (a /24 of IPv4, a /56 of IPv6) and by
//! what they say; all answers to a network together may be ten times as many. What is above the limit is
//! dropped, but every second time a reply without records says to come back by TCP, which a forged
//! address cannot. So who really asks still gets answers.
//!
//! The counts are a table of fixed size, shared by all threads without locks: a place is one number.
//! Two that meet in a place share it, at worst a little less for both.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Places in the table, as a power of two: half a megabyte.
const PLACES_BITS: u32 = 16;
/// How many times the limit all answers to one network may be.
const TOGETHER: u32 = 10;
/// Microseconds in which a limit may be used up at once.
const WINDOW: u64 = 1_000_000;

/// What becomes of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It is sent.
    Send,
    /// Instead of it, a reply says to ask by TCP.
    Slip,
    /// Nothing is sent.
    Drop,
}

/// The counts.
#[derive(Debug)]
pub struct Limiter {
    /// When what was sent so far would have been sent at the pace of the limit, in microseconds; the
    /// lowest bit says what the last one above the limit became.
    places: Box<[AtomicU64]>,
    /// Chosen at the start, so that nobody can aim at a place.
    seed: u64,
}

impl Limiter {
    /// A limiter that has seen nothing. `seed` is random.
    pub fn new(seed: u64) -> Limiter {
        Limiter { places: (0..1 << PLACES_BITS).map(|_| AtomicU64::new(0)).collect(), seed }
    }

    /// Counts an answer to `peer` at `now`, which is since the start. `identity` stands for what it says,
    /// `limit` is how many such answers a network may get in a second.
    pub fn judge(&self, peer: IpAddr, identity: u64, limit: u32, now: Duration) -> Verdict {
        let network = mix(network(peer) ^ self.seed);
        let alike = self.take(mix(network ^ identity), limit, now);
        if alike != Verdict::Send {
            return alike;
        }
        self.take(network, limit.saturating_mul(TOGETHER), now)
    }

    fn take(&self, hash: u64, limit: u32, now: Duration) -> Verdict {
        let at = usize::try_from(hash >> (64 - PLACES_BITS)).ok();
        let Some(place) = at.and_then(|at| self.places.get(at)) else { return Verdict::Send };
        let now = u64::try_from(now.as_micros()).unwrap_or(u64::MAX >> 2);
        let cost = WINDOW / u64::from(limit.max(1));
        let mut verdict = Verdict::Send;
        let update = |before: u64| {
            let paced = (before >> 1).max(now);
            if paced + cost <= now + WINDOW {
                verdict = Verdict::Send;
                return Some((paced + cost) << 1 | before & 1);
            }
            verdict = if before & 1 == 0 { Verdict::Slip } else { Verdict::Drop };
            Some(before ^ 1)
        };
        let _ = place.fetch_update(Ordering::Relaxed, Ordering::Relaxed, update);
        verdict
    }
}

/// The network that `peer` lies in, as a number.
fn network(peer: IpAddr) -> u64 {
    match peer.to_canonical() {
        IpAddr::V4(v4) => u64::from(v4.to_bits() >> 8),
        IpAddr::V6(v6) => u64::try_from(v6.to_bits() >> 72).unwrap_or(0) | 1 << 63,
    }
}

/// Spreads a number over all bits (the finalizer of MurmurHash3).
fn mix(mut number: u64) -> u64 {
    number ^= number >> 33;
    number = number.wrapping_mul(0xff51_afd7_ed55_8ccd);
    number ^= number >> 33;
    number = number.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    number ^ number >> 33
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Duration {
        Duration::from_millis(3_600_000 + milliseconds)
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_gets_so_many_alike_in_a_second_and_then_every_second_one_slips() {
        let limiter = Limiter::new(7);
        let verdicts: Vec<Verdict> =
            (0..60).map(|host| limiter.judge(ip(&format!("192.0.2.{host}")), 1, 50, at(0))).collect();
        assert!(verdicts[..50].iter().all(|verdict| *verdict == Verdict::Send));
        assert_eq!(verdicts[50..54], [Verdict::Slip, Verdict::Drop, Verdict::Slip, Verdict::Drop]);
        assert_eq!(limiter.judge(ip("192.0.3.1"), 1, 50, at(0)), Verdict::Send, "another network");
        assert_eq!(limiter.judge(ip("192.0.2.1"), 2, 50, at(0)), Verdict::Send, "another answer");
    }

    #[test]
    fn at_ten_times_the_limit_a_tenth_is_sent() {
        let limiter = Limiter::new(7);
        let sent = (0..50_000_u64)
            .filter(|n| limiter.judge(ip("2001:db8::1"), 1, 100, Duration::from_millis(*n)) == Verdict::Send)
            .count();
        assert!((5_000..=5_100).contains(&sent), "{sent} in 50 seconds");
    }

    #[test]
    fn different_answers_to_one_network_have_a_limit_together() {
        let limiter = Limiter::new(7);
        let sent = (0..5_000).filter(|n| limiter.judge(ip("192.0.2.1"), *n, 100, at(0)) == Verdict::Send);
        let sent = sent.count();
        assert!((900..=1_000).contains(&sent), "{sent}");
    }

    #[test]
    fn networks_are_those_that_one_site_has() {
        assert_eq!(network(ip("192.0.2.1")), network(ip("192.0.2.255")));
        assert_ne!(network(ip("192.0.2.1")), network(ip("192.0.3.1")));
        assert_eq!(network(ip("2001:db8:0:1::1")), network(ip("2001:db8:0:ff:ffff::")));
        assert_ne!(network(ip("2001:db8:0:1::1")), network(ip("2001:db8:0:100::1")));
        assert_eq!(network(ip("::ffff:192.0.2.1")), network(ip("192.0.2.9")));
    }
}
