//! Names that leases have beside the inventory: in which networks, and how they come into a view.
//!
//! The inventory says where there may be any; which there are is [`crate::core::update::LeaseNames`]'s. They are
//! put into a view as edits to single names, so that everything that is served of a zone has them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use inventory_core::model::{Globals, Network, Range, Updates};
use inventory_core::name::Name;

use super::DnsView;
use super::edits::{Change, Edits};
use super::labels::Labels;
use super::node::Key;
use super::reverse::{self, Block};
use super::zone::{ZoneIndex, ZoneNumber};

/// A network whose leases have names.
#[derive(Debug)]
pub struct LeaseNetwork {
    /// Its name in the inventory.
    pub name: Box<str>,
    /// The key that updates of its names are signed with.
    pub key: Name,
    /// Zone of the names.
    pub zone: ZoneNumber,
    pools: Box<[Range]>,
    exclude: Box<[Range]>,
    /// Classless reverse zone (RFC 2317).
    reverse: Option<Name>,
}

/// All of them.
#[derive(Debug, Default)]
pub struct LeaseNetworks(Box<[LeaseNetwork]>);

/// The records that leases give to one name; none: it has none any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseNode {
    /// The name.
    pub owner: Name,
    /// Type, TTL and data of each.
    pub records: Vec<(u16, u32, Box<[u8]>)>,
}

impl LeaseNetwork {
    fn of(network: &Network) -> Option<LeaseNetwork> {
        let Updates { key, .. } = network.dynamic_names.as_ref()?;
        Some(LeaseNetwork {
            name: network.name.clone(),
            key: key.clone(),
            zone: network.zone?.into(),
            pools: network.pools.clone(),
            exclude: network.exclude.clone(),
            reverse: network.reverse.clone(),
        })
    }

    /// Whether its pools give `address`.
    pub fn gives(&self, address: IpAddr) -> bool {
        let among = |ranges: &[Range]| ranges.iter().any(|range| range.contains(address));
        among(&self.pools) && !among(&self.exclude)
    }

    /// The pools that its addresses lie in.
    pub fn pools(&self) -> &[Range] {
        &self.pools
    }

    /// Owner of the PTR record of `address`, one of its own.
    pub fn pointer_owner(&self, address: IpAddr) -> Name {
        match (&self.reverse, address) {
            (Some(zone), IpAddr::V4(v4)) => {
                let [.., last] = v4.octets();
                zone.child(&last.to_string()).unwrap_or_else(|_| Name::reverse(address))
            }
            _ => Name::reverse(address),
        }
    }
}

impl LeaseNetworks {
    pub(crate) fn new(globals: &Globals) -> LeaseNetworks {
        LeaseNetworks(globals.networks.iter().filter_map(LeaseNetwork::of).collect())
    }

    /// Whether there is none: then nobody may update anything.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &LeaseNetwork> {
        self.0.iter()
    }

    /// The one whose pools give `address`. Cost: linear in the networks.
    pub fn giving(&self, address: IpAddr) -> Option<&LeaseNetwork> {
        self.0.iter().find(|network| network.gives(address))
    }

    /// The address whose PTR record `owner` has, and the network that gives it.
    pub fn pointed_from(&self, owner: &Name) -> Option<(IpAddr, &LeaseNetwork)> {
        let address = match reverse::block_of_any(owner.as_wire()) {
            Some(Block::V4(first, last)) if first == last => Some(Ipv4Addr::from_bits(first).into()),
            Some(Block::V6(first, last)) if first == last => Some(Ipv6Addr::from_bits(first).into()),
            _ => None,
        };
        if let Some(address) = address {
            let network = self.giving(address)?;
            return (network.pointer_owner(address) == *owner).then_some((address, network));
        }
        let octet = owner.labels().next().and_then(reverse::decimal)?;
        let above = owner.parent()?;
        let network = self.0.iter().find(|network| network.reverse.as_ref() == Some(&above))?;
        let base = network.pools.iter().find_map(|range| match range.first() {
            IpAddr::V4(v4) => Some(v4.to_bits() & !0xff),
            IpAddr::V6(_) => None,
        })?;
        let address = Ipv4Addr::from_bits(base | u32::from(octet)).into();
        network.gives(address).then_some((address, network))
    }

    /// Whether updates of `zone` may be signed with `key`.
    pub fn take(&self, zone: ZoneNumber, zones: &ZoneIndex, key: &Name) -> bool {
        let entry = zones.zone(zone);
        self.0.iter().filter(|network| network.key == *key).any(|network| {
            let is_reverse = entry.reverse.is_some() || entry.above_reverse;
            let is_classless = network.reverse.as_ref().is_some_and(|own| own.is_within(&entry.name));
            network.zone == zone || is_reverse || is_classless
        })
    }
}

impl DnsView {
    /// The networks whose leases have names.
    #[inline]
    pub fn lease_networks(&self) -> &LeaseNetworks {
        &self.leases
    }

    /// This view with what leases give to some names, in place of what they gave to them before. `globals` are
    /// those that the view was made from; the names have nothing from there. `None`: a shard is full.
    ///
    /// Cost: the shards of the names, and a pointer per shard.
    #[must_use]
    pub fn with_leases(&self, globals: &Globals, nodes: &[LeaseNode]) -> Option<DnsView> {
        let mut scratch = Labels::root();
        let mut edits = Edits::default();
        for node in nodes {
            let owner = Labels::of(&node.owner);
            if let Some(zone) = self.zones().find(&owner, owner.count()) {
                let change = if node.records.is_empty() { Change::Remove } else { Change::Add };
                edits.push(zone, node.key(zone, self.zones(), &mut scratch), change, |records| {
                    node.records.iter().for_each(|(rtype, ttl, rdata)| records.add(*rtype, *ttl, rdata));
                });
            }
        }
        self.edited(globals, edits).ok()
    }
}

impl LeaseNode {
    /// The key of the name, which lies in `zone`.
    pub(super) fn key<'k>(&self, zone: ZoneNumber, zones: &ZoneIndex, scratch: &'k mut Labels) -> Key<'k> {
        let zone_of = zones.zone(zone);
        if zone_of.by_address {
            match reverse::block_of_any(self.owner.as_wire()) {
                Some(Block::V4(first, last)) if first == last => return Key::V4(first),
                Some(Block::V6(first, last)) if first == last => return Key::V6(first),
                _ => {}
            }
        }
        *scratch = Labels::of(&self.owner);
        Key::Name(zone, scratch.relative(scratch.count(), zone_of.depth))
    }
}
