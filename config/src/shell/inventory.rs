//! A host's entry of the inventory as files, for manifests: `$__inventory/ipv4`, `$__inventory/nic/lan/mac`.
//!
//! What has several values has one per line. What is not known has no file.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::Path;

use inventory_core::model::{Firmware, Found, Globals, Host, HostIndex, Inventory, Nic};

/// Files of an entry: path and content.
pub type Files = Vec<(String, String)>;

/// The entry of `host`; on a machine that hosts virtual ones, theirs too, below `vm/`.
pub fn files(inventory: &Inventory, index: &HostIndex<'_>, host: &Host) -> Files {
    let mut files = entry(host, &inventory.globals);
    for vm in inventory.hosts().filter(|vm| is_vm_of(index, inventory, vm, host)) {
        let name = short_name(vm);
        files.extend(
            entry(vm, &inventory.globals).into_iter().map(|(path, text)| (format!("vm/{name}/{path}"), text)),
        );
    }
    files
}

/// Whether `vm` is a virtual machine on `host`.
pub fn is_vm_of(index: &HostIndex<'_>, inventory: &Inventory, vm: &Host, host: &Host) -> bool {
    let near = &inventory.globals.zone(vm.name.zone).name;
    vm.vmhost().is_some_and(
        |name| matches!(index.find(name, Some(near)), Found::One(found) if found.name == host.name),
    )
}

/// The first label of a host's name.
pub fn short_name(host: &Host) -> String {
    host.name
        .fqdn
        .labels()
        .next()
        .map(|label| String::from_utf8_lossy(label).into_owned())
        .unwrap_or_default()
}

/// Writes files below `directory`.
///
/// # Errors
/// The file system refuses.
pub fn write(files: &Files, directory: &Path) -> io::Result<()> {
    for (path, text) in files {
        let path = directory.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, text)?;
    }
    Ok(())
}

fn entry(host: &Host, globals: &Globals) -> Files {
    let mut files = Files::new();
    let mut put = |path: String, lines: Vec<String>| {
        if !lines.is_empty() {
            files.push((path, lines.iter().map(|line| format!("{line}\n")).collect()));
        }
    };
    let top = |name: &str| name.to_owned();
    put(top("fqdn"), vec![host.name.fqdn.to_string()]);
    put(top("name"), vec![short_name(host)]);
    put(top("zone"), vec![globals.zone(host.name.zone).name.to_string()]);
    put(top("state"), vec![host.state.word().to_owned()]);
    put(top("tags"), host.tags.iter().map(ToString::to_string).collect());
    put(top("alias"), host.aliases.iter().map(|alias| alias.name.fqdn.to_string()).collect());
    put(top("boot"), host.boot.map(|boot| globals.boot(boot).name.to_string()).into_iter().collect());
    let hardware = &host.hardware;
    put(top("cpu"), hardware.cpu.iter().map(ToString::to_string).collect());
    put(top("memory"), hardware.memory.iter().map(u64::to_string).collect());
    let firmware = hardware.firmware.map(|firmware| match firmware {
        Firmware::Bios => "bios".to_owned(),
        Firmware::Uefi => "uefi".to_owned(),
    });
    put(top("firmware"), firmware.into_iter().collect());
    put(top("vmhost"), host.vmhost().map(str::to_owned).into_iter().collect());
    for disk in hardware.disks.iter() {
        put(format!("disk/{}", disk.name), vec![disk.size.to_string()]);
    }
    for (path, lines) in nic(host.primary(), globals) {
        put(path, lines);
    }
    for (at, (name, interface)) in host.named_nics().enumerate() {
        let key = interface.rest.key.as_deref().map_or_else(|| at.to_string(), str::to_owned);
        put(format!("nic/{key}/name"), vec![name.fqdn.to_string()]);
        for (path, lines) in nic(interface, globals) {
            put(format!("nic/{key}/{path}"), lines);
        }
    }
    files
}

fn nic(nic: &Nic, globals: &Globals) -> Vec<(String, Vec<String>)> {
    let network = globals.network(nic.network);
    let of = |v4: bool| -> Vec<String> {
        nic.addresses.iter().filter(|address| address.is_ipv4() == v4).map(IpAddr::to_string).collect()
    };
    let text = |name: &str, lines: Vec<String>| (name.to_owned(), lines);
    vec![
        text("network", vec![network.name.to_string()]),
        text("bridge", vec![network.bridge.as_deref().unwrap_or(&network.name).to_owned()]),
        text("mac", nic.mac.iter().map(ToString::to_string).collect()),
        text("ipv4", of(true)),
        text("ipv6", of(false)),
        text("prefix4", network.ipv4.iter().map(ToString::to_string).collect()),
        text("prefix6", network.ipv6.iter().map(ToString::to_string).collect()),
        text("gateway", network.gateway.iter().map(ToString::to_string).collect()),
        text("dns", network.dns.iter().map(ToString::to_string).collect()),
    ]
}
