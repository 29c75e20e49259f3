//! Reading typed values out of the tree: one function per kind of value.
//!
//! Each takes a value and returns `None` after it has reported what is wrong with it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use super::field::{Field, Spanned};
use crate::diag::{Finding, Rule, did_you_mean};
use crate::mac::MacAddr;
use crate::model::Range;
use crate::name::Name;
use crate::toml::{Entry, Kind, Table, Value};
use crate::units;

pub(super) type Findings<'f> = &'f mut Vec<Finding>;

/// Reports a key that `table_kind` does not have.
pub(super) fn unknown_key(
    entry: Entry<'_, '_>,
    table_kind: &str,
    known: &[&'static str],
    findings: Findings<'_>,
) {
    let key = entry.key();
    let finding =
        Finding::new(Rule::UnknownKey, entry.key_span(), format!("{table_kind} has no key `{key}`"));
    findings.push(match did_you_mean(key, known.iter().copied()) {
        Some(near) => finding.label(format!("did you mean `{near}`?")),
        None => finding.help(format!("the keys of {table_kind} are: {}", known.join(", "))),
    });
}

/// Reports a value of the wrong type.
pub(super) fn wrong_type<T>(value: Value<'_, '_>, wanted: &str, findings: Findings<'_>) -> Option<T> {
    let message = format!("expected {wanted}, found {}", value.kind().describe());
    findings.push(Finding::new(Rule::WrongType, value.span(), message));
    None
}

/// Reports a value that `rule` refuses; `why` continues the sentence.
fn refuse<T>(
    rule: Rule,
    value: Value<'_, '_>,
    why: impl Into<String>,
    help: &str,
    findings: Findings<'_>,
) -> Option<T> {
    let finding = Finding::new(rule, value.span(), why);
    findings.push(if help.is_empty() { finding } else { finding.help(help) });
    None
}

/// A key's value by `read`, as a field.
pub(super) fn field<'a, 't, T>(
    entry: Entry<'a, 't>,
    findings: Findings<'_>,
    read: impl FnOnce(Value<'a, 't>, Findings<'_>) -> Option<T>,
) -> Field<T> {
    let value = entry.value();
    Field::from_option(read(value, findings), value.span())
}

/// A scalar or a list, each item by `read`. Broken if any item is.
pub(super) fn list<'a, 't, T>(
    entry: Entry<'a, 't>,
    findings: Findings<'_>,
    mut read: impl FnMut(Value<'a, 't>, Findings<'_>) -> Option<T>,
) -> Field<Vec<Spanned<T>>> {
    let value = entry.value();
    let Kind::Array(array) = value.kind() else {
        let item = read(value, findings);
        return Field::from_option(
            item.map(|item| vec![Spanned { value: item, span: value.span() }]),
            value.span(),
        );
    };
    let mut all = Vec::with_capacity(array.len());
    let mut broken = false;
    for item in array.items() {
        match read(item, findings) {
            Some(read) => all.push(Spanned { value: read, span: item.span() }),
            None => broken = true,
        }
    }
    Field::from_option((!broken).then_some(all), value.span())
}

pub(super) fn string<'a>(value: Value<'a, '_>, findings: Findings<'_>) -> Option<&'a str> {
    match value.kind() {
        Kind::String(text) => Some(text),
        _ => wrong_type(value, "a string in quotes", findings),
    }
}

pub(super) fn boxed(value: Value<'_, '_>, findings: Findings<'_>) -> Option<Box<str>> {
    string(value, findings).map(Box::from)
}

pub(super) fn boolean(value: Value<'_, '_>, findings: Findings<'_>) -> Option<bool> {
    match value.kind() {
        Kind::Boolean(yes) => Some(yes),
        _ => wrong_type(value, "`true` or `false`", findings),
    }
}

pub(super) fn table<'a, 't>(value: Value<'a, 't>, findings: Findings<'_>) -> Option<Table<'a, 't>> {
    match value.kind() {
        Kind::Table(table) => Some(table),
        _ => wrong_type(value, "a table", findings),
    }
}

/// A whole number from `least` to `most`.
pub(super) fn number(value: Value<'_, '_>, least: u32, most: u32, findings: Findings<'_>) -> Option<u32> {
    let Kind::Integer(number) = value.kind() else {
        return wrong_type(value, "a number", findings);
    };
    match u32::try_from(number) {
        Ok(number) if (least..=most).contains(&number) => Some(number),
        _ => refuse(
            Rule::OutOfBounds,
            value,
            format!("{number} is not between {least} and {most}"),
            "",
            findings,
        ),
    }
}

/// A duration of `least` to `most` seconds.
pub(super) fn seconds(value: Value<'_, '_>, least: u32, most: u32, findings: Findings<'_>) -> Option<u32> {
    const HELP: &str = "write a number and a unit: `90s`, `5m`, `12h`, `7d`, `2w`, or several as in `1h30m`";
    let text = match value.kind() {
        Kind::String(text) => text,
        Kind::Integer(n) => {
            let why = format!("duration `{n}` has no unit");
            return refuse(Rule::InvalidDuration, value, why, HELP, findings);
        }
        _ => return wrong_type(value, "a duration such as \"12h\"", findings),
    };
    let whole = match units::parse_duration(text) {
        Ok(whole) => whole,
        Err(error) => {
            return refuse(Rule::InvalidDuration, value, format!("duration `{text}` {error}"), HELP, findings);
        }
    };
    match u32::try_from(whole) {
        Ok(fits) if (least..=most).contains(&fits) => Some(fits),
        _ => {
            let (least, most) = (units::show_duration(least.into()), units::show_duration(most.into()));
            let why = format!("duration `{text}` is not between {least} and {most}");
            refuse(Rule::InvalidDuration, value, why, "", findings)
        }
    }
}

pub(super) fn size(value: Value<'_, '_>, findings: Findings<'_>) -> Option<u64> {
    const HELP: &str = "write a number and a binary unit: `512 MiB`, `8 GiB`";
    match value.kind() {
        Kind::String(text) => match units::parse_size(text) {
            Ok(0) => refuse(Rule::InvalidSize, value, format!("size `{text}` is nothing"), "", findings),
            Ok(octets) => Some(octets),
            Err(error) => refuse(Rule::InvalidSize, value, format!("size `{text}` {error}"), HELP, findings),
        },
        Kind::Integer(n) => {
            refuse(Rule::InvalidSize, value, format!("size `{n}` has no unit"), HELP, findings)
        }
        _ => wrong_type(value, "a size such as \"8 GiB\"", findings),
    }
}

pub(super) fn mac(value: Value<'_, '_>, findings: Findings<'_>) -> Option<MacAddr> {
    let text = string(value, findings)?;
    let Ok(mac) = text.parse::<MacAddr>() else {
        let why = format!("`{text}` is not a MAC address");
        return refuse(Rule::InvalidMac, value, why, "write six octets as in `52:54:00:aa:00:11`", findings);
    };
    match mac.reject() {
        None => Some(mac),
        Some(why) => refuse(Rule::InvalidMac, value, format!("MAC address `{text}` {why}"), "", findings),
    }
}

pub(super) fn address(value: Value<'_, '_>, findings: Findings<'_>) -> Option<IpAddr> {
    let text = string(value, findings)?;
    match text.parse() {
        Ok(address) => Some(address),
        Err(_) if text.contains('/') => {
            let help = "write the address alone; its network says the prefix length";
            refuse(Rule::InvalidAddress, value, format!("`{text}` is not an IP address"), help, findings)
        }
        Err(_) => refuse(Rule::InvalidAddress, value, format!("`{text}` is not an IP address"), "", findings),
    }
}

pub(super) fn ipv4(value: Value<'_, '_>, findings: Findings<'_>) -> Option<Ipv4Addr> {
    match address(value, findings)? {
        IpAddr::V4(v4) => Some(v4),
        IpAddr::V6(v6) => {
            refuse(Rule::InvalidAddress, value, format!("`{v6}` is IPv6; this key takes IPv4"), "", findings)
        }
    }
}

pub(super) fn ipv4_net(value: Value<'_, '_>, findings: Findings<'_>) -> Option<Ipv4Net> {
    const EXAMPLE: &str = "write a prefix as in `10.20.0.0/24`";
    let text = string(value, findings)?;
    let Ok(net) = text.parse::<Ipv4Net>() else {
        let family = if text.parse::<Ipv6Net>().is_ok() {
            "is IPv6; `ipv4` takes IPv4"
        } else {
            "is not an IPv4 prefix"
        };
        return refuse(Rule::InvalidPrefix, value, format!("`{text}` {family}"), EXAMPLE, findings);
    };
    if net.addr() != net.network() {
        let help = format!("the network is `{}`", net.trunc());
        return refuse(Rule::InvalidPrefix, value, format!("`{text}` has host bits set"), &help, findings);
    }
    if net.prefix_len() == 0 {
        let why = "a network of length /0 is the whole Internet";
        return refuse(Rule::InvalidPrefix, value, why, EXAMPLE, findings);
    }
    if Ipv4Addr::is_multicast(&net.network()) || net.network().is_loopback() || net.network().octets()[0] == 0
    {
        return refuse(Rule::InvalidPrefix, value, format!("`{text}` is not for hosts"), "", findings);
    }
    Some(net)
}

pub(super) fn ipv6_net(value: Value<'_, '_>, findings: Findings<'_>) -> Option<Ipv6Net> {
    const EXAMPLE: &str = "write a prefix as in `2001:db8:20::/64`";
    let text = string(value, findings)?;
    let Ok(net) = text.parse::<Ipv6Net>() else {
        let family = if text.parse::<Ipv4Net>().is_ok() {
            "is IPv4; `ipv6` takes IPv6"
        } else {
            "is not an IPv6 prefix"
        };
        return refuse(Rule::InvalidPrefix, value, format!("`{text}` {family}"), EXAMPLE, findings);
    };
    if net.addr() != net.network() {
        let help = format!("the network is `{}`", net.trunc());
        return refuse(Rule::InvalidPrefix, value, format!("`{text}` has host bits set"), &help, findings);
    }
    if net.prefix_len() < 4 {
        let why = format!("a network of length /{} is no site's", net.prefix_len());
        return refuse(Rule::InvalidPrefix, value, why, EXAMPLE, findings);
    }
    if Ipv6Addr::is_multicast(&net.network()) || net.network().is_unicast_link_local() {
        return refuse(
            Rule::InvalidPrefix,
            value,
            format!("`{text}` is not for hosts with names"),
            "",
            findings,
        );
    }
    Some(net)
}

/// `FIRST-LAST`, or one address.
pub(super) fn range(value: Value<'_, '_>, findings: Findings<'_>) -> Option<Range> {
    const EXAMPLE: &str = "write `FIRST-LAST` as in `10.20.0.200-10.20.0.250`";
    let text = string(value, findings)?;
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let mut ends = Vec::new();
    for end in [first.trim(), last.trim()] {
        match end.parse::<IpAddr>() {
            Ok(address) => ends.push(address),
            Err(_) => {
                return refuse(
                    Rule::InvalidRange,
                    value,
                    format!("`{end}` is not an IP address"),
                    EXAMPLE,
                    findings,
                );
            }
        }
    }
    let (first, last) = (ends[0], ends[1]);
    Range::new(first, last).or_else(|| {
        let why = if first.is_ipv4() == last.is_ipv4() {
            format!("range `{text}` runs backwards")
        } else {
            format!("range `{text}` starts in one address family and ends in the other")
        };
        refuse(Rule::InvalidRange, value, why, EXAMPLE, findings)
    })
}

/// A domain name; relative ones end at the root.
pub(super) fn domain_name(value: Value<'_, '_>, findings: Findings<'_>) -> Option<Name> {
    let text = string(value, findings)?;
    match Name::parse(text, None) {
        Ok(name) => Some(name),
        Err(error) => refuse(Rule::InvalidName, value, format!("domain name `{text}` {error}"), "", findings),
    }
}

/// One of `choices` by its word.
pub(super) fn choice<T: Copy>(
    value: Value<'_, '_>,
    choices: &[(&'static str, T)],
    findings: Findings<'_>,
) -> Option<T> {
    let text = string(value, findings)?;
    if let Some((_, choice)) = choices.iter().find(|(word, _)| *word == text) {
        return Some(*choice);
    }
    let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
    let finding =
        Finding::new(Rule::InvalidChoice, value.span(), format!("`{text}` is none of {}", words.join(", ")));
    let near = did_you_mean(text, words);
    findings.push(match near {
        Some(near) => finding.label(format!("did you mean `{near}`?")),
        None => finding,
    });
    None
}

/// A path below the inventory's root or the boot root: relative, without `..`.
pub(super) fn path(value: Value<'_, '_>, findings: Findings<'_>) -> Option<Box<str>> {
    let text = string(value, findings)?;
    let why = if text.is_empty() {
        "is empty"
    } else if text.starts_with('/') {
        "is absolute"
    } else if text.split('/').any(|part| part == "..") {
        "leaves its root by `..`"
    } else if text.contains('\0') || text.split('/').any(|part| part.is_empty() || part == ".") {
        "has an empty or `.` part"
    } else {
        return Some(text.into());
    };
    let help = "write it relative to the root, as in `templates/preseed.cfg.j2`";
    refuse(Rule::PathOutsideRoot, value, format!("path `{text}` {why}"), help, findings)
}

/// A path as [`path`] takes it, or an `http://`, `https://` or `tftp://` URL.
pub(super) fn path_or_url(value: Value<'_, '_>, findings: Findings<'_>) -> Option<Box<str>> {
    match value.kind() {
        Kind::String(text) if is_url(text) => Some(text.into()),
        _ => path(value, findings),
    }
}

/// Whether `text` is a URL that firmware can load from.
pub(crate) fn is_url(text: &str) -> bool {
    ["http://", "https://", "tftp://"].iter().any(|scheme| text.starts_with(scheme))
}

/// Octets: `01:52:54:00`, `0x01525400`, or `text:` and the text itself.
pub(super) fn octets(value: Value<'_, '_>, what: &str, findings: Findings<'_>) -> Option<Box<[u8]>> {
    let text = string(value, findings)?;
    let octets = match (text.strip_prefix("text:"), text.strip_prefix("0x")) {
        (Some(plain), _) => Some(plain.as_bytes().to_vec()),
        (None, Some(digits)) if digits.is_ascii() => {
            digits.as_bytes().chunks(2).map(|pair| hex_octet(std::str::from_utf8(pair).ok()?)).collect()
        }
        _ => text.split([':', '-']).map(hex_octet).collect(),
    };
    match octets {
        Some(octets) if (1..=255).contains(&octets.len()) => Some(octets.into()),
        _ => {
            let help =
                "write hexadecimal octets as in `01:52:54:00:aa:00:11` or `0x0152…`, or `text:` and a text";
            refuse(Rule::InvalidIdentifier, value, format!("`{text}` is no {what}"), help, findings)
        }
    }
}

fn hex_octet(text: &str) -> Option<u8> {
    let is_pair = text.len() == 2 && text.bytes().all(|b| b.is_ascii_hexdigit());
    is_pair.then(|| u8::from_str_radix(text, 16).ok()).flatten()
}
