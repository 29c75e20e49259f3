//! Short lists that are kept in place: most hosts have one interface, and most of these one or two addresses.

use std::fmt;
use std::ops::{Deref, DerefMut};

/// A list that takes no memory of its own while it has one item or `N`. Reads as a slice.
#[derive(Clone)]
pub struct Few<T, const N: usize>(Items<T, N>);

#[derive(Clone)]
enum Items<T, const N: usize> {
    One([T; 1]),
    Full([T; N]),
    Other(Box<[T]>),
}

impl<T, const N: usize> Default for Few<T, N> {
    fn default() -> Few<T, N> {
        Few(Items::Other(Box::default()))
    }
}

impl<T, const N: usize> From<Vec<T>> for Few<T, N> {
    fn from(items: Vec<T>) -> Few<T, N> {
        let items = match <[T; 1]>::try_from(items) {
            Ok(one) => return Few(Items::One(one)),
            Err(items) => items,
        };
        Few(<[T; N]>::try_from(items).map_or_else(|items| Items::Other(items.into()), Items::Full))
    }
}

impl<T, const N: usize> From<[T; 1]> for Few<T, N> {
    fn from(one: [T; 1]) -> Few<T, N> {
        Few(Items::One(one))
    }
}

impl<T> From<[T; 2]> for Few<T, 2> {
    fn from(both: [T; 2]) -> Few<T, 2> {
        Few(Items::Full(both))
    }
}

impl<T, const N: usize> FromIterator<T> for Few<T, N> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Few<T, N> {
        Few::from(Vec::from_iter(items))
    }
}

impl<T, const N: usize> Deref for Few<T, N> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        match &self.0 {
            Items::One(one) => one,
            Items::Full(full) => full,
            Items::Other(other) => other,
        }
    }
}

impl<T, const N: usize> DerefMut for Few<T, N> {
    fn deref_mut(&mut self) -> &mut [T] {
        match &mut self.0 {
            Items::One(one) => one,
            Items::Full(full) => full,
            Items::Other(other) => other,
        }
    }
}

impl<'a, T, const N: usize> IntoIterator for &'a Few<T, N> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T: PartialEq, const N: usize> PartialEq for Few<T, N> {
    fn eq(&self, other: &Few<T, N>) -> bool {
        **self == **other
    }
}

impl<T: Eq, const N: usize> Eq for Few<T, N> {}

impl<T: fmt::Debug, const N: usize> fmt::Debug for Few<T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_any_length_reads_as_it_was_made() {
        for length in 0..5 {
            let items: Vec<u8> = (0..length).collect();
            let mut few: Few<u8, 2> = items.iter().copied().collect();
            assert_eq!(*few, *items);
            few.iter_mut().for_each(|item| *item += 1);
            assert!(few.into_iter().copied().eq(1..=length));
        }
    }
}
