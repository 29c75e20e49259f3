//! `hostbook list`.

use std::collections::{BTreeMap, HashSet};
use std::process::ExitCode;

use inventory_core::diag::did_you_mean;
use inventory_core::model::{self, Found, Globals, Host, HostIndex, Inventory, Network, Zone};
use inventory_core::name::Name;
use inventory_core::units::show_duration;
use serde_json::{Value, json};

use crate::args::{List, State, What};
use crate::exit::{Failure, Outcome};
use crate::{inventory, output};

/// Prints the things asked for, sorted by name.
pub(crate) fn run(args: &List) -> Outcome {
    let snapshot = inventory::require(&args.inventory.inventory)?;
    let inventory = &snapshot.inventory;
    check_networks(args, &inventory.globals)?;
    let below = vms_below(args, inventory)?;
    match args.what {
        What::Hosts => hosts(args, inventory, below.as_ref()),
        What::Networks => networks(args, inventory),
        What::Zones => zones(args, &inventory.globals),
        What::Tags => tags(args, inventory),
    }
    Ok(ExitCode::SUCCESS)
}

/// A network that does not exist is a slip of the finger, not an empty list.
fn check_networks(args: &List, globals: &Globals) -> Result<(), Failure> {
    for name in &args.network {
        if globals.network_named(name).is_none() {
            let near = did_you_mean(name, globals.networks.iter().map(|network| &*network.name));
            let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            return Err(Failure::new(format!("network `{name}` is not defined{hint}")));
        }
    }
    Ok(())
}

/// The virtual machines of the hosts that were named; `None` if none was.
fn vms_below<'a>(args: &List, inventory: &'a Inventory) -> Result<Option<HashSet<&'a Name>>, Failure> {
    if args.vmhost.is_empty() {
        return Ok(None);
    }
    let index = HostIndex::of(inventory);
    let mut wanted = Vec::new();
    for name in &args.vmhost {
        match index.find(name, None) {
            Found::One(host) => wanted.push(host),
            Found::Several(_) => {
                return Err(Failure::new(format!("several zones have a `{name}`: write the whole name")));
            }
            Found::None => return Err(Failure::new(format!("no host is called `{name}`"))),
        }
    }
    let is_wanted = |host: &&Host| {
        let zone = &inventory.globals.zone(host.name.zone).name;
        let vmhost = host.vmhost().map(|name| index.find(name, Some(zone)));
        matches!(vmhost, Some(Found::One(vmhost)) if wanted.iter().any(|one| std::ptr::eq(*one, vmhost)))
    };
    Ok(Some(inventory.hosts().filter(is_wanted).map(|host| &host.name.fqdn).collect()))
}

/// Whether `host` is among those asked for.
fn selected(args: &List, host: &Host, globals: &Globals) -> bool {
    let state = |wanted: &State| {
        let state = match wanted {
            State::Planned => model::State::Planned,
            State::Install => model::State::Install,
            State::Active => model::State::Active,
            State::Retired => model::State::Retired,
        };
        state == host.state
    };
    let on = |name: &String| host.nics.iter().any(|nic| *globals.network(nic.network).name == **name);
    args.tag.iter().all(|tag| host.tags.iter().any(|have| **have == **tag))
        && (args.state.is_empty() || args.state.iter().any(state))
        && (args.network.is_empty() || args.network.iter().any(on))
}

fn hosts(args: &List, inventory: &Inventory, below: Option<&HashSet<&Name>>) {
    let globals = &inventory.globals;
    let is_below = |host: &&Host| below.is_none_or(|below| below.contains(&host.name.fqdn));
    let mut hosts: Vec<&Host> =
        inventory.hosts().filter(|host| selected(args, host, globals)).filter(is_below).collect();
    hosts.sort_by_cached_key(|host| host.name.fqdn.to_string());
    if args.format.is_json() {
        return output::line(
            &Value::from_iter(hosts.iter().map(|host| host_json(host, globals))).to_string(),
        );
    }
    let row = |host: &&Host| {
        let nic = host.primary();
        let addresses: Vec<String> = nic.addresses.iter().map(ToString::to_string).collect();
        vec![
            host.name.fqdn.to_string(),
            host.state.word().to_owned(),
            globals.network(nic.network).name.to_string(),
            nic.mac.map(|mac| mac.to_string()).unwrap_or_default(),
            addresses.join(" "),
            host.vmhost().unwrap_or_default().to_owned(),
            host.tags.join(","),
        ]
    };
    let rows: Vec<_> = hosts.iter().map(row).collect();
    output::table(&["HOST", "STATE", "NETWORK", "MAC", "ADDRESSES", "VMHOST", "TAGS"], &rows);
}

/// A host as JSON; `show` prints the same.
pub(crate) fn host_json(host: &Host, globals: &Globals) -> Value {
    let nics: Vec<Value> = host
        .named_nics()
        .map(|(name, nic)| {
            json!({
                "name": name.fqdn.to_string(),
                "nic": nic.rest.key,
                "network": globals.network(nic.network).name,
                "mac": nic.mac.map(|mac| mac.to_string()),
                "ip": *nic.addresses,
                "dhcp": nic.dhcp,
            })
        })
        .collect();
    let hardware = &host.hardware;
    let disks: BTreeMap<&str, u64> = hardware.disks.iter().map(|disk| (&*disk.name, disk.size)).collect();
    json!({
        "host": host.name.fqdn.to_string(),
        "zone": globals.zone(host.name.zone).name.to_string(),
        "state": host.state.word(),
        "nics": nics,
        "aliases": host.aliases.iter().map(|alias| alias.name.fqdn.to_string()).collect::<Vec<_>>(),
        "tags": host.tags.iter().map(|tag| &**tag).collect::<Vec<_>>(),
        "ttl": host.rest.ttl,
        "boot": host.boot.map(|boot| &globals.boot(boot).name),
        "cpu": hardware.cpu,
        "memory": hardware.memory,
        "disks": disks,
        "vmhost": host.vmhost(),
    })
}

fn networks(args: &List, inventory: &Inventory) {
    let globals = &inventory.globals;
    let mut used: BTreeMap<model::NetworkId, usize> = BTreeMap::new();
    for nic in inventory.hosts().flat_map(|host| &host.nics) {
        *used.entry(nic.network).or_default() += 1;
    }
    let nics = |network: &Network| {
        globals.network_named(&network.name).and_then(|id| used.get(&id)).copied().unwrap_or_default()
    };
    if args.format.is_json() {
        let all = globals.networks.iter().map(|network| {
            json!({
                "network": network.name,
                "zone": network.zone.map(|zone| globals.zone(zone).name.to_string()),
                "ipv4": network.ipv4.map(|net| net.to_string()),
                "ipv6": network.ipv6.map(|net| net.to_string()),
                "gateway": network.gateway,
                "pools": network.pools.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "lease_seconds": network.lease_seconds,
                "dhcp": network.dhcp,
                "interfaces": nics(network),
            })
        });
        return output::line(&Value::from_iter(all).to_string());
    }
    let row = |network: &Network| {
        let pools: Vec<String> = network.pools.iter().map(ToString::to_string).collect();
        vec![
            network.name.to_string(),
            network.ipv4.map(|net| net.to_string()).unwrap_or_default(),
            network.ipv6.map(|net| net.to_string()).unwrap_or_default(),
            network.zone.map(|zone| globals.zone(zone).name.to_string()).unwrap_or_default(),
            nics(network).to_string(),
            pools.join(" "),
            match (network.dhcp, network.proxy) {
                (true, _) => show_duration(network.lease_seconds.into()),
                (false, true) => "proxy".to_owned(),
                (false, false) => "no dhcp".to_owned(),
            },
        ]
    };
    let rows: Vec<_> = globals.networks.iter().map(row).collect();
    output::table(&["NETWORK", "IPV4", "IPV6", "ZONE", "NICS", "POOLS", "LEASE"], &rows);
}

fn zones(args: &List, globals: &Globals) {
    let kind = |zone: &Zone| match (zone.derived, &zone.file) {
        (Some(_), _) => "derived".to_owned(),
        (None, Some(file)) => format!("file {file}"),
        (None, None) => "inventory".to_owned(),
    };
    let mut zones: Vec<&Zone> = globals.zones.iter().collect();
    zones.sort_by_cached_key(|zone| (zone.derived.is_some(), zone.name.to_string()));
    if args.format.is_json() {
        let all = zones.iter().map(|zone| {
            json!({
                "zone": zone.name.to_string(),
                "source": kind(zone),
                "ttl": zone.ttl,
                "nameservers": zone.nameservers.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "records": zone.records.len(),
            })
        });
        return output::line(&Value::from_iter(all).to_string());
    }
    let row = |zone: &&Zone| {
        let servers: Vec<String> = zone.nameservers.iter().map(ToString::to_string).collect();
        let records = zone.records.len().to_string();
        vec![zone.name.to_string(), kind(zone), show_duration(zone.ttl.into()), records, servers.join(" ")]
    };
    let rows: Vec<_> = zones.iter().map(row).collect();
    output::table(&["ZONE", "SOURCE", "TTL", "RECORDS", "NAME SERVERS"], &rows);
}

fn tags(args: &List, inventory: &Inventory) {
    let mut tags: BTreeMap<&str, usize> = BTreeMap::new();
    for host in inventory.hosts().filter(|host| selected(args, host, &inventory.globals)) {
        for tag in host.tags.iter() {
            *tags.entry(tag).or_default() += 1;
        }
    }
    if args.format.is_json() {
        return output::line(&json!(tags).to_string());
    }
    let rows: Vec<_> = tags.iter().map(|(tag, hosts)| vec![(*tag).to_owned(), hosts.to_string()]).collect();
    output::table(&["TAG", "HOSTS"], &rows);
}
