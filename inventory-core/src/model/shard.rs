//! The hosts of one file.

use std::fmt;
use std::sync::{Arc, OnceLock};

use super::packed::Packed;
use super::{Host, HostRest, NicRest, State};
use crate::name::Name;

/// The hosts of one file, in its order. They are kept as octets, and made anew for whoever looks at them.
#[derive(Default)]
pub struct Shard {
    /// Path relative to the inventory's root.
    pub path: Arc<str>,
    packed: Packed,
    /// Made for [`Shard::hosts`].
    unpacked: OnceLock<Box<[Host]>>,
}

impl fmt::Debug for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts: Vec<Host> = self.iter().collect();
        f.debug_struct("Shard").field("path", &self.path).field("hosts", &hosts).finish()
    }
}

impl Shard {
    /// A shard of `hosts`.
    pub fn new(path: Arc<str>, hosts: &[Host]) -> Shard {
        Shard { path, packed: Packed::new(hosts), unpacked: OnceLock::new() }
    }

    /// How many hosts there are.
    pub fn len(&self) -> usize {
        self.packed.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The host at `place`. Cost: a few hundred nanoseconds.
    pub fn get(&self, place: usize) -> Option<Host> {
        self.packed.get(place)
    }

    /// The hosts, each made when it is its turn.
    pub fn iter(&self) -> impl Iterator<Item = Host> + '_ {
        (0..self.len()).filter_map(|place| self.get(place))
    }

    /// The hosts as they are, which stay so for as long as this lives: for programs that end soon. In a daemon they would
    /// take several times the memory.
    pub fn hosts(&self) -> &[Host] {
        self.unpacked.get_or_init(|| self.iter().collect())
    }

    /// The hosts in one of `states`, without looking closer at others.
    pub fn in_state(&self, is_one: impl Fn(State) -> bool) -> impl Iterator<Item = Host> {
        let places = (0..self.len()).filter(move |place| self.packed.state(*place).is_some_and(&is_one));
        places.filter_map(|place| self.get(place))
    }

    /// The place of the host that is called so, without looking closer at others.
    pub fn named(&self, name: &Name) -> Option<usize> {
        (0..self.len()).find(|place| self.packed.is_called(*place, name))
    }

    /// The tags of the host at `place`, which are none where there is no host.
    pub fn tags_of(&self, place: usize) -> &[Arc<str>] {
        self.packed.tags(place)
    }

    /// What an interface of the host at `place` has that most do not have; `None`: nothing.
    pub fn nic_rest_of(&self, place: usize, nic: usize) -> Option<&NicRest> {
        self.packed.nic_rest(place, nic)
    }

    /// What some of its hosts have and most do not have, in no order.
    pub fn rests(&self) -> impl Iterator<Item = &HostRest> {
        self.packed.rests()
    }

    /// What some of their interfaces have and most do not have, in no order.
    pub fn nic_rests(&self) -> impl Iterator<Item = &NicRest> {
        self.packed.nic_rests()
    }
}
