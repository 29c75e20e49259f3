//! `hostbook explain`: what DHCP, DNS and boot answer, and the line that says so.
//!
//! Nothing is worked out here: the daemons' own views and cores are asked, as packets ask them. What
//! this module adds is where each fact stands in the files.

mod args;
mod dhcp;
mod dhcp6;
mod dns;
mod link;
mod origin;
mod print;
pub(crate) mod value;

pub(crate) use args::{Arch, Explain, Packet};
pub(crate) use origin::Origins;

use std::net::IpAddr;
use std::process::ExitCode;

use dhcpd::view::DhcpView;
use dnsd::view::DnsView;
use inventory_core::load::{Loaded, Loader};
use inventory_core::mac::MacAddr;
use inventory_core::model::{Host, Inventory, NetworkId, Nic, PoolLabel, Snapshot};
use inventory_core::name::Name;
use inventory_core::source;
use serde::Serialize;

use crate::exit::{Failure, Outcome};
use crate::free::network_named;
use crate::{leases, moment, output, show};
use dhcp::{Asking, Exchange};
use dhcp6::Exchange6;

/// Everything that is answered.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Explained {
    /// What DNS answers.
    pub(crate) dns: Vec<RecordFact>,
    /// What DHCP answers, by client.
    pub(crate) dhcp: Vec<Exchange>,
    /// What DHCPv6 answers, by client.
    pub(crate) dhcp6: Vec<Exchange6>,
    /// What else is to be said.
    pub(crate) notes: Vec<String>,
}

/// A record of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct RecordFact {
    pub(crate) owner: String,
    #[serde(rename = "type")]
    pub(crate) rtype: String,
    pub(crate) ttl: u32,
    pub(crate) data: String,
    /// The view whose clients see it, where those see something else than everybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) view: Option<String>,
    /// Where it is written, or what it follows from.
    pub(crate) at: Option<String>,
}

/// Prints what is answered.
pub(crate) fn run(args: &Explain) -> Outcome {
    let mut loader = Loader::new(source::open(&args.inventory.inventory));
    let snapshot = match loader.load() {
        Loaded::Good { snapshot, .. } => snapshot,
        Loaded::Broken { diagnostics } => return Err(crate::inventory::broken(&diagnostics)),
        Loaded::Unchanged => return Err(Failure::new("nothing was loaded")),
    };
    let explained = explain(args, &loader, &snapshot)?;
    if args.format.is_json() {
        output::line(&serde_json::to_string(&explained).map_err(Failure::new)?);
    } else {
        print::print(&explained);
    }
    Ok(ExitCode::SUCCESS)
}

fn explain(args: &Explain, loader: &Loader, snapshot: &Snapshot) -> Result<Explained, Failure> {
    let origins = Origins::new(loader);
    let (leases, trouble) = leases::records(&args.control);
    let servers = args.server.map_or_else(|| leases::listeners(&args.control), |server| vec![server]);
    let view = DhcpView::build(snapshot);
    let asking = Asking {
        snapshot,
        view: &view,
        origins: &origins,
        leases: &leases,
        unix_ms: moment::now_ms(),
        servers: &servers,
        boot_port: args.boot_port,
    };
    let mut explained = match &args.what {
        Some(what) => thing(what, args, &asking)?,
        None => described(args, &asking)?,
    };
    if servers.is_empty() && explained.dhcp.iter().any(|exchange| exchange.boot.is_some()) {
        let note = "the server's own address is not known here: `--server` says it";
        explained.notes.push(note.to_owned());
    }
    explained.notes.extend(trouble.map(|why| format!("leases are not known: {why}")));
    Ok(explained)
}

/// A name, MAC or IP address.
fn thing(what: &str, args: &Explain, asking: &Asking<'_>) -> Result<Explained, Failure> {
    let inventory = &asking.snapshot.inventory;
    let dns = DnsView::build(asking.snapshot);
    let mut explained = Explained::default();
    match show::find(what, inventory) {
        Ok(found) => {
            for (_, host) in found {
                of_host(host, args, asking, &dns, &mut explained);
            }
        }
        Err(failure) => {
            if let Ok(mac) = what.parse::<MacAddr>() {
                stranger(mac, args, asking, &mut explained)?;
            } else if let Ok(address) = what.parse::<IpAddr>() {
                of_address(address, asking, &dns, &mut explained);
            } else {
                of_name(what, asking, &dns, &mut explained);
                if explained.dns.is_empty() {
                    return Err(failure);
                }
            }
        }
    }
    Ok(explained)
}

fn of_host(host: &Host, args: &Explain, asking: &Asking<'_>, dns: &DnsView, explained: &mut Explained) {
    let aliases = host.aliases.iter().map(|alias| &alias.name.fqdn);
    let mut names: Vec<Name> =
        host.named_nics().map(|(name, _)| name.fqdn.clone()).chain(aliases.cloned()).collect();
    let addresses =
        host.nics.iter().flat_map(|nic| nic.addresses.iter().map(move |address| (nic.network, *address)));
    names.extend(
        addresses.map(|(id, address)| asking.snapshot.inventory.globals.network(id).ptr_owner(address)),
    );
    names.extend(host.nics.iter().flat_map(Nic::delegated_names).map(|(name, _)| name));
    let found =
        host.rest.services.iter().flat_map(|service| [service.type_name(), Some(service.name.clone())]);
    names.extend(found.flatten());
    names.dedup();
    for name in &names {
        records(name, asking, dns, explained);
    }
    if !host.state.is_served() {
        let at = asking.origins.of_host(host, None, "state").map(|at| format!(" ({at})")).unwrap_or_default();
        explained.notes.push(format!("{} is {}, and so not served{at}", host.name.fqdn, host.state.word()));
    }
    for nic in &host.nics {
        explained.dhcp.extend(asking.nic(host, nic, &args.packet));
        explained.dhcp6.extend(asking.nic6(host, nic));
        if host.boot.is_some() && args.packet.arch.is_none() {
            for arch in [Arch::Bios, Arch::Uefi64, Arch::Ipxe] {
                let said = Packet { arch: Some(arch), ..args.packet.clone() };
                let booted = asking.nic(host, nic, &said).filter(|exchange| exchange.boot.is_some());
                explained.dhcp.extend(booted.map(|exchange| Exchange { options: Vec::new(), ..exchange }));
            }
        }
        if nic.mac.is_none() && nic.rest.identifiers.is_none() {
            let name = &nic.rest.name.as_ref().unwrap_or(&host.name).fqdn;
            explained.notes.push(format!(
                "{name} has no `mac`: DHCP does not know it ({})",
                asking.origins.at(host.span)
            ));
        }
    }
}

/// A machine that nobody has written down, in every network or behind the relay agent.
fn stranger(
    mac: MacAddr,
    args: &Explain,
    asking: &Asking<'_>,
    explained: &mut Explained,
) -> Result<(), Failure> {
    let said = Packet { mac: Some(mac), ..args.packet.clone() };
    for id in networks(&said, asking)? {
        explained.dhcp.extend(asking.packet(id, &said));
        explained.dhcp6.extend(asking.mac6(id, Some(mac)));
    }
    explained.notes.push(format!("{mac} is written down nowhere; `hostbook adopt {mac} NAME` does so"));
    Ok(())
}

fn described(args: &Explain, asking: &Asking<'_>) -> Result<Explained, Failure> {
    let mut explained = Explained::default();
    for id in networks(&args.packet, asking)? {
        explained.dhcp.extend(asking.packet(id, &args.packet));
        if args.packet.port.is_none() && args.packet.arch.is_none() {
            explained.dhcp6.extend(asking.mac6(id, args.packet.mac));
        }
    }
    Ok(explained)
}

/// The networks that a packet can come from: the relay agent's, the one that is named, those that know
/// the hardware address; else all that DHCP serves.
fn networks(said: &Packet, asking: &Asking<'_>) -> Result<Vec<NetworkId>, Failure> {
    let inventory = &asking.snapshot.inventory;
    if let Some(relay) = said.relay {
        let network = asking.view.network_of(relay);
        let id = network.map(|network| network.id);
        return id.map(|id| vec![id]).ok_or_else(|| {
            Failure::new(format!(
                "the relay agent {relay} is in no network of the inventory: dhcpd counts `unknown-relay`"
            ))
        });
    }
    if let Some(name) = &said.network {
        return Ok(vec![network_named(inventory, name)?]);
    }
    let four = asking.view.networks().filter(|network| network.dhcp).map(|network| network.id);
    let six = asking.view.networks6().filter(|network| network.dhcp).map(|network| network.id);
    let mut all: Vec<NetworkId> = four.chain(six).collect();
    all.sort_unstable();
    all.dedup();
    let knowing: Vec<NetworkId> = all
        .iter()
        .copied()
        .filter(|id| said.mac.is_some_and(|mac| asking.view.by_mac(*id, mac).is_some()))
        .collect();
    Ok(if knowing.is_empty() { all } else { knowing })
}

fn of_address(address: IpAddr, asking: &Asking<'_>, dns: &DnsView, explained: &mut Explained) {
    let globals = &asking.snapshot.inventory.globals;
    let Some(network) = globals.networks.iter().find(|network| network.contains(address)) else {
        explained.notes.push(format!("{address} is in no network of the inventory"));
        return;
    };
    let at = asking.origins.at(network.span);
    records(&network.ptr_owner(address), asking, dns, explained);
    let names: Vec<Name> = explained
        .dns
        .iter()
        .filter(|record| record.rtype == "PTR")
        .filter_map(|record| Name::parse(&record.data, None).ok())
        .collect();
    for name in names {
        records(&name, asking, dns, explained);
    }
    let lease = asking.leases.iter().find(|lease| IpAddr::from(lease.address) == address);
    if let Some(lease) = lease {
        let who = lease.mac.map_or_else(|| lease.client.to_string(), |mac| mac.to_string());
        let name =
            lease.name.as_deref().map(|name| format!(", which calls itself {name}")).unwrap_or_default();
        explained.notes.push(format!("{address} is leased to {who}{name}, for {} s more", lease.seconds));
    }
    explained.notes.push(match network.pool_of(address) {
        Some(pool) => {
            let at = asking.origins.of_table("network", network.span, &["pool"]).unwrap_or(at);
            let named = network.dynamic_names.as_ref().map_or("", |_| "; who leases it may name it");
            format!("{address} is of the pool {pool} of network {} ({at}){named}", network.name)
        }
        None => format!("{address} is of network {} ({at}), and nobody has it", network.name),
    });
}

/// A name that is no host's: the apex of a zone, a record that somebody wrote.
fn of_name(what: &str, asking: &Asking<'_>, dns: &DnsView, explained: &mut Explained) {
    let globals = &asking.snapshot.inventory.globals;
    let below = globals.zones.iter().filter(|zone| zone.derived.is_none()).map(|zone| Some(&zone.name));
    let mut names: Vec<Name> =
        std::iter::once(None).chain(below).filter_map(|zone| Name::parse(what, zone).ok()).collect();
    names.dedup();
    for name in names {
        records(&name, asking, dns, explained);
    }
}

/// Adds what `name` is answered with.
fn records(name: &Name, asking: &Asking<'_>, dns: &DnsView, explained: &mut Explained) {
    let everybodys = dns::records(dns, name);
    let of_views = dns.views().map(|(view, dns)| (Some(view), dns::records(dns, name)));
    let others: Vec<_> = of_views.filter(|(_, records)| *records != everybodys).collect();
    for (view, records) in std::iter::once((None, everybodys)).chain(others) {
        for record in records {
            let rtype = record.rtype.to_string();
            let fact = RecordFact {
                owner: name.to_string(),
                at: record_at(name, &rtype, &record.data, asking),
                rtype,
                ttl: record.ttl,
                data: record.data,
                view: view.map(str::to_owned),
            };
            if !explained.dns.contains(&fact) {
                explained.dns.push(fact);
            }
        }
    }
}

/// The line that a record follows from.
fn record_at(owner: &Name, rtype: &str, data: &str, asking: &Asking<'_>) -> Option<String> {
    let inventory: &Inventory = &asking.snapshot.inventory;
    let globals = &inventory.globals;
    let zone = globals.zone_of(owner).map(|id| globals.zone(id))?;
    let of_type = || zone.records.iter().filter(|record| record.rtype.to_string() == rtype);
    let written = of_type()
        .find(|record| record.owner == *owner)
        .or_else(|| of_type().find(|record| is_wildcard_of(&record.owner, owner)));
    if let Some(record) = written {
        return Some(asking.origins.at(record.span));
    }
    for host in inventory.hosts() {
        let service = host.rest.services.iter().find(|service| service.name == *owner);
        if let Some(service) = service {
            return Some(asking.origins.at(service.span));
        }
        let alias = host.aliases.iter().find(|alias| rtype == "CNAME" && alias.name.fqdn == *owner);
        if let Some(alias) = alias {
            return Some(asking.origins.at(alias.span));
        }
        for (name, nic) in host.named_nics() {
            let mut delegated = nic.delegated_names().filter(|(name, _)| rtype == "NS" && name == owner);
            if let Some((_, servers)) = delegated.next() {
                let server = Name::parse(data, None).ok();
                let own = servers.iter().find(|(name, _)| Some(name) == server.as_ref());
                return own.map(|(_, span)| asking.origins.at(*span));
            }
            for (address, span) in nic.addresses.iter().zip(nic.address_spans()) {
                let forward = name.fqdn == *owner && address.to_string() == data;
                if forward || (rtype == "PTR" && globals.network(nic.network).ptr_owner(*address) == *owner) {
                    return Some(asking.origins.at(span));
                }
            }
        }
    }
    let of_pool = |network: &&inventory_core::model::Network| {
        let is = |address: IpAddr| {
            network.pool_of(address).is_some() && (rtype == "PTR" && network.ptr_owner(address) == *owner)
        };
        data.parse::<IpAddr>().is_ok_and(|address| network.pool_of(address).is_some())
            || Name::parse(data, None).is_ok_and(|name| pool_address(&name).is_some_and(is))
    };
    let network = globals.networks.iter().find(of_pool);
    if let Some(network) = network {
        return asking.origins.of_table("network", network.span, &["pool"]);
    }
    (rtype == "NS").then(|| asking.origins.at(zone.span))
}

/// Whether `written` is `*.` and a name that `owner` is below (RFC 4592).
fn is_wildcard_of(written: &Name, owner: &Name) -> bool {
    let text = written.to_string();
    text.strip_prefix('*').is_some_and(|below| owner.to_string().ends_with(below))
}

/// The address that a pool's name `dhcp-10-20-0-200` is made of.
fn pool_address(name: &Name) -> Option<IpAddr> {
    PoolLabel::read(name.labels().next()?)
}
