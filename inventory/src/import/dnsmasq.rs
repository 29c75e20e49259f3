//! dnsmasq's configuration: what it says of hosts, networks and names.

use std::net::{IpAddr, Ipv4Addr};

use inventory_core::mac::MacAddr;
use inventory_core::model::Range;
use inventory_core::units::parse_duration;
use ipnet::{IpNet, Ipv4Net};

use super::book::{Book, Net};

/// Settings that are about dnsmasq itself, and say nothing that an inventory could.
const ITS_OWN: [&str; 45] = [
    "no-resolv",
    "no-hosts",
    "no-poll",
    "bogus-priv",
    "domain-needed",
    "expand-hosts",
    "interface",
    "except-interface",
    "listen-address",
    "bind-interfaces",
    "bind-dynamic",
    "cache-size",
    "log-queries",
    "log-dhcp",
    "log-facility",
    "user",
    "group",
    "pid-file",
    "dhcp-leasefile",
    "dhcp-authoritative",
    "localise-queries",
    "stop-dns-rebind",
    "neg-ttl",
    "dhcp-lease-max",
    "port",
    "strict-order",
    "all-servers",
    "edns-packet-max",
    "no-negcache",
    "resolv-file",
    "read-ethers",
    "rebind-localhost-ok",
    "rebind-domain-ok",
    "dhcp-rapid-commit",
    "quiet-dhcp",
    "log-async",
    "max-ttl",
    "dns-forward-max",
    "local-service",
    "no-daemon",
    "keep-in-foreground",
    "clear-on-reload",
    "no-ping",
    "dhcp-no-override",
    "filterwin2k",
];

/// The settings of a file: line number, line, key, value.
fn settings(text: &str) -> impl Iterator<Item = (usize, &str, &str, &str)> {
    let lines = (1..).zip(text.lines().map(|line| without_comment(line).trim()));
    lines.filter(|(_, line)| !line.is_empty()).map(|(number, line)| {
        let (key, value) = line.split_once('=').unwrap_or((line, ""));
        (number, line, key.trim(), value.trim())
    })
}

/// Reads one file.
pub(super) fn read(name: &str, text: &str, book: &mut Book) {
    // The zone of records that come before it, too.
    let domains: Vec<&str> = settings(text)
        .filter(|(_, _, key, value)| *key == "domain" && !value.contains(','))
        .map(|(.., value)| value)
        .collect();
    for zone in &domains {
        book.zones.entry((*zone).to_owned()).or_default();
    }
    let mut options = Vec::new();
    let mut domain = None;
    for (number, line, key, value) in settings(text) {
        let at = format!("{name}:{number}");
        let words: Vec<&str> = value.split(',').map(str::trim).collect();
        let done = match key {
            "dhcp-host" => host(&words, &at, book),
            "host-record" => record(&words, &at, book),
            "address" => address(value, &at, book),
            "dhcp-range" => range(&words, book),
            "dhcp-option" | "dhcp-option-force" => {
                options.push((at.clone(), words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()));
                true
            }
            "domain" => self::domain(&words, &mut domain, book),
            "cname" => cname(&words, book),
            "mx-host" | "srv-host" | "txt-record" | "ptr-record" | "caa-record" => {
                line_of(key, &words, domains.last().copied(), book)
            }
            "local" | "auth-zone" => true,
            own if ITS_OWN.contains(&own) => true,
            _ => false,
        };
        match key {
            _ if done => {}
            "server" => book.lose(&at, format!("`{line}`: hostbook-dnsd asks no other server")),
            "conf-file" => {
                book.lose(&at, format!("`{line}`: what is there is read if it is named here, too"));
            }
            "conf-dir" => {
                book.lose(&at, format!("`{line}`: what is there is read if its files are named here, too"));
            }
            "addn-hosts" | "hostsdir" => {
                book.lose(&at, format!("`{line}`: `hostbook import hosts FILE` reads what is there"));
            }
            _ => book.lose(&at, format!("`{line}`")),
        }
    }
    for (at, words) in options {
        if !option(&words, book) {
            book.lose(&at, format!("`dhcp-option={}`", words.join(",")));
        }
    }
    if let Some(domain) = domain {
        for net in &mut book.networks {
            net.zone.get_or_insert_with(|| domain.clone());
        }
        book.zones.entry(domain).or_default();
    }
}

fn without_comment(line: &str) -> &str {
    if line.trim_start().starts_with('#') {
        return "";
    }
    // A `#` in the middle begins a comment after a blank only.
    line.split(" #").next().unwrap_or_default()
}

/// `dhcp-host=MAC,…,NAME,IP,LEASE`, in any order.
fn host(words: &[&str], at: &str, book: &mut Book) -> bool {
    let (mut macs, mut addresses, mut name, mut tags) = (Vec::new(), Vec::<IpAddr>::new(), "", Vec::new());
    let mut keys = Vec::new();
    for word in words {
        let inner = word.trim_start_matches('[').trim_end_matches(']');
        if let Ok(mac) = word.parse::<MacAddr>() {
            macs.push(mac);
        } else if let Ok(address) = inner.parse::<IpAddr>() {
            addresses.push(address);
        } else if let Some(tag) = word.strip_prefix("set:").or_else(|| word.strip_prefix("net:")) {
            tags.push(tag.to_owned());
        } else if let Some(seconds) = lease(word) {
            keys.push(("lease".to_owned(), format!("\"{seconds}s\"")));
        } else if *word == "ignore" {
            keys.push(("dhcp".to_owned(), "false".to_owned()));
        } else if let Some(id) = word.strip_prefix("id:") {
            if id.split(':').all(|pair| u8::from_str_radix(pair, 16).is_ok()) {
                keys.push(("client-id".to_owned(), format!("\"{id}\"")));
            } else {
                return false;
            }
        } else if !word.contains([':', '*', '/']) && name.is_empty() {
            name = word;
        } else {
            return false;
        }
    }
    // Wired and wireless with one address.
    for mac in macs.iter().skip(1) {
        book.lose(at, format!("{mac} is left out: two interfaces cannot have one address"));
    }
    let machine = book.machine(name, macs.first().copied(), &addresses, at.to_owned());
    machine.tags = tags;
    machine.keys.extend(keys);
    true
}

/// `12h`, `infinite`, seconds.
fn lease(word: &str) -> Option<u64> {
    match word {
        // The longest that is not for ever (RFC 2131, section 3.3).
        "infinite" => Some(u64::from(u32::MAX) - 1),
        _ if word.bytes().all(|digit| digit.is_ascii_digit()) => word.parse().ok(),
        _ if word.ends_with(['m', 'h', 'd', 'w']) && word.starts_with(|c: char| c.is_ascii_digit()) => {
            parse_duration(word).ok()
        }
        _ => None,
    }
}

/// `host-record=NAME[,NAME…],IP[,IPv6][,TTL]`
fn record(words: &[&str], at: &str, book: &mut Book) -> bool {
    let names: Vec<&str> = words
        .iter()
        .copied()
        .filter(|word| word.starts_with(|c: char| c.is_ascii_alphabetic()) && !word.contains(':'))
        .collect();
    let addresses: Vec<IpAddr> = words.iter().filter_map(|word| word.parse().ok()).collect();
    let Some(first) = names.iter().max_by_key(|name| name.len()) else { return false };
    let machine = book.machine(first, None, &addresses, at.to_owned());
    let others = names.iter().filter(|name| !first.starts_with(&format!("{name}.")) && *name != first);
    machine.aliases = others.map(|name| (*name).to_owned()).collect();
    !addresses.is_empty()
}

/// `address=/NAME/IP`: an address record; a whole domain below it cannot be said.
fn address(value: &str, at: &str, book: &mut Book) -> bool {
    let parts: Vec<&str> = value.trim_matches('/').split('/').collect();
    let [names @ .., address] = parts.as_slice() else { return false };
    let Ok(address) = address.parse::<IpAddr>() else { return false };
    for name in names {
        let kind = if address.is_ipv4() { "A" } else { "AAAA" };
        add_record(book, name, &format!("{kind} {address}"));
        book.lose(
            at,
            format!("`{name}` gets its own record; names below it do not follow, as they did in dnsmasq"),
        );
    }
    !names.is_empty()
}

/// `dhcp-range=[set:TAG,]START,END[,MASK][,LEASE]`
fn range(words: &[&str], book: &mut Book) -> bool {
    let name = words.iter().find_map(|word| word.strip_prefix("set:")).unwrap_or_default().to_owned();
    let words: Vec<&str> = words.iter().copied().filter(|word| !word.contains(':')).collect();
    let [first, rest @ ..] = words.as_slice() else { return false };
    let Ok(first) = first.parse::<Ipv4Addr>() else { return false };
    let addresses: Vec<Ipv4Addr> = rest.iter().filter_map(|word| word.parse().ok()).collect();
    let is_static = rest.contains(&"static");
    let last = addresses.first().copied().filter(|_| !is_static);
    let mask = addresses.iter().skip(usize::from(!is_static)).find(|mask| is_mask(**mask));
    let mask = mask.copied().unwrap_or(Ipv4Addr::new(255, 255, 255, 0));
    let Ok(prefix) = Ipv4Net::with_netmask(first, mask) else { return false };
    let net = book.network(IpNet::V4(prefix));
    net.name = if name.is_empty() { net.name.clone() } else { name };
    if let Some(range) = last.and_then(|last| Range::new(first.into(), last.into())) {
        net.pools.push(range);
    }
    net.lease_seconds =
        rest.last().and_then(|word| lease(word).or_else(|| word.parse().ok())).or(net.lease_seconds);
    true
}

fn is_mask(address: Ipv4Addr) -> bool {
    address.octets()[0] == 255 && address.to_bits().leading_ones() == address.to_bits().count_ones()
}

/// `dhcp-option=[tag:NET,]option:NAME|NUMBER,VALUES…`
fn option(words: &[String], book: &mut Book) -> bool {
    let tag = words.iter().find_map(|word| word.strip_prefix("tag:").or_else(|| word.strip_prefix("net:")));
    let rest: Vec<&String> =
        words.iter().filter(|word| !word.starts_with("tag:") && !word.starts_with("net:")).collect();
    let [name, values @ ..] = rest.as_slice() else { return false };
    let name = name.strip_prefix("option:").unwrap_or(name);
    // dnsmasq has names of its own for these.
    let name = match name {
        "router" => "routers",
        "dns-server" => "domain-name-servers",
        "ntp-server" => "ntp-servers",
        "mtu" => "interface-mtu",
        other => other,
    };
    let values: Vec<String> = values.iter().map(|value| value.trim_matches('"').to_owned()).collect();
    let concerns = |net: &&mut Net| tag.is_none_or(|tag| net.name == tag);
    let mut nets: Vec<&mut Net> = book.networks.iter_mut().filter(concerns).collect();
    let set = |net: &mut &mut Net| {
        if net.take_option(name, &values) {
            return true;
        }
        let octets: Option<Vec<u8>> = match values.as_slice() {
            [hex] if hex.contains(':') => {
                hex.split(':').map(|pair| u8::from_str_radix(pair, 16).ok()).collect()
            }
            [text] => Some(text.as_bytes().to_vec()),
            _ => None,
        };
        name.parse().ok().zip(octets).is_some_and(|(code, octets)| net.take_octets(code, &octets))
    };
    !nets.is_empty() && nets.iter_mut().all(set)
}

/// `domain=ZONE[,PREFIX]`
fn domain(words: &[&str], of_all: &mut Option<String>, book: &mut Book) -> bool {
    match words {
        [zone] => {
            *of_all = Some((*zone).to_owned());
            true
        }
        [zone, prefix] => {
            let Ok(prefix) = prefix.parse::<IpNet>() else { return false };
            book.network(prefix).zone = Some((*zone).to_owned());
            true
        }
        _ => false,
    }
}

/// `cname=ALIAS[,ALIAS…],TARGET`
fn cname(words: &[&str], book: &mut Book) -> bool {
    let [aliases @ .., target] = words else { return false };
    let mut machine = super::book::Machine { name: (*target).to_owned(), ..Default::default() };
    machine.aliases = aliases.iter().map(|alias| (*alias).to_owned()).collect();
    book.machines.push(machine);
    !aliases.is_empty()
}

/// Other records, as lines of a master file. A service without a domain is one of `domain`.
fn line_of(key: &str, words: &[&str], domain: Option<&str>, book: &mut Book) -> bool {
    let (owner, data) = match (key, words) {
        ("mx-host", [owner, target]) => (owner, format!("MX 1 {target}.")),
        ("mx-host", [owner, target, preference]) => (owner, format!("MX {preference} {target}.")),
        ("srv-host", [owner, target, port, rest @ ..]) => {
            let [priority, weight] = [0, 1].map(|index| rest.get(index).copied().unwrap_or("0"));
            (owner, format!("SRV {priority} {weight} {port} {target}."))
        }
        ("txt-record", [owner, texts @ ..]) if !texts.is_empty() => {
            let quoted: Vec<String> =
                texts.iter().map(|text| format!("\"{}\"", text.trim_matches('"'))).collect();
            (owner, format!("TXT {}", quoted.join(" ")))
        }
        ("caa-record", [owner, flags, tag, value]) => {
            (owner, format!("CAA {flags} {tag} \"{}\"", value.trim_matches('"')))
        }
        _ => return false,
    };
    if !owner.trim_end_matches('.').split('.').all(|label| label.starts_with('_')) {
        add_record(book, owner, &data);
    } else if let Some(domain) = domain {
        add_record(book, &format!("{owner}.{domain}"), &data);
    } else {
        return false;
    }
    true
}

/// Adds a record in the zone of `owner`, or in the one above its first label that is no service's.
pub(super) fn add_record(book: &mut Book, owner: &str, data: &str) {
    let owner = owner.trim_end_matches('.').to_ascii_lowercase();
    let zone = book
        .zones
        .keys()
        .filter(|zone| owner == **zone || owner.ends_with(&format!(".{zone}")))
        .max_by_key(|zone| zone.len());
    let labels: Vec<&str> = owner.split('.').skip_while(|label| label.starts_with('_')).collect();
    let above = if labels.len() > 2 { &labels[1..] } else { &labels };
    let zone = zone.cloned().unwrap_or_else(|| above.join("."));
    book.zones.entry(zone).or_default().push(format!("{owner}. {data}"));
}
