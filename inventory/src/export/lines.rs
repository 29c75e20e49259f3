//! Forms with a line for each thing: zones, /etc/hosts, ssh_config, known_hosts.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::IpAddr;

use dnsd::view::{DnsView, ZoneNumber};
use inventory_core::model::{Host, Inventory, Snapshot};
use inventory_core::name::Name;

use super::{label, served};
use crate::exit::Failure;

/// A master file, every name in full. The serial is 1: dnsd knows the one that is served.
pub(super) fn zone(snapshot: &Snapshot, wanted: Option<&str>) -> Result<String, Failure> {
    let mut view = DnsView::build(snapshot);
    view.set_serials(|_| 1);
    let zones: Vec<(ZoneNumber, &Name)> =
        view.zones().iter().map(|(number, zone)| (number, &zone.name)).collect();
    let names: Vec<String> = zones.iter().map(|(_, name)| name.to_string()).collect();
    let wanted = match (wanted, names.as_slice()) {
        (Some(wanted), _) => wanted.trim_end_matches('.').to_ascii_lowercase(),
        (None, [only]) => only.clone(),
        (None, _) => {
            return Err(Failure::usage(format!("which zone? say by `--zone` one of {}", names.join(", "))));
        }
    };
    let number = zones.iter().find(|(_, name)| name.to_string() == wanted).map(|(number, _)| *number);
    let number =
        number.ok_or_else(|| Failure::new(format!("zone `{wanted}` is none of {}", names.join(", "))))?;
    let mut text = format!("$ORIGIN {wanted}.\n");
    // The SOA record comes first, as readers want it.
    let (soa, rest): (Vec<_>, Vec<_>) =
        view.records_of(number).into_iter().partition(|record| record.rtype == 6);
    for record in soa.iter().chain(&rest) {
        let _ = writeln!(text, "{record}");
    }
    Ok(text)
}

/// Every address with its names, in the order of addresses.
pub(super) fn hosts(inventory: &Inventory, tags: &[String]) -> String {
    let mut lines: BTreeMap<IpAddr, String> = BTreeMap::new();
    for host in served(inventory, tags) {
        for (index, (name, nic)) in host.named_nics().enumerate() {
            for address in &nic.addresses {
                let mut names = vec![name.fqdn.to_string()];
                names.extend(
                    name.fqdn.labels().next().map(|label| String::from_utf8_lossy(label).into_owned()),
                );
                if index == 0 {
                    names.extend(host.aliases.iter().map(|alias| alias.name.fqdn.to_string()));
                }
                names.dedup();
                lines.insert(*address, names.join(" "));
            }
        }
    }
    lines.iter().map(|(address, names)| format!("{address} {names}\n")).collect()
}

/// Each host by its short name and its whole one.
pub(super) fn ssh_config(inventory: &Inventory, tags: &[String]) -> String {
    let mut text = String::new();
    for host in served(inventory, tags) {
        let Some(address) = first_address(host) else { continue };
        let mut names = vec![label(host), host.name.fqdn.to_string()];
        names.extend(host.aliases.iter().map(|alias| alias.name.fqdn.to_string()));
        let user = host.rest.ssh_user.as_ref().map(|user| format!("    User {user}\n")).unwrap_or_default();
        // One key for a host, whatever name it is called by.
        let _ = writeln!(
            text,
            "Host {}\n    HostName {address}\n    HostKeyAlias {}\n{user}",
            names.join(" "),
            host.name.fqdn
        );
    }
    text
}

/// The keys that the inventory has, and those that `ssh-keyscan` found of other hosts, each with every name and address
/// of its host. A key that was scanned does not count beside one that is written.
pub(super) fn known_hosts(inventory: &Inventory, tags: &[String], scan: &str) -> String {
    let mut text = String::new();
    let hosts: Vec<&Host> = served(inventory, tags).collect();
    for host in &hosts {
        for key in &host.rest.ssh_host_keys {
            let _ = writeln!(text, "{} {key}", all_names(host));
        }
    }
    for line in scan.lines().filter(|line| !line.starts_with('#')) {
        let Some((scanned, key)) = line.split_once(' ') else { continue };
        let scanned = scanned.trim_start_matches('[').split(']').next().unwrap_or_default();
        let host = hosts.iter().find(|host| is_called(host, scanned));
        let Some(host) = host.filter(|host| host.rest.ssh_host_keys.is_empty()) else { continue };
        let _ = writeln!(text, "{} {key}", all_names(host));
    }
    text
}

/// Whatever a host is called by, as known_hosts lists it.
fn all_names(host: &Host) -> String {
    let mut names = vec![host.name.fqdn.to_string(), label(host)];
    names.extend(host.aliases.iter().map(|alias| alias.name.fqdn.to_string()));
    names.extend(host.nics.iter().flat_map(|nic| nic.addresses.iter().map(ToString::to_string)));
    names.join(",")
}

fn is_called(host: &Host, name: &str) -> bool {
    let address = name.parse::<IpAddr>().ok();
    let has = |wanted: IpAddr| host.nics.iter().any(|nic| nic.addresses.contains(&wanted));
    address
        .map_or_else(|| label(host) == name || host.name.fqdn.to_string() == name.trim_end_matches('.'), has)
}

fn first_address(host: &Host) -> Option<IpAddr> {
    host.nics.iter().flat_map(|nic| nic.addresses.iter().copied()).next()
}
