//! DHCPv6 options encoded once per snapshot, found by code, appended by copying.

use inventory_core::options::DhcpOption;

/// Encoded options. A code may stand several times, as the protocol wants it for some.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OptionBlock6 {
    octets: Box<[u8]>,
    /// Code, and where its options end; sorted by code.
    ends: Box<[(u16, u32)]>,
}

impl OptionBlock6 {
    /// Encodes `options`, which are sorted by code.
    pub(crate) fn new<'a>(options: impl IntoIterator<Item = (u16, &'a [u8])>) -> OptionBlock6 {
        let (mut octets, mut ends) = (Vec::new(), Vec::<(u16, u32)>::new());
        for (code, data) in options {
            push_option6(&mut octets, code, data);
            let end = u32::try_from(octets.len()).unwrap_or(u32::MAX);
            match ends.last_mut() {
                Some((last, of_last)) if *last == code => *of_last = end,
                _ => ends.push((code, end)),
            }
        }
        OptionBlock6 { octets: octets.into(), ends: ends.into() }
    }

    /// All options of this code, ready to be appended.
    pub fn get(&self, code: u16) -> Option<&[u8]> {
        let at = self.ends.binary_search_by_key(&code, |(code, _)| *code).ok()?;
        let start = at.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |(_, end)| *end);
        let (_, end) = self.ends.get(at)?;
        self.octets.get(start as usize..*end as usize)
    }

    /// Whether there is an option of this code.
    pub fn has(&self, code: u16) -> bool {
        self.get(code).is_some()
    }
}

/// Appends an option (RFC 8415, section 21.1). Data that is longer than an option can be is left out.
pub(crate) fn push_option6(out: &mut Vec<u8>, code: u16, data: &[u8]) {
    let Ok(len) = u16::try_from(data.len()) else { return };
    out.extend_from_slice(&code.to_be_bytes());
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(data);
}

/// The options with this code, from a list sorted by code.
pub(crate) fn find_options6(options: &[DhcpOption], code: u16) -> &[DhcpOption] {
    let first = options.partition_point(|option| option.code < code);
    let after = options.partition_point(|option| option.code <= code);
    options.get(first..after).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_of_a_code_is_found_at_once() {
        let block = OptionBlock6::new([(23, &[1; 16][..]), (56, &[2]), (56, &[3, 3]), (59, b"x")]);
        assert_eq!(block.get(56), Some(&[0, 56, 0, 1, 2, 0, 56, 0, 2, 3, 3][..]));
        assert_eq!(block.get(59), Some(&[0, 59, 0, 1, b'x'][..]));
        assert_eq!(block.get(23).map(<[u8]>::len), Some(20));
        assert_eq!((block.get(1), block.get(57), block.get(60)), (None, None, None));
        assert!(block.has(23) && !block.has(24));
    }

    #[test]
    fn a_list_is_searched_by_code() {
        let option = |code, octet| DhcpOption { code, data: Box::new([octet]) };
        let list = [option(23, 1), option(56, 2), option(56, 3)];
        assert_eq!(find_options6(&list, 56).len(), 2);
        assert_eq!(find_options6(&list, 24), []);
    }
}
