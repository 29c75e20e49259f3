//! Service parameters of SVCB and HTTPS records (RFC 9460).
//!
//! A list of keys with values, ascending in wire form, in any order in text. The rules that bind
//! keys together hold for text and for the generic form alike.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::codec;
use super::fields::{Fields, Wrong};
use super::lex::{Shape, Word};
use super::present::{Shown, base64, quote};
use super::report::Extent;
use crate::diag::did_you_mean;

const MANDATORY: u16 = 0;
const ALPN: u16 = 1;
const NO_DEFAULT_ALPN: u16 = 2;
const PORT: u16 = 3;
const IPV4HINT: u16 = 4;
const ECH: u16 = 5;
const IPV6HINT: u16 = 6;
const DOHPATH: u16 = 7;
const OHTTP: u16 = 8;
const TLS_SUPPORTED_GROUPS: u16 = 9;
/// Reserved as "invalid key" (RFC 9460, section 14.3.2).
const INVALID: u16 = 65535;

/// Keys by name (IANA "Service Parameter Keys (SvcParamKeys)").
const KEYS: &[(&str, u16)] = &[
    ("mandatory", MANDATORY),
    ("alpn", ALPN),
    ("no-default-alpn", NO_DEFAULT_ALPN),
    ("port", PORT),
    ("ipv4hint", IPV4HINT),
    ("ech", ECH),
    ("ipv6hint", IPV6HINT),
    ("dohpath", DOHPATH),
    ("ohttp", OHTTP),
    ("tls-supported-groups", TLS_SUPPORTED_GROUPS),
];

/// Reads the parameters and appends them. `wire` holds what stands in front, the priority first.
pub(super) fn read(fields: &mut Fields<'_, '_>, wire: &mut Vec<u8>) -> Result<(), Wrong> {
    let alias = wire.starts_with(&[0, 0]);
    let mut list: BTreeMap<u16, Vec<u8>> = BTreeMap::new();
    let mut places: BTreeMap<u16, Extent> = BTreeMap::new();
    let mut result = Ok(());
    while let Ok(word) = fields.next() {
        let Ok((key, value)) = parameter(fields, &word) else {
            result = Err(Wrong);
            continue;
        };
        if list.insert(key, value).is_some() {
            let message = format!("the parameter `{}` stands twice", name(key));
            result = fields.wrong(word.at, message);
        }
        places.insert(key, word.at);
    }
    result?;
    if let Err((key, reason)) = check_list(alias, &list) {
        let at = places.get(&key).copied().unwrap_or(fields.before);
        return fields.wrong(at, reason);
    }
    for (key, value) in &list {
        wire.extend_from_slice(&key.to_be_bytes());
        match u16::try_from(value.len()) {
            Ok(length) => wire.extend_from_slice(&length.to_be_bytes()),
            Err(_) => {
                let at = places.get(key).copied().unwrap_or(fields.before);
                return fields.wrong(at, "a parameter holds up to 65535 octets");
            }
        }
        wire.extend_from_slice(value);
    }
    Ok(())
}

/// Checks parameters in wire form, behind the priority and the target.
///
/// # Errors
/// Says what is wrong.
pub(super) fn check(alias: bool, mut wire: &[u8]) -> Result<(), String> {
    let mut list: BTreeMap<u16, Vec<u8>> = BTreeMap::new();
    while !wire.is_empty() {
        let (key, rest) = split_u16(wire).ok_or("a parameter is cut off")?;
        let (length, rest) = split_u16(rest).ok_or("a parameter is cut off")?;
        let (value, rest) = rest.split_at_checked(length.into()).ok_or("a parameter is cut off")?;
        if list.last_key_value().is_some_and(|(last, _)| *last >= key) {
            return Err("parameters do not ascend".to_owned());
        }
        check_value(key, value).map_err(|reason| format!("the parameter `{}` {reason}", name(key)))?;
        list.insert(key, value.to_vec());
        wire = rest;
    }
    check_list(alias, &list).map_err(|(_, reason)| reason)
}

/// The rules that bind parameters together. An error names the parameter that breaks one.
fn check_list(alias: bool, list: &BTreeMap<u16, Vec<u8>>) -> Result<(), (u16, String)> {
    if let Some(key) = list.keys().next().filter(|_| alias) {
        return Err((*key, "a record with priority 0 is an alias and has no parameters".to_owned()));
    }
    if list.contains_key(&NO_DEFAULT_ALPN) && !list.contains_key(&ALPN) {
        return Err((NO_DEFAULT_ALPN, "`no-default-alpn` needs `alpn` beside it".to_owned()));
    }
    for pair in list.get(&MANDATORY).map_or(&[][..], Vec::as_slice).chunks_exact(2) {
        let key = u16::from_be_bytes([pair[0], pair[1]]);
        if !list.contains_key(&key) {
            return Err((MANDATORY, format!("`mandatory` lists `{}`, which is not there", name(key))));
        }
    }
    Ok(())
}

/// Checks a value in wire form. The error follows the parameter's name.
fn check_value(key: u16, value: &[u8]) -> Result<(), &'static str> {
    let whole = |octets: usize| !value.is_empty() && value.len().is_multiple_of(octets);
    match key {
        MANDATORY => {
            let keys: Vec<&[u8]> = value.chunks(2).collect();
            let ascending = keys.windows(2).all(|pair| pair[0] < pair[1]);
            if whole(2) && ascending && keys[0] != [0, 0] {
                Ok(())
            } else {
                Err("is no ascending list of other keys")
            }
        }
        ALPN => {
            let mut rest = value;
            while let Some((length, tail)) = rest.split_first() {
                let id = tail.split_at_checked(usize::from(*length)).filter(|_| *length > 0);
                rest = id.ok_or("has an empty identifier, or one that is cut off")?.1;
            }
            if value.is_empty() { Err("is empty") } else { Ok(()) }
        }
        NO_DEFAULT_ALPN | OHTTP if !value.is_empty() => Err("takes no value"),
        PORT if value.len() != 2 => Err("is not 2 octets"),
        IPV4HINT if !whole(4) => Err("is no list of IPv4 addresses"),
        IPV6HINT if !whole(16) => Err("is no list of IPv6 addresses"),
        TLS_SUPPORTED_GROUPS if !whole(2) => Err("is no list of groups"),
        DOHPATH if value.is_empty() => Err("is empty"),
        ECH if split_u16(value)
            .is_none_or(|(length, rest)| rest.is_empty() || rest.len() != usize::from(length)) =>
        {
            Err("is no ECHConfigList")
        }
        DOHPATH if std::str::from_utf8(value).is_err() => Err("is not UTF-8"),
        INVALID => Err("is a reserved key"),
        _ => Ok(()),
    }
}

/// Appends the text of parameters, to the end; `None` if they break a rule.
pub(super) fn show<'w>(alias: bool, mut wire: &[u8], text: &mut String) -> Shown<'w> {
    if check(alias, wire).is_err() {
        return Ok(None);
    }
    while let Some((&[k0, k1, l0, l1], rest)) = wire.split_first_chunk::<4>() {
        let key = u16::from_be_bytes([k0, k1]);
        let Some((value, rest)) = rest.split_at_checked(u16::from_be_bytes([l0, l1]).into()) else {
            return Ok(None);
        };
        wire = rest;
        text.push_str(&name(key));
        if !value.is_empty() {
            text.push('=');
            show_value(key, value, text)?;
        }
        text.push(' ');
    }
    text.truncate(text.trim_end_matches(' ').len());
    Ok(Some(&[]))
}

/// Appends a value that keeps the rules of its key.
fn show_value(key: u16, value: &[u8], text: &mut String) -> fmt::Result {
    let pairs = || value.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair));
    let list: Vec<String> = match key {
        MANDATORY => pairs().map(name).collect(),
        PORT | TLS_SUPPORTED_GROUPS => pairs().map(|number| number.to_string()).collect(),
        IPV4HINT => {
            value.as_chunks::<4>().0.iter().map(|octets| Ipv4Addr::from(*octets).to_string()).collect()
        }
        IPV6HINT => {
            value.as_chunks::<16>().0.iter().map(|octets| Ipv6Addr::from(*octets).to_string()).collect()
        }
        ECH => vec![base64(value)],
        ALPN => {
            let mut list = Vec::new();
            let mut rest = value;
            while let Some((id, tail)) =
                rest.split_first().and_then(|(length, tail)| tail.split_at_checked((*length).into()))
            {
                let escaped = id.iter().flat_map(|octet| {
                    let special = matches!(octet, b',' | b'\\');
                    special.then_some(b'\\').into_iter().chain([*octet])
                });
                if !list.is_empty() {
                    list.push(b',');
                }
                list.extend(escaped);
                rest = tail;
            }
            return quote(&list, text);
        }
        _ => return quote(value, text),
    };
    text.push_str(&list.join(","));
    Ok(())
}

/// Reads `key`, `key=value` or `key="value"`.
fn parameter(fields: &mut Fields<'_, '_>, word: &Word) -> Result<(u16, Vec<u8>), Wrong> {
    let text = fields.text_of(word);
    if word.shape == Shape::Quoted {
        return fields.wrong_help(
            word.at,
            "a parameter's quotation marks stand around its value",
            "write `alpn=\"h2,h3\"` or `alpn=h2,h3`",
        );
    }
    let (label, raw) = text.split_once('=').map_or((text, None), |(label, value)| (label, Some(value)));
    let Some(key) = key_of(label) else {
        let named = Extent { from: word.at.from, to: word.at.from + label.len() };
        let at = if label.is_empty() { word.at } else { named };
        let message = format!("`{}` is no parameter", fields.shown(at));
        let finding = fields.report.at(at, message);
        fields.report.push(match did_you_mean(label, KEYS.iter().map(|(name, _)| *name)) {
            Some(near) => finding.label(format!("did you mean `{near}`?")),
            None => finding.help("other parameters are written by number: `key667=value`"),
        });
        return Err(Wrong);
    };
    let raw = raw.unwrap_or("");
    let (raw, from) = match word.shape {
        Shape::Assignment { quote } => {
            (raw.trim_start_matches('"').strip_suffix('"').unwrap_or(""), quote + 1)
        }
        Shape::Plain | Shape::Quoted => (raw, word.at.to - raw.len()),
    };
    let octets = match codec::unescape(raw, from) {
        Ok(octets) => octets,
        Err(at) => {
            let message = format!("`{}` starts no escape", fields.shown(at));
            return fields.wrong(at, message);
        }
    };
    let numbered = label.starts_with("key");
    let value = if numbered { Ok(octets) } else { encode(key, &octets) };
    let checked = value.and_then(|value| check_value(key, &value).map(|()| value).map_err(str::to_owned));
    match checked {
        Ok(value) => Ok((key, value)),
        Err(reason) => fields.wrong(word.at, format!("the parameter `{}` {reason}", name(key))),
    }
}

/// The wire form of a value whose text is `octets`. The error follows the parameter's name.
fn encode(key: u16, octets: &[u8]) -> Result<Vec<u8>, String> {
    let text = || std::str::from_utf8(octets).map_err(|_| "is not text".to_owned());
    match key {
        MANDATORY => {
            let mut keys = Vec::new();
            for label in text()?.split(',') {
                keys.push(
                    key_of(label)
                        .ok_or_else(|| format!("lists `{}`, which is no key", label.escape_debug()))?,
                );
            }
            keys.sort_unstable();
            if keys.windows(2).any(|pair| pair[0] == pair[1]) {
                return Err("lists a key twice".to_owned());
            }
            Ok(keys.iter().flat_map(|key| key.to_be_bytes()).collect())
        }
        ALPN => {
            let mut wire = Vec::new();
            for id in split_list(octets) {
                wire.push(u8::try_from(id.len()).map_err(|_| "has an identifier above 255 octets")?);
                wire.extend_from_slice(&id);
            }
            Ok(wire)
        }
        PORT => one::<u16>(text()?, "port").map(|port| port.to_be_bytes().to_vec()),
        IPV4HINT => each::<Ipv4Addr, 4>(text()?, "IPv4 address", |address| address.octets()),
        IPV6HINT => each::<Ipv6Addr, 16>(text()?, "IPv6 address", |address| address.octets()),
        TLS_SUPPORTED_GROUPS => each::<u16, 2>(text()?, "group number", u16::to_be_bytes),
        ECH => codec::from_base64(text()?).map_err(|_| "is not base 64".to_owned()),
        _ => Ok(octets.to_vec()),
    }
}

fn one<T: std::str::FromStr>(text: &str, what: &str) -> Result<T, String> {
    // `FromStr` of integers takes a sign, which no list here does.
    let plain = !text.starts_with('+');
    text.parse()
        .ok()
        .filter(|_| plain)
        .ok_or_else(|| format!("has `{}`, which is no {what}", text.escape_debug()))
}

fn each<T: std::str::FromStr, const N: usize>(
    text: &str,
    what: &str,
    octets: impl Fn(T) -> [u8; N],
) -> Result<Vec<u8>, String> {
    let mut wire = Vec::new();
    for item in text.split(',') {
        wire.extend_from_slice(&octets(one(item, what)?));
    }
    Ok(wire)
}

/// Splits at commas; `\,` and `\\` stand for themselves (RFC 9460, appendix A.1).
fn split_list(octets: &[u8]) -> Vec<Vec<u8>> {
    let mut items = vec![Vec::new()];
    let mut bytes = octets.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        let escaped = if byte == b'\\' { bytes.next_if(|next| matches!(next, b',' | b'\\')) } else { None };
        match (escaped.unwrap_or(byte), escaped) {
            (b',', None) => items.push(Vec::new()),
            (literal, _) => {
                if let Some(item) = items.last_mut() {
                    item.push(literal);
                }
            }
        }
    }
    items
}

/// The number of a key: by name, or `keyNNN` without leading zeros.
fn key_of(label: &str) -> Option<u16> {
    if let Some((_, number)) = KEYS.iter().find(|(name, _)| *name == label) {
        return Some(*number);
    }
    let digits = label.strip_prefix("key").filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))?;
    if digits.len() > 1 && digits.starts_with('0') { None } else { digits.parse().ok() }
}

fn name(key: u16) -> String {
    let known = KEYS.iter().find(|(_, number)| *number == key);
    known.map_or_else(|| format!("key{key}"), |(name, _)| (*name).to_owned())
}

fn split_u16(wire: &[u8]) -> Option<(u16, &[u8])> {
    wire.split_first_chunk::<2>().map(|(number, rest)| (u16::from_be_bytes(*number), rest))
}
