//! The guard: options walked one by one, never copied, never by recursion.
//!
//! `dhcproto`'s decoder calls itself for each option within an option: a datagram of 60 kB ends the
//! process by its stack, and the first option that it cannot read hides all behind it. Here a list of
//! options is measured once, whole, and refused if one runs over the end or there are too many; options
//! within options are read by whoever needs them, two levels deep at most (RFC 8415, section 21).

use std::net::Ipv6Addr;

use super::reason::Reason;
use crate::code6;

/// Options in one list at most. Clients send a dozen.
pub const OPTIONS_MAX: usize = 64;

/// A list of options that is whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options<'a> {
    octets: &'a [u8],
}

/// Walks a list of options; ends at the first that is not whole.
#[derive(Clone, Debug)]
pub struct Walk<'a> {
    rest: &'a [u8],
}

impl<'a> Options<'a> {
    /// Measures a list of options. Cost: linear in their number, which is bounded.
    pub fn read(octets: &'a [u8]) -> Result<Options<'a>, Reason> {
        let mut walk = Walk { rest: octets };
        for _ in 0..OPTIONS_MAX {
            if walk.next().is_none() {
                let whole = walk.rest.is_empty();
                return if whole { Ok(Options { octets }) } else { Err(Reason::OptionCutShort) };
            }
        }
        if walk.rest.is_empty() { Ok(Options { octets }) } else { Err(Reason::TooManyOptions) }
    }

    /// Each option's code and data, in the order of the message.
    pub fn iter(&self) -> Walk<'a> {
        Walk { rest: self.octets }
    }

    /// Data of the first option with this code.
    pub fn get(&self, code: u16) -> Option<&'a [u8]> {
        self.all(code).next()
    }

    /// Whether there is an option with this code.
    pub fn has(&self, code: u16) -> bool {
        self.get(code).is_some()
    }

    /// Data of each option with this code.
    pub fn all(&self, code: u16) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.iter().filter(move |(other, _)| *other == code).map(|(_, data)| data)
    }

    /// Whether the client asks for the option `code` (RFC 8415, section 21.7).
    pub fn asks_for(&self, code: u16) -> bool {
        self.requested().any(|asked| asked == code)
    }

    /// Codes that the client asks for, in its order.
    pub fn requested(&self) -> impl Iterator<Item = u16> + use<'a> {
        let pairs = self.get(code6::OPTION_REQUEST).map_or(&[][..], |data| data.as_chunks().0);
        pairs.iter().map(|pair| u16::from_be_bytes(*pair))
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<(u16, &'a [u8])> {
        let (header, rest) = self.rest.split_first_chunk::<4>()?;
        let [code_high, code_low, len_high, len_low] = *header;
        let len = usize::from(u16::from_be_bytes([len_high, len_low]));
        let (data, after) = rest.split_at_checked(len)?;
        self.rest = after;
        Some((u16::from_be_bytes([code_high, code_low]), data))
    }
}

/// The first 16 octets as an address, and what follows.
pub(super) fn split_address(octets: &[u8]) -> Option<(Ipv6Addr, &[u8])> {
    let (address, rest) = octets.split_first_chunk::<16>()?;
    Some((Ipv6Addr::from(*address), rest))
}

/// The first four octets as a number, and what follows.
pub(super) fn split_u32(octets: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = octets.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(*number), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_in_their_order_and_found_by_code() {
        let octets = [0, 1, 0, 2, 7, 8, 0, 6, 0, 5, 0, 23, 0, 24, 9, 0, 1, 0, 0];
        let options = Options::read(&octets).unwrap();
        assert_eq!(options.iter().map(|(code, _)| code).collect::<Vec<_>>(), [1, 6, 1]);
        assert_eq!(options.get(1), Some(&[7, 8][..]));
        assert_eq!(options.all(1).count(), 2);
        assert_eq!(options.requested().collect::<Vec<_>>(), [23, 24], "an odd octet asks for nothing");
        assert!(options.asks_for(24) && !options.asks_for(9) && !options.has(2));
    }

    #[test]
    fn a_list_that_is_cut_short_anywhere_is_refused_whole() {
        let octets = [0, 1, 0, 2, 7, 8, 0, 6, 0, 2, 0, 23];
        for len in 0..octets.len() {
            let read = Options::read(&octets[..len]);
            assert_eq!(read.is_ok(), len == 0 || len == 6, "{len}");
        }
    }

    #[test]
    fn more_options_than_any_client_sends_are_refused() {
        let octets = [0, 8, 0, 0].repeat(OPTIONS_MAX + 1);
        assert!(Options::read(&octets[..4 * OPTIONS_MAX]).is_ok());
        assert_eq!(Options::read(&octets), Err(Reason::TooManyOptions));
    }
}
