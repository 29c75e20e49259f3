//! RDATA as text: the way back, from wire form to what a master file says.
//!
//! Follows the same table of shapes as reading does. What cannot be shown in the type's own form is
//! shown in the generic one (RFC 3597, section 5), which reads back the same.

use std::fmt::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr};

use super::rare::{calendar_text, read_bitmap};
use super::shape::{Field, shape};
use super::wire::{SERVICE_OCTETS_MAX, TYPE_OCTETS_MAX};
use super::{RecordType, gateway, lists, loc, svcb};
use crate::name::{Name, show_labels};

/// The data of a record of type `rtype` as a master file says it, names absolute.
pub fn present(rtype: RecordType, rdata: &[u8]) -> String {
    own_form(rtype, rdata).unwrap_or_else(|| generic_form(rdata))
}

fn generic_form(rdata: &[u8]) -> String {
    let space = if rdata.is_empty() { "" } else { " " };
    format!("\\# {}{space}{}", rdata.len(), hex(rdata))
}

fn own_form(rtype: RecordType, rdata: &[u8]) -> Option<String> {
    let shape = shape(rtype)?;
    let mut text = String::new();
    let mut rest = rdata;
    for field in shape.fields {
        let before = text.len();
        rest = show(*field, rest, rdata, &mut text).ok()??;
        if text.len() > before {
            text.push(' ');
        }
    }
    text.truncate(text.trim_end_matches(' ').len());
    rest.is_empty().then_some(text)
}

/// What follows a field that was shown; `None` if there is no such field.
pub(super) type Shown<'w> = Result<Option<&'w [u8]>, fmt::Error>;

/// Appends one field; returns what follows it in `wire`, the end of `rdata`.
fn show<'w>(field: Field, wire: &'w [u8], rdata: &[u8], text: &mut String) -> Shown<'w> {
    let all = [].as_slice();
    match field {
        Field::Ip4 => return fixed(wire, |octets: &[u8; 4]| write!(text, "{}", Ipv4Addr::from(*octets))),
        Field::Ip6 => return fixed(wire, |octets: &[u8; 16]| write!(text, "{}", Ipv6Addr::from(*octets))),
        Field::U8(_) | Field::Algorithm | Field::Scheme => return show_number(field, wire, text),
        Field::U16(_) | Field::CertificateType => return show_number(field, wire, text),
        Field::U32(_) | Field::Seconds(_) | Field::Type | Field::Moment(_) => {
            return show_number(field, wire, text);
        }
        Field::Groups(_) => {
            return fixed(wire, |octets: &[u8; 8]| {
                let groups: Vec<String> = octets.chunks(2).map(hex).collect();
                text.write_str(&groups.join(":"))
            });
        }
        Field::Name(_) | Field::Target(_) | Field::Mailbox(_) => return show_name(wire, text),
        Field::Pairs(count, _) => {
            let Some((octets, rest)) = wire.split_at_checked(count) else { return Ok(None) };
            let pairs: Vec<String> = octets.chunks(1).map(hex).collect();
            text.write_str(&pairs.join("-"))?;
            return Ok(Some(rest));
        }
        Field::Text(_) | Field::Tag | Field::Salt | Field::Base32(_) => {
            return show_counted(field, wire, text);
        }
        Field::Texts | Field::MoreTexts => {
            if wire.is_empty() && field == Field::Texts {
                return Ok(None);
            }
            let mut rest = wire;
            while !rest.is_empty() {
                let Some(after) = show_counted(Field::Text(""), rest, text)? else { return Ok(None) };
                text.push(' ');
                rest = after;
            }
            text.truncate(text.trim_end_matches(' ').len());
        }
        Field::Rest(_) => quote(wire, text)?,
        Field::Hex(_) if !wire.is_empty() => text.push_str(&hex(wire)),
        Field::Base64(_) if !wire.is_empty() => text.push_str(&base64(wire)),
        Field::Types => {
            let Some(types) = read_bitmap(wire) else { return Ok(None) };
            let types: Vec<String> = types.iter().map(|rtype| RecordType(*rtype).to_string()).collect();
            text.push_str(&types.join(" "));
        }
        Field::Location | Field::Gateway(_) | Field::Relay | Field::HostIdentity => {
            return show_own(field, wire, rdata, text);
        }
        Field::ServiceParameters => return svcb::show(rdata.starts_with(&[0, 0]), wire, text),
        Field::Prefixes => return lists::show_prefixes(wire, text),
        Field::Services | Field::OldTypes => return show_bits(field, wire, text),
        Field::MoreNames => {
            let mut rest = wire;
            while !rest.is_empty() {
                let Some(after) = show_name(rest, text)? else { return Ok(None) };
                text.push(' ');
                rest = after;
            }
            text.truncate(text.trim_end_matches(' ').len());
        }
        Field::MaybeBase64(_) => text.push_str(&base64(wire)),
        Field::DashBase64(_) if wire.is_empty() => text.push('-'),
        Field::DashBase64(_) => text.push_str(&base64(wire)),
        Field::Nsap if !wire.is_empty() => write!(text, "0x{}", hex(wire))?,
        Field::Hex(_) | Field::Base64(_) | Field::Nsap => return Ok(None),
    }
    Ok(Some(all))
}

/// Appends a field of fixed size that is one number.
fn show_number<'w>(field: Field, wire: &'w [u8], text: &mut String) -> Shown<'w> {
    match field {
        Field::U8(_) | Field::Algorithm | Field::Scheme => {
            fixed(wire, |octet: &[u8; 1]| write!(text, "{}", octet[0]))
        }
        Field::U16(_) | Field::CertificateType => {
            fixed(wire, |octets| write!(text, "{}", u16::from_be_bytes(*octets)))
        }
        Field::Type => fixed(wire, |octets| write!(text, "{}", RecordType(u16::from_be_bytes(*octets)))),
        Field::Moment(_) => {
            fixed(wire, |octets| write!(text, "{}", calendar_text(u32::from_be_bytes(*octets))))
        }
        _ => fixed(wire, |octets| write!(text, "{}", u32::from_be_bytes(*octets))),
    }
}

/// Appends a field with a form of its own.
fn show_own<'w>(field: Field, wire: &'w [u8], rdata: &[u8], text: &mut String) -> Shown<'w> {
    match field {
        Field::Location => loc::show(wire, text),
        Field::Gateway(mask) => gateway::show(mask, wire, rdata, text),
        Field::HostIdentity => lists::show_identity(wire, text),
        // A type that is not known cannot be read back.
        _ => match wire.split_first() {
            Some((octet, rest)) if octet & 0x7f <= 3 => {
                write!(text, "{} {}", octet >> 7, octet & 0x7f)?;
                Ok(Some(rest))
            }
            _ => Ok(None),
        },
    }
}

/// Appends what a bitmap says: ports behind their protocol, or types.
fn show_bits<'w>(field: Field, wire: &[u8], text: &mut String) -> Shown<'w> {
    let (bits, most) = match (field, wire.split_first()) {
        (Field::Services, Some((protocol, bits))) => {
            write!(text, "{protocol} ")?;
            (bits, SERVICE_OCTETS_MAX)
        }
        (Field::Services, None) => return Ok(None),
        _ => (wire, TYPE_OCTETS_MAX),
    };
    let Some(numbers) = lists::numbers(bits, most) else { return Ok(None) };
    for number in numbers {
        match field {
            Field::Services => write!(text, "{number} ")?,
            _ => write!(text, "{} ", RecordType(number))?,
        }
    }
    text.truncate(text.trim_end_matches(' ').len());
    Ok(Some(&[]))
}

pub(super) fn fixed<const N: usize>(
    wire: &[u8],
    mut write: impl FnMut(&[u8; N]) -> fmt::Result,
) -> Shown<'_> {
    let Some((octets, rest)) = wire.split_first_chunk::<N>() else { return Ok(None) };
    write(octets)?;
    Ok(Some(rest))
}

pub(super) fn show_name<'w>(wire: &'w [u8], text: &mut String) -> Shown<'w> {
    let mut at = 0;
    while let Some(length) = wire.get(at).filter(|length| **length > 0) {
        at += usize::from(*length) + 1;
    }
    let Some((name, rest)) = wire.split_at_checked(at + 1) else { return Ok(None) };
    if Name::from_wire(name).is_none() {
        return Ok(None);
    }
    show_labels(name, text)?;
    if name.len() > 1 {
        text.push('.');
    }
    Ok(Some(rest))
}

/// Shows octets with their number in front.
fn show_counted<'w>(field: Field, wire: &'w [u8], text: &mut String) -> Shown<'w> {
    let split = wire.split_first().and_then(|(length, rest)| rest.split_at_checked((*length).into()));
    let Some((octets, rest)) = split else { return Ok(None) };
    match field {
        Field::Tag => match std::str::from_utf8(octets) {
            Ok(tag) if !tag.is_empty() && octets.iter().all(u8::is_ascii_alphanumeric) => text.push_str(tag),
            _ => return Ok(None),
        },
        Field::Base32(_) if octets.is_empty() => return Ok(None),
        Field::Salt if octets.is_empty() => text.push('-'),
        Field::Salt => text.push_str(&hex(octets)),
        Field::Base32(_) => text.push_str(&base32(octets)),
        _ => quote(octets, text)?,
    }
    Ok(Some(rest))
}

/// Text in quotation marks, octets outside printable ASCII escaped.
pub(super) fn quote(octets: &[u8], text: &mut String) -> fmt::Result {
    text.push('"');
    for octet in octets {
        match octet {
            b'"' | b'\\' => write!(text, "\\{}", char::from(*octet))?,
            b' '..=b'~' => text.push(char::from(*octet)),
            other => write!(text, "\\{other:03}")?,
        }
    }
    text.push('"');
    Ok(())
}

pub(super) fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn base32(octets: &[u8]) -> String {
    digits(octets, 5, b"0123456789abcdefghijklmnopqrstuv")
}

pub(crate) fn base64(octets: &[u8]) -> String {
    let mut text = digits(octets, 6, b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

/// Octets in digits of `width` bits, the last one filled up with zeros.
fn digits(octets: &[u8], width: u32, alphabet: &[u8]) -> String {
    let mut text = String::new();
    let (mut bits, mut have) = (0_u32, 0);
    let mut push = |value: u32| {
        let at = usize::try_from(value & ((1 << width) - 1)).unwrap_or(0);
        text.extend(alphabet.get(at).map(|digit| char::from(*digit)));
    };
    for octet in octets {
        bits = (bits << 8 | u32::from(*octet)) & 0xffff;
        have += 8;
        while have >= width {
            have -= width;
            push(bits >> have);
        }
    }
    if have > 0 {
        push(bits << (width - have));
    }
    text
}
