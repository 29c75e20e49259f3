//! RDATA in generic form: `\# LENGTH HEX…` (RFC 3597, section 5).
//!
//! Data of a type with a known shape is held to that shape, so that nothing reaches the wire in
//! this form that could not in the other.

use super::fields::{Fields, Rdata, Wrong};
use super::report::Extent;
use super::shape::{self, Field, Shape};
use super::{codec, rare, svcb};
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
    match lower_names(shape, &wire) {
        Ok((wire, target)) => match shape::digest_octets(rtype, &wire).filter(|(want, have)| want != have) {
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

/// Walks `wire` by its shape; returns it with the names in lower case, and the name it points to.
fn lower_names(shape: &Shape, wire: &[u8]) -> Result<(Vec<u8>, Option<Name>), String> {
    let mut rest = wire;
    let mut out = Vec::with_capacity(wire.len());
    let mut target = None;
    for field in shape.fields {
        let octets = match field {
            Field::Ip4 | Field::U32(_) | Field::Seconds(_) => fixed(rest, 4)?,
            Field::Ip6 | Field::Location => fixed(rest, 16)?,
            Field::U8(_) | Field::Algorithm => fixed(rest, 1)?,
            Field::U16(_) => fixed(rest, 2)?,
            Field::Text(_) | Field::Tag => counted(rest)?,
            Field::Texts => {
                let mut strings = rest;
                loop {
                    strings = &strings[counted(strings)?.len()..];
                    if strings.is_empty() {
                        break rest;
                    }
                }
            }
            Field::Rest("URI") if rest.is_empty() => return Err("the URI is empty".to_owned()),
            Field::Rest(_) => rest,
            Field::Hex(_) | Field::Base64(_) if rest.is_empty() => return Err("it ends too early".to_owned()),
            Field::Hex(_) | Field::Base64(_) => rest,
            Field::Type | Field::CertificateType => fixed(rest, 2)?,
            Field::Moment(_) => fixed(rest, 4)?,
            Field::Groups(_) => fixed(rest, 8)?,
            Field::Pairs(octets, _) => fixed(rest, *octets)?,
            Field::Salt | Field::Base32(_) => counted(rest)?,
            Field::Types => {
                rare::read_bitmap(rest).ok_or("the bitmap of types is malformed")?;
                rest
            }
            Field::MoreTexts => {
                let mut strings = rest;
                while !strings.is_empty() {
                    strings = &strings[counted(strings)?.len()..];
                }
                rest
            }
            Field::ServiceParameters => {
                svcb::check(wire.starts_with(&[0, 0]), rest)?;
                rest
            }
            Field::Name(_) | Field::Mailbox(_) | Field::Target(_) => {
                let length = name_octets(rest).ok_or("a domain name in it is cut off, or compressed")?;
                let name = Name::from_wire(&rest[..length]).ok_or("a domain name in it is too long")?;
                out.extend_from_slice(name.as_wire());
                rest = &rest[length..];
                if matches!(field, Field::Target(_)) {
                    target = Some(name);
                }
                continue;
            }
        };
        out.extend_from_slice(octets);
        rest = &rest[octets.len()..];
    }
    if rest.is_empty() { Ok((out, target)) } else { Err(format!("{} octets are left over", rest.len())) }
}

fn fixed(wire: &[u8], octets: usize) -> Result<&[u8], String> {
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
