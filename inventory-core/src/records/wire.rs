//! RDATA in generic form: `\# LENGTH HEX…` (RFC 3597, section 5).
//!
//! Data of a type with a known shape is held to that shape, so that nothing reaches the wire in
//! this form that could not in the other.

use super::fields::{Fields, Rdata, Wrong};
use super::report::Extent;
use super::shape::{self, Field, Shape};
use super::{codec, gateway, lists, rare, svcb};
use crate::name::Name;

/// Reads the generic form, whose `\#` is the next word. `shape` is that of the type, if it is known.
pub(super) fn read(mut fields: Fields<'_, '_>, shape: Option<&Shape>) -> Option<Rdata> {
    read_checked(&mut fields, shape).ok()
}

fn read_checked(fields: &mut Fields<'_, '_>, shape: Option<&Shape>) -> Result<Rdata, Wrong> {
    let mark = fields.next()?;
    if fields.words.is_empty() {
        return fields.wrong_help(mark.at, "the length of the data is missing behind `\\#`", HELP);
    }
    let length_at = fields.words.first().map_or(mark.at, |word| word.at);
    let length: u16 = fields.integer("length in octets", u16::MAX)?;
    let text = fields.names.text;
    let (words, all) = fields.take_all().unwrap_or((&[], length_at));
    let joined: String = words.iter().map(|word| word.at.of(text)).collect();
    let Ok(wire) = codec::from_hex(&joined) else {
        return fields.wrong_help(all, "the data is no whole octets of hexadecimal digits", HELP);
    };
    if wire.len() != usize::from(length) {
        return fields
            .wrong(length_at, format!("the length says {length} octets, but {} follow", wire.len()));
    }
    let Some(shape) = shape else {
        return Ok(Rdata { wire, target: None, adrift: false });
    };
    let rtype = fields.rtype;
    match check_shape(shape, &wire) {
        Ok(target) => match shape::digest_octets(rtype, &wire).filter(|(want, have)| want != have) {
            Some((want, have)) => {
                fields.wrong(all, format!("a digest of this kind has {want} octets, this one {have}"))
            }
            None => Ok(Rdata { wire, target: target.map(|name| (name, all)), adrift: false }),
        },
        Err(reason) => fields.wrong(all, format!("this is not the data of a {rtype} record: {reason}")),
    }
}

const HELP: &str =
    "data in generic form is written `\\# 4 0a000001`: its length in octets, then hexadecimal digits";

/// Walks `wire` by its shape; returns the name it points to.
fn check_shape(shape: &Shape, wire: &[u8]) -> Result<Option<Name>, String> {
    let mut rest = wire;
    let mut target = None;
    for field in shape.fields {
        let octets = octets_of(*field, rest, wire)?;
        if matches!(field, Field::Target(_)) {
            target = Name::from_wire(octets);
        }
        rest = &rest[octets.len()..];
    }
    if rest.is_empty() { Ok(target) } else { Err(format!("{} octets are left over", rest.len())) }
}

/// What `field` takes of `rest`, the end of `wire`.
///
/// # Errors
/// Says why it is not such a field.
pub(super) fn octets_of<'w>(field: Field, rest: &'w [u8], wire: &[u8]) -> Result<&'w [u8], String> {
    match field {
        Field::Ip4 | Field::U32(_) | Field::Seconds(_) | Field::Moment(_) => fixed(rest, 4),
        Field::Ip6 | Field::Location => fixed(rest, 16),
        Field::U8(_) | Field::Algorithm | Field::Relay | Field::Scheme => fixed(rest, 1),
        Field::U16(_) | Field::Type | Field::CertificateType => fixed(rest, 2),
        Field::Groups(_) => fixed(rest, 8),
        Field::Pairs(octets, _) => fixed(rest, octets),
        Field::Text(_) | Field::Tag | Field::Salt | Field::Base32(_) => counted(rest),
        Field::Texts | Field::MoreTexts => {
            let mut strings = rest;
            while !strings.is_empty() || rest.is_empty() && field == Field::Texts {
                strings = &strings[counted(strings)?.len()..];
            }
            Ok(rest)
        }
        Field::Rest("URI") if rest.is_empty() => Err("the URI is empty".to_owned()),
        Field::Hex(_) | Field::Base64(_) | Field::Nsap if rest.is_empty() => {
            Err("it ends too early".to_owned())
        }
        Field::Rest(_) | Field::Hex(_) | Field::Base64(_) | Field::Nsap => Ok(rest),
        Field::MaybeBase64(_) | Field::DashBase64(_) => Ok(rest),
        Field::Gateway(mask) => gateway::octets_of(mask, rest, wire),
        Field::Prefixes => lists::check_prefixes(rest).map(|()| rest),
        Field::Services => {
            let bits = rest.get(1..).ok_or("it ends too early")?;
            lists::numbers(bits, SERVICE_OCTETS_MAX).ok_or("the bitmap of services is malformed")?;
            Ok(rest)
        }
        Field::OldTypes => {
            lists::numbers(rest, TYPE_OCTETS_MAX).ok_or("the bitmap of types is malformed")?;
            Ok(rest)
        }
        Field::HostIdentity => lists::identity_octets(rest),
        Field::MoreNames => {
            let mut names = rest;
            while !names.is_empty() {
                names = &names[name_in_front(names)?.len()..];
            }
            Ok(rest)
        }
        Field::Types => {
            rare::read_bitmap(rest).ok_or("the bitmap of types is malformed")?;
            Ok(rest)
        }
        Field::ServiceParameters => {
            svcb::check(wire.starts_with(&[0, 0]), rest)?;
            Ok(rest)
        }
        Field::Name(_) | Field::Mailbox(_) | Field::Target(_) => name_in_front(rest),
    }
}

/// Octets of a bitmap of all ports, and of the types that NXT knows.
pub(super) const SERVICE_OCTETS_MAX: usize = 8192;
pub(super) const TYPE_OCTETS_MAX: usize = 16;

/// The name that `wire` starts with.
///
/// # Errors
/// Says why it is none.
pub(super) fn name_in_front(wire: &[u8]) -> Result<&[u8], String> {
    let length = name_octets(wire).ok_or("a domain name in it is cut off, or compressed")?;
    let name = &wire[..length];
    Name::from_wire(name).ok_or("a domain name in it is too long")?;
    Ok(name)
}

pub(super) fn fixed(wire: &[u8], octets: usize) -> Result<&[u8], String> {
    wire.get(..octets).ok_or_else(|| "it ends too early".to_owned())
}

/// A character string with its length octet.
fn counted(wire: &[u8]) -> Result<&[u8], String> {
    let length = wire.first().map_or(1, |length| usize::from(*length) + 1);
    fixed(wire, length)
}

fn name_octets(wire: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        match usize::from(*wire.get(at)?) {
            0 => return Some(at + 1),
            length @ 1..=63 => at += length + 1,
            _ => return None,
        }
    }
}

/// Whether the word starts the generic form.
pub(super) fn is_mark(text: &str, at: Extent) -> bool {
    at.of(text) == "\\#"
}
