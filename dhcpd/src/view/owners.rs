//! Which machine has which address: what is compared over a restart, since an edit may have come meanwhile.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::hash::Hasher;
use std::net::Ipv4Addr;
use std::sync::Arc;

use inventory_core::model::{Globals, Inventory, Nic, Shard};

use super::left::nics;
use crate::fnv::Fnv;

/// The machines that have addresses of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Owners(BTreeMap<Ipv4Addr, Owner>);

/// Who has an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Owner {
    /// Hash of everything that the machine is known by.
    identity: u64,
    /// Seconds of its leases.
    seconds: u32,
}

impl Owners {
    /// Those of `inventory`. Cost: linear in the nics.
    pub(crate) fn of(inventory: &Inventory) -> Owners {
        Owners(owners(&inventory.globals, &inventory.shards))
    }

    /// Takes in what differs from the inventory that they are of; whether they are others than before. Cost:
    /// that of [`Owners::of`] if more than hosts changed, else linear in the nics of the files that did.
    pub(crate) fn follow(&mut self, last: &Inventory, inventory: &Inventory) -> bool {
        let changes = inventory.changes_since(last);
        if changes.globals {
            let next = Owners::of(inventory);
            let are_others = next != *self;
            *self = next;
            return are_others;
        }
        let of = |shards: &[Arc<Shard>]| owners(&inventory.globals, shards);
        let (gone, new) = (of(&changes.removed), of(&changes.added));
        if gone == new {
            return false;
        }
        for address in gone.keys() {
            self.0.remove(address);
        }
        self.0.extend(new);
        true
    }

    /// Addresses that are another machine's or nobody's in `next`, each with the seconds of the longest lease
    /// that its machine may have.
    pub(crate) fn lost<'a>(&'a self, next: &'a Owners) -> impl Iterator<Item = (Ipv4Addr, u32)> + 'a {
        let lost = self.0.iter().filter(|(address, owner)| {
            next.0.get(address).is_none_or(|other| other.identity != owner.identity)
        });
        lost.map(|(address, owner)| (*address, owner.seconds))
    }

    /// A line for each: address, identity, seconds.
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::with_capacity(self.0.len() * 40);
        for (address, Owner { identity, seconds }) in &self.0 {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{address} {identity:016x} {seconds}");
        }
        text
    }

    /// Takes a line of [`Owners::to_text`] in; false if it is none.
    pub(crate) fn add_line(&mut self, line: &str) -> bool {
        let mut words = line.split(' ');
        let owner = (|| {
            let address = words.next()?.parse().ok()?;
            let identity = u64::from_str_radix(words.next()?, 16).ok()?;
            Some((address, Owner { identity, seconds: words.next()?.parse().ok()? }))
        })();
        owner.is_some_and(|(address, owner)| {
            self.0.insert(address, owner);
            true
        })
    }
}

/// The owners of addresses in these files.
fn owners(globals: &Globals, shards: &[Arc<Shard>]) -> BTreeMap<Ipv4Addr, Owner> {
    let owner = |nic: Nic| {
        let seconds =
            nic.rest.lease_seconds.unwrap_or_else(|| globals.network(nic.network).lease_seconds_max());
        Some((nic.ipv4()?, Owner { identity: identity(&nic)?, seconds }))
    };
    nics(shards).filter_map(owner).collect()
}

/// Hash of what a nic is found by; `None`: nothing.
fn identity(nic: &Nic) -> Option<u64> {
    let known = nic.rest.identifiers.as_deref();
    let client_id = known.and_then(|known| known.client_id.as_ref()).map(|(id, _)| &**id);
    let duid = known.and_then(|known| known.duid.as_ref()).map(|(duid, _)| &**duid);
    let port = known.and_then(|known| known.port.as_ref()).map(|(port, _)| port);
    let parts = [
        nic.mac.as_ref().map(|mac| mac.0.as_slice()),
        client_id,
        duid,
        port.map(|port| &*port.circuit_id),
        port.and_then(|port| port.remote_id.as_deref()),
    ];
    if parts.iter().all(Option::is_none) {
        return None;
    }
    let mut hash = Fnv::default();
    for (number, part) in (1..).zip(parts) {
        let Some(part) = part else { continue };
        hash.write_u8(number);
        hash.write_u16(u16::try_from(part.len()).unwrap_or(u16::MAX));
        hash.write(part);
    }
    Some(hash.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use inventory_core::load::load_texts;

    fn owners(hosts: &str) -> Owners {
        Owners::of(&inventory(hosts, ""))
    }

    /// Hosts in two files.
    fn inventory(hosts: &str, more: &str) -> Inventory {
        let site = "[site]\nnameservers = [\"ns1.lab.test\"]\ncontact = \"a@lab.test\"\n[zone.\"lab.test\"]\n\
                    [network.lab]\nzone = \"lab.test\"\nipv4 = \"10.77.0.0/24\"\nlease = \"1h\"\n\
                    [host.ns1]\nnetwork = \"lab\"\nip = \"10.77.0.1\"\n";
        let files = [("a.toml", &*format!("{site}{hosts}")), ("b.toml", more)];
        load_texts(&files).unwrap().inventory.as_ref().clone()
    }

    fn host(name: &str, mac: u8, keys: &str) -> String {
        format!("[host.{name}]\nnetwork = \"lab\"\nmac = \"02:00:00:00:00:{mac:02x}\"\n{keys}\n")
    }

    #[test]
    fn an_address_is_lost_that_another_machine_has_or_nobody() {
        let before = owners(
            &(host("a", 1, "ip = \"10.77.0.11\"")
                + &host("b", 2, "ip = \"10.77.0.12\"\nlease = \"5m\"")
                + &host("c", 3, "ip = \"10.77.0.13\"")),
        );
        // One is called otherwise, one has gone, one has another card.
        let next = owners(&(host("z", 1, "ip = \"10.77.0.11\"") + &host("c", 4, "ip = \"10.77.0.13\"")));
        let lost: Vec<_> = before.lost(&next).collect();
        assert_eq!(lost, [([10, 77, 0, 12].into(), 300), ([10, 77, 0, 13].into(), 3600)]);
        assert_eq!(before.lost(&before).count(), 0);
    }

    #[test]
    fn owners_that_follow_edits_are_those_of_the_inventory() {
        let [a, b, c] = [1, 2, 3].map(|n| host(&format!("h{n}"), n, &format!("ip = \"10.77.0.1{n}\"")));
        let moved = host("h1", 1, "ip = \"10.77.0.14\"\ntags = \"x\"");
        let tagged = host("h1", 1, "ip = \"10.77.0.14\"\ntags = \"y\"");
        let mut last = inventory(&a, &b);
        let mut owners = Owners::of(&last);
        for (hosts, more, are_others) in [
            (moved.clone(), b.clone(), true),
            (tagged.clone(), b.clone(), false),
            (format!("{tagged}{b}"), c.clone(), true),
            (c.clone(), format!("{b}{tagged}"), false),
            (c, String::new(), true),
        ] {
            let mut next = inventory(&hosts, &more);
            // As a loader shares it.
            next.globals = Arc::clone(&last.globals);
            assert_eq!(owners.follow(&last, &next), are_others, "{hosts}{more}");
            assert_eq!(owners, Owners::of(&next), "{hosts}{more}");
            last = next;
        }
        let mut longer = last.clone();
        let mut globals = last.globals.as_ref().clone();
        globals.networks[0].lease_seconds += 1;
        longer.globals = Arc::new(globals);
        assert!(owners.follow(&last, &longer) && owners == Owners::of(&longer));
    }

    #[test]
    fn what_is_written_is_read_again_and_other_lines_are_not() {
        let owners = owners(&(host("a", 1, "ip = \"10.77.0.11\"") + &host("b", 2, "")));
        let text = owners.to_text();
        assert_eq!(text.lines().count(), 1, "{text}");
        let mut again = Owners::default();
        assert!(text.lines().all(|line| again.add_line(line)));
        assert_eq!(again, owners);
        for line in ["", "10.77.0.11", "10.77.0.11 x 60", "10.77.0.11 0f -1", "host 0f 60"] {
            assert!(!again.add_line(line), "{line}");
        }
    }
}
