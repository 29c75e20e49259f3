//! Octets that are few nearly always: of names, of which an inventory has millions, and of clients' identities, which are
//! made for each message.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::{Deref, DerefMut};

/// Most octets that take no memory of their own.
const FEW: usize = 30;

const _: () = assert!(size_of::<Octets>() == 32);

/// Some octets; up to 30 of them lie in place. Reads, compares and hashes as a slice.
#[derive(Clone)]
pub struct Octets(Kept);

#[derive(Clone)]
enum Kept {
    /// How many, and these.
    Few(u8, [u8; FEW]),
    Many(Box<[u8]>),
}

impl Octets {
    /// `front`, and `back` behind it.
    pub(crate) fn joined(front: &[u8], back: &[u8]) -> Octets {
        let len = front.len() + back.len();
        let mut few = [0; FEW];
        match (u8::try_from(len), few.get_mut(..len)) {
            (Ok(len), Some(place)) => {
                place[..front.len()].copy_from_slice(front);
                place[front.len()..].copy_from_slice(back);
                Octets(Kept::Few(len, few))
            }
            _ => Octets(Kept::Many([front, back].concat().into())),
        }
    }
}

impl Deref for Octets {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Kept::Few(len, octets) => octets.get(..usize::from(*len)).unwrap_or(octets),
            Kept::Many(octets) => octets,
        }
    }
}

impl DerefMut for Octets {
    fn deref_mut(&mut self) -> &mut [u8] {
        match &mut self.0 {
            Kept::Few(len, octets) => &mut octets[..usize::from(*len)],
            Kept::Many(octets) => octets,
        }
    }
}

impl From<&[u8]> for Octets {
    fn from(octets: &[u8]) -> Octets {
        let mut few = [0; FEW];
        match (u8::try_from(octets.len()), few.get_mut(..octets.len())) {
            (Ok(len), Some(place)) => {
                place.copy_from_slice(octets);
                Octets(Kept::Few(len, few))
            }
            _ => Octets(Kept::Many(octets.into())),
        }
    }
}

impl FromIterator<u8> for Octets {
    fn from_iter<I: IntoIterator<Item = u8>>(octets: I) -> Octets {
        let mut rest = octets.into_iter();
        let (mut few, mut len) = ([0; FEW], 0);
        for (slot, octet) in few.iter_mut().zip(rest.by_ref()) {
            *slot = octet;
            len += 1;
        }
        match rest.next() {
            None => Octets(Kept::Few(len, few)),
            Some(next) => Octets(Kept::Many(few.into_iter().chain([next]).chain(rest).collect())),
        }
    }
}

impl PartialEq for Octets {
    fn eq(&self, other: &Octets) -> bool {
        **self == **other
    }
}

impl Eq for Octets {}

impl PartialOrd for Octets {
    fn partial_cmp(&self, other: &Octets) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Octets {
    fn cmp(&self, other: &Octets) -> Ordering {
        (**self).cmp(&**other)
    }
}

impl Hash for Octets {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl fmt::Debug for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_are_what_they_were_few_or_many() {
        for len in [0, 1, FEW - 1, FEW, FEW + 1, 255] {
            let octets: Vec<u8> = (1..=255).take(len).collect();
            let kept = Octets::from(&*octets);
            assert_eq!(*kept, *octets);
            assert!(octets.iter().copied().collect::<Octets>() == kept);
            assert_eq!(matches!(kept, Octets(Kept::Many(_))), len > FEW);
            assert!(kept.clone() == kept);
            for at in [0, len / 2, len] {
                assert!(Octets::joined(&octets[..at], &octets[at..]) == kept);
            }
        }
    }

    #[test]
    fn they_are_in_the_order_of_slices() {
        let all = [&[][..], &[0], &[0, 0], &[0; FEW], &[0; FEW + 1], &[0, 1], &[1; FEW + 9], &[2]];
        for pair in all.windows(2) {
            assert!(Octets::from(pair[0]) < Octets::from(pair[1]), "{pair:?}");
        }
    }
}
