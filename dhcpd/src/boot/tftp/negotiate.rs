//! What client and server agree on before the first block (RFC 2347, 2348, 2349, 7440).

use super::packet::DATA_HEADER;

/// Octets of IPv4 and UDP headers.
const HEADERS_V4: u32 = 28;
/// Octets of IPv6 and UDP headers.
const HEADERS_V6: u32 = 48;
/// Block size without the option (RFC 1350).
const BLOCK_DEFAULT: u16 = 512;
/// Limits of RFC 2348.
const BLOCK_MIN: u16 = 8;
/// Most blocks on the way at once. More would outrun a ROM's receive ring.
const WINDOW_MAX: u16 = 64;
/// First wait for an answer where the client does not say.
const WAIT_DEFAULT_MS: u64 = 1_000;

/// The terms of one transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Octets of data in each block but the last.
    pub block_octets: u16,
    /// Blocks that may be sent before one is acknowledged (RFC 7440).
    pub window: u16,
    /// Milliseconds until what got no answer is sent again.
    pub wait_ms: u64,
    /// The client has said how long to wait, so the wait does not grow.
    pub wait_is_fixed: bool,
    /// What is said to the client: the options taken, with their values.
    answer: [Option<u64>; OPTIONS.len()],
}

/// Options that are understood, in the order in which they are answered.
const OPTIONS: [&str; 5] = ["tsize", "blksize", "timeout", "windowsize", "rollover"];

impl Terms {
    /// What is agreed for a file of `size` octets with a client that sent `options`, over a path of
    /// `mtu` octets. An option with a value that cannot be taken counts as not sent (RFC 2347).
    pub fn new<'a>(
        options: impl IntoIterator<Item = (&'a str, &'a str)>,
        size: u64,
        mtu: u32,
        is_v6: bool,
    ) -> Terms {
        let mut terms = Terms {
            block_octets: BLOCK_DEFAULT,
            window: 1,
            wait_ms: WAIT_DEFAULT_MS,
            wait_is_fixed: false,
            answer: [None; OPTIONS.len()],
        };
        for (name, value) in options {
            let Some(place) = OPTIONS.iter().position(|known| known.eq_ignore_ascii_case(name)) else {
                continue;
            };
            let Ok(value) = value.parse::<u64>() else { continue };
            let taken = match place {
                0 => Some(size),
                1 => terms.take_block_octets(value, mtu, is_v6),
                2 => terms.take_wait(value),
                3 => terms.take_window(value),
                // Numbers of blocks go on with 0 after 65535, as most servers do.
                _ => (value == 0).then_some(0),
            };
            if let Some(slot) = terms.answer.get_mut(place)
                && slot.is_none()
            {
                *slot = taken;
            }
        }
        terms
    }

    /// Whether the client gets an OACK, rather than the first block at once.
    pub fn has_answer(&self) -> bool {
        self.answer.iter().any(Option::is_some)
    }

    /// Options and values of the OACK.
    pub fn answer(&self) -> impl Iterator<Item = (&'static str, u64)> {
        OPTIONS.into_iter().zip(self.answer).filter_map(|(name, value)| Some((name, value?)))
    }

    fn take_block_octets(&mut self, value: u64, mtu: u32, is_v6: bool) -> Option<u64> {
        // A longer block would be fragmented, which boot ROMs put together badly or not at all.
        let headers = if is_v6 { HEADERS_V6 } else { HEADERS_V4 };
        let room = mtu.saturating_sub(headers).saturating_sub(u32::try_from(DATA_HEADER).unwrap_or(4));
        let room = u16::try_from(room).unwrap_or(u16::MAX).clamp(BLOCK_MIN, 65_464);
        let wanted = u16::try_from(value).unwrap_or(u16::MAX);
        (wanted >= BLOCK_MIN).then(|| {
            self.block_octets = wanted.min(room);
            self.block_octets.into()
        })
    }

    fn take_wait(&mut self, seconds: u64) -> Option<u64> {
        (1..=255).contains(&seconds).then(|| {
            self.wait_ms = seconds * 1000;
            self.wait_is_fixed = true;
            seconds
        })
    }

    fn take_window(&mut self, value: u64) -> Option<u64> {
        (1..=65_535).contains(&value).then(|| {
            self.window = u16::try_from(value).unwrap_or(WINDOW_MAX).min(WINDOW_MAX);
            self.window.into()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(options: &[(&str, &str)]) -> Terms {
        Terms::new(options.iter().copied(), 1_000_000, 1500, false)
    }

    #[test]
    fn without_options_a_transfer_is_that_of_rfc_1350() {
        let terms = terms(&[]);
        assert_eq!((terms.block_octets, terms.window, terms.has_answer()), (512, 1, false));
    }

    #[test]
    fn a_block_is_never_longer_than_the_paths_mtu_takes() {
        let block = |value: &str, mtu, v6| Terms::new([("blksize", value)], 0, mtu, v6).block_octets;
        assert_eq!(block("1468", 1500, false), 1468);
        assert_eq!(block("65464", 1500, false), 1468);
        assert_eq!(block("65464", 1500, true), 1448);
        assert_eq!(block("8192", 9000, false), 8192);
        assert_eq!(block("999999", 65_536, false), 65_464);
        assert_eq!(block("1024", 576, false), 544);
        assert_eq!(block("512", 0, false), 8);
    }

    #[test]
    fn options_that_cannot_be_taken_are_not_answered() {
        for bad in [("blksize", "7"), ("blksize", "x"), ("timeout", "0"), ("timeout", "256")] {
            let terms = terms(&[bad]);
            assert!(!terms.has_answer(), "{bad:?}");
            assert_eq!((terms.block_octets, terms.wait_ms), (512, 1000));
        }
        for bad in [("windowsize", "0"), ("windowsize", "65536"), ("multicast", ""), ("rollover", "1")] {
            assert!(!terms(&[bad]).has_answer(), "{bad:?}");
        }
    }

    #[test]
    fn the_answer_says_what_was_taken_in_any_case_of_letters() {
        let terms = terms(&[("BlkSize", "1400"), ("TSIZE", "0"), ("timeout", "3"), ("windowsize", "9000")]);
        let answer: Vec<_> = terms.answer().collect();
        assert_eq!(answer, [("tsize", 1_000_000), ("blksize", 1400), ("timeout", 3), ("windowsize", 64)]);
        assert!(terms.wait_is_fixed && terms.wait_ms == 3000 && terms.window == 64);
    }
}
