//! From what was read to an inventory: each machine gets its network and its zone.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use inventory_core::model::{HostName, Inventory, Range};
use ipnet::IpNet;

use super::book::{Book, Card, Machine, Net};
use super::spans::{absorb, assumed, holds, one_family, without};
use crate::edit::quote;

/// What is written.
#[derive(Debug, Default)]
pub(super) struct Settled {
    pub(super) zones: BTreeMap<String, Vec<String>>,
    pub(super) ttls: BTreeMap<String, u32>,
    pub(super) networks: Vec<Net>,
    pub(super) hosts: Vec<Host>,
    pub(super) nameservers: BTreeMap<String, Vec<String>>,
    pub(super) contact: Option<String>,
    pub(super) lost: Vec<String>,
}

/// A host with its place.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) fqdn: String,
    pub(super) zone: String,
    /// Whether its first network's names are of that zone, so that its short name says all.
    pub(super) is_short: bool,
    pub(super) machine: Machine,
}

/// Settles `book` beside what is there already; names without a domain are of `zone`.
pub(super) fn settle(mut book: Book, there: Option<&Inventory>, zone: Option<&str>) -> Settled {
    book.merge();
    let mut settling = Settling { there, zone, settled: Settled::default(), names: BTreeSet::new() };
    settling.settled.lost = std::mem::take(&mut book.lost);
    settling.settled.ttls = std::mem::take(&mut book.ttls);
    settling.zones(&mut book);
    settling.records();
    settling.networks(&mut book);
    settling.gateways();
    settling.hosts(&mut book);
    settling.aliases(&book);
    settling.reverse(&book);
    settling.pools();
    settling.settled.nameservers = book.nameservers;
    settling.settled.contact = book.contact;
    settling.settled
}

pub(super) struct Settling<'a> {
    there: Option<&'a Inventory>,
    pub(super) zone: Option<&'a str>,
    pub(super) settled: Settled,
    /// Names that are taken.
    pub(super) names: BTreeSet<String>,
}

impl Settling<'_> {
    pub(super) fn lose(&mut self, at: &str, what: impl std::fmt::Display) {
        self.settled.lost.push(if at.is_empty() { what.to_string() } else { format!("{at}: {what}") });
    }

    /// The zone that `name` is in, of those that were read and those that are there.
    pub(super) fn zone_of(&self, name: &str) -> Option<String> {
        let within = |zone: &&String| name == zone.as_str() || name.ends_with(&format!(".{zone}"));
        let there: Vec<String> = self.zones_there().collect();
        let known = self.settled.zones.keys().chain(&there).filter(within);
        known.max_by_key(|zone| zone.len()).cloned()
    }

    fn zones_there(&self) -> impl Iterator<Item = String> {
        let zones = self.there.into_iter().flat_map(|there| &there.globals.zones);
        zones.filter(|zone| zone.derived.is_none()).map(|zone| zone.name.to_string())
    }

    fn zones(&mut self, book: &mut Book) {
        let there: Vec<String> = self.zones_there().collect();
        for (zone, lines) in std::mem::take(&mut book.zones) {
            if there.contains(&zone) {
                for line in lines {
                    self.lose("", format!("zone {zone} is there already: add `{line}` to its records"));
                }
            } else {
                self.settled.zones.insert(zone.to_ascii_lowercase(), lines);
            }
        }
        let mut wanted: Vec<String> = self.zone.map(str::to_owned).into_iter().collect();
        wanted.extend(book.networks.iter().filter_map(|net| net.zone.clone()));
        wanted.extend(
            there
                .is_empty()
                .then(|| {
                    let names = book.machines.iter().filter(|machine| !machine.cards.is_empty());
                    names
                        .filter_map(|machine| machine.name.split_once('.').map(|(_, zone)| zone.to_owned()))
                        .collect::<Vec<_>>()
                })
                .into_iter()
                .flatten(),
        );
        wanted.sort_by_key(String::len);
        for zone in wanted {
            let zone = zone.to_ascii_lowercase();
            if self.zone_of(&zone).is_none() {
                self.settled.zones.insert(zone, Vec::new());
            }
        }
    }

    /// Moves each record to the deepest zone that its owner is in. Of a delegation to a zone that is read as well, the
    /// DS records stay in the parent (RFC 4035, section 2.4), and its NS records and glue come from that zone.
    fn records(&mut self) {
        let emptied: Vec<(String, Vec<String>)> = self
            .settled
            .zones
            .iter_mut()
            .filter(|(_, lines)| !lines.is_empty())
            .map(|(zone, lines)| (zone.clone(), std::mem::take(lines)))
            .collect();
        for (zone, lines) in emptied {
            let delegations = lines.iter().map(|line| owner_and_type(line));
            let delegations = delegations.filter(|(owner, rtype)| *rtype == "NS" && *owner != zone);
            let cuts: BTreeSet<String> = delegations.map(|(owner, _)| owner.to_owned()).collect();
            for line in lines {
                let (owner, rtype) = owner_and_type(&line);
                let deepest = self.zone_of(owner).filter(|deepest| self.settled.zones.contains_key(deepest));
                let deepest = deepest.unwrap_or_else(|| zone.clone());
                let target = match rtype {
                    "DS" if owner == deepest => &zone,
                    "NS" | "A" | "AAAA" if cuts.contains(&deepest) => continue,
                    _ => &deepest,
                };
                self.settled.zones.entry(target.clone()).or_default().push(line);
            }
        }
    }

    /// Takes away gateways that lie outside their network: what a server says for all networks is of one.
    fn gateways(&mut self) {
        for net in &mut self.settled.networks {
            let Some(gateway) = net.gateway else { continue };
            if !net.prefixes.iter().any(|prefix| prefix.contains(&IpAddr::V4(gateway))) {
                net.gateway = None;
                let what = format!("gateway {gateway} lies outside of network {}, which gets none", net.name);
                self.settled.lost.push(what);
            }
        }
    }

    /// Names the networks, and joins the two families of one link.
    fn networks(&mut self, book: &mut Book) {
        for machine in &book.machines {
            for address in machine.cards.iter().flat_map(|card| &card.addresses) {
                let known = book.networks.iter().any(|net| holds(net, *address))
                    || self.network_there(*address).is_some();
                if !known {
                    let prefix = assumed(*address);
                    self.settled
                        .lost
                        .push(format!("{}: no network holds {address}: {prefix} is assumed", machine.at));
                    book.networks.push(Net { prefixes: vec![prefix], ..Net::default() });
                }
            }
        }
        for machine in &book.machines {
            for card in &machine.cards {
                let of = |address: &IpAddr| book.networks.iter().position(|net| holds(net, *address));
                let places: BTreeSet<usize> = card.addresses.iter().filter_map(of).collect();
                if let [a, b] = places.into_iter().collect::<Vec<_>>()[..]
                    && let (Some(x), Some(y)) = (one_family(&book.networks[a]), one_family(&book.networks[b]))
                    && x != y
                {
                    let other = book.networks.remove(b);
                    absorb(&mut book.networks[a], other);
                }
            }
        }
        let mut names: BTreeSet<String> = BTreeSet::new();
        if let Some(there) = self.there {
            names.extend(there.globals.networks.iter().map(|network| network.name.to_string()));
        }
        let links: Vec<String> = book.networks.iter().filter_map(|net| net.link.clone()).collect();
        let is_shared = |link: &String| links.iter().filter(|other| *other == link).count() > 1;
        for mut net in std::mem::take(&mut book.networks) {
            // One that nobody shares needs no name.
            let link = net.link.take().filter(is_shared);
            let first = net.prefixes.first().map(IpNet::network);
            if let Some(name) = first.and_then(|address| self.network_there(address)) {
                let say =
                    link.map(|link| format!("; with `link = {}` it is on one with others", quote(&link)));
                let say = say.unwrap_or_default();
                self.lose("", format!("network {name} is there already, and stays as it is{say}"));
                continue;
            }
            net.link = link;
            let plain: String = net
                .name
                .chars()
                .map(|c| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '-' })
                .collect();
            let text = first.map(|address| address.to_string().replace(['.', ':'], "-")).unwrap_or_default();
            let base = if plain.is_empty() { format!("net-{}", text.trim_end_matches('-')) } else { plain };
            let numbered = (2..).map(|number: u32| format!("{base}-{number}"));
            net.name = std::iter::once(base.clone())
                .chain(numbered)
                .find(|name| !names.contains(name))
                .unwrap_or(base);
            names.insert(net.name.clone());
            self.settled.networks.push(net);
        }
    }

    /// Name of the network that is there and holds `address`.
    fn network_there(&self, address: IpAddr) -> Option<String> {
        let networks = &self.there?.globals.networks;
        networks.iter().find(|network| network.contains(address)).map(|network| network.name.to_string())
    }

    fn hosts(&mut self, book: &mut Book) {
        if let Some(there) = self.there {
            self.names.extend(
                there.hosts().flat_map(|host| host.named_nics().map(|(name, _)| name.fqdn.to_string())),
            );
        }
        let mut addresses: BTreeSet<IpAddr> = BTreeSet::new();
        let machines: Vec<Machine> =
            book.machines.iter().filter(|machine| !machine.cards.is_empty()).cloned().collect();
        for mut machine in machines {
            let at = machine.at.clone();
            if let Some(known) = self.is_there(&machine) {
                self.lose(&at, format!("{known} is there already, and stays as it is"));
                continue;
            }
            for card in &mut machine.cards {
                for address in &card.addresses {
                    if addresses.contains(address) {
                        self.settled.lost.push(format!("{at}: {address} is somebody else's already"));
                    }
                }
                card.addresses.retain(|address| addresses.insert(*address));
                self.place(card, &at);
            }
            let says =
                |card: &Card| card.mac.is_some() || !card.addresses.is_empty() || has_id(&machine.keys);
            let cards: Vec<Card> =
                machine.cards.iter().filter(|card| card.network.is_some() && says(card)).cloned().collect();
            machine.cards = cards;
            let Some((fqdn, zone)) = self.name(&machine, &at) else { continue };
            if machine.cards.is_empty() {
                self.lose(&at, format!("{fqdn} has no address, and no network is known for it"));
                continue;
            }
            self.names.insert(fqdn.clone());
            self.settled.hosts.push(Host { fqdn, zone, is_short: false, machine });
        }
        self.zones_of_networks();
        // Of two hosts with one name in two zones, the second is written with its zone.
        let relative = |fqdn: &str, zone: &str| fqdn.strip_suffix(&format!(".{zone}")).map(str::to_owned);
        let there = self.there.into_iter().flat_map(|there| {
            let zone = |host: &HostName| there.globals.zone(host.zone).name.to_string();
            there.hosts().filter_map(move |host| relative(&host.name.fqdn.to_string(), &zone(&host.name)))
        });
        let mut taken: BTreeSet<String> = there.collect();
        for host in &mut self.settled.hosts {
            let name =
                host.machine.cards.first().and_then(|card| card.network.as_deref()).unwrap_or_default();
            let read = self.settled.networks.iter().find(|net| net.name == name).map(|net| net.zone.clone());
            let there = || {
                let globals = &self.there?.globals;
                let zone = globals.network(globals.network_named(name)?).zone?;
                Some(globals.zone(zone).name.to_string())
            };
            host.is_short = read.unwrap_or_else(there).as_deref() == Some(&host.zone)
                && relative(&host.fqdn, &host.zone).is_some_and(|name| taken.insert(name));
        }
    }

    /// The host that has one of the hardware addresses.
    fn is_there(&self, machine: &Machine) -> Option<String> {
        let macs: Vec<_> = machine.cards.iter().filter_map(|card| card.mac).collect();
        let mut hosts = self.there?.hosts();
        let host =
            hosts.find(|host| host.nics.iter().any(|nic| nic.mac.is_some_and(|mac| macs.contains(&mac))))?;
        Some(host.name.fqdn.to_string())
    }

    /// Finds the network of an interface.
    fn place(&mut self, card: &mut Card, at: &str) {
        let by_address = |address: &IpAddr| {
            let read = self.settled.networks.iter().find(|net| holds(net, *address));
            read.map(|net| net.name.clone()).or_else(|| self.network_there(*address))
        };
        let named = card.network.as_ref().and_then(|wanted| {
            let is = |net: &&Net| {
                net.name == *wanted || net.prefixes.iter().any(|prefix| prefix.to_string() == *wanted)
            };
            self.settled.networks.iter().find(is).map(|net| net.name.clone())
        });
        let only = || match self.settled.networks.as_slice() {
            [only] => Some(only.name.clone()),
            all => {
                let mut pooled = all.iter().filter(|net| !net.pools.is_empty());
                pooled.next().filter(|_| pooled.next().is_none()).map(|net| net.name.clone())
            }
        };
        card.network = card.addresses.iter().find_map(by_address).or(named).or_else(only);
        let Some(name) = &card.network else { return };
        if let Some(net) = self.settled.networks.iter().find(|net| net.name == *name) {
            let outside: Vec<IpAddr> =
                card.addresses.iter().copied().filter(|address| !holds(net, *address)).collect();
            card.addresses.retain(|address| !outside.contains(address));
            for address in outside {
                self.settled
                    .lost
                    .push(format!("{at}: {address} is in another network than the first address"));
            }
        }
    }

    /// The only zone there is.
    pub(super) fn only_zone(&self) -> Option<String> {
        let there: Vec<String> = self.zones_there().collect();
        let mut all = self.settled.zones.keys().chain(&there);
        all.next().filter(|_| all.next().is_none()).cloned()
    }

    /// A network's zone is the one that most of its hosts are in.
    fn zones_of_networks(&mut self) {
        let mut counts: HashMap<(String, String), usize> = HashMap::new();
        for host in &self.settled.hosts {
            for net in host.machine.cards.iter().filter_map(|card| card.network.clone()) {
                *counts.entry((net, host.zone.clone())).or_default() += 1;
            }
        }
        let fallback = self.zone.map(str::to_owned).or_else(|| self.only_zone());
        for net in &mut self.settled.networks {
            let own = counts.iter().filter(|((name, _), _)| *name == net.name);
            let most = own
                .max_by_key(|((_, zone), count)| (**count, zone.clone()))
                .map(|((_, zone), _)| zone.clone());
            net.zone = most.or(net.zone.take()).or_else(|| fallback.clone());
        }
    }

    /// Takes addresses of hosts and gateways out of the pools.
    fn pools(&mut self) {
        let mut taken: Vec<IpAddr> = self
            .settled
            .hosts
            .iter()
            .flat_map(|host| host.machine.cards.iter().flat_map(|card| card.addresses.clone()))
            .collect();
        taken.extend(self.settled.networks.iter().filter_map(|net| net.gateway.map(IpAddr::V4)));
        for net in &mut self.settled.networks {
            taken.extend(net.prefixes.iter().flat_map(|prefix| [prefix.network(), prefix.broadcast()]));
            let (inside, outside): (Vec<Range>, Vec<Range>) = net.pools.iter().partition(|range| {
                net.prefixes
                    .iter()
                    .any(|prefix| prefix.contains(&range.first()) && prefix.contains(&range.last()))
            });
            for range in outside {
                self.settled.lost.push(format!("pool {range} lies outside of network {}", net.name));
            }
            net.pools = inside.into_iter().flat_map(|range| without(range, &taken)).collect();
            net.pools.sort();
            net.pools.dedup();
        }
    }
}

/// Whether a machine is known by something else than a hardware address.
fn has_id(keys: &BTreeMap<String, String>) -> bool {
    ["client-id", "duid"].iter().any(|key| keys.contains_key(*key))
}

/// Of a line of a master file that begins with its owner, written out.
fn owner_and_type(line: &str) -> (&str, &str) {
    let mut words = line.split(' ');
    let owner = words.next().unwrap_or_default().trim_end_matches('.');
    let rtype = words.find(|word| !word.bytes().all(|octet| octet.is_ascii_digit()));
    (owner, rtype.unwrap_or_default())
}
