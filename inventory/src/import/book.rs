//! What other systems' files say, before it becomes an inventory.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use inventory_core::mac::MacAddr;
use inventory_core::model::Range;
use inventory_core::options::{Family, OptionDef, OptionKind, by_code, by_name};
use ipnet::IpNet;

use crate::edit::quote;

/// Everything that was read.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) networks: Vec<Net>,
    /// Zones by apex, with record lines of what is no host.
    pub(crate) zones: BTreeMap<String, Vec<String>>,
    /// How long records of a zone are kept, in seconds, where that is said.
    pub(crate) ttls: BTreeMap<String, u32>,
    pub(crate) machines: Vec<Machine>,
    /// Names of the name servers of zones, by apex.
    pub(crate) nameservers: BTreeMap<String, Vec<String>>,
    /// The mailbox of who is responsible.
    pub(crate) contact: Option<String>,
    /// PTR records that were read: owner, target, file. Hosts must give the same.
    pub(crate) reverse: Vec<(String, String, String)>,
    /// What could not be expressed, each with its place.
    pub(crate) lost: Vec<String>,
}

/// A network.
#[derive(Clone, Debug, Default)]
pub(crate) struct Net {
    /// A name, if it has one there.
    pub(crate) name: String,
    pub(crate) prefixes: Vec<IpNet>,
    pub(crate) zone: Option<String>,
    /// Name of the link that it shares with others.
    pub(crate) link: Option<String>,
    pub(crate) gateway: Option<Ipv4Addr>,
    pub(crate) dns: Vec<IpAddr>,
    pub(crate) pools: Vec<Range>,
    pub(crate) lease_seconds: Option<u64>,
    /// DHCPv4 options, each as key and TOML value.
    pub(crate) options: BTreeMap<String, String>,
}

/// A machine.
#[derive(Clone, Debug, Default)]
pub(crate) struct Machine {
    /// Short or whole; empty if it has none.
    pub(crate) name: String,
    pub(crate) cards: Vec<Card>,
    pub(crate) aliases: Vec<String>,
    pub(crate) tags: Vec<String>,
    /// Further keys, each as key and TOML value.
    pub(crate) keys: BTreeMap<String, String>,
    /// Where it is written.
    pub(crate) at: String,
}

/// An interface.
#[derive(Clone, Debug, Default)]
pub(crate) struct Card {
    /// What it is called on its machine.
    pub(crate) key: String,
    pub(crate) mac: Option<MacAddr>,
    pub(crate) addresses: Vec<IpAddr>,
    /// Name of the network, where the addresses do not tell.
    pub(crate) network: Option<String>,
    /// Its own name, where it is not the machine's.
    pub(crate) name: Option<String>,
}

impl Book {
    /// Notes what cannot be expressed.
    pub(crate) fn lose(&mut self, at: &str, what: impl Into<String>) {
        self.lost.push(format!("{at}: {}", what.into()));
    }

    /// The network with this prefix; a new one if there is none.
    pub(crate) fn network(&mut self, prefix: IpNet) -> &mut Net {
        let prefix = prefix.trunc();
        let known = self.networks.iter().position(|net| net.prefixes.contains(&prefix));
        let at = known.unwrap_or_else(|| {
            self.networks.push(Net { prefixes: vec![prefix], ..Net::default() });
            self.networks.len() - 1
        });
        &mut self.networks[at]
    }

    /// A machine with one interface.
    pub(crate) fn machine(
        &mut self,
        name: &str,
        mac: Option<MacAddr>,
        addresses: &[IpAddr],
        at: String,
    ) -> &mut Machine {
        let card = Card { mac, addresses: addresses.to_vec(), ..Card::default() };
        self.machines.push(Machine { name: name.to_owned(), cards: vec![card], at, ..Machine::default() });
        let last = self.machines.len() - 1;
        &mut self.machines[last]
    }

    /// Puts together what is said of one machine in several places: by hardware address, else by name; by
    /// address where one place says no name, as ethers(5) may.
    pub(crate) fn merge(&mut self) {
        let mut merged: Vec<Machine> = Vec::new();
        for machine in std::mem::take(&mut self.machines) {
            let macs: Vec<MacAddr> = machine.cards.iter().filter_map(|card| card.mac).collect();
            let same = merged.iter_mut().find(|other| {
                let by_mac = other.cards.iter().any(|card| card.mac.is_some_and(|mac| macs.contains(&mac)));
                let both_named = !other.name.is_empty() && !machine.name.is_empty();
                by_mac && (!both_named || same_name(&other.name, &machine.name))
                    || (both_named && same_name(&other.name, &machine.name))
                    || (!both_named && other.shares_address(&machine))
            });
            match same {
                Some(other) => other.absorb(machine),
                None => merged.push(machine),
            }
        }
        self.machines = merged;
    }
}

/// Whether two names are one, the shorter the beginning of the longer by whole labels.
fn same_name(a: &str, b: &str) -> bool {
    let (a, b) = (a.to_ascii_lowercase(), b.to_ascii_lowercase());
    let (short, long) = if a.len() < b.len() { (&a, &b) } else { (&b, &a) };
    short == long || (!short.contains('.') && long.split('.').next() == Some(short))
}

impl Machine {
    /// Whether `other` may be the same interface: it has an address of ours, and only one of both a hardware
    /// address.
    fn shares_address(&self, other: &Machine) -> bool {
        self.cards.iter().any(|own| {
            other.cards.iter().any(|card| {
                (own.mac.is_none() || card.mac.is_none())
                    && own.addresses.iter().any(|address| card.addresses.contains(address))
            })
        })
    }

    /// Takes over what `other` says of the same machine.
    fn absorb(&mut self, other: Machine) {
        if other.name.len() > self.name.len() {
            self.name = other.name;
        }
        for card in other.cards {
            let same = self.cards.iter().position(|own| own.is_same(&card));
            // A second address family of the only interface has no hardware address of its own.
            let other_family =
                self.cards.len() == 1 && card.mac.is_none() && !self.cards[0].shares_family(&card);
            match same.or(other_family.then_some(0)) {
                Some(at) => self.cards[at].absorb(card),
                None => self.cards.push(card),
            }
        }
        extend(&mut self.aliases, other.aliases);
        extend(&mut self.tags, other.tags);
        self.keys.extend(other.keys);
    }
}

impl Card {
    /// Whether both are said of one interface: by hardware address, by address, or since one of them says
    /// neither.
    fn is_same(&self, other: &Card) -> bool {
        let by_mac = self.mac.is_some() && self.mac == other.mac;
        let by_address = other.addresses.iter().any(|address| self.addresses.contains(address));
        let has_room = (self.mac.is_none() || other.mac.is_none())
            && (self.addresses.is_empty() || other.addresses.is_empty());
        by_mac || by_address || has_room
    }

    fn shares_family(&self, other: &Card) -> bool {
        self.addresses.iter().any(|own| other.addresses.iter().any(|other| own.is_ipv4() == other.is_ipv4()))
    }

    fn absorb(&mut self, other: Card) {
        self.mac = self.mac.or(other.mac);
        extend(&mut self.addresses, other.addresses);
        self.network = self.network.take().or(other.network);
        self.name = self.name.take().or(other.name);
    }
}

fn extend<T: PartialEq>(all: &mut Vec<T>, more: Vec<T>) {
    for one in more {
        if !all.contains(&one) {
            all.push(one);
        }
    }
}

impl Net {
    /// Takes an option as other servers write it: by name or number, with its values as texts. What has a
    /// key of its own goes there. `false`: it cannot be expressed.
    pub(crate) fn take_option(&mut self, name: &str, values: &[String]) -> bool {
        let number = name.parse::<u16>().ok();
        let def = number.map_or_else(|| by_name(Family::V4, name), |code| by_code(Family::V4, code));
        let Some(def) = def else { return false };
        let addresses = || values.iter().map(|value| value.parse().ok()).collect::<Option<Vec<IpAddr>>>();
        match def.code {
            // They follow from the prefix and from the leases.
            1 | 28 | 51 | 54 | 58 | 59 => true,
            3 if values.len() == 1 => {
                self.gateway = values.first().and_then(|value| value.parse().ok());
                self.gateway.is_some()
            }
            6 => addresses().map(|addresses| self.dns = addresses).is_some(),
            15 => {
                self.zone = values.first().map(|zone| zone.trim_end_matches('.').to_owned());
                true
            }
            _ => match literal(def, values) {
                Some(value) => {
                    self.options.insert(def.name.to_owned(), value);
                    true
                }
                None => false,
            },
        }
    }

    /// The same with the octets of the option.
    pub(crate) fn take_octets(&mut self, code: u16, octets: &[u8]) -> bool {
        let def = by_code(Family::V4, code);
        let values: Option<Vec<String>> = match def.map(|def| def.kind) {
            Some(OptionKind::Ip4 | OptionKind::Ip4List) => {
                let (chunks, rest) = octets.as_chunks::<4>();
                rest.is_empty()
                    .then(|| chunks.iter().map(|octets| Ipv4Addr::from(*octets).to_string()).collect())
            }
            Some(OptionKind::Text | OptionKind::DomainText | OptionKind::Words) => {
                std::str::from_utf8(octets).ok().map(|text| vec![text.to_owned()])
            }
            _ => None,
        };
        if let Some(values) = values {
            return self.take_option(&code.to_string(), &values);
        }
        let digits: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
        let name = def.map_or_else(|| code.to_string(), |def| def.name.to_owned());
        let can = def.is_none_or(|def| def.reserved.is_none()) && !octets.is_empty();
        if can {
            self.options.insert(name, quote(&format!("0x{digits}")));
        }
        can
    }
}

/// An option of a host as other servers write it, as key and TOML value; `None`: it cannot be expressed.
pub(crate) fn host_option(name: &str, values: &[String]) -> Option<(String, String)> {
    let def = by_name(Family::V4, name)?;
    Some((def.name.to_owned(), literal(def, values)?))
}

/// The values as the inventory writes them for this option.
fn literal(def: &OptionDef, values: &[String]) -> Option<String> {
    if def.reserved.is_some() || values.is_empty() {
        return None;
    }
    let one = || (values.len() == 1).then(|| values[0].as_str());
    let list = |items: Vec<String>| Some(format!("[{}]", items.join(", ")));
    let quoted = |items: &[String]| items.iter().map(|item| quote(item.trim_end_matches('.'))).collect();
    match def.kind {
        OptionKind::Ip4 => {
            one().and_then(|text| text.parse::<Ipv4Addr>().ok()).map(|ip| quote(&ip.to_string()))
        }
        OptionKind::Ip4List => {
            values.iter().all(|text| text.parse::<Ipv4Addr>().is_ok()).then(|| list(quoted(values))).flatten()
        }
        OptionKind::Integer(_) | OptionKind::Seconds { .. } => {
            one().and_then(|text| text.parse::<i64>().ok()).map(|number| number.to_string())
        }
        OptionKind::IntegerList(_) => {
            let numbers: Option<Vec<i64>> = values.iter().map(|text| text.parse().ok()).collect();
            numbers.and_then(|numbers| list(numbers.iter().map(i64::to_string).collect()))
        }
        OptionKind::Boolean => match one()? {
            "true" | "1" | "on" => Some("true".to_owned()),
            "false" | "0" | "off" => Some("false".to_owned()),
            _ => None,
        },
        OptionKind::Text | OptionKind::DomainText => one().map(quote),
        OptionKind::Words | OptionKind::TextList => list(values.iter().map(|value| quote(value)).collect()),
        OptionKind::Domain => one().map(|text| quote(text.trim_end_matches('.'))),
        OptionKind::DomainList | OptionKind::CompressedDomains => list(quoted(values)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_several_places_say_of_one_machine_is_put_together() {
        let mut book = Book::default();
        let mac: MacAddr = "52:54:00:00:00:01".parse().unwrap();
        book.machine("web", Some(mac), &[], "ethers:1".into());
        book.machine("web.lab.example.org", None, &["10.0.0.3".parse().unwrap()], "hosts:1".into());
        book.machine("", Some(mac), &["2001:db8::3".parse().unwrap()], "other:1".into());
        book.machine("db", None, &["10.0.0.4".parse().unwrap()], "hosts:2".into());
        book.merge();
        assert_eq!(book.machines.len(), 2);
        let web = &book.machines[0];
        assert_eq!(
            (web.name.as_str(), web.cards.len(), web.cards[0].addresses.len()),
            ("web.lab.example.org", 1, 2)
        );
    }

    #[test]
    fn options_go_where_the_inventory_has_them() {
        let mut net = Net::default();
        let text = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        for (name, values) in [
            ("routers", text(&["10.0.0.1"])),
            ("domain-name-servers", text(&["10.0.0.2", "10.0.0.3"])),
            ("ntp-servers", text(&["10.0.0.4"])),
            ("domain-search", text(&["lab.example.org.", "example.org"])),
            ("interface-mtu", text(&["1400"])),
        ] {
            assert!(net.take_option(name, &values), "{name}");
        }
        assert!(!net.take_option("no-such-option", &text(&["x"])));
        assert!(net.take_octets(42, &[10, 0, 0, 9]) && net.take_octets(224, &[1, 255]));
        assert_eq!((net.gateway, net.dns.len()), (Some([10, 0, 0, 1].into()), 2));
        assert_eq!(net.options["ntp-servers"], "[\"10.0.0.9\"]");
        assert_eq!(net.options["domain-search"], "[\"lab.example.org\", \"example.org\"]");
        assert_eq!(
            (net.options["interface-mtu"].as_str(), net.options["224"].as_str()),
            ("1400", "\"0x01ff\"")
        );
    }
}
