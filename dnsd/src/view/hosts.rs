//! What hosts put into a view, as edits to single names.
//!
//! All records that hosts give one name come from one host: names, aliases and addresses are unique
//! in an inventory. So when the file of a host changes, every name of the old file loses what hosts
//! gave it, and every name of the new file gets it anew.

use std::net::IpAddr;

use inventory_core::model::{Globals, Host, HostName, Nic};

use super::edits::{Change, Edits, Records};
use super::labels::Labels;
use super::node::{Key, rtype};
use super::zone::{ZoneIndex, ZoneNumber};

/// Takes hosts out of a view, or puts them into it.
pub(crate) struct Hosts<'a> {
    pub(crate) globals: &'a Globals,
    pub(crate) zones: &'a ZoneIndex,
    /// Whether they are put into it.
    pub(crate) are_added: bool,
    /// The zones of names that they delegate, each as often as it has any.
    pub(crate) delegations: Vec<ZoneNumber>,
    pub(crate) edits: &'a mut Edits,
}

impl Hosts<'_> {
    /// Adds the edits of one.
    pub(crate) fn host(&mut self, host: &Host) {
        for ((name, nic), number) in host.named_nics().zip(0..) {
            if !nic.addresses.is_empty() {
                self.nic(host, name, nic, number == 0);
            }
            for address in &nic.addresses {
                self.address(host, name, nic, *address);
            }
            for (owner, servers) in nic.delegated_names() {
                let owner = Labels::of(&owner);
                let Some(zone) = self.zones.find(&owner, owner.count()) else { continue };
                let ttl = self.ttl(host, zone);
                self.delegations.push(zone);
                self.push(zone, self.key_in(zone, owner.as_wire()), Change::Add, |records| {
                    servers.iter().for_each(|(server, _)| records.add(rtype::NS, ttl, server.as_wire()));
                });
            }
        }
        for alias in &host.aliases {
            let zone = alias.name.zone.into();
            let ttl = self.ttl(host, zone);
            self.push(zone, self.key_in(zone, alias.name.fqdn.as_wire()), Change::Add, |records| {
                records.add(rtype::CNAME, ttl, host.name.fqdn.as_wire());
            });
        }
    }

    /// A and AAAA records of an interface, and the SSHFP records of the first: other interfaces may be another
    /// machine's, and a management controller has keys of its own.
    fn nic(&mut self, host: &Host, name: &HostName, nic: &Nic, is_first: bool) {
        let (zone, wire) = (name.zone.into(), name.fqdn.as_wire());
        let ttl = self.ttl(host, zone);
        self.push(zone, self.key_in(zone, wire), Change::Add, |records| {
            add_addresses(nic, ttl, records);
            for fingerprint in host.rest.sshfp.iter().filter(|_| is_first) {
                records.add(rtype::SSHFP, ttl, fingerprint);
            }
        });
        let zones = self.zones;
        for around in zones.glue_of(wire) {
            self.push(around, self.key_in(around, wire), Change::Add, |records| {
                add_addresses(nic, ttl, records);
            });
        }
    }

    /// The PTR record of an interface's address. In a network with a classless reverse zone, also a CNAME record to
    /// where that is (RFC 2317, section 4), if the zone around is ours too.
    fn address(&mut self, host: &Host, name: &HostName, nic: &Nic, address: IpAddr) {
        let network = self.globals.network(nic.network);
        let plain = Labels::reverse(address);
        let is_classless = network.reverse.is_some() && address.is_ipv4();
        let classless = is_classless.then(|| Labels::of(&network.ptr_owner(address)));
        let owner = classless.as_ref().unwrap_or(&plain);
        let target = name.fqdn.as_wire();
        self.pointer(host, address, owner, Change::Add, (rtype::PTR, target));
        if let Some(owner) = &classless {
            let target = (rtype::CNAME, owner.as_wire());
            self.pointer(host, address, &plain, Change::AddUnlessWritten, target);
        }
    }

    fn pointer(
        &mut self,
        host: &Host,
        address: IpAddr,
        owner: &Labels,
        change: Change,
        (rtype, target): (u16, &[u8]),
    ) {
        let Some(zone) = self.zones.find(owner, owner.count()) else { return };
        let ttl = self.ttl(host, zone);
        let key = match address {
            IpAddr::V4(v4) if self.zones.zone(zone).by_address => Key::V4(v4.to_bits()),
            IpAddr::V6(v6) if self.zones.zone(zone).by_address => Key::V6(v6.to_bits()),
            _ => self.key_in(zone, owner.as_wire()),
        };
        self.push(zone, key, change, |records| records.add(rtype, ttl, target));
    }

    /// TTL of what `host` gives to names in `zone`.
    fn ttl(&self, host: &Host, zone: ZoneNumber) -> u32 {
        host.rest.ttl.unwrap_or(self.zones.zone(zone).ttl)
    }

    /// The key of a name in `zone`, in lower-case wire form.
    fn key_in<'w>(&self, zone: ZoneNumber, wire: &'w [u8]) -> Key<'w> {
        let relative = wire.len().saturating_sub(self.zones.wire(zone).len());
        Key::Name(zone, wire.get(..relative).unwrap_or(&[]))
    }

    fn push(&mut self, zone: ZoneNumber, key: Key<'_>, change: Change, add: impl FnOnce(&mut Records<'_>)) {
        if self.are_added {
            self.edits.push(zone, key, change, add);
        } else {
            self.edits.push(zone, key, Change::Remove, |_| {});
        }
    }
}

fn add_addresses(nic: &Nic, ttl: u32, records: &mut Records<'_>) {
    for address in nic.addresses.iter().filter(|address| !nic.rest.replaced.have(**address)) {
        match address {
            IpAddr::V4(v4) => records.add(rtype::A, ttl, &v4.octets()),
            IpAddr::V6(v6) => records.add(rtype::AAAA, ttl, &v6.octets()),
        }
    }
}
