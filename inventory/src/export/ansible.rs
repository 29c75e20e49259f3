//! Ansible's dynamic inventory: what a program prints for `--list` and `--host`.

use std::collections::{BTreeMap, BTreeSet};

use inventory_core::model::{Globals, Host, Inventory};
use serde_json::{Value, json};

use super::{label, pretty, served};
use crate::exit::Failure;
use crate::{list, show};

/// All groups, with the variables of every host.
pub(super) fn list(inventory: &Inventory, tags: &[String]) -> String {
    let globals = &inventory.globals;
    let mut groups: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut variables = serde_json::Map::new();
    for host in served(inventory, tags) {
        let name = host.name.fqdn.to_string();
        for group in groups_of(host, globals) {
            groups.entry(group).or_default().insert(name.clone());
        }
        variables.insert(name, variables_of(host, globals));
    }
    let mut all = serde_json::Map::new();
    all.insert("_meta".to_owned(), json!({ "hostvars": variables }));
    // Names in no group that is named would be lost, so every host is in `hostbook`, too.
    let hosts: BTreeSet<&String> = groups.values().flatten().collect();
    let children: Vec<&String> = groups.keys().collect();
    all.insert("all".to_owned(), json!({ "children": ["hostbook"] }));
    all.insert("hostbook".to_owned(), json!({ "hosts": hosts, "children": children }));
    for (group, hosts) in &groups {
        all.insert(group.clone(), json!({ "hosts": hosts }));
    }
    pretty(&Value::Object(all))
}

/// The variables of one host.
pub(super) fn host(inventory: &Inventory, name: &str) -> Result<String, Failure> {
    let found = show::find(name, inventory)?;
    let variables = found.first().map(|(_, host)| variables_of(host, &inventory.globals));
    Ok(pretty(&variables.unwrap_or_else(|| json!({}))))
}

/// Its tags as they are; network, zone, state and host of virtual machines with a word before.
fn groups_of(host: &Host, globals: &Globals) -> Vec<String> {
    let mut groups: Vec<String> = host.tags.iter().map(|tag| plain(tag)).collect();
    let networks = host.nics.iter().map(|nic| format!("network_{}", globals.network(nic.network).name));
    groups.extend(networks.map(|group| plain(&group)));
    groups.push(plain(&format!("zone_{}", globals.zone(host.name.zone).name)));
    groups.push(plain(&format!("state_{}", host.state.word())));
    groups.extend(host.vmhost().map(|vmhost| plain(&format!("vmhost_{vmhost}"))));
    groups
}

/// A name that Ansible takes for a group without a warning: letters, digits, underscores.
fn plain(name: &str) -> String {
    let clean: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    // `all`, `hostbook` and the like are taken.
    let taken = ["all", "ungrouped", "hostbook", "_meta"].contains(&clean.as_str());
    if taken || clean.starts_with(|c: char| c.is_ascii_digit()) { format!("tag_{clean}") } else { clean }
}

fn variables_of(host: &Host, globals: &Globals) -> Value {
    let mut variables = json!({ "hostbook": list::host_json(host, globals), "hostbook_name": label(host) });
    if let Some(address) = host.nics.iter().flat_map(|nic| &nic.addresses).next() {
        variables["ansible_host"] = json!(address);
    }
    variables
}
