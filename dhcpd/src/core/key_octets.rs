//! Octets that are few for nearly every client: its identity, which is made for each message, so that making it
//! must not allocate.

use std::cmp::Ordering;
use std::ops::Deref;

/// Octets that need no allocation. An identifier of type 255 with a DUID of a UUID has 23.
const FEW: usize = 30;

/// Some octets; few of them lie in place.
#[derive(Clone)]
pub(super) enum KeyOctets {
    /// How many, and these.
    Few(u8, [u8; FEW]),
    Many(Box<[u8]>),
}

impl Deref for KeyOctets {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match self {
            KeyOctets::Few(len, octets) => octets.get(..usize::from(*len)).unwrap_or_default(),
            KeyOctets::Many(octets) => octets,
        }
    }
}

impl FromIterator<u8> for KeyOctets {
    fn from_iter<I: IntoIterator<Item = u8>>(octets: I) -> KeyOctets {
        let mut rest = octets.into_iter();
        let (mut few, mut len) = ([0; FEW], 0);
        for (slot, octet) in few.iter_mut().zip(rest.by_ref()) {
            *slot = octet;
            len += 1;
        }
        match rest.next() {
            None => KeyOctets::Few(len, few),
            Some(next) => KeyOctets::Many(few.into_iter().chain([next]).chain(rest).collect()),
        }
    }
}

impl From<&[u8]> for KeyOctets {
    fn from(octets: &[u8]) -> KeyOctets {
        octets.iter().copied().collect()
    }
}

impl PartialEq for KeyOctets {
    fn eq(&self, other: &KeyOctets) -> bool {
        **self == **other
    }
}

impl Eq for KeyOctets {}

impl PartialOrd for KeyOctets {
    fn partial_cmp(&self, other: &KeyOctets) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for KeyOctets {
    fn cmp(&self, other: &KeyOctets) -> Ordering {
        (**self).cmp(&**other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_are_what_they_were_few_or_many() {
        for len in [0, 1, FEW - 1, FEW, FEW + 1, 255] {
            let octets: Vec<u8> = (1..=255).take(len).collect();
            let kept = KeyOctets::from(&*octets);
            assert_eq!(*kept, *octets);
            assert_eq!(matches!(kept, KeyOctets::Many(_)), len > FEW);
            assert!(kept.clone() == kept);
        }
    }

    #[test]
    fn they_are_in_the_order_of_slices() {
        let all = [&[][..], &[0], &[0, 0], &[0; FEW], &[0; FEW + 1], &[0, 1], &[1; FEW + 9], &[2]];
        for pair in all.windows(2) {
            assert!(KeyOctets::from(pair[0]) < KeyOctets::from(pair[1]), "{pair:?}");
        }
    }
}
