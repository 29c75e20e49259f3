//! Serials of zones: a zone's serial grows when its content changes, and only then.
//!
//! The rule is `max(last + 1, time of the change)`, in the arithmetic of RFC 1982; for a zone from a
//! master file it is the serial that stands there, or `last + 1` if that did not grow. What it needs of
//! the past is kept by the caller: a serial that went back would keep secondaries on old data. So one that is
//! neither the time nor a file's own is durable before it is served, or waits for the time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Wall-clock time in whole seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnixSeconds(pub u64);

impl UnixSeconds {
    /// The low half, as serials, signatures and cookies say a time, in the arithmetic of RFC 1982.
    #[expect(clippy::cast_possible_truncation, reason = "the low half is meant")]
    pub fn low_half(self) -> u32 {
        self.0 as u32
    }
}

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
    /// Of the zone's master file, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file: Option<FileEntry>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct FileEntry {
    /// The serial that stands in it.
    serial: u32,
    /// As in [`Entry`].
    content: String,
    /// Whether it changed when its serial did not grow beyond the one served.
    behind: bool,
}

/// What became of a zone's serial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advanced {
    /// The serial.
    pub serial: u32,
    /// Whether anything changed that has to be kept.
    pub new: bool,
    /// Whether the zone's master file changed and its serial did not grow beyond the one served.
    pub behind: bool,
}

impl Serials {
    /// Takes note of the content at `now` of a zone without master file; returns its serial, and whether
    /// that is a new one.
    pub fn advance(&mut self, zone: &str, content: u128, now: UnixSeconds) -> (u32, bool) {
        let content = format!("{content:032x}");
        // The low half of the time is a serial until 2106, and one by RFC 1982 after that.
        let time = now.low_half().max(1);
        match self.zones.get_mut(zone) {
            Some(entry) if entry.content == content => (entry.serial, false),
            Some(entry) => {
                let next = after(entry.serial);
                let serial = if is_after(time, next) { time } else { next };
                *entry = Entry { serial, content, file: None };
                (serial, true)
            }
            None => {
                self.zones.insert(zone.to_owned(), Entry { serial: time, content, file: None });
                (time, true)
            }
        }
    }

    /// Takes note of the content of a zone that has a master file, and of that file's serial and content.
    pub fn follow(&mut self, zone: &str, content: u128, written: u32, file_content: u128) -> Advanced {
        let content = format!("{content:032x}");
        let file_content = format!("{file_content:032x}");
        let before = self.zones.get(zone);
        let serial = match before {
            Some(entry) if !is_after(written, entry.serial) && entry.content == content => entry.serial,
            Some(entry) if !is_after(written, entry.serial) => after(entry.serial),
            _ => written,
        };
        let same_file = before.and_then(|entry| entry.file.as_ref());
        let same_file = same_file.filter(|file| file.serial == written && file.content == file_content);
        let behind = same_file.map_or(serial != written, |file| file.behind && serial != written);
        let file = Some(FileEntry { serial: written, content: file_content, behind });
        let entry = Entry { serial, content, file };
        let new = before != Some(&entry);
        if new {
            self.zones.insert(zone.to_owned(), entry);
        }
        Advanced { serial, new, behind }
    }

    /// The serial of a zone.
    pub fn get(&self, zone: &str) -> Option<u32> {
        self.zones.get(zone).map(|entry| entry.serial)
    }
}

/// The serial after `serial`; never zero, which some secondaries take for none.
fn after(serial: u32) -> u32 {
    serial.wrapping_add(1).max(1)
}

/// Whether `a` comes after `b` (RFC 1982, section 3.2).
pub(super) fn is_after(a: u32, b: u32) -> bool {
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
    fn a_master_file_has_its_own_serial_as_long_as_that_grows() {
        let mut serials = Serials::default();
        let mut follow = |content: u128, written, file_content| {
            let Advanced { serial, behind, .. } = serials.follow("example", content, written, file_content);
            (serial, behind)
        };
        assert_eq!(follow(1, 2024010100, 1), (2024010100, false));
        assert_eq!(follow(2, 2024010101, 2), (2024010101, false), "it grew");
        assert_eq!(follow(2, 2024010105, 2), (2024010105, false), "it grew without a change");
        assert_eq!(follow(3, 2024010105, 3), (2024010106, true), "a change without growth");
        assert_eq!(follow(3, 2024010105, 3), (2024010106, true), "that stays to be said");
        assert_eq!(follow(4, 2024010106, 4), (2024010107, true), "growth up to what is served is none");
        assert_eq!(follow(5, 2024010200, 5), (2024010200, false), "ahead again");
        assert_eq!(follow(6, 2024010200, 5), (2024010201, false), "hosts changed, not the file");
        assert_eq!(follow(6, 2024010199, 5), (2024010201, true), "it went back");
    }

    #[test]
    fn a_zone_goes_from_file_to_inventory_and_back_without_going_back() {
        let mut serials = Serials::default();
        serials.follow("example", 1, 2_000_000_000, 1);
        assert_eq!(serials.advance("example", 2, NOW), (2_000_000_001, true));
        assert_eq!(serials.advance("example", 2, NOW), (2_000_000_001, false));
        let Advanced { serial, new, behind } = serials.follow("example", 1, 2_000_000_000, 1);
        assert_eq!((serial, new, behind), (2_000_000_002, true, true));
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
