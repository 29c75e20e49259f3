//! Kea's configuration: JSON with comments, DHCPv4 and DHCPv6.

use std::net::IpAddr;

use inventory_core::mac::MacAddr;
use inventory_core::model::Range;
use ipnet::IpNet;
use serde_json::Value;

use super::book::{Book, Card, Machine, Net, host_option};
use crate::edit::{key, quote};

/// Reads one file.
///
/// # Errors
/// It is no JSON.
pub(super) fn read(name: &str, text: &str, book: &mut Book) -> Result<(), String> {
    let config: Value =
        serde_json::from_str(&without_comments(text)).map_err(|error| format!("{name}: {error}"))?;
    for (family, key, subnets) in [(4, "Dhcp4", "subnet4"), (6, "Dhcp6", "subnet6")] {
        let server = &config[key];
        if server.is_null() {
            continue;
        }
        let at = format!("{name}: {key}");
        let list = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
        let shared = list(server, "shared-networks");
        let outer: Vec<(Value, Value)> = shared
            .into_iter()
            .flat_map(|shared| list(&shared, subnets).into_iter().map(move |subnet| (shared.clone(), subnet)))
            .chain(list(server, subnets).into_iter().map(|subnet| (Value::Null, subnet)))
            .collect();
        for (shared, subnet) in outer {
            read_subnet(server, &shared, &subnet, family, &at, book);
        }
        for reservation in list(server, "reservations") {
            reserve(&reservation, None, family, &at, book);
        }
        for what in ["client-classes", "option-def"] {
            if !list(server, what).is_empty() {
                book.lose(&at, format!("`{what}`"));
            }
        }
        for hook in list(server, "hooks-libraries") {
            book.lose(&at, format!("hook {}", hook["library"]));
        }
    }
    Ok(())
}

fn read_subnet(server: &Value, shared: &Value, subnet: &Value, family: u8, at: &str, book: &mut Book) {
    let Some(prefix) = subnet["subnet"].as_str().and_then(|text| text.parse::<IpNet>().ok()) else {
        return book.lose(at, format!("subnet {}", subnet["subnet"]));
    };
    let at = format!("{at}: {prefix}");
    let mut lost = Vec::new();
    let net = book.network(prefix);
    net.link = shared["name"].as_str().map(str::to_owned).or(net.link.take());
    if let Some(name) = subnet["user-context"]["name"].as_str() {
        name.clone_into(&mut net.name);
    }
    for pool in subnet["pools"].as_array().into_iter().flatten() {
        match pool["pool"].as_str().and_then(range) {
            Some(range) => net.pools.push(range),
            None => lost.push(format!("pool {}", pool["pool"])),
        }
    }
    let lifetime = |value: &Value| value["valid-lifetime"].as_u64();
    net.lease_seconds = lifetime(subnet).or_else(|| lifetime(shared)).or_else(|| lifetime(server));
    if family == 4 {
        for holder in [server, shared, subnet] {
            for option in holder["option-data"].as_array().into_iter().flatten() {
                if !take_option(net, option) {
                    lost.push(format!("option {}", option["name"]));
                }
            }
        }
    } else if subnet["option-data"].as_array().is_some_and(|options| !options.is_empty()) {
        lost.push("options of DHCPv6".to_owned());
    }
    for what in lost {
        book.lose(&at, what);
    }
    for reservation in subnet["reservations"].as_array().into_iter().flatten() {
        reserve(reservation, Some(prefix), family, &at, book);
    }
}

/// `10.0.0.1 - 10.0.0.9`, or a prefix.
fn range(text: &str) -> Option<Range> {
    match text.split_once('-') {
        Some((first, last)) => Range::new(first.trim().parse().ok()?, last.trim().parse().ok()?),
        None => {
            let net: IpNet = text.trim().parse().ok()?;
            Range::new(net.network(), net.broadcast())
        }
    }
}

fn take_option(net: &mut Net, option: &Value) -> bool {
    let data = option["data"].as_str().unwrap_or_default();
    let name = option["name"].as_str().map(str::to_owned);
    let code = option["code"].as_u64().map(|code| code.to_string());
    let Some(name) = name.or(code) else { return false };
    if option["csv-format"] == false {
        let digits: String = data.trim_start_matches("0x").chars().filter(char::is_ascii_hexdigit).collect();
        let octets: Option<Vec<u8>> = (0..digits.len() / 2)
            .map(|index| u8::from_str_radix(digits.get(index * 2..index * 2 + 2)?, 16).ok())
            .collect();
        let by_name = inventory_core::options::by_name(inventory_core::options::Family::V4, &name);
        let code = by_name.map(|def| def.code).or_else(|| name.parse().ok());
        return code.zip(octets).is_some_and(|(code, octets)| net.take_octets(code, &octets));
    }
    let values: Vec<String> = data.split(',').map(|value| value.trim().to_owned()).collect();
    net.take_option(&name, &values)
}

/// A host's own options as TOML; `None`: one of them cannot be expressed.
fn own_options(options: &Value) -> Option<String> {
    let options = options.as_array()?.iter().map(|option| {
        let data = option["data"].as_str().filter(|_| option["csv-format"] != false)?;
        let values: Vec<String> = data.split(',').map(|value| value.trim().to_owned()).collect();
        let (option, value) = host_option(option["name"].as_str()?, &values)?;
        Some(format!("{} = {value}", key(&option)))
    });
    Some(format!("{{ {} }}", options.collect::<Option<Vec<String>>>()?.join(", ")))
}

fn reserve(reservation: &Value, prefix: Option<IpNet>, family: u8, at: &str, book: &mut Book) {
    let text = |key: &str| reservation[key].as_str();
    let mac = text("hw-address").and_then(|text| text.parse::<MacAddr>().ok());
    let mut addresses: Vec<IpAddr> =
        text("ip-address").and_then(|text| text.parse().ok()).into_iter().collect();
    let six = reservation["ip-addresses"].as_array().into_iter().flatten();
    addresses.extend(six.filter_map(|value| value.as_str()?.parse::<IpAddr>().ok()));
    let card = Card { mac, addresses, network: prefix.map(|net| net.to_string()), ..Card::default() };
    let name = text("hostname").unwrap_or_default().trim_end_matches('.').to_owned();
    let mut machine = Machine { name, cards: vec![card], at: at.to_owned(), ..Machine::default() };
    for key in ["duid", "client-id"] {
        if let Some(id) = text(key) {
            let id = id.trim_start_matches("0x");
            let colons = if id.contains(':') {
                id.to_owned()
            } else {
                let pairs: Vec<String> =
                    id.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).into_owned()).collect();
                pairs.join(":")
            };
            machine.keys.insert(key.to_owned(), quote(&colons.to_ascii_lowercase()));
        }
    }
    let who = text("hostname").or(text("hw-address")).or(text("ip-address")).unwrap_or("?").to_owned();
    for key in ["flex-id", "circuit-id", "option-data", "client-classes", "next-server", "boot-file-name"] {
        let empty = reservation[key].as_array().is_some_and(Vec::is_empty)
            || reservation[key] == ""
            || reservation[key] == "0.0.0.0";
        if reservation[key].is_null() || empty {
            continue;
        }
        match own_options(&reservation[key]).filter(|_| family == 4 && key == "option-data") {
            Some(options) => drop(machine.keys.insert("options".to_owned(), options)),
            None => book.lose(at, format!("`{key}` of {who}")),
        }
    }
    book.machines.push(machine);
}

/// The text without `//`, `#` and `/* */` comments and commas before a closing bracket, as Kea reads it.
fn without_comments(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => {
                let mut escaped = false;
                let end = rest.char_indices().skip(1).find(|(_, c)| {
                    let ends = *c == '"' && !escaped;
                    escaped = *c == '\\' && !escaped;
                    ends
                });
                let length = end.map_or(rest.len(), |(at, _)| at + 1);
                clean.push_str(&rest[..length]);
                length
            }
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            ']' | '}' => {
                let kept = clean.trim_end().len();
                if clean[..kept].ends_with(',') {
                    clean.truncate(kept - 1);
                }
                clean.push(first);
                1
            }
            other => {
                clean.push(other);
                other.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_trailing_commas_are_read_as_kea_reads_them() {
        let text = "{ // one\n \"a\": \"x//y #z\", # two\n /* three */ \"b\": [1, 2, ], }";
        let value: Value = serde_json::from_str(&without_comments(text)).unwrap();
        assert_eq!(value, serde_json::json!({ "a": "x//y #z", "b": [1, 2] }));
    }
}
