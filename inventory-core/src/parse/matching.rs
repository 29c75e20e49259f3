//! `[network.X.match.NAME]`.

use super::addresses;
use super::field::Field;
use super::host::tag;
use super::network::read_options;
use super::read::{self, Findings, refuse, wrong_type};
use crate::diag::{Finding, Rule};
use crate::model::{ARCHITECTURES, Conditions, Match, Pattern};
use crate::options::Family;
use crate::toml::{Entry, Kind, Table, Value};

pub(super) const KEYS: &[&str] =
    &["vendor-class", "user-class", "architecture", "relay", "circuit-id", "remote-id", "tag", "options"];

/// The tables below `match`, in the order of the text.
pub(super) fn read_matches(entry: Entry<'_, '_>, findings: Findings<'_>) -> Vec<Match> {
    let Some(table) = read::table(entry, findings) else { return Vec::new() };
    let mut matches = Vec::new();
    for entry in table.entries() {
        if let Some(keys) = read::table(entry, findings) {
            matches.push(read_match(entry.key(), keys, findings));
        }
    }
    matches
}

fn read_match(name: &str, table: Table<'_, '_>, findings: Findings<'_>) -> Match {
    let before = findings.len();
    let mut one = Match {
        name: name.into(),
        span: table.span(),
        conditions: Conditions::default(),
        options: Box::default(),
    };
    let mut conditions = 0;
    for entry in table.entries() {
        let when = &mut one.conditions;
        conditions += 1;
        match entry.key() {
            "vendor-class" => when.vendor_class = items(entry, findings, pattern),
            "user-class" => when.user_class = items(entry, findings, pattern),
            "architecture" => when.architecture = items(entry, findings, architecture).concat().into(),
            "relay" => when.relay = items(entry, findings, addresses::ipv4),
            "circuit-id" => when.circuit_id = items(entry, findings, pattern),
            "remote-id" => when.remote_id = items(entry, findings, pattern),
            "tag" => when.tags = items(entry, findings, tag),
            "options" => {
                conditions -= 1;
                one.options = read_options(Family::V4, entry, findings).into();
            }
            _ => read::unknown_key(entry, "a `match`", KEYS, findings),
        }
    }
    if findings.len() > before {
        return one;
    }
    if conditions == 0 {
        let message = format!("`match.{name}` does not say whom it is about");
        let finding = Finding::new(Rule::MissingKey, table.span(), message);
        findings.push(finding.help("what every client is told stands in `options` of the network"));
    } else if one.options.is_empty() {
        let message = format!("`match.{name}` has no `options`");
        findings.push(Finding::new(Rule::MissingKey, table.span(), message));
    }
    one
}

fn items<'a, 't, T>(
    entry: Entry<'a, 't>,
    findings: Findings<'_>,
    one: impl FnMut(Value<'a, 't>, Findings<'_>) -> Option<T>,
) -> Box<[T]> {
    match read::list(entry, findings, one) {
        Field::Set(items, _) if items.is_empty() => {
            let message = format!("`{}` is an empty list, which nobody answers to", entry.key());
            findings.push(Finding::new(Rule::InvalidChoice, entry.value().span(), message));
            Box::default()
        }
        Field::Set(items, _) => items.into_iter().map(|item| item.value).collect(),
        Field::Absent | Field::Broken => Box::default(),
    }
}

/// A text, with `*` at its end for anything that may follow; or octets as `0x…`.
fn pattern(value: Value<'_, '_>, findings: Findings<'_>) -> Option<Pattern> {
    let text = read::string(value, findings)?;
    let (text, is_prefix) = text.strip_suffix('*').map_or((text, false), |prefix| (prefix, true));
    if text.is_empty() || text.contains('*') {
        let help =
            "write a text such as `\"PXEClient*\"`: `*` stands at the end, for anything that may follow";
        return refuse(Rule::InvalidChoice, value, "this is no text to compare with", help, findings);
    }
    let octets = match text.strip_prefix("0x") {
        Some(_) if !is_prefix => read::octets(value, "text or octets to compare with", findings)?,
        _ => text.as_bytes().into(),
    };
    Some(Pattern { octets, is_prefix })
}

/// A word of the table, or a number of option 93.
fn architecture(value: Value<'_, '_>, findings: Findings<'_>) -> Option<Vec<u16>> {
    match value.kind() {
        Kind::Integer(_) => {
            let number = read::number(value, 0, u16::MAX.into(), findings)?;
            Some(vec![u16::try_from(number).ok()?])
        }
        Kind::String(_) => read::choice(value, ARCHITECTURES, findings).map(<[u16]>::to_vec),
        _ => wrong_type(value, "a word such as \"uefi-x64\", or a number", findings),
    }
}
