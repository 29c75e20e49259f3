//! Options of addresses, prefixes and routes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::encode::Encoder;
use crate::toml::Value;

/// An IPv4 address.
pub(super) fn ip4(encoder: &mut Encoder<'_>, value: Value<'_, '_>) -> Option<Ipv4Addr> {
    let text = encoder.string(value)?;
    ip4_part(encoder, value, text, 0)
}

/// An IPv6 address.
pub(super) fn ip6(encoder: &mut Encoder<'_>, value: Value<'_, '_>) -> Option<Ipv6Addr> {
    let text = encoder.string(value)?;
    match text.parse() {
        Ok(IpAddr::V6(address)) => Some(address),
        Ok(IpAddr::V4(_)) => encoder.not_that(value.span(), text, "an IPv6 address"),
        Err(_) => encoder.not_that(value.span(), text, "an address"),
    }
}

/// `10.0.0.0/8` as address and mask.
pub(super) fn address_and_mask(encoder: &mut Encoder<'_>, value: Value<'_, '_>) -> Option<Vec<u8>> {
    let text = encoder.string(value)?;
    let (prefix, length) = prefix(encoder, value, text, 0)?;
    Some([prefix.octets(), mask(length).to_be_bytes()].concat())
}

/// `10.0.0.1 via 10.20.0.1` as two addresses.
pub(super) fn static_route(encoder: &mut Encoder<'_>, value: Value<'_, '_>) -> Option<Vec<u8>> {
    let (destination, router) = route(encoder, value)?;
    let destination = ip4_part(encoder, value, destination.0, destination.1);
    let router = ip4_part(encoder, value, router.0, router.1)?;
    let destination = destination?;
    if destination.is_unspecified() {
        // RFC 2132, section 5.8: the default route is no legal destination of this option.
        let message = format!("`{destination}` is no destination; the default route is option `routers`");
        return encoder.refuse(value.span(), message);
    }
    Some([destination.octets(), router.octets()].concat())
}

/// `10.0.0.0/8 via 10.20.0.1` as length, significant octets, router.
pub(super) fn classless_route(encoder: &mut Encoder<'_>, value: Value<'_, '_>) -> Option<Vec<u8>> {
    let (destination, router) = route(encoder, value)?;
    let destination = match destination {
        ("default", _) => Some((Ipv4Addr::UNSPECIFIED, 0)),
        (text, from) => prefix(encoder, value, text, from),
    };
    let router = ip4_part(encoder, value, router.0, router.1)?;
    let (prefix, length) = destination?;
    let significant = usize::from(length.div_ceil(8));
    Some([&[length], prefix.octets().get(..significant)?, &router.octets()].concat())
}

/// A part of a string, and where in the string it starts.
type Part<'a> = (&'a str, usize);

/// Splits `DESTINATION via ROUTER`.
fn route<'a>(encoder: &mut Encoder<'_>, value: Value<'a, '_>) -> Option<(Part<'a>, Part<'a>)> {
    let text = encoder.string(value)?;
    match text.split_once(" via ") {
        Some((destination, router)) => {
            let destination = (destination.trim_ascii(), text.len() - text.trim_ascii_start().len());
            let router = router.trim_ascii();
            Some((destination, (router, text.trim_ascii_end().len() - router.len())))
        }
        None => encoder.not_that(value.span(), text, "a route"),
    }
}

fn ip4_part(encoder: &mut Encoder<'_>, value: Value<'_, '_>, text: &str, from: usize) -> Option<Ipv4Addr> {
    let what = match text.parse() {
        Ok(IpAddr::V4(address)) => return Some(address),
        Ok(IpAddr::V6(_)) => "an IPv4 address",
        Err(_) => "an address",
    };
    encoder.not_that(part_span(value, text, from), text, what)
}

/// An IPv4 prefix without host bits.
fn prefix(
    encoder: &mut Encoder<'_>,
    value: Value<'_, '_>,
    text: &str,
    from: usize,
) -> Option<(Ipv4Addr, u8)> {
    let span = part_span(value, text, from);
    let parsed = text.split_once('/').and_then(|(address, length)| {
        let length = length.parse::<u8>().ok().filter(|n| *n <= 32 && !length.starts_with('+'))?;
        Some((address.parse::<Ipv4Addr>().ok()?, length))
    });
    let Some((address, length)) = parsed else {
        return encoder.not_that(span, text, "an IPv4 prefix");
    };
    let network = Ipv4Addr::from(u32::from(address) & mask(length));
    if network != address {
        let message = format!("`{text}` has host bits set");
        return encoder.refuse_help(span, message, format!("write `{network}/{length}`"));
    }
    Some((network, length))
}

/// Where `text`, which starts at `from` in the string, stands in the file. A whole string counts
/// with its quotes.
fn part_span(value: Value<'_, '_>, text: &str, from: usize) -> crate::span::Span {
    let whole = matches!(value.kind(), crate::toml::Kind::String(string) if string.len() == text.len());
    if whole { value.span() } else { value.string_part(from, from + text.len()) }
}

fn mask(length: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0)
}
