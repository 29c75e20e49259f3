//! Prometheus' file-based service discovery.

use inventory_core::model::Inventory;
use serde_json::{Value, json};

use super::{pretty, served};

/// A target for each host, with what its labels can be made of.
pub(super) fn text(inventory: &Inventory, tags: &[String], port: u16) -> String {
    let globals = &inventory.globals;
    let groups = served(inventory, tags).map(|host| {
        let nic = host.primary();
        let mut labels = json!({
            "__meta_hostbook_host": host.name.fqdn.to_string(),
            "__meta_hostbook_state": host.state.word(),
            "__meta_hostbook_network": globals.network(nic.network).name,
            "__meta_hostbook_zone": globals.zone(host.name.zone).name.to_string(),
            // Commas at both ends, so that one tag is matched by `.*,web,.*`.
            "__meta_hostbook_tags": format!(",{},", host.tags.join(",")),
        });
        if let Some(vmhost) = host.vmhost() {
            labels["__meta_hostbook_vmhost"] = json!(vmhost);
        }
        if let Some(address) = nic.addresses.first() {
            labels["__meta_hostbook_address"] = json!(address);
        }
        json!({ "targets": [format!("{}:{port}", host.name.fqdn)], "labels": labels })
    });
    pretty(&Value::from_iter(groups))
}
