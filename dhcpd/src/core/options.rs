//! The options of a received message, walked one by one and never copied unless split.
//!
//! Options stand in the options field and, where option 52 says so, in `file` and `sname` as well, in
//! this order (RFC 2131, section 4.1). Parts of one option are joined wherever they stand (RFC 3396,
//! section 7). An option that runs over the end of its field ends that field; what came before counts.

use std::borrow::Cow;

use crate::code;

/// The options of a message.
#[derive(Clone, Debug)]
pub struct Options<'a> {
    /// Options field, `file`, `sname`; empty where there are no options.
    fields: [&'a [u8]; 3],
    first: [Place; 256],
    seen: CodeSet,
    repeated: CodeSet,
    cut_short: bool,
}

/// Where an option's data is: which field, first octet, octets.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    start: u16,
    len: u8,
    field: u8,
}

/// A set of option codes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CodeSet([u128; 2]);

impl CodeSet {
    /// Adds `code`; returns whether it is new.
    #[inline]
    pub fn insert(&mut self, code: u8) -> bool {
        let bit = 1 << (code & 127);
        let [low, high] = &mut self.0;
        let half = if code < 128 { low } else { high };
        let new = *half & bit == 0;
        *half |= bit;
        new
    }

    /// Whether `code` is in it.
    #[inline]
    pub fn contains(&self, code: u8) -> bool {
        let [low, high] = self.0;
        let half = if code < 128 { low } else { high };
        half >> (code & 127) & 1 == 1
    }
}

/// An option does not have the form that its code demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl<'a> Options<'a> {
    /// Finds the options in `options`, `file` and `sname`, the three fields of a message.
    pub fn read(options: &'a [u8], file: &'a [u8; 128], sname: &'a [u8; 64]) -> Options<'a> {
        let mut found = Options {
            fields: [options, &[], &[]],
            first: [Place::default(); 256],
            seen: CodeSet::default(),
            repeated: CodeSet::default(),
            cut_short: false,
        };
        found.scan(0, options);
        let overload = found.get(code::OVERLOAD).map_or(0, |value| match *value {
            [bits] => bits,
            _ => 0,
        });
        if overload & 1 != 0 {
            found.overload(1, file);
        }
        if overload & 2 != 0 {
            found.overload(2, sname);
        }
        found
    }

    fn overload(&mut self, number: u8, field: &'a [u8]) {
        if let Some(slot) = self.fields.get_mut(usize::from(number)) {
            *slot = field;
        }
        self.scan(number, field);
    }

    fn scan(&mut self, field: u8, octets: &'a [u8]) {
        let mut walk = Walk { octets, at: 0 };
        while let Some((code, start, data)) = walk.next() {
            let (Ok(start), Ok(len)) = (u16::try_from(start), u8::try_from(data.len())) else { break };
            if self.seen.insert(code) {
                if let Some(slot) = self.first.get_mut(usize::from(code)) {
                    *slot = Place { start, len, field };
                }
            } else {
                self.repeated.insert(code);
            }
        }
        self.cut_short |= walk.is_cut_short();
    }

    /// Whether an option ran over the end of its field.
    pub fn are_cut_short(&self) -> bool {
        self.cut_short
    }

    /// Whether there is an option with this code.
    #[inline]
    pub fn has(&self, code: u8) -> bool {
        self.seen.contains(code)
    }

    /// The option's data; its parts joined where it has several.
    #[inline]
    pub fn get(&self, code: u8) -> Option<Cow<'a, [u8]>> {
        if !self.seen.contains(code) {
            return None;
        }
        if self.repeated.contains(code) {
            return Some(Cow::Owned(self.joined(code)));
        }
        let place = self.first.get(usize::from(code))?;
        let field = self.fields.get(usize::from(place.field))?;
        let start = usize::from(place.start);
        Some(Cow::Borrowed(field.get(start..start + usize::from(place.len))?))
    }

    #[cold]
    fn joined(&self, code: u8) -> Vec<u8> {
        let mut data = Vec::new();
        for octets in self.fields {
            let mut walk = Walk { octets, at: 0 };
            while let Some((other, _, part)) = walk.next() {
                if other == code {
                    data.extend_from_slice(part);
                }
            }
        }
        data
    }

    /// The octets of an option that must have exactly `N`.
    #[inline]
    pub fn fixed<const N: usize>(&self, code: u8) -> Result<Option<[u8; N]>, Malformed> {
        match self.get(code) {
            None => Ok(None),
            Some(data) => <[u8; N]>::try_from(&*data).map(Some).map_err(|_| Malformed),
        }
    }

    /// A suboption of the relay agent's information (RFC 3046, section 2.0), its first part.
    pub fn relay(&self, suboption: u8) -> Option<Cow<'a, [u8]>> {
        match self.get(code::RELAY_AGENT)? {
            Cow::Borrowed(all) => self::suboption(all, suboption).map(Cow::Borrowed),
            Cow::Owned(all) => self::suboption(&all, suboption).map(|part| Cow::Owned(part.to_vec())),
        }
    }
}

/// The first suboption with this code.
pub(super) fn suboption(mut rest: &[u8], wanted: u8) -> Option<&[u8]> {
    while let [code, len, tail @ ..] = rest {
        let (data, after) = tail.split_at_checked(usize::from(*len))?;
        if *code == wanted {
            return Some(data);
        }
        rest = after;
    }
    None
}

/// Walks the options of one field.
struct Walk<'a> {
    octets: &'a [u8],
    at: usize,
}

impl<'a> Walk<'a> {
    /// Code, start of the data, data. `None` at the end of the options or at one that is cut short.
    #[inline]
    fn next(&mut self) -> Option<(u8, usize, &'a [u8])> {
        loop {
            match *self.octets.get(self.at)? {
                code::PAD => self.at += 1,
                code::END => return None,
                code => {
                    let len = usize::from(*self.octets.get(self.at + 1)?);
                    let start = self.at + 2;
                    let data = self.octets.get(start..start + len)?;
                    self.at = start + len;
                    return Some((code, start, data));
                }
            }
        }
    }

    /// Whether the walk stopped in the middle of an option.
    fn is_cut_short(&self) -> bool {
        self.octets.get(self.at).is_some_and(|code| *code != code::END)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: (&[u8; 128], &[u8; 64]) = (&[0; 128], &[0; 64]);

    fn read(octets: &[u8]) -> Options<'_> {
        Options::read(octets, NONE.0, NONE.1)
    }

    #[test]
    fn pads_are_passed_over_and_nothing_counts_after_the_end() {
        let options = read(&[0, 0, 53, 1, 1, 0, 12, 1, b'x', 255, 61, 1, 9]);
        assert_eq!(options.get(53).as_deref(), Some(&[1][..]));
        assert_eq!(options.get(12).as_deref(), Some(&b"x"[..]));
        assert_eq!(options.get(61), None);
        assert!(!options.are_cut_short());
    }

    #[test]
    fn parts_are_joined_wherever_they_stand() {
        // dhcproto 0.15 keeps only the last of two that do not touch: CRATES, trap 4.
        let options = read(&[61, 2, 1, 2, 12, 1, b'x', 61, 1, 3, 255]);
        assert_eq!(options.get(61).as_deref(), Some(&[1, 2, 3][..]));
        assert!(matches!(options.get(12), Some(Cow::Borrowed(_))));
    }

    #[test]
    fn an_option_cut_short_hides_none_of_those_before_it() {
        for cut in [&[53, 1, 3, 82][..], &[53, 1, 3, 82, 9], &[53, 1, 3, 82, 9, 1, 2, 3]] {
            let options = read(cut);
            assert_eq!(options.fixed(53), Ok(Some([3])), "{cut:?}");
            assert!(options.are_cut_short() && !options.has(82));
        }
    }

    #[test]
    fn a_host_name_that_is_no_utf_8_hides_nothing() {
        // dhcproto 0.15 ends its parsing there, without an error: CRATES, trap 3.
        let options = read(&[12, 2, 0xff, 0xfe, 53, 1, 3, 61, 3, 1, 2, 3, 82, 2, 1, 0, 255]);
        assert_eq!(options.fixed(53), Ok(Some([3])));
        assert!(options.has(61) && options.has(82));
        let mut whole = vec![0; 240];
        whole.extend([12, 2, 0xff, 0xfe, 53, 1, 3, 255]);
        whole[236..240].copy_from_slice(&[99, 130, 83, 99]);
        let theirs = <dhcproto::v4::Message as dhcproto::Decodable>::from_bytes(&whole).unwrap();
        assert_eq!(theirs.opts().msg_type(), None, "dhcproto has mended it: the guard could go");
    }

    #[test]
    fn overloaded_fields_are_read_in_their_order() {
        let (mut file, mut sname) = ([0; 128], [0; 64]);
        file[..5].copy_from_slice(&[61, 1, 2, 12, 0]);
        sname[..4].copy_from_slice(&[61, 1, 3, 255]);
        let octets = |overload| [52, 1, overload, 61, 1, 1, 255];
        let id = |overload| Options::read(&octets(overload), &file, &sname).get(61).unwrap().into_owned();
        assert_eq!(id(0), [1]);
        assert_eq!(id(1), [1, 2]);
        assert_eq!(id(2), [1, 3]);
        assert_eq!(id(3), [1, 2, 3]);
    }

    #[test]
    fn an_overload_option_within_an_overloaded_field_changes_nothing() {
        let mut file = [0; 128];
        file[..4].copy_from_slice(&[52, 1, 3, 255]);
        let mut sname = [0; 64];
        sname[..4].copy_from_slice(&[61, 1, 3, 255]);
        let options = Options::read(&[52, 1, 1, 255], &file, &sname);
        assert_eq!(options.get(61), None);
    }

    #[test]
    fn relay_suboptions_are_found_and_cut_ones_are_not_invented() {
        let options = read(&[82, 7, 1, 2, b'e', b'1', 2, 1, b'r', 255]);
        assert_eq!(options.relay(1).as_deref(), Some(&b"e1"[..]));
        assert_eq!(options.relay(2).as_deref(), Some(&b"r"[..]));
        assert_eq!(options.relay(3), None);
        assert_eq!(read(&[82, 3, 1, 2, b'e', 255]).relay(1), None);
    }

    #[test]
    fn a_set_of_codes_holds_each_of_the_256() {
        let mut set = CodeSet::default();
        for code in 0..=255 {
            assert!(!set.contains(code) && set.insert(code) && set.contains(code) && !set.insert(code));
        }
    }
}
