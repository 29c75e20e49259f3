//! `auto`: addresses that nobody has.
//!
//! A hardware address made here belongs to a name: it is the site's prefix and a hash of the name. The
//! same name gets the same address again, on any machine, without a counter that two operators could both
//! count up; another name gets another one. One that the inventory has, that its git history has had, or that
//! the list of used ones remembers, is not given: the hash is taken again with a number.

use std::net::IpAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use inventory_core::mac::MacAddr;
use inventory_core::model::{Host, Inventory, NetworkId};
use sha2::{Digest, Sha256};

use super::used;
use crate::exit::Failure;
use crate::free::{Family, free};
use crate::{leases, probe};

/// The hardware addresses of the inventory that may have been made here, each with its host.
pub(super) fn made(inventory: &Inventory) -> impl Iterator<Item = (MacAddr, &Host)> {
    let prefix = inventory.globals.site.mac_prefix.as_deref().unwrap_or(PREFIX);
    let all = inventory.hosts().flat_map(|host| host.nics.iter().map(move |nic| (nic, host)));
    all.filter_map(move |(nic, host)| nic.mac.filter(|mac| mac.0.starts_with(prefix)).map(|mac| (mac, host)))
}

/// First octet without `[site] mac-prefix`: locally administered, and nothing else is known of it.
const PREFIX: &[u8] = &[0x02];

/// The addresses that `wanted` stand for, `auto` among them, in `network`.
pub(super) fn addresses(
    wanted: &[String],
    inventory: &Inventory,
    network: Option<NetworkId>,
    held: &leases::Held,
) -> Result<Vec<String>, Failure> {
    let mut taken = held.addresses.clone();
    let mut all = Vec::new();
    for text in wanted {
        let Some(family) = family(text, inventory, network)? else {
            all.push(text.clone());
            taken.extend(text.parse::<IpAddr>());
            continue;
        };
        let network = network.ok_or_else(|| no_network(text))?;
        let name = &inventory.globals.network(network).name;
        let found = free(inventory, network, family, &taken).find(|address| !passed_over(*address, held));
        let found = found.ok_or_else(|| Failure::new(format!("no address of network `{name}` is free")))?;
        taken.push(found);
        all.push(found.to_string());
    }
    Ok(all)
}

/// Whether a machine uses an address that nobody has written down; says so. It is only asked for where dhcpd
/// runs, which is where the networks are.
fn passed_over(address: IpAddr, held: &leases::Held) -> bool {
    let in_use = held.asked && probe::is_in_use(address);
    if in_use {
        eprintln!("hostbook: {address} is passed over: a machine uses it that has no lease and no entry");
    }
    in_use
}

/// Whether any of `wanted` is to be found.
pub(super) fn is_auto(text: &str) -> bool {
    matches!(text, "auto" | "auto4" | "auto6")
}

/// The family of an address that is to be found; `None` if `text` is none.
fn family(text: &str, inventory: &Inventory, network: Option<NetworkId>) -> Result<Option<Family>, Failure> {
    let family = match text {
        "auto4" => Family::V4,
        "auto6" => Family::V6,
        "auto" => {
            let network = inventory.globals.network(network.ok_or_else(|| no_network(text))?);
            if network.ipv4.is_some() { Family::V4 } else { Family::V6 }
        }
        _ => return Ok(None),
    };
    Ok(Some(family))
}

fn no_network(text: &str) -> Failure {
    Failure::usage(format!("`{text}` needs `--network`: the network that the address is to be of"))
}

/// The hardware address of the interface with this whole name.
pub(super) fn mac(name: &str, inventory: &Inventory, root: &Path) -> MacAddr {
    let prefix = inventory.globals.site.mac_prefix.as_deref().unwrap_or(PREFIX);
    let remembered = used::list(root);
    let used = |mac| {
        remembered.contains(&mac)
            || inventory.hosts().flat_map(|host| &host.nics).any(|nic| nic.mac == Some(mac))
    };
    let mut mac = derived(prefix, name, 0);
    // Each try is another address; a prefix that is used up ends in a duplicate, which the check refuses.
    for number in 1..=1 << 12 {
        if !used(mac) && !in_history(root, mac) {
            break;
        }
        mac = derived(prefix, name, number);
    }
    mac
}

fn derived(prefix: &[u8], name: &str, number: u32) -> MacAddr {
    let mut hasher = Sha256::new();
    hasher.update(name.to_ascii_lowercase().as_bytes());
    if number > 0 {
        hasher.update(number.to_be_bytes());
    }
    let hash: [u8; 32] = hasher.finalize().into();
    let mut octets = [0; 6];
    for (octet, value) in octets.iter_mut().zip(prefix.iter().chain(&hash)) {
        *octet = *value;
    }
    MacAddr(octets)
}

/// Whether a commit of the git history of `root` ever had this address. No git, no history.
fn in_history(root: &Path, mac: MacAddr) -> bool {
    let mut git = Command::new("git");
    git.arg("-C").arg(root).args(["log", "--all", "-1", "--format=%h", &format!("-S{mac}"), "--", "*.toml"]);
    git.stdin(Stdio::null()).stderr(Stdio::null());
    git.output().is_ok_and(|output| output.status.success() && !output.stdout.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_address_and_another_name_another() {
        let mac = derived(&[2, 0x68, 0x62], "web1.lab.example.org", 0);
        assert_eq!(mac, derived(&[2, 0x68, 0x62], "WEB1.lab.example.org", 0));
        assert_eq!(mac.0[..3], [2, 0x68, 0x62]);
        assert_ne!(mac, derived(&[2, 0x68, 0x62], "web2.lab.example.org", 0));
        assert_ne!(mac, derived(&[2, 0x68, 0x62], "web1.lab.example.org", 1));
        assert_eq!(mac.reject(), None);
    }
}
