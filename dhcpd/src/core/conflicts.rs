//! Hosts that have declined their reserved address: each is told of once an hour.
//!
//! Anybody on the link can send a DHCPDECLINE in any machine's name, so what is remembered and told is
//! bounded: at most [`MAX`] lines an hour. The counters know all of them.

use std::net::IpAddr;

use super::input::Now;

/// Addresses remembered at once.
const MAX: usize = 64;
/// Milliseconds after which an address is told of again.
const SILENCE_MS: u64 = 3_600_000;

/// Addresses told of within the last hour, and when.
#[derive(Debug, Default)]
pub(super) struct Conflicts {
    told: Vec<(IpAddr, u64)>,
}

impl Conflicts {
    /// Whether a conflict about `address` shall be told now.
    pub(super) fn tell(&mut self, address: impl Into<IpAddr>, now: Now) -> bool {
        let address = address.into();
        self.told.retain(|(_, at)| now.monotonic_ms.saturating_sub(*at) < SILENCE_MS);
        if self.told.len() >= MAX || self.told.iter().any(|(told, _)| *told == address) {
            return false;
        }
        self.told.push((address, now.monotonic_ms));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn a_conflict_is_told_once_an_hour_and_a_flood_of_them_is_bounded() {
        let mut conflicts = Conflicts::default();
        let at = |monotonic_ms| Now { monotonic_ms, unix_ms: 0 };
        let address = |n: u32| Ipv4Addr::from(0x0a00_0000 + n);
        assert!(conflicts.tell(address(1), at(5)));
        assert!(!conflicts.tell(address(1), at(SILENCE_MS)));
        assert!(conflicts.tell(address(1), at(SILENCE_MS + 5)));
        let told = (2..10_000).filter(|n| conflicts.tell(address(*n), at(SILENCE_MS + 5))).count();
        assert_eq!(told, MAX - 1);
        assert_eq!(conflicts.told.len(), MAX);
    }
}
