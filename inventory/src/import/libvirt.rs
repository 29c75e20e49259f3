//! libvirt's XML: networks, and domains as virtual machines.

use std::net::IpAddr;

use inventory_core::mac::MacAddr;
use inventory_core::model::Range;
use inventory_core::units::show_size;
use ipnet::IpNet;
use roxmltree::{Document, Node};

use super::book::{Book, Card, Machine};
use super::dnsmasq::add_record;
use crate::edit::quote;

/// Reads a file with one network or domain, or several in one element.
///
/// # Errors
/// It is no XML.
pub(super) fn read(name: &str, text: &str, book: &mut Book) -> Result<(), String> {
    let document = Document::parse(text).map_err(|error| format!("{name}: {error}"))?;
    for node in document.descendants() {
        let at = format!("{name}:{}", document.text_pos_at(node.range().start).row);
        match node.tag_name().name() {
            "network" if node.has_children() => network(node, &at, book),
            "domain" if child(node, "devices").is_some() => domain(node, &at, book),
            _ => {}
        }
    }
    Ok(())
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| child.has_tag_name(name))
}

fn text_of(node: Node<'_, '_>, name: &str) -> Option<String> {
    child(node, name).and_then(|child| child.text()).map(|text| text.trim().to_owned())
}

fn network(node: Node<'_, '_>, at: &str, book: &mut Book) {
    let name = text_of(node, "name").unwrap_or_default();
    let zone = child(node, "domain").and_then(|domain| domain.attribute("name")).map(str::to_owned);
    let mut prefixes = Vec::new();
    for ip in node.children().filter(|child| child.has_tag_name("ip")) {
        let Some(prefix) = prefix_of(ip) else {
            book.lose(at, format!("network {name}: an address without prefix"));
            continue;
        };
        prefixes.push(prefix);
        let ranges = ip.descendants().filter(|node| node.has_tag_name("range"));
        let ends = |range: Node<'_, '_>| {
            Range::new(range.attribute("start")?.parse().ok()?, range.attribute("end")?.parse().ok()?)
        };
        let pools: Vec<Range> = ranges.filter_map(ends).collect();
        let net = book.network(prefix);
        net.pools.extend(pools);
        net.name.clone_from(&name);
        net.zone = net.zone.take().or_else(|| zone.clone());
        // libvirt's own address is the way out.
        if let IpAddr::V4(v4) = prefix.addr() {
            net.gateway = Some(v4);
            net.dns = vec![IpAddr::V4(v4)];
        }
        for host in ip.descendants().filter(|node| node.has_tag_name("host") && node.has_attribute("ip")) {
            let mac = host.attribute("mac").and_then(|text| text.parse::<MacAddr>().ok());
            let addresses: Vec<IpAddr> =
                host.attribute("ip").and_then(|text| text.parse().ok()).into_iter().collect();
            book.machine(host.attribute("name").unwrap_or_default(), mac, &addresses, at.to_owned());
        }
    }
    if prefixes.is_empty() {
        book.lose(at, format!("network {name}: a bridge without addresses"));
    }
    if let Some(zone) = &zone {
        book.zones.entry(zone.clone()).or_default();
    }
    if let Some(dns) = child(node, "dns") {
        names(dns, zone.as_deref(), at, book);
    }
}

fn names(dns: Node<'_, '_>, zone: Option<&str>, at: &str, book: &mut Book) {
    let whole = |name: &str| match zone {
        Some(zone) if !name.contains('.') => format!("{name}.{zone}"),
        _ => name.to_owned(),
    };
    for host in dns.children().filter(|node| node.has_tag_name("host")) {
        let address = host.attribute("ip").and_then(|text| text.parse::<IpAddr>().ok());
        let names: Vec<&str> = host
            .children()
            .filter_map(|node| node.text())
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .collect();
        if let (Some(address), [first, others @ ..]) = (address, names.as_slice()) {
            let machine = book.machine(first, None, &[address], at.to_owned());
            machine.aliases = others.iter().map(|name| (*name).to_owned()).collect();
        }
    }
    for txt in dns.children().filter(|node| node.has_tag_name("txt")) {
        if let (Some(name), Some(value)) = (txt.attribute("name"), txt.attribute("value")) {
            add_record(book, &whole(name), &format!("TXT {}", quote(value)));
        }
    }
    for srv in dns.children().filter(|node| node.has_tag_name("srv")) {
        let field = |name: &str, default: &str| srv.attribute(name).unwrap_or(default).to_owned();
        let owner = format!(
            "_{}._{}.{}",
            field("service", ""),
            field("protocol", "tcp"),
            field("domain", zone.unwrap_or_default())
        );
        let (priority, weight) = (field("priority", "0"), field("weight", "0"));
        add_record(
            book,
            &owner,
            &format!("SRV {priority} {weight} {} {}.", field("port", "0"), field("target", ".")),
        );
    }
}

fn prefix_of(ip: Node<'_, '_>) -> Option<IpNet> {
    let address: IpAddr = ip.attribute("address")?.parse().ok()?;
    let length = match (ip.attribute("prefix"), ip.attribute("netmask")) {
        (Some(length), _) => length.parse().ok()?,
        (None, Some(mask)) => ipnet::ip_mask_to_prefix(mask.parse().ok()?).ok()?,
        (None, None) => return None,
    };
    IpNet::new(address, length).ok()
}

fn domain(node: Node<'_, '_>, at: &str, book: &mut Book) {
    let mut machine =
        Machine { name: text_of(node, "name").unwrap_or_default(), at: at.to_owned(), ..Machine::default() };
    if let Some(cpu) = text_of(node, "vcpu").filter(|text| text.parse::<u32>().is_ok()) {
        machine.keys.insert("cpu".to_owned(), cpu);
    }
    if let Some(octets) = child(node, "memory").and_then(memory) {
        machine.keys.insert("memory".to_owned(), quote(&show_size(octets)));
    }
    for (index, interface) in node.descendants().filter(|node| node.has_tag_name("interface")).enumerate() {
        let mac = child(interface, "mac").and_then(|mac| mac.attribute("address"));
        let network = child(interface, "source").and_then(|source| source.attribute("network"));
        machine.cards.push(Card {
            key: format!("eth{index}"),
            mac: mac.and_then(|text| text.parse().ok()),
            network: network.map(str::to_owned),
            ..Card::default()
        });
    }
    let disks = node
        .descendants()
        .filter(|node| node.has_tag_name("disk") && node.attribute("device") != Some("cdrom"));
    let disks: Vec<&str> = disks.filter_map(|disk| child(disk, "target")?.attribute("dev")).collect();
    if !disks.is_empty() {
        book.lose(
            at,
            format!("{}: the sizes of disks {} are not in the file", machine.name, disks.join(", ")),
        );
    }
    book.machines.push(machine);
}

/// Octets: libvirt counts in KiB where it does not say.
fn memory(node: Node<'_, '_>) -> Option<u64> {
    let number: u64 = node.text()?.trim().parse().ok()?;
    let unit: u64 = match node.attribute("unit").unwrap_or("KiB") {
        "b" | "bytes" => 1,
        "KB" => 1000,
        "k" | "KiB" => 1 << 10,
        "MB" => 1_000_000,
        "M" | "MiB" => 1 << 20,
        "GB" => 1_000_000_000,
        "G" | "GiB" => 1 << 30,
        "T" | "TiB" => 1 << 40,
        _ => return None,
    };
    number.checked_mul(unit)
}
