//! Changes to single names, gathered on their way into a view.
//!
//! All that a name is written from lies in one piece of memory, in the order in which it was gathered. So hosts are
//! looked at once, one after the other, and names, which are written in the order of their hashes, wait for memory
//! once each; that is fetched ahead.
//!
//! ```text
//! edit    change 1 | zone 3 | kind of key 1 | key length 1 | records' octets or children 4 | key | records
//! record  type 2 | TTL 4 | length 2 | RDATA
//! ```

#![deny(clippy::indexing_slicing)]

use daemon::prefetch;

use super::node::{KIND_NAME, KIND_V4, KIND_V6, Key};
use super::shard::hash_of;
use super::zone::ZoneNumber;

/// Octets of an edit before its key.
const HEAD: usize = 10;
/// Octets of an edit that are fetched ahead: most have no more.
const FETCHED: usize = 64;

/// Changes to single names. Any number of them may be about one.
#[derive(Debug, Default)]
pub(crate) struct Edits {
    places: Vec<Place>,
    octets: Vec<u8>,
}

/// Where an edit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// Hash of its key.
    pub(crate) hash: u64,
    at: usize,
}

/// A change to one name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edit<'e> {
    /// Hash of its key.
    pub(crate) hash: u64,
    /// Zone that the name lies in.
    pub(crate) zone: ZoneNumber,
    /// The key of the name.
    pub(crate) key: Key<'e>,
    /// What happens to it.
    pub(crate) change: Change,
    records: &'e [u8],
}

/// What happens to a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// What hosts or leases gave it is gone.
    Remove,
    /// Hosts or leases give it the edit's records.
    Add,
    /// The same, unless the zone itself gives it something: who wrote that had a reason.
    AddUnlessWritten,
    /// The zone itself gives it data: [`super::written`].
    Written,
    /// So many names are right below it.
    Children(u32),
}

/// The records of an edit, as they are added.
#[derive(Debug)]
pub(crate) struct Records<'e>(&'e mut Vec<u8>);

impl Edits {
    /// Adds a change to the name of `key`, in `zone`; `add` says the records.
    pub(crate) fn push(
        &mut self,
        zone: ZoneNumber,
        key: Key<'_>,
        change: Change,
        add: impl FnOnce(&mut Records<'_>),
    ) {
        let at = self.octets.len();
        self.places.push(Place { hash: hash_of(key), at });
        let (kind, children) = change.to_number();
        self.octets.push(kind);
        self.octets.extend_from_slice(&zone.to_octets());
        match key {
            Key::V4(address) => self.key(KIND_V4, children, &address.to_le_bytes()),
            Key::V6(address) => self.key(KIND_V6, children, &address.to_le_bytes()),
            Key::Name(_, relative) => self.key(KIND_NAME, children, relative),
        }
        let start = self.octets.len();
        add(&mut Records(&mut self.octets));
        let octets = u32::try_from(self.octets.len() - start).unwrap_or(u32::MAX);
        if octets > 0
            && let Some(place) = self.octets.get_mut(at + HEAD - 4..at + HEAD)
        {
            place.copy_from_slice(&octets.to_le_bytes());
        }
    }

    fn key(&mut self, kind: u8, children: u32, key: &[u8]) {
        // Labels below an apex have at most 254 octets.
        self.octets.extend_from_slice(&[kind, u8::try_from(key.len()).unwrap_or(u8::MAX)]);
        self.octets.extend_from_slice(&children.to_le_bytes());
        self.octets.extend_from_slice(key);
    }

    /// All edits, as they were added.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Edit<'_>> {
        self.places.iter().filter_map(|place| self.at(*place))
    }

    /// Sorts them by hash; those of one by when they were added. Where each is.
    pub(crate) fn sort(&mut self) {
        self.places.sort_unstable();
    }

    /// Where they are, in their order.
    pub(crate) fn places(&self) -> &[Place] {
        &self.places
    }

    /// The edit at a place of [`Edits::places`].
    #[inline]
    pub(crate) fn at(&self, Place { hash, at }: Place) -> Option<Edit<'_>> {
        let (head, rest) = self.octets.get(at..)?.split_first_chunk::<HEAD>()?;
        let &[change, z0, z1, z2, kind, length, n0, n1, n2, n3] = head;
        let number = u32::from_le_bytes([n0, n1, n2, n3]);
        let zone = ZoneNumber::from_octets([z0, z1, z2]);
        let change = Change::of_number(change, number)?;
        let (key, rest) = rest.split_at_checked(length.into())?;
        let key = match kind {
            KIND_V4 => Key::V4(u32::from_le_bytes(key.try_into().ok()?)),
            KIND_V6 => Key::V6(u128::from_le_bytes(key.try_into().ok()?)),
            _ => Key::Name(zone, key),
        };
        let records = match change {
            Change::Children(_) => &[],
            _ => rest.get(..usize::try_from(number).ok()?)?,
        };
        Some(Edit { hash, zone, key, change, records })
    }

    /// Has the edit at a place fetched into the cache.
    #[inline]
    pub(crate) fn fetch(&self, place: Place) {
        prefetch(&self.octets, place.at);
        prefetch(&self.octets, place.at + FETCHED);
    }
}

impl Records<'_> {
    /// Adds a record; `rdata` is whole wire form, its names in lower case.
    pub(crate) fn add(&mut self, rtype: u16, ttl: u32, rdata: &[u8]) {
        let Ok(length) = u16::try_from(rdata.len()) else { return };
        self.0.extend_from_slice(&rtype.to_le_bytes());
        self.0.extend_from_slice(&ttl.to_le_bytes());
        self.0.extend_from_slice(&length.to_le_bytes());
        self.0.extend_from_slice(rdata);
    }
}

impl<'e> Edit<'e> {
    /// Type, TTL and data of its records.
    pub(crate) fn records(&self) -> impl Iterator<Item = (u16, u32, &'e [u8])> + use<'e> {
        let mut rest = self.records;
        std::iter::from_fn(move || {
            let (&[t0, t1, a, b, c, d, l0, l1], tail) = rest.split_first_chunk::<8>()?;
            let (rdata, tail) = tail.split_at_checked(u16::from_le_bytes([l0, l1]).into())?;
            rest = tail;
            Some((u16::from_le_bytes([t0, t1]), u32::from_le_bytes([a, b, c, d]), rdata))
        })
    }
}

impl Change {
    /// Whether it gives data to its name.
    pub(crate) fn gives_data(self) -> bool {
        matches!(self, Change::Add | Change::AddUnlessWritten | Change::Written)
    }

    fn to_number(self) -> (u8, u32) {
        match self {
            Change::Remove => (0, 0),
            Change::Add => (1, 0),
            Change::AddUnlessWritten => (2, 0),
            Change::Written => (3, 0),
            Change::Children(count) => (4, count),
        }
    }

    fn of_number(number: u8, count: u32) -> Option<Change> {
        match number {
            0 => Some(Change::Remove),
            1 => Some(Change::Add),
            2 => Some(Change::AddUnlessWritten),
            3 => Some(Change::Written),
            4 => Some(Change::Children(count)),
            _ => None,
        }
    }
}
