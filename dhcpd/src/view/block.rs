//! Options encoded once per snapshot, found by code, appended by copying.
//!
//! Each option is whole in the block: code, length, data, and again code, length, data where it has
//! more than 255 octets (RFC 3396, section 5).

use inventory_core::options::DhcpOption;

/// Encoded options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionBlock {
    octets: Box<[u8]>,
    /// Start of the option at each place; the last is the end of the block.
    starts: Box<[u32]>,
    /// Place of each code's option plus one; 0: none. At most 254 codes have one.
    places: Box<[u8; 256]>,
    codes: Box<[u8]>,
}

impl OptionBlock {
    /// Encodes `options`, of which only the first of each code counts. Codes that are no DHCPv4
    /// option (0, 255 and above) are left out.
    pub(crate) fn new<'a>(options: impl IntoIterator<Item = (u8, &'a [u8])>) -> OptionBlock {
        let mut sorted: Vec<(u8, &[u8])> = options.into_iter().filter(|(code, _)| is_option(*code)).collect();
        sorted.sort_by_key(|(code, _)| *code);
        sorted.dedup_by_key(|(code, _)| *code);
        let (mut octets, mut starts, mut places) = (Vec::new(), vec![0], Box::new([0; 256]));
        for (place, (code, data)) in (1..).zip(&sorted) {
            push_option(&mut octets, *code, data);
            starts.push(u32::try_from(octets.len()).unwrap_or(u32::MAX));
            if let Some(slot) = places.get_mut(usize::from(*code)) {
                *slot = place;
            }
        }
        let codes = sorted.iter().map(|(code, _)| *code).collect();
        OptionBlock { octets: octets.into(), starts: starts.into(), places, codes }
    }

    /// The encoded option, ready to be appended.
    #[inline]
    pub fn get(&self, code: u8) -> Option<&[u8]> {
        let place = usize::from(*self.places.get(usize::from(code))?);
        let start = *self.starts.get(place.checked_sub(1)?)? as usize;
        self.octets.get(start..*self.starts.get(place)? as usize)
    }

    /// Codes that are in it, ascending.
    pub fn codes(&self) -> &[u8] {
        &self.codes
    }
}

/// Appends an option, in pieces where it has more than 255 octets of data.
pub(crate) fn push_option(out: &mut Vec<u8>, code: u8, data: &[u8]) {
    let mut pieces = data.chunks(255);
    let first = pieces.next().unwrap_or_default();
    for piece in std::iter::once(first).chain(pieces) {
        out.push(code);
        out.push(u8::try_from(piece.len()).unwrap_or(u8::MAX));
        out.extend_from_slice(piece);
    }
}

/// Octets of an option with so much data, once encoded.
pub(crate) fn encoded_len(data: usize) -> usize {
    data + 2 * data.div_ceil(255).max(1)
}

/// The nic's or network's option with this code, from a list sorted by code.
pub(crate) fn find(options: &[DhcpOption], code: u8) -> Option<&[u8]> {
    let at = options.binary_search_by_key(&u16::from(code), |option| option.code).ok()?;
    options.get(at).map(|option| &*option.data)
}

/// Codes 0 (pad) and 255 (end) have no data.
fn is_option(code: u8) -> bool {
    code != 0 && code != 255
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_found_whole_by_code() {
        let block = OptionBlock::new([(42, &[1, 2, 3, 4][..]), (3, &[9, 9, 9, 9]), (80, &[])]);
        assert_eq!(block.get(3), Some(&[3, 4, 9, 9, 9, 9][..]));
        assert_eq!(block.get(42), Some(&[42, 4, 1, 2, 3, 4][..]));
        assert_eq!(block.get(80), Some(&[80, 0][..]));
        assert_eq!(block.get(4), None);
        assert_eq!(block.codes(), [3, 42, 80]);
    }

    #[test]
    fn the_first_of_two_wins_and_pad_and_end_are_no_options() {
        let block = OptionBlock::new([(6, &[1][..]), (6, &[2]), (0, &[3]), (255, &[4])]);
        assert_eq!(block.get(6), Some(&[6, 1, 1][..]));
        assert_eq!((block.get(0), block.get(255)), (None, None));
    }

    #[test]
    fn long_options_are_split_at_255_octets() {
        for (len, pieces) in [(0, 1), (1, 1), (255, 1), (256, 2), (510, 2), (511, 3), (1200, 5)] {
            let data = vec![7; len];
            let block = OptionBlock::new([(119, &data[..])]);
            let encoded = block.get(119).unwrap();
            assert_eq!(encoded.len(), len + 2 * pieces, "{len}");
            assert_eq!(encoded_len(len), encoded.len());
        }
        let data = vec![7; 256];
        let block = OptionBlock::new([(119, &data[..])]);
        assert_eq!(block.get(119).unwrap()[255 + 2..], [119, 1, 7]);
    }
}
