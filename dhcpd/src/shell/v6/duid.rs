//! Our DUID: what clients know this server by, over restarts.
//!
//! A UUID (RFC 6355), drawn once and kept in the state directory. It names no card and no moment, so
//! neither a new card nor a wrong clock changes it. A client that finds another DUID waits until it may
//! ask any server, so a file that cannot be written is worth a warning.

use std::io;

use daemon::interfaces::Interface;
use daemon::random::octets;
use daemon::state::StateDir;
use tracing::warn;

/// Its file in the state directory: hexadecimal digits in one line.
const FILE: &str = "server-duid";
/// Octets of a DUID: its type, and at most 128 more (RFC 8415, section 11.1).
const OCTETS: std::ops::RangeInclusive<usize> = 3..=130;

/// The DUID in the state directory, or a new one that is put there. Where nothing can be written it is
/// made of a hardware address, and so is the same again as long as that is.
pub(in crate::shell) fn server_duid(state: &StateDir, interfaces: &[Interface]) -> Box<[u8]> {
    let kept = state.read(FILE).unwrap_or_else(|error| {
        warn!("{error}: clients may take this server for another one");
        None
    });
    if let Some(duid) = kept.as_deref().and_then(parse) {
        return duid;
    }
    if kept.is_some() {
        warn!(file = FILE, "this is no DUID in hexadecimal digits: a new one takes its place");
    }
    let stored = draw().map_err(|error| error.to_string()).and_then(|duid| {
        let line = format!("{}\n", hex(&duid));
        state.write(FILE, line.as_bytes()).map(|()| duid).map_err(|error| error.to_string())
    });
    stored.unwrap_or_else(|error| {
        warn!(%error, "the server's DUID cannot be kept: it is made of a hardware address");
        let mac = interfaces.iter().find_map(|interface| interface.mac).unwrap_or_default();
        [&[0, 3, 0, 1][..], &mac].concat().into()
    })
}

/// Type 4 and 16 octets.
fn draw() -> io::Result<Box<[u8]>> {
    let mut uuid = octets::<16>()?;
    let [_, _, _, _, _, _, version, _, variant, ..] = &mut uuid;
    *version = *version & 0x0f | 0x40;
    *variant = *variant & 0x3f | 0x80;
    Ok([&[0, 4][..], &uuid].concat().into())
}

fn parse(octets: &[u8]) -> Option<Box<[u8]>> {
    let duid = parse_hex(std::str::from_utf8(octets).ok()?.trim_end())?;
    OCTETS.contains(&duid.len()).then(|| duid.into())
}

/// The octets of hexadecimal digits, two for each.
pub(super) fn parse_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    digits.as_chunks().0.iter().map(|[high, low]| u8::try_from(high << 4 | low).ok()).collect()
}

/// Hexadecimal digits, two for each octet.
pub(in crate::shell) fn hex(octets: &[u8]) -> String {
    use std::fmt::Write;
    octets.iter().fold(String::new(), |mut text, octet| {
        // Writing to a string does not fail.
        let _ = write!(text, "{octet:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Place(std::path::PathBuf);

    impl Place {
        fn new(name: &str) -> Place {
            let path = std::env::temp_dir().join(format!("hostbook-duid-{name}-{}", std::process::id()));
            Place(path)
        }

        fn duid(&self) -> Box<[u8]> {
            server_duid(&StateDir::open(&self.0, None).unwrap(), &[])
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn the_duid_is_a_uuid_and_the_same_after_a_restart() {
        let place = Place::new("same");
        let duid = place.duid();
        assert_eq!((duid.len(), &duid[..2], duid[8] >> 4, duid[10] >> 6), (18, &[0, 4][..], 4, 2));
        assert_eq!(place.duid(), duid);
        assert_ne!(Place::new("other").duid(), duid);
    }

    #[test]
    fn an_operator_may_write_one_and_nonsense_is_replaced() {
        let place = Place::new("written");
        place.duid();
        std::fs::write(place.0.join(FILE), "00030001020000000007\n").unwrap();
        assert_eq!(*place.duid(), [0, 3, 0, 1, 2, 0, 0, 0, 0, 7]);
        for nonsense in ["", "0004", "xyz", "00030", "+1+2+3", "\u{fe}"] {
            std::fs::write(place.0.join(FILE), nonsense).unwrap();
            let duid = place.duid();
            assert_eq!((duid.len(), place.duid()), (18, duid.clone()), "{nonsense}");
        }
    }

    #[test]
    fn a_state_directory_that_takes_no_file_gives_a_duid_of_a_card() {
        let place = Place::new("full");
        let state = StateDir::open(&place.0, None).unwrap();
        std::fs::create_dir(place.0.join(FILE)).unwrap();
        let mut cards = daemon::interfaces::interfaces().unwrap();
        cards.truncate(1);
        cards[0].mac = Some([2, 0, 0, 0, 0, 9]);
        assert_eq!(*server_duid(&state, &cards), [0, 3, 0, 1, 2, 0, 0, 0, 0, 9]);
    }
}
