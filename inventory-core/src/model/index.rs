//! Finding hosts by name, as people and references name them.

use std::collections::HashMap;

use super::{Host, Inventory};
use crate::name::Name;

/// Hosts by FQDN and by short name. Made when it is needed; a snapshot does not carry it.
pub struct HostIndex<'a> {
    by_fqdn: HashMap<&'a Name, &'a Host>,
    by_label: HashMap<&'a [u8], Vec<&'a Host>>,
}

/// What a name stands for.
#[derive(Debug)]
pub enum Found<'a> {
    /// This host.
    One(&'a Host),
    /// Hosts of several zones have this short name.
    Several(Vec<&'a Host>),
    /// No host.
    None,
}

impl<'a> HostIndex<'a> {
    /// An index over `hosts`. Cost: two insertions per host.
    pub fn new(hosts: impl Iterator<Item = &'a Host>) -> HostIndex<'a> {
        let mut index = HostIndex { by_fqdn: HashMap::new(), by_label: HashMap::new() };
        for host in hosts {
            index.by_fqdn.insert(&host.name.fqdn, host);
            if let Some(label) = host.name.fqdn.labels().next() {
                index.by_label.entry(label).or_default().push(host);
            }
        }
        index
    }

    /// An index over all hosts of `inventory`.
    pub fn of(inventory: &'a Inventory) -> HostIndex<'a> {
        HostIndex::new(inventory.hosts())
    }

    /// The host with this FQDN.
    pub fn fqdn(&self, name: &Name) -> Option<&'a Host> {
        self.by_fqdn.get(name).copied()
    }

    /// The host that `text` means. With a dot it is an FQDN, or else a name below `near`; a plain name
    /// is the one of zone `near` first, else it must be the only one.
    pub fn find(&self, text: &str, near: Option<&Name>) -> Found<'a> {
        let candidates = [
            Name::parse(text, near).ok(),
            text.contains('.').then(|| Name::parse(text, None).ok()).flatten(),
        ];
        if let Some(host) = candidates.iter().flatten().rev().find_map(|name| self.fqdn(name)) {
            return Found::One(host);
        }
        match self.by_label.get(text.to_ascii_lowercase().as_bytes()).map(Vec::as_slice) {
            None | Some([]) => Found::None,
            Some([only]) => Found::One(only),
            Some(several) => Found::Several(several.to_vec()),
        }
    }
}
