//! Which name a lease has: that of its host, or the one that the machine gives itself.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

use inventory_core::mac::MacAddr;
use inventory_core::model::{Inventory, NetworkId, Updates};
use inventory_core::name::{Name, reject_host_label};

use super::dhcid;
use crate::core::ClientKey;

/// Shortest and longest TTL of a name's records: a third of the lease between them (RFC 4702, section 5).
const TTL_SECONDS: std::ops::RangeInclusive<u32> = 60..=3600;

/// What is known of a lease.
#[derive(Clone, Debug)]
pub struct Leasing {
    /// Whose it is.
    pub client: ClientKey,
    /// Hardware address of the client.
    pub mac: Option<MacAddr>,
    /// The name that it gives itself.
    pub name: Option<Box<str>>,
    /// Seconds that it is given for.
    pub seconds: u32,
}

/// What a server is told of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The address.
    pub address: IpAddr,
    /// Its name.
    pub name: Name,
    /// The zone of the name.
    pub zone: Name,
    /// Owner of the PTR record, and its zone, if that is one of ours.
    pub pointer: Option<(Name, Name)>,
    /// Data of the DHCID record.
    pub id: Box<[u8]>,
    /// Seconds that the records live.
    pub ttl: u32,
    /// Where it goes.
    pub updates: Updates,
}

/// The names that leases have by one state of the inventory.
#[derive(Debug, Default)]
pub struct Wanting {
    inventory: Arc<Inventory>,
    /// Hosts whose address is leased, by network and hardware address.
    hosts: HashMap<(NetworkId, MacAddr), Name>,
    /// Names of hosts that are not in the DNS by themselves: nobody else has them.
    taken: HashSet<Name>,
}

impl Wanting {
    /// Those of `inventory`. Cost: linear in the hosts if any network has names of leases.
    pub fn new(inventory: Arc<Inventory>) -> Wanting {
        let mut wanting = Wanting { inventory, ..Wanting::default() };
        if !wanting.is_on() {
            return wanting;
        }
        let inventory = Arc::clone(&wanting.inventory);
        for host in inventory.each_host() {
            let is_served = host.state.is_served();
            for (name, nic) in host.named_nics().filter(|(_, nic)| nic.addresses.is_empty() || !is_served) {
                if let Some(mac) = nic.mac.filter(|_| is_served) {
                    wanting.hosts.insert((nic.network, mac), name.fqdn.clone());
                }
                wanting.taken.insert(name.fqdn.clone());
            }
            let aliases = host.aliases.iter().filter(|_| !is_served).map(|alias| alias.name.fqdn.clone());
            wanting.taken.extend(aliases);
        }
        wanting
    }

    /// Whether any network has names of leases.
    pub fn is_on(&self) -> bool {
        self.inventory.globals.networks.iter().any(|network| network.dynamic_names.is_some())
    }

    /// Whether it is that of `inventory`.
    pub fn is_of(&self, inventory: &Arc<Inventory>) -> bool {
        Arc::ptr_eq(&self.inventory, inventory)
    }

    /// What the server is told while `address` is leased; `None`: nothing, as without a name that it may have.
    pub fn registration(&self, address: IpAddr, leasing: &Leasing) -> Option<Registration> {
        let globals = &self.inventory.globals;
        let networks = (0..).map(NetworkId).zip(&globals.networks);
        let (id, network) = networks.into_iter().find(|(_, network)| network.contains(address))?;
        let updates = network.dynamic_names.clone()?;
        network.pool_of(address)?;
        let zone = globals.zone(network.zone?).name.clone();
        let name = self.name(id, &zone, leasing)?;
        let pointer = network.ptr_owner(address);
        let pointer = globals.zone_of(&pointer).map(|of| (pointer, globals.zone(of).name.clone()));
        let ttl = (leasing.seconds / 3).clamp(*TTL_SECONDS.start(), *TTL_SECONDS.end());
        let id = dhcid::of(&leasing.client, &name);
        Some(Registration { address, name, zone, pointer, id, ttl, updates })
    }

    /// The host's own name, else the first label of what the machine says, if it is a host name that nobody has.
    fn name(&self, network: NetworkId, zone: &Name, leasing: &Leasing) -> Option<Name> {
        if let Some(own) = leasing.mac.and_then(|mac| self.hosts.get(&(network, mac))) {
            return (self.inventory.globals.zone_of(own).map(|id| &self.inventory.globals.zone(id).name)
                == Some(zone))
            .then(|| own.clone());
        }
        let label = host_label(leasing.name.as_deref()?)?;
        let name = zone.child(&label).ok()?;
        (!self.taken.contains(&name)).then_some(name)
    }
}

/// The first label of `name` in lower case, if it is one that a host can have (RFC 1123, section 2.1).
pub(crate) fn host_label(name: &str) -> Option<String> {
    let label = name.split('.').next()?.to_ascii_lowercase();
    reject_host_label(&label).is_none().then_some(label)
}
