//! The gateway of IPSECKEY and the relay of AMTRELAY: nothing, an address or a name, as the octet says that
//! stands before (RFC 4025, section 2.5; RFC 8777, section 4.2.3).

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::fields::{Fields, Rdata, Wrong};
use super::{present, wire};

/// What `kind`, a gateway's type, has for a gateway.
#[derive(Clone, Copy)]
enum Kind {
    Nothing,
    V4,
    V6,
    Name,
}

/// The kind in RDATA, whose second octet says it; `None` if it is not known. `mask`: the bits that count.
fn kind(rdata: &[u8], mask: u8) -> Option<Kind> {
    match rdata.get(1)? & mask {
        0 => Some(Kind::Nothing),
        1 => Some(Kind::V4),
        2 => Some(Kind::V6),
        3 => Some(Kind::Name),
        _ => None,
    }
}

/// Reads the gateway behind what `out` has so far.
pub(super) fn read(fields: &mut Fields<'_, '_>, mask: u8, out: &mut Rdata) -> Result<(), Wrong> {
    let Some(kind) = kind(&out.wire, mask) else {
        let word = fields.next()?;
        return fields.wrong_help(
            word.at,
            "the type in front of this is of no known gateway",
            "it is 0 for none (`.`), 1 for an IPv4 address, 2 for an IPv6 address, 3 for a name",
        );
    };
    match kind {
        Kind::Nothing => {
            let word = fields.next()?;
            if fields.text_of(&word) != "." {
                let message = format!("`{}` is a gateway, but its type is 0", fields.shown(word.at));
                return fields.wrong_help(word.at, message, "no gateway is written `.`");
            }
        }
        Kind::V4 => {
            let octets = fields.address::<Ipv4Addr>("an IPv4 address")?.octets();
            out.wire.extend_from_slice(&octets);
        }
        Kind::V6 => {
            let octets = fields.address::<Ipv6Addr>("an IPv6 address")?.octets();
            out.wire.extend_from_slice(&octets);
        }
        Kind::Name => {
            fields.name(out)?;
        }
    }
    Ok(())
}

/// The octets of the gateway that `rest`, the end of `rdata`, starts with.
///
/// # Errors
/// Says why it has none.
pub(super) fn octets_of<'w>(mask: u8, rest: &'w [u8], rdata: &[u8]) -> Result<&'w [u8], String> {
    match kind(rdata, mask).ok_or("the gateway's type is not known")? {
        Kind::Nothing => Ok(&[]),
        Kind::V4 => wire::fixed(rest, 4),
        Kind::V6 => wire::fixed(rest, 16),
        Kind::Name => wire::name_in_front(rest),
    }
}

/// Appends the text of the gateway; returns what follows it.
pub(super) fn show<'w>(mask: u8, rest: &'w [u8], rdata: &[u8], text: &mut String) -> present::Shown<'w> {
    let Some(kind) = kind(rdata, mask) else { return Ok(None) };
    match kind {
        Kind::Nothing => {
            text.push('.');
            Ok(Some(rest))
        }
        Kind::V4 => present::fixed(rest, |octets: &[u8; 4]| write!(text, "{}", Ipv4Addr::from(*octets))),
        Kind::V6 => present::fixed(rest, |octets: &[u8; 16]| write!(text, "{}", Ipv6Addr::from(*octets))),
        Kind::Name => present::show_name(rest, text),
    }
}
