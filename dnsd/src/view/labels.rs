//! A name cut into its labels, ready to be looked up.

#![deny(clippy::indexing_slicing)]

use std::net::IpAddr;

use inventory_core::name::{NAME_OCTETS_MAX, Name};

/// Most labels that fit 255 octets, the root not counted.
pub const LABELS_MAX: usize = 127;

/// Lower-case wire form of a name, and where each label starts. Lives on the stack.
#[derive(Clone)]
pub struct Labels {
    wire: [u8; NAME_OCTETS_MAX],
    starts: [u8; LABELS_MAX + 1],
    length: u8,
    count: u8,
}

/// Why octets are no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAName {
    /// The octets end within it.
    Cut,
    /// A compression pointer, or one of the label types that nobody uses (RFC 6891, section 5).
    LabelType,
    /// More than 255 octets.
    TooLong,
}

impl Labels {
    /// Reads the name that `octets` start with, in any case. What follows it is not looked at.
    ///
    /// Pointers are refused: the first name of a message has nothing before it to point to, and
    /// names kept in the view have none.
    ///
    /// # Errors
    /// Says why there is no name.
    pub fn read(octets: &[u8]) -> Result<Labels, NotAName> {
        let mut labels = Labels::root();
        let mut at: u8 = 0;
        let mut starts = labels.starts.iter_mut();
        loop {
            let length = *octets.get(usize::from(at)).ok_or(NotAName::Cut)?;
            // There are as many places as labels in 255 octets: without one left the name is too long.
            *starts.next().ok_or(NotAName::TooLong)? = at;
            if length == 0 {
                break;
            }
            if length > 63 {
                return Err(NotAName::LabelType);
            }
            at = at.checked_add(length + 1).ok_or(NotAName::TooLong)?;
            labels.count += 1;
        }
        labels.length = at.checked_add(1).ok_or(NotAName::TooLong)?;
        let wire = labels.wire.get_mut(..usize::from(labels.length)).ok_or(NotAName::TooLong)?;
        wire.copy_from_slice(octets.get(..wire.len()).ok_or(NotAName::Cut)?);
        // Length octets are below `A`, so lower-casing everything changes labels only.
        wire.make_ascii_lowercase();
        Ok(labels)
    }

    /// The labels of `name`.
    pub fn of(name: &Name) -> Labels {
        Labels::of_wire(name.as_wire())
    }

    /// The labels of a name that the view itself holds; the root's if it is none.
    pub(crate) fn of_wire(wire: &[u8]) -> Labels {
        Labels::read(wire).unwrap_or_else(|_| Labels::root())
    }

    /// The labels of the reverse name of `address` (RFC 1035, section 3.5; RFC 3596, section 2.5).
    pub(crate) fn reverse(address: IpAddr) -> Labels {
        let mut labels = Labels::root();
        match address {
            IpAddr::V4(v4) => {
                for octet in v4.octets().into_iter().rev() {
                    let digits = [octet / 100, octet / 10 % 10, octet % 10].map(|digit| b'0' + digit);
                    let zeros = usize::from(octet < 100) + usize::from(octet < 10);
                    labels.push(digits.get(zeros..).unwrap_or(&[]));
                }
                labels.push(b"in-addr");
            }
            IpAddr::V6(v6) => {
                for octet in v6.octets().into_iter().rev() {
                    for nibble in [octet & 15, octet >> 4] {
                        labels.push(&[if nibble < 10 { b'0' + nibble } else { b'a' - 10 + nibble }]);
                    }
                }
                labels.push(b"ip6");
            }
        }
        labels.push(b"arpa");
        labels
    }

    /// Puts `label` before the root; nothing, if the name gets too long.
    fn push(&mut self, label: &[u8]) {
        let Ok(octets) = u8::try_from(label.len()) else { return };
        let Some(root) = self.length.checked_add(octets) else { return };
        let Some([length, to @ .., _]) = self.wire.get_mut(usize::from(self.length) - 1..=root.into()) else {
            return;
        };
        *length = octets;
        to.copy_from_slice(label);
        (self.count, self.length) = (self.count + 1, root + 1);
        if let Some(start) = self.starts.get_mut(usize::from(self.count)) {
            *start = root;
        }
    }

    /// Those of the root: none.
    #[inline]
    pub fn root() -> Labels {
        Labels { wire: [0; NAME_OCTETS_MAX], starts: [0; LABELS_MAX + 1], length: 1, count: 0 }
    }

    /// Lower-case wire form, with the root.
    #[inline]
    pub fn as_wire(&self) -> &[u8] {
        self.wire.get(..usize::from(self.length)).unwrap_or(&[])
    }

    /// Number of labels, the root not counted.
    #[inline]
    pub fn count(&self) -> usize {
        usize::from(self.count)
    }

    /// Offset at which the last `depth` labels start; that of the root for none.
    #[inline]
    pub fn offset(&self, depth: usize) -> usize {
        let index = self.count().saturating_sub(depth);
        self.starts.get(index).copied().map_or(0, usize::from)
    }

    /// The last `depth` labels, with the root: a name.
    #[inline]
    pub fn suffix(&self, depth: usize) -> &[u8] {
        self.as_wire().get(self.offset(depth)..).unwrap_or(&[])
    }

    /// The labels between the last `zone_depth` ones and the first of the last `depth` ones: the name
    /// of `depth` labels relative to its ancestor of `zone_depth` labels.
    #[inline]
    pub fn relative(&self, depth: usize, zone_depth: usize) -> &[u8] {
        self.as_wire().get(self.offset(depth)..self.offset(zone_depth)).unwrap_or(&[])
    }
}

/// The labels of `relative`, a run of labels without root, from left to right.
pub(crate) fn iter(mut relative: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, tail) = relative.split_first().filter(|(length, _)| **length > 0)?;
        let (label, tail) = tail.split_at_checked(usize::from(*length))?;
        relative = tail;
        Some(label)
    })
}

/// `relative` without its first label; `None` if it has none.
pub(crate) fn parent(relative: &[u8]) -> Option<&[u8]> {
    let first = usize::from(*relative.first()?);
    relative.get(first + 1..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_from_the_right() {
        let labels = Labels::read(b"\x03WwW\x03lab\x07Example\0rest").unwrap();
        assert_eq!(labels.as_wire(), b"\x03www\x03lab\x07example\0");
        assert_eq!(labels.count(), 3);
        assert_eq!(labels.suffix(1), b"\x07example\0");
        assert_eq!(labels.suffix(0), b"\0");
        assert_eq!(labels.relative(3, 1), b"\x03www\x03lab");
        assert_eq!(labels.relative(2, 2), b"");
    }

    #[test]
    fn labels_of_reverse_names_are_those_of_the_names() {
        for text in
            ["0.9.10.99", "100.255.20.1", "::", "2001:db8:af::1f", "fedc:ba98:7654:3210:123:4567:89ab:cdef"]
        {
            let address: IpAddr = text.parse().unwrap();
            let (labels, name) = (Labels::reverse(address), Labels::of(&Name::reverse(address)));
            assert_eq!(labels.as_wire(), name.as_wire());
            let offsets =
                |labels: &Labels| (0..=labels.count()).map(|depth| labels.offset(depth)).collect::<Vec<_>>();
            assert_eq!(offsets(&labels), offsets(&name), "{text}");
        }
    }

    #[test]
    fn the_longest_names_are_read_and_longer_ones_refused() {
        let mut deep = b"\x01a".repeat(127);
        deep.push(0);
        assert_eq!(Labels::read(&deep).unwrap().count(), 127);
        deep.insert(0, b'a');
        deep.insert(0, 1);
        assert_eq!(Labels::read(&deep).err(), Some(NotAName::TooLong));
        let mut wide = [&[63u8][..], &[b'x'; 63]].concat().repeat(4);
        wide.push(0);
        assert_eq!(Labels::read(&wide).err(), Some(NotAName::TooLong));
        let fits = [&wide[..192], &[61], &[b'x'; 61], &[0]].concat();
        assert_eq!(fits.len(), 255);
        assert_eq!(Labels::read(&fits).unwrap().as_wire(), fits);
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for (octets, error) in [
            (&b""[..], NotAName::Cut),
            (b"\x03ab", NotAName::Cut),
            (b"\x02ab", NotAName::Cut),
            (b"\xc0\x0c", NotAName::LabelType),
            (b"\x01a\xc0\x0c", NotAName::LabelType),
            (b"\x41\x01", NotAName::LabelType),
            (b"\x80", NotAName::LabelType),
        ] {
            assert_eq!(Labels::read(octets).err(), Some(error), "{octets:?}");
        }
    }
}
