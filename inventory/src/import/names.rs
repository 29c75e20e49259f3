//! Names: which zone each is in, and what is left of aliases and reverse records.

use std::collections::BTreeSet;
use std::net::IpAddr;

use inventory_core::name::reject_host_label;

use super::book::{Book, Machine};
use super::settle::Settling;

/// A name for a machine that has none: of its hardware address, else of its address.
fn made_name(machine: &Machine) -> Option<String> {
    if let Some(mac) = machine.cards.iter().find_map(|card| card.mac) {
        return Some(format!("mac-{}", mac.to_string().replace(':', "")));
    }
    let address = machine.cards.iter().find_map(|card| card.addresses.first())?;
    Some(format!("ip-{}", address.to_string().replace(['.', ':'], "-").trim_matches('-')))
}

impl Settling<'_> {
    /// Whole name and zone of a machine.
    pub(super) fn name(&mut self, machine: &Machine, at: &str) -> Option<(String, String)> {
        let name = if machine.name.is_empty() {
            let Some(made) = made_name(machine) else {
                self.lose(at, "a machine without a name, an address and a hardware address");
                return None;
            };
            self.lose(at, format!("it has no name there, and is called {made}"));
            made
        } else {
            machine.name.to_ascii_lowercase()
        };
        let clean = name.replace('_', "-");
        if clean != name {
            self.lose(at, format!("{name} is no host name (RFC 1123), and is called {clean}"));
        }
        if let Some(why) = clean.split('.').find_map(reject_host_label) {
            self.lose(at, format!("{clean} is no host name: {why}"));
            return None;
        }
        let zone = if clean.contains('.') {
            self.zone_of(&clean)
        } else {
            let nets = machine.cards.iter().filter_map(|card| card.network.as_ref());
            let mut of_net =
                nets.filter_map(|name| self.settled.networks.iter().find(|net| net.name == *name));
            of_net
                .find_map(|net| net.zone.clone())
                .or_else(|| self.zone.map(str::to_owned))
                .or_else(|| self.only_zone())
        };
        let Some(zone) = zone else {
            self.lose(at, format!("{clean} has no domain; `--zone` says one"));
            return None;
        };
        let fqdn = if clean.contains('.') { clean } else { format!("{clean}.{zone}") };
        if fqdn == zone || self.names.contains(&fqdn) {
            self.lose(at, format!("{fqdn} is the name of something else already"));
            return None;
        }
        Some((fqdn, zone))
    }

    /// Aliases of hosts; those of something else are CNAME records.
    pub(super) fn aliases(&mut self, book: &Book) {
        let alone = book.machines.iter().filter(|machine| machine.cards.is_empty());
        let mut waiting: Vec<(String, String, String)> = alone
            .flat_map(|machine| {
                let to = machine.name.trim_end_matches('.').to_ascii_lowercase();
                machine.aliases.iter().map(move |alias| (alias.clone(), to.clone(), machine.at.clone()))
            })
            .collect();
        for host in &mut self.settled.hosts {
            let own = std::mem::take(&mut host.machine.aliases);
            waiting.extend(own.into_iter().map(|alias| (alias, host.fqdn.clone(), host.machine.at.clone())));
        }
        for (alias, target, at) in waiting {
            let alias = alias.trim_end_matches('.').to_ascii_lowercase();
            let short = |fqdn: &str| fqdn.split('.').next() == Some(&target);
            let known = self
                .settled
                .hosts
                .iter()
                .position(|host| host.fqdn == target || (!target.contains('.') && short(&host.fqdn)));
            let zone = known.map(|at| self.settled.hosts[at].zone.clone());
            let whole = if alias.contains('.') {
                Some(alias.clone())
            } else {
                zone.map(|zone| format!("{alias}.{zone}"))
            };
            let Some((whole, zone)) = whole.and_then(|whole| Some((whole.clone(), self.zone_of(&whole)?)))
            else {
                self.lose(&at, format!("the name {alias} is in no zone"));
                continue;
            };
            let free = whole != zone && self.names.insert(whole.clone());
            match known {
                _ if !free => self.lose(&at, format!("{whole} is the name of something else already")),
                Some(at) => self.settled.hosts[at].machine.aliases.push(whole),
                None => {
                    let target = if target.contains('.') { target } else { format!("{target}.{zone}") };
                    self.settled.zones.entry(zone).or_default().push(format!("{whole}. CNAME {target}."));
                }
            }
        }
    }

    /// PTR records that do not follow from the hosts.
    pub(super) fn reverse(&mut self, book: &Book) {
        let owner = |address: &IpAddr| inventory_core::name::Name::reverse(*address).to_string();
        let follow: BTreeSet<(String, String)> =
            self.settled
                .hosts
                .iter()
                .flat_map(|host| {
                    host.machine.cards.iter().flat_map(|card| {
                        card.addresses.iter().map(|address| (owner(address), host.fqdn.clone()))
                    })
                })
                .collect();
        for (owner, target, at) in &book.reverse {
            if !follow.contains(&(owner.clone(), target.to_ascii_lowercase())) {
                self.lose(at, format!("`{owner} PTR {target}` does not follow from a host"));
            }
        }
    }
}
