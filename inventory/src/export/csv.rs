//! A line for each interface (RFC 4180).

use inventory_core::model::Inventory;
use inventory_core::units::show_size;

use super::picked;

/// What the columns are.
const HEADER: &str = "host,state,nic,name,network,mac,addresses,aliases,tags,cpu,memory,disks,vmhost";

pub(super) fn text(inventory: &Inventory, tags: &[String]) -> String {
    let globals = &inventory.globals;
    let mut lines = vec![HEADER.to_owned()];
    for host in picked(inventory, tags) {
        let hardware = &host.hardware;
        let disks: Vec<String> =
            hardware.disks.iter().map(|disk| format!("{}={}", disk.name, show_size(disk.size))).collect();
        for (name, nic) in host.named_nics() {
            let spaced = |texts: Vec<String>| texts.join(" ");
            let cells = [
                host.name.fqdn.to_string(),
                host.state.word().to_owned(),
                nic.rest.key.as_deref().unwrap_or_default().to_owned(),
                name.fqdn.to_string(),
                globals.network(nic.network).name.to_string(),
                nic.mac.map(|mac| mac.to_string()).unwrap_or_default(),
                spaced(nic.addresses.iter().map(ToString::to_string).collect()),
                spaced(host.aliases.iter().map(|alias| alias.name.fqdn.to_string()).collect()),
                host.tags.join(" "),
                hardware.cpu.map(|cpu| cpu.to_string()).unwrap_or_default(),
                hardware.memory.map(show_size).unwrap_or_default(),
                disks.join(" "),
                host.vmhost().unwrap_or_default().to_owned(),
            ];
            lines.push(cells.map(|cell| quoted(&cell)).join(","));
        }
    }
    lines.join("\n")
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}
