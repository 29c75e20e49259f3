//! `[network.X.match.NAME]`.

use super::addresses;
use super::field::{Field, Spanned};
use super::host::tag;
use super::network::{lease, read_options};
use super::read::{self, Findings, refuse, wrong_type};
use crate::diag::{Finding, Rule};
use crate::model::{ARCHITECTURES, Conditions, Match, Network, Pattern, Range};
use crate::options::Family;
use crate::toml::{Entry, Kind, Table, Value};

pub(super) const KEYS: &[&str] = &[
    "vendor-class",
    "user-class",
    "architecture",
    "relay",
    "circuit-id",
    "remote-id",
    "tag",
    "options",
    "pool",
    "lease",
];

/// `[network.X.match.NAME]` as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchDecl {
    /// What it says.
    pub one: Match,
    /// Addresses for its clients alone.
    pub pool: Field<Vec<Spanned<Range>>>,
}

/// The tables below `match`, in the order of the text.
pub(super) fn read_matches(entry: Entry<'_, '_>, findings: Findings<'_>) -> Vec<MatchDecl> {
    let Some(table) = read::table(entry, findings) else { return Vec::new() };
    let mut matches = Vec::new();
    for entry in table.entries() {
        if let Some(keys) = read::table(entry, findings) {
            matches.push(read_match(entry.key(), keys, findings));
        }
    }
    let most = usize::from(Network::MATCHES_MAX);
    if matches.len() > most {
        let message = format!("a network has at most {most} descriptions of clients");
        let finding = Finding::new(Rule::InvalidChoice, entry.key_span(), message);
        findings.push(finding.help("put clients of several descriptions into one, or split the network"));
        matches.truncate(most);
    }
    matches
}

fn read_match(name: &str, table: Table<'_, '_>, findings: Findings<'_>) -> MatchDecl {
    let before = findings.len();
    let mut pool = Field::Absent;
    let mut one = Match {
        name: name.into(),
        span: table.span(),
        conditions: Conditions::default(),
        options: Box::default(),
        pools: Box::default(),
        lease_seconds: None,
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
            "pool" => {
                conditions -= 1;
                pool = read::list(entry, findings, range);
            }
            "lease" => {
                conditions -= 1;
                one.lease_seconds = read::field(entry, findings, lease).get().copied();
            }
            _ => read::unknown_key(entry, "a `match`", KEYS, findings),
        }
    }
    let mut pools: Vec<Range> = pool.get().into_iter().flatten().map(|range| range.value).collect();
    pools.sort_unstable();
    one.pools = pools.into();
    if findings.len() > before {
        return MatchDecl { one, pool };
    }
    if conditions == 0 {
        let message = format!("`match.{name}` does not say whom it is about");
        let finding = Finding::new(Rule::MissingKey, table.span(), message);
        findings.push(finding.help("what every client is told stands in `options` of the network"));
    } else if one.options.is_empty() && one.pools.is_empty() && one.lease_seconds.is_none() {
        let message = format!("`match.{name}` has none of `options`, `pool` and `lease`");
        findings.push(Finding::new(Rule::MissingKey, table.span(), message));
    }
    MatchDecl { one, pool }
}

/// IPv4 addresses.
fn range(value: Value<'_, '_>, findings: Findings<'_>) -> Option<Range> {
    let range = addresses::range(value, findings)?;
    if range.first().is_ipv4() {
        return Some(range);
    }
    let help = "a `match` is about DHCPv4; IPv6 addresses stand in `pool` of the network";
    refuse(Rule::InvalidRange, value, "these are IPv6 addresses", help, findings)
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

#[cfg(test)]
mod tests {
    /// Codes of what is wrong with a network of this many descriptions of clients.
    fn judged(count: usize) -> Vec<String> {
        let site = "[site]\nnameservers = [\"ns.example.net\"]\n[network.n]\nipv4 = \"10.0.0.0/24\"\n";
        let one = |n| format!("[network.n.match.m{n}]\nvendor-class = \"{n}\"\nlease = \"1h\"\n");
        let text: String = std::iter::once(site.to_owned()).chain((0..count).map(one)).collect();
        let wrong = crate::load_texts(&[("a.toml", &text)]).err().unwrap_or_default();
        wrong.into_iter().map(|one| one.code).collect()
    }

    #[test]
    fn a_network_has_as_many_descriptions_as_can_be_told_apart() {
        assert_eq!(judged(255), Vec::<String>::new());
        assert_eq!(judged(256), ["HB017"]);
    }
}
