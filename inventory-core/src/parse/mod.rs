//! From a file's text to what it declares.
//!
//! Only what one file alone can tell is judged here: keys, types, values. References, merging and
//! conflicts are for [`crate::resolve`] and [`crate::check`].

mod boot;
mod field;
mod host;
mod network;
mod read;
mod site;

pub use boot::BootDecl;
pub use field::{Field, Spanned};
pub use host::{HostDecl, NicDecl};
pub use network::NetworkDecl;
pub(crate) use read::is_url;
pub use site::{SiteDecl, ZoneDecl};

use read::Findings;

use crate::diag::{Finding, Rule};
use crate::span::FileId;
use crate::toml::{self, Entry, Table};

/// What one file declares.
#[derive(Debug, Default)]
pub struct FileDecls {
    /// Everything but hosts.
    pub globals: GlobalDecls,
    /// Hosts in text order.
    pub hosts: Vec<HostDecl>,
}

/// What a file declares that is not hosts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GlobalDecls {
    /// `[site]`, at most one.
    pub site: Option<SiteDecl>,
    /// Zones.
    pub zones: Vec<ZoneDecl>,
    /// Networks.
    pub networks: Vec<NetworkDecl>,
    /// Boot profiles.
    pub boots: Vec<BootDecl>,
    /// Host profiles.
    pub profiles: Vec<HostDecl>,
}

const TABLES: &[&str] = &["site", "zone", "network", "host", "profile", "boot"];

/// Reads one file. What cannot be read is reported and left out.
pub fn parse_file(text: &str, file: FileId, findings: &mut Vec<Finding>) -> FileDecls {
    let before = findings.len();
    let tree = toml::parse(text, file, findings);
    let broken_at: Vec<u32> = findings[before..].iter().map(|finding| finding.span.start).collect();
    let mut decls = FileDecls::default();
    let reported = findings.len();
    for entry in tree.root().entries() {
        read_table(entry, &mut decls, findings);
    }
    if !broken_at.is_empty() {
        drop_consequences(tree.root(), &broken_at, reported, findings);
    }
    decls
}

fn read_table(entry: Entry<'_, '_>, decls: &mut FileDecls, findings: Findings<'_>) {
    if !TABLES.contains(&entry.key()) {
        return read::unknown_key(entry, "the inventory", TABLES, findings);
    }
    let Some(table) = read::table(entry.value(), findings) else {
        return;
    };
    let globals = &mut decls.globals;
    match entry.key() {
        "site" => globals.site = Some(site::read_site(table, findings)),
        "zone" => each(table, findings, |key, table, f| globals.zones.extend(site::read_zone(key, table, f))),
        "network" => {
            each(table, findings, |key, table, f| globals.networks.push(network::read_network(key, table, f)))
        }
        "boot" => each(table, findings, |key, table, f| globals.boots.push(boot::read_boot(key, table, f))),
        "profile" => each(table, findings, |key, table, f| {
            globals.profiles.push(host::read_host(key, table, "a profile", f));
        }),
        _ => {
            each(table, findings, |key, table, f| decls.hosts.push(host::read_host(key, table, "a host", f)))
        }
    }
}

/// Calls `read` with every entry of `table`, each of which must be a table.
fn each<'a, 't>(
    table: Table<'a, 't>,
    findings: Findings<'_>,
    mut read: impl FnMut(Spanned<&'a str>, Table<'a, 't>, Findings<'_>),
) {
    for entry in table.entries() {
        if let Some(inner) = read::table(entry.value(), findings) {
            let key = Spanned { value: entry.key(), span: entry.key_span() };
            if key.value.is_empty() {
                findings.push(Finding::new(Rule::InvalidName, key.span, "the name is empty"));
                continue;
            }
            read(key, inner, findings);
        }
    }
}

/// Removes what a syntax error only made look wrong: a key that seems missing in a table in which
/// the parser had to skip something.
fn drop_consequences(root: Table<'_, '_>, broken_at: &[u32], reported: usize, findings: Findings<'_>) {
    let mut starts: Vec<u32> = Vec::new();
    for kind in root.entries() {
        if let toml::Kind::Table(table) = kind.value().kind() {
            starts.extend(table.entries().map(|entry| entry.key_span().start));
        }
    }
    starts.sort_unstable();
    let region = |at: u32| starts.partition_point(|start| *start <= at);
    let broken: Vec<usize> = broken_at.iter().map(|at| region(*at)).collect();
    let mut index = 0;
    findings.retain(|finding| {
        index += 1;
        index <= reported || finding.rule != Rule::MissingKey || !broken.contains(&region(finding.span.end))
    });
}
