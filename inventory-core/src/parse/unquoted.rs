//! Names with dots that lost their quotes: `[host.web1.lab.example.org]` is four nested tables.

use super::field::Spanned;
use super::read::Findings;
use crate::diag::{Finding, Rule};
use crate::toml::{Entry, Kind, Table};

/// Whether a table holds one of `keys`, itself or in the first thing below it.
pub(super) fn looks_like(table: Table<'_, '_>, keys: &[&str]) -> bool {
    table.entries().any(|entry| match entry.value().kind() {
        Kind::Table(nested) => keys.contains(&entry.key()) || looks_like(nested, keys),
        _ => keys.contains(&entry.key()),
    })
}

/// Reports that `what` (a host, a zone) is called `key` and goes on at `entry`; returns the name that
/// was meant.
pub(super) fn report(
    key: Spanned<&str>,
    entry: Entry<'_, '_>,
    what: &str,
    keys: &[&str],
    findings: Findings<'_>,
) -> Box<str> {
    let mut name = format!("{}.{}", key.value, entry.key());
    let mut here = entry.value();
    while let Kind::Table(table) = here.kind() {
        let Some(only) = table
            .entries()
            .next()
            .filter(|next| !keys.contains(&next.key()) && matches!(next.value().kind(), Kind::Table(_)))
        else {
            break;
        };
        name = format!("{name}.{}", only.key());
        here = only.value();
    }
    let kind = what.rsplit(' ').next().unwrap_or(what);
    let message = format!("{what} has no key `{}`; the name `{name}` seems to lack its quotes", entry.key());
    let finding = Finding::new(Rule::UnquotedFqdn, entry.key_span(), message);
    findings.push(finding.help(format!("write a name with dots in quotes: `[{kind}.\"{name}\"]`")));
    name.into()
}
