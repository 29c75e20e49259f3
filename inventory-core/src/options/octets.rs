//! Octets that say what they hold: see the table in the module's header.

use std::net::IpAddr;

use super::encode::{Encoder, cut};
use crate::name::Name;
use crate::toml::{Kind, Value};

/// A string of octets, or several that follow each other.
pub(super) fn read(encoder: &mut Encoder<'_>, value: Value<'_, '_>) -> Option<Vec<u8>> {
    encoder.joined(value, |encoder, item| match item.kind() {
        Kind::String(text) => string(encoder, item, text),
        Kind::Integer(number) => {
            let message =
                format!("option `{}` takes octets, and {number} does not say how many it is", encoder.name());
            encoder.refuse_help(
                item.span(),
                message,
                format!("write `\"u8:{number}\"`, `\"u16:…\"` or `\"u32:…\"`"),
            )
        }
        _ => encoder.wrong_type(item),
    })
}

/// One string of octets.
pub(super) fn string(encoder: &mut Encoder<'_>, value: Value<'_, '_>, text: &str) -> Option<Vec<u8>> {
    if text.is_empty() {
        return encoder.refuse(value.span(), format!("option `{}` has no octets", encoder.name()));
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return match hex(digits) {
            Some(octets) => Some(octets),
            None => encoder.not_that(value.span(), text, "whole octets in hexadecimal digits"),
        };
    }
    let marked = text.split_once(':').and_then(|(mark, rest)| match mark {
        "text" => Some(Some(rest.as_bytes().to_vec()).filter(|octets| !octets.is_empty())),
        "ip" => Some(rest.parse().ok().map(|address| match address {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        })),
        "u8" => Some(number::<u8>(rest).map(|n| vec![n])),
        "u16" => Some(number::<u16>(rest).map(|n| n.to_be_bytes().to_vec())),
        "u32" => Some(number::<u32>(rest).map(|n| n.to_be_bytes().to_vec())),
        "name" => {
            Some(Name::parse(rest, None).ok().filter(|_| rest.is_ascii()).map(|name| name.as_wire().to_vec()))
        }
        _ => None,
    });
    match (marked, text.split_once(':')) {
        (Some(Some(octets)), _) => Some(octets),
        (Some(None), Some((mark, rest))) => {
            let what = match mark {
                "text" => "text",
                "ip" => "an address",
                "name" => "a domain name",
                _ => "a whole number of that size",
            };
            let message = format!("`{}` is not {what}", cut(rest));
            encoder.refuse(value.string_part(mark.len() + 1, text.len()), message)
        }
        _ => match colons(text) {
            Some(octets) => Some(octets),
            None => encoder.refuse_help(
                value.span(),
                format!("`{}` does not say what octets it stands for", cut(text)),
                "write octets as `0a:00:ff` or `0x0a00ff`, or say what it is: `text:`, `ip:`, `u8:`, `u16:`, `u32:`, \
                 `name:` in front",
            ),
        },
    }
}

/// `0a:00:ff`: two octets or more.
fn colons(text: &str) -> Option<Vec<u8>> {
    let octets: Vec<&str> = text.split(':').collect();
    if octets.len() < 2 || octets.iter().any(|octet| octet.len() != 2) {
        return None;
    }
    hex(&octets.concat())
}

/// Pairs of hexadecimal digits, at least one.
fn hex(digits: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        digits.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let (pairs, rest) = digits.as_deref()?.as_chunks::<2>();
    (rest.is_empty() && !pairs.is_empty()).then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}
