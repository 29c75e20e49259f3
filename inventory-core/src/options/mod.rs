//! DHCP options, by IANA name or number.
//!
//! `options = { ntp-servers = ["10.20.0.3"], 224 = "0a:00:ff" }`: one published table says what each
//! option is called, what it takes and how that goes on the wire. Decides what an operator's table
//! means; never which client gets which option.
//!
//! An option that takes a list may have its only item written alone.
//!
//! *Octets* (for numbers that are not in the table, and for options of odd form) are written as
//! strings that say what they hold. In a list, the items follow each other without anything between.
//!
//! | written | octets |
//! | --- | --- |
//! | `"0a:00:ff"`, `"0x0a00ff"` | these; a single one is `"0x0a"` |
//! | `"text:Hello"` | the text in UTF-8 |
//! | `"ip:10.20.0.3"`, `"ip:2001:db8::3"` | the address |
//! | `"u8:5"`, `"u16:5"`, `"u32:5"` | the number in 1, 2 or 4 octets |
//! | `"name:lab.example.org"` | the domain name in wire form |
//!
//! There is no form without a mark: `"10"` could be text, a number or an octet. The form `"0x…"` is
//! taken by every option that does not take text, in place of its own; nothing but its syntax is
//! checked then.
//!
//! `vendor-encapsulated-options = { 1 = "ip:10.20.0.3" }` and, one level deeper under the enterprise
//! number, `vivso-suboptions` (DHCPv4) and `vendor-opts` (DHCPv6) take tables of suboptions.

mod addresses;
mod def;
mod domains;
mod encode;
mod kind;
mod octets;
mod scalars;
mod suboptions;
mod v4;
mod v6;
mod words;

pub use def::{Family, OptionDef, by_code, by_name, table};
pub use encode::encode;
pub use kind::{Integer, OptionKind};

use crate::diag::{Finding, Rule, did_you_mean};
use crate::span::Span;
use crate::toml::{Entry, Table};

/// One option as it goes on the wire: whole data; RFC 3396 splitting is the sender's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DhcpOption {
    /// Option code.
    pub code: u16,
    /// Whole data.
    pub data: Box<[u8]>,
}

/// Longest data of one option, in octets.
///
/// 1500 octets of Ethernet hold 1232 of DHCPv4 options behind the headers; what every reply needs
/// and the headers of RFC 3396 take the rest. Longer ones would never be sent.
pub const OPTION_OCTETS_MAX: usize = 1_200;

/// Reads a table of options.
///
/// Returns those that are right, by code. A code stands several times only where the protocol wants
/// one option per value (`ntp-server` and `vendor-opts` of DHCPv6); then in the order of the text.
/// Mistakes go to `findings`: [`UnknownOption`](Rule::UnknownOption),
/// [`InvalidOption`](Rule::InvalidOption), and [`DefinedTwice`](Rule::DefinedTwice) for an option
/// under two names.
pub fn read_options(family: Family, table: Table<'_, '_>, findings: &mut Vec<Finding>) -> Vec<DhcpOption> {
    let mut options = Vec::new();
    let mut seen: Vec<(u16, &str, Span)> = Vec::new();
    for entry in table.entries() {
        let Some((code, def)) = key(family, entry, findings) else {
            continue;
        };
        if let Some((_, first, span)) = seen.iter().find(|(other, ..)| *other == code) {
            let message = format!("`{}` is option {code}, which stands here twice", entry.key());
            let finding = Finding::new(Rule::DefinedTwice, entry.key_span(), message);
            findings
                .push(finding.other(*span, format!("also here, as `{first}`")).help("delete one of them"));
            continue;
        }
        seen.push((code, entry.key(), entry.key_span()));
        options.extend(encode(code, def, entry.value(), findings));
    }
    options.sort_by_key(|option: &DhcpOption| option.code);
    options
}

/// The option that a key names; `None` if there is none or it cannot be written, which is reported.
fn key(
    family: Family,
    entry: Entry<'_, '_>,
    findings: &mut Vec<Finding>,
) -> Option<(u16, Option<&'static OptionDef>)> {
    let name = entry.key();
    let def = match number(name) {
        None => by_name(family, name),
        Some(code) if (1..=u64::from(family.code_max())).contains(&code) => {
            let code = u16::try_from(code).ok()?;
            match by_code(family, code) {
                None => return Some((code, None)),
                def => def,
            }
        }
        Some(_) => {
            let message = format!("{} has no option `{name}`", family.name());
            let finding = Finding::new(Rule::UnknownOption, entry.key_span(), message);
            findings.push(finding.help(format!("its options have the numbers 1 to {}", family.code_max())));
            return None;
        }
    };
    let Some(def) = def else {
        findings.push(unknown(family, entry));
        return None;
    };
    if let Some(why) = def.reserved {
        let message = format!("option `{}` ({}) cannot be written here: {why}", def.name, def.code);
        findings.push(Finding::new(Rule::InvalidOption, entry.key_span(), message));
        return None;
    }
    Some((def.code, Some(def)))
}

/// The number of the option that a key names, by name or number; `None` if there is none.
pub fn code_of(family: Family, key: &str) -> Option<u16> {
    match number(key) {
        Some(code) => u16::try_from(code).ok(),
        None => by_name(family, key).map(|def| def.code),
    }
}

/// A key of digits, without a sign or leading zeros.
fn number(key: &str) -> Option<u64> {
    let plain =
        key.bytes().all(|b| b.is_ascii_digit()) && !key.is_empty() && (key == "0" || !key.starts_with('0'));
    plain.then(|| key.parse().unwrap_or(u64::MAX))
}

fn unknown(family: Family, entry: Entry<'_, '_>) -> Finding {
    let name = entry.key();
    let finding = Finding::new(
        Rule::UnknownOption,
        entry.key_span(),
        format!("{} has no option `{name}`", family.name()),
    );
    let words = table(family).iter().filter(|def| def.reserved.is_none());
    let names = words.flat_map(|def| std::iter::once(def.name).chain(def.also.iter().copied()));
    let (other, table_key) = match family {
        Family::V4 => (Family::V6, "options6"),
        Family::V6 => (Family::V4, "options"),
    };
    let near = did_you_mean(name, names);
    let elsewhere = by_name(other, name);
    let finding = match near {
        Some(near) => finding.label(format!("did you mean `{near}`?")),
        None => finding,
    };
    match elsewhere {
        Some(def) => finding.help(format!(
            "it is option {} of {}, which is written under `{table_key}`",
            def.code,
            other.name()
        )),
        None if near.is_some() => finding,
        None => finding.help(
            "options are named as in the reference, or by number with their octets: `224 = \"0a:00:ff\"`",
        ),
    }
}

#[cfg(test)]
mod tests;
