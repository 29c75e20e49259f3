//! /etc/hosts and /etc/ethers.

use std::net::IpAddr;

use inventory_core::mac::MacAddr;

use super::book::Book;

/// Reads one file of either kind: a line begins with an address, or with a hardware address.
pub(super) fn read(name: &str, text: &str, book: &mut Book) {
    for (number, line) in (1..).zip(text.lines()) {
        let at = format!("{name}:{number}");
        let words: Vec<&str> = line.split('#').next().unwrap_or_default().split_whitespace().collect();
        let [first, rest @ ..] = words.as_slice() else { continue };
        if let Some(mac) = short_mac(first) {
            ethers(mac, rest, &at, book);
        } else if let Ok(address) = first.parse::<IpAddr>() {
            hosts(address, rest, &at, book);
        } else {
            book.lose(&at, format!("`{line}`"));
        }
    }
}

/// Ethers may leave out leading zeros: `8:0:20:0:61:ca`.
fn short_mac(text: &str) -> Option<MacAddr> {
    let octets: Option<Vec<u8>> = text
        .split(':')
        .map(|part| (part.len() <= 2).then(|| u8::from_str_radix(part, 16).ok()).flatten())
        .collect();
    octets.and_then(|octets| <[u8; 6]>::try_from(octets).ok()).map(MacAddr)
}

fn ethers(mac: MacAddr, rest: &[&str], at: &str, book: &mut Book) {
    let [who] = rest else { return book.lose(at, format!("`{mac}` without one name")) };
    match who.parse::<IpAddr>() {
        Ok(address) => book.machine("", Some(mac), &[address], at.to_owned()),
        Err(_) => book.machine(who, Some(mac), &[], at.to_owned()),
    };
}

fn hosts(address: IpAddr, names: &[&str], at: &str, book: &mut Book) {
    let is_link_local = matches!(address, IpAddr::V6(v6) if v6.segments()[0] & 0xffc0 == 0xfe80);
    if address.is_loopback() || address.is_multicast() || address.is_unspecified() || is_link_local {
        return;
    }
    let Some(longest) = names.iter().find(|name| name.contains('.')).or(names.first()) else {
        return book.lose(at, format!("{address} without a name"));
    };
    let machine = book.machine(longest, None, &[address], at.to_owned());
    let short = longest.split('.').next().unwrap_or_default();
    let others = names.iter().filter(|name| *name != longest && **name != short);
    machine.aliases = others.map(|name| (*name).to_owned()).collect();
}
