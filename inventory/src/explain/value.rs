//! DHCP options as people read them.

use std::net::{Ipv4Addr, Ipv6Addr};

use dhcpd::code6;
use inventory_core::name::Name;
use inventory_core::options::{Family, OptionKind, by_code};

/// The option's name; its number where it has none.
pub(crate) fn name(family: Family, code: u16) -> String {
    if (family, code) == (Family::V6, code6::CLIENT_FQDN) {
        return "fqdn".to_owned();
    }
    by_code(family, code).map_or_else(|| code.to_string(), |def| def.name.to_owned())
}

/// The option's data, in the form that its kind has; as hexadecimal digits where it does not fit that.
pub(crate) fn value(family: Family, code: u16, data: &[u8]) -> String {
    if (family, code) == (Family::V6, code6::CLIENT_FQDN)
        && let Some(name) = data.get(1..).and_then(plain_domains)
    {
        return name;
    }
    let kind = by_code(family, code).map(|def| def.kind);
    kind.and_then(|kind| of_kind(kind, data)).unwrap_or_else(|| hex(data))
}

fn of_kind(kind: OptionKind, data: &[u8]) -> Option<String> {
    let number = |octets: &[u8]| octets.iter().fold(0_u64, |sum, octet| sum << 8 | u64::from(*octet));
    match kind {
        OptionKind::Ip4 | OptionKind::Ip4List => {
            let addresses = chunks::<4>(data)?.map(|octets| Ipv4Addr::from(*octets).to_string());
            Some(addresses.collect::<Vec<_>>().join(" "))
        }
        OptionKind::Ip6 | OptionKind::Ip6List => {
            let addresses = chunks::<16>(data)?.map(|octets| Ipv6Addr::from(*octets).to_string());
            Some(addresses.collect::<Vec<_>>().join(" "))
        }
        OptionKind::StaticRoutes => {
            let pair = |octets: &[u8; 8]| {
                let [a, b, c, d, e, f, g, h] = *octets;
                format!("{} via {}", Ipv4Addr::new(a, b, c, d), Ipv4Addr::new(e, f, g, h))
            };
            Some(chunks::<8>(data)?.map(pair).collect::<Vec<_>>().join(", "))
        }
        OptionKind::IntegerList(integer) if integer.min >= 0 && !data.is_empty() => {
            let numbers = data.chunks_exact(usize::from(integer.octets));
            let whole = numbers.remainder().is_empty();
            whole.then(|| numbers.map(|one| number(one).to_string()).collect::<Vec<_>>().join(" "))
        }
        OptionKind::Integer(integer) if data.len() == usize::from(integer.octets) && integer.min >= 0 => {
            Some(number(data).to_string())
        }
        OptionKind::Seconds { .. } if data.len() == 4 => Some(format!("{} s", number(data))),
        OptionKind::Boolean => match data {
            [0] => Some("false".to_owned()),
            [1] => Some("true".to_owned()),
            _ => None,
        },
        OptionKind::Text | OptionKind::DomainText | OptionKind::Words => {
            let text = std::str::from_utf8(data).ok()?;
            let plain = !text.is_empty() && !text.chars().any(char::is_control);
            plain.then(|| text.to_owned())
        }
        OptionKind::CompressedDomains => domains(data),
        OptionKind::Domain | OptionKind::DomainList => plain_domains(data),
        OptionKind::ClasslessRoutes => routes(data),
        _ => None,
    }
}

fn chunks<const N: usize>(data: &[u8]) -> Option<impl Iterator<Item = &[u8; N]>> {
    let (chunks, rest) = data.as_chunks::<N>();
    (!chunks.is_empty() && rest.is_empty()).then(|| chunks.iter())
}

/// Names with pointers into the option itself (RFC 3397, section 2).
fn domains(data: &[u8]) -> Option<String> {
    let mut names = Vec::new();
    let mut at = 0;
    while at < data.len() {
        let (mut wire, mut here, mut after) = (Vec::new(), at, None);
        loop {
            let length = *data.get(here)?;
            if length >= 0xc0 {
                let target = usize::from(u16::from_be_bytes([length & 0x3f, *data.get(here + 1)?]));
                after = after.or(Some(here + 2));
                here = (target < here).then_some(target)?;
                continue;
            }
            let next = here + 1 + usize::from(length);
            wire.extend_from_slice(data.get(here..next)?);
            here = next;
            if length == 0 {
                break;
            }
        }
        names.push(Name::from_wire(&wire)?.to_string());
        at = after.unwrap_or(here);
    }
    (!names.is_empty()).then(|| names.join(" "))
}

/// Names one after the other, without pointers (RFC 8415, section 10).
fn plain_domains(data: &[u8]) -> Option<String> {
    let has_pointer = |data: &[u8]| {
        let mut rest = data;
        while let [length, after @ ..] = rest {
            if *length >= 0xc0 {
                return true;
            }
            rest = after.get(usize::from(*length)..).unwrap_or_default();
        }
        false
    };
    (!has_pointer(data)).then(|| domains(data)).flatten()
}

/// Length, as many octets as it needs, router (RFC 3442).
fn routes(mut data: &[u8]) -> Option<String> {
    let mut routes = Vec::new();
    while let [length, rest @ ..] = data {
        let (prefix, rest) = rest.split_at_checked(usize::from(length.div_ceil(8)))?;
        let (router, rest) = rest.split_first_chunk::<4>()?;
        let mut whole = [0; 4];
        whole.get_mut(..prefix.len())?.copy_from_slice(prefix);
        routes.push(format!("{}/{length} via {}", Ipv4Addr::from(whole), Ipv4Addr::from(*router)));
        data = rest;
    }
    Some(routes.join(", "))
}

/// Octets as `0a:ff`.
pub(crate) fn hex(data: &[u8]) -> String {
    data.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_shown_in_the_form_of_their_kind() {
        for (code, data, shown) in [
            (3, &[10, 0, 0, 1, 10, 0, 0, 2][..], "10.0.0.1 10.0.0.2"),
            (15, b"lab.example.org", "lab.example.org"),
            (51, &[0, 0, 168, 192], "43200 s"),
            (119, b"\x03lab\x07example\x03org\0\xc0\x04", "lab.example.org example.org"),
            (121, &[8, 10, 10, 0, 0, 1, 0, 10, 0, 0, 2], "10.0.0.0/8 via 10.0.0.1, 0.0.0.0/0 via 10.0.0.2"),
            (224, &[1, 255], "01:ff"),
            (3, &[10, 0, 0], "0a:00:00"),
            (119, &[0xc0, 0], "c0:00"),
        ] {
            assert_eq!(value(Family::V4, code, data), shown, "{code}");
        }
        let dns = [[0x20, 1, 0x0d, 0xb8].as_slice(), &[0; 11], &[1]].concat();
        for (code, data, shown) in [
            (23, dns.as_slice(), "2001:db8::1"),
            (24, b"\x03lab\x07example\x03org\0\x01x\0", "lab.example.org x"),
            (24, b"\x01x\xc0\x00", "01:78:c0:00"),
            (39, b"\x01\x03web\x03lab\0", "web.lab"),
        ] {
            assert_eq!(value(Family::V6, code, data), shown, "{code}");
        }
        let names = [name(Family::V4, 42), name(Family::V4, 224), name(Family::V6, 23), name(Family::V6, 39)];
        assert_eq!(names, ["ntp-servers", "224", "dns-servers", "fqdn"]);
    }
}
