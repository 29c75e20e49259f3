//! The hosts of one file as octets: an inventory has hundreds of thousands of them, and looks at few at a time.
//!
//! An ordinary host takes some eighty octets. What hosts share (tags, disks, the machine they run on) and what most of
//! them do not have is kept beside the octets as it is, and named there by its place.

mod pack;
mod unpack;

use std::sync::Arc;

use super::{Disk, Host, HostRest, NicRest, State};
use crate::name::Name;
use crate::span::FileId;

use pack::Packing;
use unpack::Unpacking;

/// Hosts in a row, to be had by number.
pub(super) struct Packed {
    octets: Box<[u8]>,
    /// Where each host begins.
    starts: Box<[u32]>,
    /// The file that most places are in.
    file: FileId,
    beside: Beside,
}

/// What is kept as it is.
#[derive(Default)]
struct Beside {
    /// What follows the first label in names, in wire form.
    suffixes: Vec<Box<[u8]>>,
    tags: Vec<Arc<Box<[Arc<str>]>>>,
    disks: Vec<Arc<[Disk]>>,
    vmhosts: Vec<Arc<str>>,
    rests: Vec<Arc<HostRest>>,
    nic_rests: Vec<Arc<NicRest>>,
}

/// Host, first octet: the two lowest bits are its state, the others say what it has.
const STATE: u8 = 3;
const BOOT: u8 = 4;
const TAGS: u8 = 8;
const REST: u8 = 16;
const HARDWARE: u8 = 32;
const ALIASES: u8 = 64;

/// Nic, first octet.
const DHCP: u8 = 1;
const MAC: u8 = 2;
const NIC_REST: u8 = 4;

/// Hardware, first octet.
const CPU: u8 = 1;
const MEMORY: u8 = 2;
const DISKS: u8 = 4;
const BIOS: u8 = 8;
const UEFI: u8 = 16;
const VMHOST: u8 = 32;
const MEMORY_AT: u8 = 64;
const VMHOST_AT: u8 = 128;
/// Memory is some MiB nearly always, and short as a number of these.
const MEMORY_SHIFT: u32 = 20;

impl Packed {
    /// Packs `hosts`.
    pub(super) fn new(hosts: &[Host]) -> Packed {
        Packing::all(hosts)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }

    /// The host at `place`; `None` if there are not so many.
    pub(super) fn get(&self, place: usize) -> Option<Host> {
        Unpacking::at(self, place)?.host()
    }

    /// The state of the host at `place`, without looking at the rest of it.
    pub(super) fn state(&self, place: usize) -> Option<State> {
        let first = self.octets.get(*self.starts.get(place)? as usize)?;
        State::ALL.get(usize::from(first & STATE)).copied()
    }

    /// Whether the host at `place` is called so, without looking at the rest of it.
    pub(super) fn is_called(&self, place: usize, name: &Name) -> bool {
        Unpacking::at(self, place).and_then(|mut at| at.is_called(name)).unwrap_or(false)
    }

    /// The tags of the host at `place`.
    pub(super) fn tags(&self, place: usize) -> &[Arc<str>] {
        Unpacking::at(self, place).and_then(Unpacking::host_tags).unwrap_or_default()
    }

    /// What an interface of the host at `place` has that most do not have; `None`: nothing.
    pub(super) fn nic_rest(&self, place: usize, nic: usize) -> Option<&NicRest> {
        Unpacking::at(self, place)?.nic_rest(nic)
    }

    /// What hosts have that most do not have.
    pub(super) fn rests(&self) -> impl Iterator<Item = &HostRest> {
        self.beside.rests.iter().map(|rest| &**rest)
    }

    /// What interfaces have that most do not have.
    pub(super) fn nic_rests(&self) -> impl Iterator<Item = &NicRest> {
        self.beside.nic_rests.iter().map(|rest| &**rest)
    }
}

impl Default for Packed {
    fn default() -> Packed {
        Packing::all(&[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::load_texts;

    const SITE: &str = "[site]\nnameservers = [\"ns1.lab.test\"]\ncontact = \"a@lab.test\"\n[zone.\"lab.test\"]\n\
                        [network.lab]\nzone = \"lab.test\"\nipv4 = \"10.77.0.0/24\"\nipv6 = \"2001:db8::/64\"\n\
                        [profile.vm]\ntags = [\"vm\"]\nmemory = \"2 GiB\"\n[boot.debian]\nkernel = \"linux\"\n\
                        [host.ns1]\nnetwork = \"lab\"\nip = \"10.77.0.1\"\n";

    fn hosts(text: &str) -> Vec<Host> {
        let files = [("a.toml", SITE), ("b.toml", text)];
        let inventory = load_texts(&files).unwrap_or_else(|errors| panic!("{errors:?}")).inventory;
        inventory.shards.iter().find(|shard| &*shard.path == "b.toml").unwrap().iter().collect()
    }

    fn ordinary(n: u8) -> String {
        format!(
            "[host.h{n}]\nnetwork = \"lab\"\nmac = \"02:00:00:00:00:{n:02x}\"\nalias = [\"service-{n}\"]\n\
             ip = [\"10.77.0.{n}\", \"2001:db8::{n}\"]\nuse = \"vm\"\nmemory = \"4 GiB\"\nvmhost = \"ns1\"\n"
        )
    }

    #[test]
    fn an_ordinary_host_takes_little_memory() {
        let text: String = (10..110).map(ordinary).collect();
        let packed = Packed::new(&hosts(&text));
        assert_eq!(packed.len(), 100);
        let octets = packed.octets.len() + packed.starts.len() * size_of::<u32>();
        assert!(octets < 100 * 105, "{octets}");
        let beside = &packed.beside;
        let shared = [beside.suffixes.len(), beside.tags.len(), beside.vmhosts.len()];
        assert_eq!((shared, beside.rests.len(), beside.nic_rests.len()), ([1, 1, 1], 0, 0));
    }

    #[test]
    fn hosts_of_every_kind_are_what_they_were() {
        let text = format!(
            "{}[host.a]\nnetwork = \"lab\"\nstate = \"planned\"\n\
             [host.b]\nnetwork = \"lab\"\nip = [\"10.77.0.201\", \"10.77.0.202\", \"2001:db8::1\"]\nboot = \"debian\"\n\
             state = \"install\"\ntags = [\"x\", \"y\"]\nttl = \"60s\"\ncpu = 4\nmemory = \"1 TiB\"\nfirmware = \"uefi\"\n\
             disk = {{ root = \"40 GiB\" }}\nclient-id = \"01:02:03\"\nlease = \"1h\"\n\
             [host.c]\nstate = \"retired\"\nfirmware = \"bios\"\nuse = \"vm\"\n\
             [host.c.nic.mgmt]\nnetwork = \"lab\"\nmac = \"02:00:00:00:01:01\"\ndhcp = false\nip = \"10.77.0.203\"\n\
             [host.c.nic.data]\nnetwork = \"lab\"\npd = \"2001:db8:1::/56\"\nduid = \"00:01:02:03\"\n",
            ordinary(99)
        );
        let hosts = hosts(&text);
        let packed = Packed::new(&hosts);
        assert_eq!(packed.len(), 4);
        for (place, host) in (0..).zip(&hosts) {
            assert_eq!(packed.get(place).as_ref(), Some(host));
            assert_eq!(packed.state(place), Some(host.state));
            assert_eq!(packed.tags(place), &**host.tags);
            for (number, nic) in (0..).zip(&host.nics) {
                assert_eq!(packed.nic_rest(place, number), nic.rest.get());
            }
            assert_eq!(packed.nic_rest(place, host.nics.len()), None);
            for other in &hosts {
                assert_eq!(packed.is_called(place, &other.name.fqdn), other == host);
            }
            assert!(!packed.is_called(place, &host.name.fqdn.parent().unwrap()));
        }
        assert_eq!(packed.get(4), None);
        assert_eq!(Packed::default().get(0), None);
    }

    #[test]
    fn places_in_other_files_and_none_are_kept() {
        let mut host = hosts(&ordinary(99)).remove(0);
        for span in [
            crate::span::Span::new(FileId(7), 3, 1 << 20),
            crate::span::Span::whole(FileId(0)),
            crate::span::Span::new(host.span.file, 0, 0),
        ] {
            host.memory_at = Some(span);
            host.vmhost_at = None;
            let packed = Packed::new(std::slice::from_ref(&host));
            assert_eq!(packed.get(0), Some(host.clone()));
        }
    }
}
