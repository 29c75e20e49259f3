//! NetBox's exports: prefixes, addresses, interfaces, devices and virtual machines, as JSON of its API or
//! as CSV of its tables.

use std::net::IpAddr;

use inventory_core::mac::MacAddr;
use ipnet::IpNet;
use serde_json::{Map, Value};

use super::book::{Book, Card, Machine};
use crate::edit::quote;

/// Reads one file of either form.
///
/// # Errors
/// It is neither.
pub(super) fn read(name: &str, text: &str, book: &mut Book) -> Result<(), String> {
    let items = if text.trim_start().starts_with(['{', '[']) {
        let value: Value = serde_json::from_str(text).map_err(|error| format!("{name}: {error}"))?;
        // A page of the API, or a list.
        let list = if value["results"].is_array() { value["results"].clone() } else { value };
        list.as_array().cloned().ok_or_else(|| format!("{name}: neither a list nor a page of the API"))?
    } else {
        rows(text)
    };
    for (number, item) in (1..).zip(items) {
        let at = format!("{name}: item {number}");
        if !take(&item, &at, book) {
            book.lose(&at, format!("`{item}`"));
        }
    }
    Ok(())
}

/// A field as a text: itself, or what its object is called.
fn text(item: &Value, key: &str) -> Option<String> {
    let value = &item[key];
    let names = ["name", "value", "slug", "address", "mac_address"];
    let mut inner = std::iter::once(value).chain(names.iter().map(|name| &value[*name]));
    inner.find_map(|value| match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

fn take(item: &Value, at: &str, book: &mut Book) -> bool {
    if let Some(prefix) = text(item, "prefix") {
        let Ok(prefix) = prefix.parse::<IpNet>() else { return false };
        let net = book.network(prefix);
        if let Some(name) = text(item, "vlan").or_else(|| text(item, "description")) {
            net.name = name.to_ascii_lowercase();
        }
        return true;
    }
    let owner = |item: &Value| {
        let holder = ["device", "virtual_machine", "parent"];
        holder.into_iter().find_map(|key| text(item, key)).map(|name| name.to_ascii_lowercase())
    };
    if let Some(address) = text(item, "address") {
        let Ok(address) = address.split('/').next().unwrap_or_default().parse::<IpAddr>() else {
            return false;
        };
        let object = &item["assigned_object"];
        let of = if object.is_object() { object } else { item };
        let interface = text(of, if object.is_object() { "name" } else { "interface" }).unwrap_or_default();
        let dns = text(item, "dns_name");
        let Some(name) = owner(of).or_else(|| dns.clone()) else { return false };
        let card = Card { key: interface, addresses: vec![address], ..Card::default() };
        let name = dns.filter(|dns| dns.split('.').next() == Some(&name)).unwrap_or(name);
        book.machines.push(Machine { name, cards: vec![card], at: at.to_owned(), ..Machine::default() });
        return true;
    }
    let mac = text(item, "mac_address").or_else(|| text(item, "primary_mac_address"));
    if let (Some(name), Some(interface)) = (owner(item), text(item, "name"))
        && (mac.is_some() || !item["type"].is_null())
        && item["primary_ip4"].is_null()
        && item["vcpus"].is_null()
    {
        let Some(mac) = mac else { return true };
        let Ok(mac) = mac.parse::<MacAddr>() else { return false };
        let card = Card { key: interface, mac: Some(mac), ..Card::default() };
        book.machines.push(Machine { name, cards: vec![card], at: at.to_owned(), ..Machine::default() });
        return true;
    }
    machine(item, at, book)
}

/// A device or a virtual machine.
fn machine(item: &Value, at: &str, book: &mut Book) -> bool {
    let Some(name) = text(item, "name") else { return false };
    let mut machine = Machine { name: name.to_ascii_lowercase(), at: at.to_owned(), ..Machine::default() };
    let whole = |key: &str| text(item, key).and_then(|text| text.split('.').next()?.parse::<u64>().ok());
    if let Some(cpu) = whole("vcpus") {
        machine.keys.insert("cpu".to_owned(), cpu.to_string());
    }
    if let Some(megabytes) = whole("memory") {
        machine.keys.insert("memory".to_owned(), quote(&format!("{megabytes} MiB")));
    }
    if let Some(gigabytes) = whole("disk") {
        machine.keys.insert("disk".to_owned(), format!("{{ root = \"{gigabytes} GiB\" }}"));
    }
    let state = match text(item, "status").unwrap_or_default().to_ascii_lowercase().as_str() {
        "planned" | "staged" | "inventory" => Some("planned"),
        "offline" | "decommissioning" | "failed" => Some("retired"),
        _ => None,
    };
    machine.keys.extend(state.map(|state| ("state".to_owned(), quote(state))));
    let tags = item["tags"].as_array().cloned().unwrap_or_default();
    let slug = |tag: &Value| tag["slug"].as_str().or(tag.as_str()).map(str::to_owned);
    machine.tags = tags.iter().filter_map(slug).collect();
    machine.tags.extend(
        text(item, "role")
            .or_else(|| text(item, "device_role"))
            .map(|role| role.to_ascii_lowercase().replace(' ', "-")),
    );
    let primary = ["primary_ip4", "primary_ip6", "primary_ip"].into_iter().filter_map(|key| text(item, key));
    let addresses = primary.filter_map(|text| text.split('/').next()?.parse::<IpAddr>().ok());
    let mut addresses: Vec<IpAddr> = addresses.collect();
    addresses.dedup();
    machine.cards = vec![Card { addresses, ..Card::default() }];
    book.machines.push(machine);
    true
}

/// The rows of a table as objects (RFC 4180).
fn rows(text: &str) -> Vec<Value> {
    let mut lines = records(text).into_iter();
    let heads: Vec<String> = lines.next().unwrap_or_default();
    let key =
        |head: &String| head.trim().trim_start_matches('\u{feff}').to_ascii_lowercase().replace(' ', "_");
    let heads: Vec<String> = heads.iter().map(key).collect();
    let object = |cells: Vec<String>| {
        let fields = heads.iter().cloned().zip(cells).filter(|(_, cell)| !cell.is_empty());
        let mut object: Map<String, Value> = fields.map(|(head, cell)| (head, Value::String(cell))).collect();
        if let Some(Value::String(tags)) = object.get("tags").cloned() {
            let list =
                tags.split([',', ' ']).filter(|tag| !tag.is_empty()).map(|tag| Value::String(tag.to_owned()));
            object.insert("tags".to_owned(), list.collect());
        }
        // The table of addresses calls it so, and those of devices and virtual machines the primary one.
        if let Some(address) = object.remove("ip_address") {
            let key = if object.contains_key("name") { "primary_ip" } else { "address" };
            object.insert(key.to_owned(), address);
        }
        Value::Object(object)
    };
    lines.filter(|cells| cells.iter().any(|cell| !cell.is_empty())).map(object).collect()
}

fn records(text: &str) -> Vec<Vec<String>> {
    let mut records = vec![vec![String::new()]];
    let mut quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let Some(cell) = records.last_mut().and_then(|record| record.last_mut()) else { break };
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => records.last_mut().into_iter().for_each(|record| record.push(String::new())),
            '\n' if !quoted => records.push(vec![String::new()]),
            '\r' if !quoted => {}
            other => cell.push(other),
        }
    }
    records
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_read_with_their_quotes() {
        let text = "Name,Tags,Comments\nweb1,\"a,b\",\"says \"\"hi\"\"\nand more\"\n\ndb1,,\n";
        let rows = rows(text);
        assert_eq!(rows.len(), 2);
        assert_eq!(
            (&rows[0]["tags"][1], &rows[0]["comments"]),
            (&"b".into(), &"says \"hi\"\nand more".into())
        );
    }

    #[test]
    fn a_device_its_interface_and_its_address_are_one_machine() {
        let mut book = Book::default();
        let json = r#"{"results":[
            {"prefix":"10.0.0.0/24","vlan":{"name":"Servers"}},
            {"name":"Web1","primary_ip4":{"address":"10.0.0.3/24"},"status":{"value":"active"},"tags":[{"slug":"prod"}]},
            {"name":"eth0","type":{"value":"1000base-t"},"device":{"name":"Web1"},"primary_mac_address":{"mac_address":"52:54:00:00:00:01"}},
            {"address":"10.0.0.3/24","dns_name":"web1.lab.example","assigned_object":{"name":"eth0","device":{"name":"Web1"}}}
        ]}"#;
        read("x.json", json, &mut book).unwrap();
        book.merge();
        assert!(book.lost.is_empty(), "{:?}", book.lost);
        assert_eq!(book.machines.len(), 1, "{:?}", book.machines);
        let machine = &book.machines[0];
        assert_eq!((machine.name.as_str(), machine.cards.len()), ("web1.lab.example", 1));
        assert!(machine.cards[0].mac.is_some() && machine.tags == ["prod"]);
        assert_eq!(book.networks[0].name, "servers");
    }
}
