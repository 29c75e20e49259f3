//! Reading typed values out of the tree: one function per kind of value.
//!
//! Each takes a value and returns `None` after it has reported what is wrong with it.

use super::field::{Field, Spanned};
use crate::diag::{Finding, Rule, did_you_mean};
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

/// Reports a value that `rule` refuses; an empty `help` is none.
pub(super) fn refuse<T>(
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
    let before = findings.len();
    let read = read(value, findings);
    name_key(entry, before, findings);
    Field::from_option(read, value.span())
}

/// Names the key in what was found since there were `before`, where only the value is spoken of: the
/// one-line form shows no source.
pub(super) fn name_key(entry: Entry<'_, '_>, before: usize, findings: Findings<'_>) {
    for finding in findings.iter_mut().skip(before) {
        if [Rule::WrongType, Rule::OutOfBounds].contains(&finding.rule) {
            finding.message = format!("`{}`: {}", entry.key(), finding.message);
        }
    }
}

/// A scalar or a list, each item by `read`. Broken if any item is.
pub(super) fn list<'a, 't, T>(
    entry: Entry<'a, 't>,
    findings: Findings<'_>,
    mut read: impl FnMut(Value<'a, 't>, Findings<'_>) -> Option<T>,
) -> Field<Vec<Spanned<T>>> {
    let value = entry.value();
    let before = findings.len();
    let mut all = Vec::new();
    let mut whole = true;
    let mut take = |item: Value<'a, 't>, findings: Findings<'_>| match read(item, findings) {
        Some(read) => all.push(Spanned { value: read, span: item.span() }),
        None => whole = false,
    };
    match value.kind() {
        Kind::Array(array) => array.items().for_each(|item| take(item, findings)),
        _ => take(value, findings),
    }
    name_key(entry, before, findings);
    Field::from_option(whole.then_some(all), value.span())
}

/// A scalar or a list as [`list`] reads it, but what is refused is only left out, so that the other
/// items are still looked at. Broken if nothing is left.
pub(super) fn good_items<'a, 't, T>(
    entry: Entry<'a, 't>,
    findings: Findings<'_>,
    mut read: impl FnMut(Value<'a, 't>, Findings<'_>) -> Option<T>,
) -> Field<Vec<Spanned<T>>> {
    let mut good = Vec::new();
    let all = list(entry, findings, |item, findings| {
        let span = item.span();
        let value = read(item, findings)?;
        good.push(Spanned { value, span });
        Some(())
    });
    match all {
        Field::Absent => Field::Absent,
        Field::Broken if good.is_empty() => Field::Broken,
        Field::Broken | Field::Set(..) => Field::Set(good, entry.value().span()),
    }
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

/// The table that a key holds.
pub(super) fn table<'a, 't>(entry: Entry<'a, 't>, findings: Findings<'_>) -> Option<Table<'a, 't>> {
    match entry.value().kind() {
        Kind::Table(table) => Some(table),
        _ => {
            let before = findings.len();
            wrong_type::<()>(entry.value(), "a table", findings);
            name_key(entry, before, findings);
            None
        }
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
            return refuse(
                Rule::InvalidDuration,
                value,
                format!("duration `{text}` {error}"),
                HELP,
                findings,
            );
        }
    };
    match u32::try_from(whole) {
        Ok(fits) if (least..=most).contains(&fits) => Some(fits),
        _ => {
            let why = if whole < u64::from(least) {
                format!("duration `{text}` is too short: the least is {}", units::show_duration(least.into()))
            } else {
                format!("duration `{text}` is too long: the most is {most}s")
            };
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
            Err(error) => {
                let binary = format!("write `{}iB`: units are binary", text.trim_end_matches(['b', 'B']));
                let decimal = text.trim_end_matches(['b', 'B']).ends_with(['K', 'M', 'G', 'T']);
                let help = if decimal && text.is_ascii() { &binary } else { HELP };
                refuse(Rule::InvalidSize, value, format!("size `{text}` {error}"), help, findings)
            }
        },
        Kind::Integer(n) => {
            refuse(Rule::InvalidSize, value, format!("size `{n}` has no unit"), HELP, findings)
        }
        _ => wrong_type(value, "a size such as \"8 GiB\"", findings),
    }
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
    if text.contains("://") {
        let why = format!("`{text}` is neither a path nor a URL that firmware can load from");
        let help =
            "write a path relative to the root, or a URL of `http`, `https` or `tftp` where URLs are taken";
        return refuse(Rule::PathOutsideRoot, value, why, help, findings);
    }
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
            let why = if text.is_empty() {
                format!("the {what} is empty")
            } else {
                format!("`{text}` is no {what}")
            };
            refuse(Rule::InvalidIdentifier, value, why, help, findings)
        }
    }
}

fn hex_octet(text: &str) -> Option<u8> {
    let is_pair = text.len() == 2 && text.bytes().all(|b| b.is_ascii_hexdigit());
    is_pair.then(|| u8::from_str_radix(text, 16).ok()).flatten()
}
