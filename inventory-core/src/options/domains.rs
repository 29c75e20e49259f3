//! Options of domain names.

use std::net::{IpAddr, Ipv4Addr};

use super::encode::{Encoder, cut};
use crate::name::Name;
use crate::toml::{Kind, Value};

/// A whole domain name other than the root; a dot at its end is left out or not.
pub(super) fn name(encoder: &mut Encoder<'_>, value: Value<'_, '_>) -> Option<Name> {
    let text = encoder.string(value)?;
    if text.parse::<IpAddr>().is_ok() {
        return encoder.not_that(value.span(), text, "a domain name");
    }
    if let Some((at, character)) = text.char_indices().find(|(_, c)| !c.is_ascii_graphic() || *c == '@') {
        let span = value.string_part(at, at + character.len_utf8());
        let help =
            "names are letters, digits, hyphens and dots; other scripts are written `xn--…` (RFC 5890)";
        return encoder.refuse_help(
            span,
            format!("`{}` cannot stand in a domain name", character.escape_debug()),
            help,
        );
    }
    match Name::parse(text, None) {
        Ok(name) if !name.is_root() => Some(name),
        Ok(_) => encoder.not_that(value.span(), text, "a domain name"),
        Err(error) => encoder.refuse(value.span(), format!("the name `{}` {error}", cut(text))),
    }
}

/// A domain name as the text that it is.
pub(super) fn text(encoder: &mut Encoder<'_>, value: Value<'_, '_>) -> Option<Vec<u8>> {
    name(encoder, value).map(|name| name.to_string().into_bytes())
}

/// Names in wire form, each end that stood before replaced by a pointer to it. Pointers count from
/// the start of the option's data (RFC 3397, section 2; RFC 1035, section 4.1.4).
pub(super) fn compress(names: &[Name]) -> Vec<u8> {
    let mut wire: Vec<u8> = Vec::new();
    let mut ends: Vec<(&[u8], u16)> = Vec::new();
    for name in names {
        let mut rest = name.as_wire();
        while let Some((&length, _)) = rest.split_first().filter(|(length, _)| **length > 0) {
            if let Some((_, at)) = ends.iter().find(|(end, _)| *end == rest) {
                wire.extend_from_slice(&(0xc000 | at).to_be_bytes());
                break;
            }
            // A pointer has 14 bits.
            if let Some(at) = u16::try_from(wire.len()).ok().filter(|at| *at < 0x4000) {
                ends.push((rest, at));
            }
            let (label, tail) = rest.split_at(usize::from(length) + 1);
            wire.extend_from_slice(label);
            rest = tail;
        }
        if rest == [0] {
            wire.push(0);
        }
    }
    wire
}

/// Domain names (first octet 0) or IPv4 addresses (first octet 1): RFC 3361, section 3.
pub(super) fn sip_servers(encoder: &mut Encoder<'_>, value: Value<'_, '_>) -> Option<Vec<u8>> {
    let addresses =
        |value: Value<'_, '_>| matches!(value.kind(), Kind::String(text) if text.parse::<Ipv4Addr>().is_ok());
    let first = match value.kind() {
        Kind::Array(array) => array.items().next().is_some_and(addresses),
        _ => addresses(value),
    };
    if first {
        let octets = encoder
            .joined(value, |encoder, item| Some(super::addresses::ip4(encoder, item)?.octets().to_vec()))?;
        return Some([&[1], octets.as_slice()].concat());
    }
    // What pointers would count from is not said there, so none are made.
    let names = encoder.joined(value, |encoder, item| Some(name(encoder, item)?.as_wire().to_vec()))?;
    Some([&[0], names.as_slice()].concat())
}

/// One server: a suboption with its unicast address (1), multicast address (2) or name (3), RFC
/// 5908, section 4.
pub(super) fn ntp_server(encoder: &mut Encoder<'_>, value: Value<'_, '_>) -> Option<Vec<u8>> {
    let text = encoder.string(value)?;
    let (number, data): (u16, Vec<u8>) = match text.parse() {
        Ok(IpAddr::V6(address)) => (if address.is_multicast() { 2 } else { 1 }, address.octets().to_vec()),
        Ok(IpAddr::V4(_)) => return encoder.not_that(value.span(), text, "an IPv6 address"),
        Err(_) => (3, name(encoder, value)?.as_wire().to_vec()),
    };
    let length = u16::try_from(data.len()).ok()?;
    Some([&number.to_be_bytes()[..], &length.to_be_bytes(), &data].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(texts: &[&str]) -> Vec<Name> {
        texts.iter().map(|text| Name::parse(text, None).unwrap()).collect()
    }

    #[test]
    fn compression_follows_the_example_of_rfc_3397() {
        let wire = compress(&names(&["eng.apple.com", "marketing.apple.com"]));
        assert_eq!(wire, b"\x03eng\x05apple\x03com\0\x09marketing\xc0\x04");
    }

    #[test]
    fn whole_names_and_ends_within_ends_are_pointed_at() {
        let wire = compress(&names(&["a.b.c", "b.c", "c", "x.b.c", "a.b.c", "d"]));
        assert_eq!(wire, b"\x01a\x01b\x01c\0\xc0\x02\xc0\x04\x01x\xc0\x02\xc0\x00\x01d\0");
    }
}
