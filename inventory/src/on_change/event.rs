//! What a hook is told: two states and all that differs between them.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use inventory_core::model::{Inventory, Snapshot};
use serde_json::{Value, json};

use crate::{leases, list, moment, plan};

/// The event of `after` being taken into service after `before`; `None` if nothing differs but comments
/// and order. `before` that is not known makes an event that says so by null.
pub(super) fn between(
    before: Option<(&Snapshot, &Value)>,
    after: &Snapshot,
    daemons: &[PathBuf],
) -> Option<Value> {
    let Some((before, described)) = before else {
        return Some(json!({ "before": null, "after": describe(after), "changes": null }));
    };
    let mut changes = plan::between(before, after);
    // Those that have no leases say so.
    let leases_of = |daemon: &PathBuf| leases::records(&Some(daemon.clone())).0;
    let known_leases: Vec<_> = daemons.iter().flat_map(leases_of).collect();
    changes.leases = plan::lost(before, after, &known_leases, moment::now_ms());
    let hosts = hosts(&before.inventory, &after.inventory);
    if changes.is_empty() && hosts.is_empty() {
        return None;
    }
    let mut changes = serde_json::to_value(changes).unwrap_or_default();
    if let Some(changes) = changes.as_object_mut() {
        // Warnings are the check's, and not part of what is served.
        changes.remove("warnings");
        changes.insert("hosts".to_owned(), hosts.into());
    }
    Some(json!({ "before": described, "after": describe(after), "changes": changes }))
}

/// A state in JSON: its content hash and its commit.
pub(super) fn describe(snapshot: &Snapshot) -> Value {
    let commit = snapshot.commit.as_ref().map(|commit| commit.id.to_string());
    json!({ "hash": snapshot.hash.to_string(), "commit": commit })
}

/// Hosts whose entries differ, by name, each as `hostbook show --json` has it.
fn hosts(before: &Inventory, after: &Inventory) -> Vec<Value> {
    let (old, new) = (entries(before, after), entries(after, before));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let differs = names.into_iter().filter(|name| old.get(*name) != new.get(*name));
    let change = |name: &String| {
        let (was, is) = (old.get(name), new.get(name));
        let sign = match (was, is) {
            (None, _) => "added",
            (_, None) => "removed",
            _ => "changed",
        };
        json!({ "sign": sign, "host": name, "before": was, "after": is })
    };
    differs.map(change).collect()
}

/// Hosts of `inventory` but those of files that it shares with `other`.
fn entries(inventory: &Inventory, other: &Inventory) -> BTreeMap<String, Value> {
    // Ids in a file's hosts are those of the whole, so that a file is the same only beside the same globals.
    let same = Arc::ptr_eq(&inventory.globals, &other.globals);
    let shared: HashSet<_> = other.shards.iter().filter(|_| same).map(Arc::as_ptr).collect();
    let own = inventory.shards.iter().filter(|shard| !shared.contains(&Arc::as_ptr(shard)));
    let entry = |host| {
        let value = list::host_json(host, &inventory.globals);
        (value["host"].as_str().unwrap_or_default().to_owned(), value)
    };
    own.flat_map(|shard| shard.hosts().iter().map(entry)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SITE: &str = r#"
        [site]
        nameservers = ["ns1.lab.example.org"]
        contact = "h@lab.example.org"
        [zone."lab.example.org"]
        [network.n]
        zone = "lab.example.org"
        ipv4 = "10.0.0.0/24"
        [host.ns1]
        network = "n"
        ip = "10.0.0.2"
        cpu = 2
    "#;

    fn load(text: &str) -> Snapshot {
        inventory_core::load_texts(&[("a.toml", text)]).unwrap()
    }

    fn event(before: &str, after: &str) -> Option<Value> {
        let before = load(before);
        between(Some((&before, &describe(&before))), &load(after), &[])
    }

    #[test]
    fn hosts_come_with_both_entries_and_records_with_their_zone() {
        let text =
            format!("{SITE}[host.web]\nnetwork = \"n\"\nip = \"10.0.0.3\"\n").replace("cpu = 2", "cpu = 4");
        let event = event(SITE, &text).unwrap();
        let hosts = &event["changes"]["hosts"];
        assert_eq!((&hosts[0]["before"]["cpu"], &hosts[0]["after"]["cpu"]), (&json!(2), &json!(4)));
        assert_eq!((&hosts[1]["sign"], &hosts[1]["before"]), (&json!("added"), &Value::Null));
        assert_eq!(event["changes"]["dns"][1]["records"][0]["owner"], "web.lab.example.org");
        assert_ne!(event["before"]["hash"], event["after"]["hash"]);
    }

    #[test]
    fn where_names_of_leases_go_is_an_event() {
        let text = |updates: &str, key: &str| {
            let site = SITE.replace("[zone", &format!("{updates}\n[zone"));
            format!(
                "{site}[network.g]\nzone = \"lab.example.org\"\nipv4 = \"10.1.0.0/24\"\npool = \"10.1.0.9\"\n{key}\n[key.k]\nfile = \"/k\"\n"
            )
        };
        let to = |server: &str| {
            text(&format!("updates = {{ server = \"{server}\", key = \"k\" }}"), "dynamic-names = true")
        };
        let keys = |event: Option<Value>| event.unwrap()["changes"]["networks"][0]["keys"].clone();
        let told = keys(event(&text("", ""), &to("10.0.0.2")));
        assert_eq!(told, json!([["dynamic-names", "", "to 10.0.0.2:53 by key k"]]));
        let moved = keys(event(&to("10.0.0.2"), &to("10.0.0.3")));
        assert_eq!(moved[0][2], "to 10.0.0.3:53 by key k");
    }

    #[test]
    fn a_comment_is_no_event_and_an_unknown_past_is_one() {
        assert_eq!(event(SITE, &format!("# a comment\n{SITE}")), None);
        let unknown = between(None, &load(SITE), &[]).unwrap();
        assert_eq!((&unknown["before"], &unknown["changes"]), (&Value::Null, &Value::Null));
    }
}
