//! Ansible's static inventories: INI, and the plain part of YAML that they are written in.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::book::{Book, Card, Machine};

/// Hosts by name: their groups and variables, and where they are written.
#[derive(Default)]
struct Hosts {
    groups: BTreeMap<String, BTreeSet<String>>,
    variables: BTreeMap<String, BTreeMap<String, String>>,
    at: BTreeMap<String, String>,
    /// For each group those that it is in.
    parents: BTreeMap<String, BTreeSet<String>>,
}

/// Reads one file of either form.
pub(super) fn read(name: &str, text: &str, book: &mut Book) {
    let mut hosts = Hosts::default();
    let is_yaml = name.ends_with(".yml") || name.ends_with(".yaml") || text.starts_with("---");
    if is_yaml {
        yaml(name, text, &mut hosts, book);
    } else {
        ini(name, text, &mut hosts, book);
    }
    hosts.tell(book);
}

impl Hosts {
    fn host(&mut self, pattern: &str, group: &str, at: &str) -> Vec<String> {
        let names = expanded(pattern);
        for name in &names {
            let groups = self.groups.entry(name.clone()).or_default();
            groups.insert(group.to_owned());
            self.at.entry(name.clone()).or_insert_with(|| at.to_owned());
        }
        names
    }

    fn tell(self, book: &mut Book) {
        for (name, own) in &self.groups {
            let at = &self.at[name];
            let mut groups: BTreeSet<String> = BTreeSet::new();
            let mut left: Vec<&String> = own.iter().collect();
            while let Some(group) = left.pop() {
                if groups.insert(group.clone()) {
                    left.extend(self.parents.get(group).into_iter().flatten());
                }
            }
            groups.retain(|group| !matches!(group.as_str(), "all" | "ungrouped"));
            let variables = self.variables.get(name);
            let address = variables.and_then(|variables| variables.get("ansible_host"));
            let address = address.and_then(|text| text.parse::<IpAddr>().ok()).or_else(|| name.parse().ok());
            for key in
                variables.into_iter().flatten().map(|(key, _)| key).filter(|key| *key != "ansible_host")
            {
                book.lose(at, format!("variable `{key}` of {name}"));
            }
            let card = Card { addresses: address.into_iter().collect(), ..Card::default() };
            let name = if name.parse::<IpAddr>().is_ok() { String::new() } else { name.clone() };
            let machine = Machine {
                name,
                cards: vec![card],
                tags: groups.into_iter().collect(),
                at: at.clone(),
                ..Machine::default()
            };
            book.machines.push(machine);
        }
    }
}

/// `web[01:03]` as its names, `db-[a:c]` too.
fn expanded(pattern: &str) -> Vec<String> {
    let Some((head, rest)) = pattern.split_once('[') else { return vec![pattern.to_owned()] };
    let Some((range, tail)) = rest.split_once(']') else { return vec![pattern.to_owned()] };
    let mut parts = range.split(':');
    let (first, last) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let step = parts.next().and_then(|step| step.parse().ok()).filter(|step| *step > 0).unwrap_or(1);
    let items: Vec<String> = match (first.parse::<u32>(), last.parse::<u32>()) {
        (Ok(from), Ok(to)) => (from..=to.min(from.saturating_add(9_999)))
            .step_by(step)
            .map(|number| format!("{number:0width$}", width = first.len()))
            .collect(),
        _ => match (first.chars().next(), last.chars().next()) {
            (Some(from), Some(to)) => (from..=to).step_by(step).map(String::from).collect(),
            _ => return vec![pattern.to_owned()],
        },
    };
    items.iter().flat_map(|item| expanded(&format!("{head}{item}{tail}"))).collect()
}

fn ini(file: &str, text: &str, hosts: &mut Hosts, book: &mut Book) {
    let (mut group, mut kind) = ("ungrouped".to_owned(), String::new());
    for (number, line) in (1..).zip(text.lines()) {
        let at = format!("{file}:{number}");
        let line = line.split(" #").next().unwrap_or_default().trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(header) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            let (name, what) = header.split_once(':').unwrap_or((header, ""));
            (group, kind) = (name.to_owned(), what.to_owned());
            continue;
        }
        match kind.as_str() {
            "children" => {
                hosts.parents.entry(line.to_owned()).or_default().insert(group.clone());
            }
            "vars" => book.lose(&at, format!("variable `{line}` of group {group}")),
            _ => {
                let mut words = line.split_whitespace();
                let names = hosts.host(words.next().unwrap_or_default(), &group, &at);
                for (key, value) in words.filter_map(|word| word.split_once('=')) {
                    for name in &names {
                        let variables = hosts.variables.entry(name.clone()).or_default();
                        variables.insert(key.to_owned(), value.trim_matches(['"', '\'']).to_owned());
                    }
                }
            }
        }
    }
}

/// Mappings by indentation, a scalar at most at their ends: that is how such inventories are written.
/// Anything else is told.
fn yaml(file: &str, text: &str, hosts: &mut Hosts, book: &mut Book) {
    let mut path: Vec<(usize, String)> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let at = format!("{file}:{number}");
        let bare = line.split(" #").next().unwrap_or_default().trim_end();
        let words = bare.trim_start();
        if words.is_empty() || words.starts_with('#') || words == "---" {
            continue;
        }
        let indent = bare.len() - words.len();
        path.retain(|(outer, _)| *outer < indent);
        // A colon ends a key at the end of the line or before a blank: others belong to ranges.
        let entry = words.strip_suffix(':').map(|key| (key, "")).or_else(|| words.split_once(": "));
        let Some((key, value)) = entry.filter(|_| !words.starts_with(['-', '{', '['])) else {
            book.lose(&at, format!("`{words}`"));
            continue;
        };
        let unquoted = |text: &str| text.trim().trim_matches(['"', '\'']).to_owned();
        let (key, value) = (unquoted(key), unquoted(value));
        path.push((indent, key.clone()));
        let keys: Vec<String> = path.iter().map(|(_, key)| key.clone()).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        match keys.as_slice() {
            [.., group, "hosts", host] => {
                hosts.host(host, group, &at);
            }
            [.., _, "hosts", host, variable] => {
                for name in expanded(host) {
                    hosts.variables.entry(name).or_default().insert((*variable).to_owned(), value.clone());
                }
            }
            [.., group, "children", child] => {
                hosts.parents.entry((*child).to_owned()).or_default().insert((*group).to_owned());
            }
            [.., group, "vars", variable] => {
                book.lose(&at, format!("variable `{variable}` of group {group}"));
            }
            [.., "hosts" | "children" | "vars"] | [_] => {}
            _ => book.lose(&at, format!("`{words}`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(name: &str, text: &str) -> Vec<(String, String, String)> {
        let mut book = Book::default();
        read(name, text, &mut book);
        let addresses =
            |machine: &Machine| machine.cards[0].addresses.iter().map(ToString::to_string).collect();
        book.machines
            .iter()
            .map(|machine| (machine.name.clone(), addresses(machine), machine.tags.join(",")))
            .collect()
    }

    #[test]
    fn groups_ranges_and_addresses_are_read_from_both_forms() {
        let wanted = [("db", "10.0.0.9", "prod"), ("web1", "", "prod,web"), ("web2", "", "prod,web")];
        let wanted: Vec<_> =
            wanted.iter().map(|(a, b, c)| ((*a).to_owned(), (*b).to_owned(), (*c).to_owned())).collect();
        let ini = "[web]\nweb[1:2] # two\n[prod]\ndb ansible_host=10.0.0.9\n[prod:children]\nweb\n";
        assert_eq!(shown("hosts", ini), wanted);
        let yaml = "---\nall:\n  children:\n    prod:\n      hosts:\n        db:\n          ansible_host: 10.0.0.9\n      children:\n        web:\n          hosts:\n            web[1:2]:\n";
        assert_eq!(shown("hosts.yml", yaml), wanted);
    }
}
