//! Serials of zones: a zone's serial grows when its content changes, and only then.
//!
//! The rule is `max(last + 1, time of the change)`, in the arithmetic of RFC 1982. What it needs of the
//! past is kept by the caller, who makes it durable before the new serial is served: a serial that went
//! back would keep secondaries on old data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Wall-clock time in whole seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnixSeconds(pub u64);

/// Serial and content of every zone that ever was, by name. Zones that went are kept: one that comes
/// back goes on with the serial after its last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Serials {
    zones: BTreeMap<String, Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    serial: u32,
    /// 32 hexadecimal digits.
    content: String,
}

impl Serials {
    /// Takes note of a zone's content at `now`; returns its serial, and whether that is a new one.
    pub fn advance(&mut self, zone: &str, content: u128, now: UnixSeconds) -> (u32, bool) {
        let content = format!("{content:032x}");
        // The low half of the time is a serial until 2106, and one by RFC 1982 after that.
        let time = u32::try_from(now.0 & 0xffff_ffff).unwrap_or(1).max(1);
        match self.zones.get_mut(zone) {
            Some(entry) if entry.content == content => (entry.serial, false),
            Some(entry) => {
                let next = entry.serial.wrapping_add(1).max(1);
                entry.serial = if is_after(time, next) { time } else { next };
                entry.content = content;
                (entry.serial, true)
            }
            None => {
                self.zones.insert(zone.to_owned(), Entry { serial: time, content });
                (time, true)
            }
        }
    }

    /// The serial of a zone.
    pub fn get(&self, zone: &str) -> Option<u32> {
        self.zones.get(zone).map(|entry| entry.serial)
    }
}

/// Whether `a` comes after `b` (RFC 1982, section 3.2).
fn is_after(a: u32, b: u32) -> bool {
    let distance = a.wrapping_sub(b);
    distance != 0 && distance < 1 << 31
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

    #[test]
    fn a_serial_stays_while_the_content_does() {
        let mut serials = Serials::default();
        assert_eq!(serials.advance("example", 7, NOW), (1_800_000_000, true));
        assert_eq!(serials.advance("example", 7, UnixSeconds(NOW.0 + 9)), (1_800_000_000, false));
        assert_eq!(serials.advance("example", 8, UnixSeconds(NOW.0 + 9)), (1_800_000_009, true));
    }

    #[test]
    fn changes_within_a_second_and_clocks_set_back_make_it_grow_by_one() {
        let mut serials = Serials::default();
        serials.advance("example", 1, NOW);
        assert_eq!(serials.advance("example", 2, NOW).0, 1_800_000_001);
        assert_eq!(serials.advance("example", 1, UnixSeconds(5)).0, 1_800_000_002);
    }

    #[test]
    fn the_number_wraps_as_rfc_1982_says_and_is_never_zero() {
        let mut serials = Serials::default();
        serials.advance("example", 1, UnixSeconds(0xffff_ffff));
        assert_eq!(serials.advance("example", 2, UnixSeconds(0xffff_ffff)).0, 1);
        assert_eq!(serials.advance("example", 3, UnixSeconds(0x1_0000_0009)).0, 9);
    }

    #[test]
    fn a_zone_that_comes_back_goes_on() {
        let mut serials = Serials::default();
        serials.advance("example", 1, NOW);
        let text = serde_json::to_string(&serials).unwrap();
        let mut later: Serials = serde_json::from_str(&text).unwrap();
        assert_eq!(later, serials);
        assert_eq!(later.advance("example", 1, UnixSeconds(NOW.0 + 100)), (1_800_000_000, false));
        assert_eq!(later.advance("example", 2, UnixSeconds(NOW.0 - 100)).0, 1_800_000_001);
    }
}
