//! Data of types that hold lists of their own: address prefixes (APL, RFC 3123), services (WKS, RFC 1035,
//! section 3.4.2), the types of NXT (RFC 2535, section 5.2), host identities (HIP, RFC 8005, section 5).

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::codec;
use super::fields::{Fields, Rdata, Wrong};
use super::lex::Word;
use super::{RecordType, present, wire};

/// Address families (IANA "Address Family Numbers") and the octets of their addresses.
const FAMILIES: [(u16, u8); 2] = [(1, 4), (2, 16)];

/// Reads `1:192.168.32.0/21 !1:192.168.38.0/28 2:2001:db8::/32`, to the end.
pub(super) fn prefixes(fields: &mut Fields<'_, '_>, out: &mut Vec<u8>) -> Result<(), Wrong> {
    while let Ok(word) = fields.next() {
        let text = fields.text_of(&word);
        let Some(octets) = prefix(text) else {
            let message = format!("`{}` is no address prefix", fields.shown(word.at));
            return fields.wrong_help(
                word.at,
                message,
                "write family, address and length: `1:192.0.2.0/24`, `2:2001:db8::/32`, `!` in front to exclude",
            );
        };
        out.extend_from_slice(&octets);
    }
    Ok(())
}

fn prefix(text: &str) -> Option<Vec<u8>> {
    let (negated, text) = text.strip_prefix('!').map_or((0, text), |rest| (0x80, rest));
    let (family, rest) = text.split_once(':')?;
    let (address, length) = rest.split_once('/')?;
    let digits = |text: &str| text.bytes().all(|octet| octet.is_ascii_digit());
    let family: u16 = family.parse().ok().filter(|_| digits(family))?;
    let length: u8 = length.parse().ok().filter(|_| digits(length))?;
    let octets: Vec<u8> = match family {
        1 => address.parse::<Ipv4Addr>().ok()?.octets().into(),
        2 => address.parse::<Ipv6Addr>().ok()?.octets().into(),
        _ => return None,
    };
    // Zeros at the end are left out (RFC 3123, section 4).
    let kept = octets.iter().rposition(|octet| *octet != 0).map_or(0, |last| last + 1);
    let bits = octets.len() * 8;
    let head = [family.to_be_bytes().as_slice(), &[length, negated | u8::try_from(kept).ok()?]].concat();
    (usize::from(length) <= bits).then(|| [&head, octets.get(..kept).unwrap_or(&[])].concat())
}

/// Checks prefixes in wire form.
///
/// # Errors
/// Says what is wrong.
pub(super) fn check_prefixes(wire: &[u8]) -> Result<(), String> {
    let mut text = String::new();
    match show_prefixes(wire, &mut text) {
        Ok(Some(_)) => Ok(()),
        _ => Err("an address prefix in it is cut off, too long or of an unknown family".to_owned()),
    }
}

/// Appends the text of prefixes, to the end.
pub(super) fn show_prefixes<'w>(mut wire: &[u8], text: &mut String) -> present::Shown<'w> {
    while let Some((&[f0, f1, length, octets], rest)) = wire.split_first_chunk::<4>() {
        let family = u16::from_be_bytes([f0, f1]);
        let known = FAMILIES.iter().find(|(number, _)| *number == family);
        let kept = octets & 0x7f;
        let Some((_, size)) =
            known.filter(|(_, size)| kept <= *size && u16::from(length) <= u16::from(*size) * 8)
        else {
            return Ok(None);
        };
        let Some((address, rest)) = rest.split_at_checked(kept.into()) else { return Ok(None) };
        if address.last() == Some(&0) {
            return Ok(None);
        }
        wire = rest;
        let mut whole = [0; 16];
        for (to, from) in whole.iter_mut().zip(address) {
            *to = *from;
        }
        let [a, b, c, d, ..] = whole;
        let sign = if octets & 0x80 != 0 { "!" } else { "" };
        if *size == 4 {
            write!(text, "{sign}1:{}/{length} ", Ipv4Addr::new(a, b, c, d))?;
        } else {
            write!(text, "{sign}2:{}/{length} ", Ipv6Addr::from(whole))?;
        }
    }
    text.truncate(text.trim_end_matches(' ').len());
    Ok(wire.is_empty().then_some(&[]))
}

/// Protocols and services that are written by name; others by number.
const PROTOCOLS: &[(&str, u8)] = &[("icmp", 1), ("tcp", 6), ("udp", 17)];
const SERVICES: &[(&str, u16)] = &[
    ("echo", 7),
    ("discard", 9),
    ("systat", 11),
    ("daytime", 13),
    ("qotd", 17),
    ("chargen", 19),
    ("ftp-data", 20),
    ("ftp", 21),
    ("ssh", 22),
    ("telnet", 23),
    ("smtp", 25),
    ("time", 37),
    ("whois", 43),
    ("domain", 53),
    ("tftp", 69),
    ("gopher", 70),
    ("finger", 79),
    ("http", 80),
    ("kerberos", 88),
    ("pop3", 110),
    ("sunrpc", 111),
    ("nntp", 119),
    ("ntp", 123),
    ("imap2", 143),
    ("snmp", 161),
    ("ldap", 389),
    ("https", 443),
];

/// Reads `TCP smtp 80`, to the end: a protocol, and services as a bitmap of ports.
pub(super) fn services(fields: &mut Fields<'_, '_>, out: &mut Vec<u8>) -> Result<(), Wrong> {
    out.push(named(fields, "protocol", PROTOCOLS, u8::MAX)?);
    let mut bits: Vec<u8> = Vec::new();
    while !fields.words.is_empty() {
        set(&mut bits, named(fields, "service", SERVICES, u16::MAX)?);
    }
    out.extend_from_slice(&bits);
    Ok(())
}

fn named<T: Copy + std::str::FromStr + std::fmt::Display>(
    fields: &mut Fields<'_, '_>,
    what: &str,
    names: &[(&str, T)],
    max: T,
) -> Result<T, Wrong> {
    let text = fields.words.first().map_or("", |word| fields.text_of(word));
    match names.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)) {
        Some((_, number)) => fields.next().map(|_| *number),
        None => fields.integer(what, max),
    }
}

/// Reads the types of NXT: a bitmap of those below 128.
pub(super) fn old_types(fields: &mut Fields<'_, '_>, out: &mut Vec<u8>) -> Result<(), Wrong> {
    let mut bits = Vec::new();
    while let Some(word) = fields.words.first().copied() {
        let RecordType(number) = fields.record_type()?;
        if number == 0 || number > 127 {
            return fields.wrong(word.at, "an NXT record knows the types 1 to 127 only");
        }
        set(&mut bits, number);
    }
    out.extend_from_slice(&bits);
    Ok(())
}

fn set(bits: &mut Vec<u8>, number: u16) {
    let at = usize::from(number / 8);
    bits.resize(bits.len().max(at + 1), 0);
    if let Some(octet) = bits.get_mut(at) {
        *octet |= 0x80 >> (number % 8);
    }
}

/// The numbers of a bitmap without zeros at its end; `None` if it has any, or is longer than `most` octets.
pub(super) fn numbers(bits: &[u8], most: usize) -> Option<Vec<u16>> {
    if bits.len() > most || bits.last() == Some(&0) {
        return None;
    }
    let octets = (0_u16..).zip(bits);
    Some(
        octets
            .flat_map(|(at, octet)| {
                (0..8).filter(move |bit| octet & 0x80 >> bit != 0).map(move |bit| at * 8 + bit)
            })
            .collect(),
    )
}

/// Reads algorithm, HIT in hexadecimal digits and public key in base 64.
pub(super) fn identity(fields: &mut Fields<'_, '_>, out: &mut Rdata) -> Result<(), Wrong> {
    let algorithm: u8 = fields.integer("algorithm", u8::MAX)?;
    let (word, hit) = coded(fields, "host identity tag", codec::from_hex)?;
    let Ok(hit_octets) = u8::try_from(hit.len()) else {
        return fields.wrong(word.at, "the host identity tag has more than 255 octets");
    };
    let (word, key) = coded(fields, "public key", codec::from_base64)?;
    let Ok(key_octets) = u16::try_from(key.len()) else {
        return fields.wrong(word.at, "the public key has more than 65535 octets");
    };
    out.wire.extend_from_slice(&[hit_octets, algorithm]);
    out.wire.extend_from_slice(&key_octets.to_be_bytes());
    out.wire.extend_from_slice(&hit);
    out.wire.extend_from_slice(&key);
    Ok(())
}

fn coded(
    fields: &mut Fields<'_, '_>,
    what: &str,
    decode: fn(&str) -> Result<Vec<u8>, codec::CodecError>,
) -> Result<(Word, Vec<u8>), Wrong> {
    let word = fields.next()?;
    match decode(fields.text_of(&word)) {
        Ok(octets) if !octets.is_empty() => Ok((word, octets)),
        _ => {
            let message = format!("`{}` is no {what}", fields.shown(word.at));
            fields.wrong(word.at, message)
        }
    }
}

/// The octets of a host identity that `rest` starts with.
///
/// # Errors
/// Says why there is none.
pub(super) fn identity_octets(rest: &[u8]) -> Result<&[u8], String> {
    let Some(&[hit, _, k0, k1]) = rest.first_chunk::<4>() else { return wire::fixed(rest, 4) };
    let key = u16::from_be_bytes([k0, k1]);
    if hit == 0 || key == 0 {
        return Err("the host identity tag or the public key is empty".to_owned());
    }
    wire::fixed(rest, 4 + usize::from(hit) + usize::from(key))
}

/// Appends the text of a host identity; returns what follows it.
pub(super) fn show_identity<'w>(rest: &'w [u8], text: &mut String) -> present::Shown<'w> {
    let Ok(octets) = identity_octets(rest) else { return Ok(None) };
    let [hit, algorithm, _, _, both @ ..] = octets else { return Ok(None) };
    let Some((hit, key)) = both.split_at_checked((*hit).into()) else { return Ok(None) };
    write!(text, "{algorithm} {} {}", present::hex(hit), present::base64(key))?;
    Ok(rest.get(octets.len()..))
}
