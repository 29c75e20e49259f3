//! From a file's text to what it declares.
//!
//! Only what one file alone can tell is judged here: keys, types, values. References, merging and
//! conflicts are for [`crate::resolve`] and [`crate::check`].

mod addresses;
mod boot;
mod field;
mod host;
mod matching;
mod network;
mod port;
mod ra;
mod read;
mod services;
mod site;
mod ssh;
mod sshfp;
mod transfer;
mod unquoted;
mod updates;

pub use boot::BootDecl;
pub use field::{Field, Spanned};
pub use host::{HostDecl, NicDecl};
pub use matching::MatchDecl;
pub use network::{DhcpDecl, NetworkDecl, UnknownDecl};
pub(crate) use read::is_url;
pub use services::ServiceDecl;
pub use site::{SiteDecl, ZoneDecl};
pub use transfer::{KeyDecl, SecondaryDecl};
pub use updates::UpdatesDecl;

use read::Findings;

use crate::diag::{Finding, Rule, did_you_mean};
use crate::span::FileId;
use crate::toml::{self, Entry, Table};

/// What one file declares.
#[derive(Debug, Default)]
pub struct FileDecls {
    /// Everything but hosts.
    pub globals: GlobalDecls,
    /// Hosts in text order.
    pub hosts: Vec<HostDecl>,
    /// Names of things that are declared and cannot be read at all: references to them are not wrong.
    pub refused: Vec<Box<str>>,
}

/// What a file declares that is not hosts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GlobalDecls {
    /// `[site]`, at most one.
    pub site: Option<SiteDecl>,
    /// Whether there is a table that seems to be a misspelt `[site]`.
    pub lost_site: bool,
    /// Zones.
    pub zones: Vec<ZoneDecl>,
    /// Networks.
    pub networks: Vec<NetworkDecl>,
    /// Boot profiles.
    pub boots: Vec<BootDecl>,
    /// Keys of transaction signatures.
    pub keys: Vec<KeyDecl>,
    /// Host profiles.
    pub profiles: Vec<HostDecl>,
}

const TABLES: &[&str] = &["site", "zone", "network", "host", "profile", "boot", "key"];

/// The keys of each kind of table, as the reference lists them. A profile has those of a host.
pub const KEYS: &[(&str, &[&str])] = &[
    ("site", site::SITE_KEYS),
    ("zone", site::ZONE_KEYS),
    ("network", network::KEYS),
    ("ra", ra::KEYS),
    ("match", matching::KEYS),
    ("host", host::HOST_KEYS),
    ("nic", host::NIC_KEYS),
    ("boot", boot::KEYS),
    ("key", transfer::KEY_KEYS),
    ("secondary", transfer::SECONDARY_KEYS),
    ("updates", updates::KEYS),
    ("service", services::KEYS),
];

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
        let broken = BrokenParts::new(tree.root(), &broken_at);
        broken.drop_missing_keys(reported, findings);
        broken.mark(&mut decls);
    }
    decls
}

fn read_table(entry: Entry<'_, '_>, decls: &mut FileDecls, findings: Findings<'_>) {
    if !TABLES.contains(&entry.key()) {
        decls.globals.lost_site |= did_you_mean(entry.key(), ["site"]).is_some();
        if let toml::Kind::Table(table) = entry.value().kind() {
            // `[networks.servers]`: nobody is told that the network `servers` is not defined.
            decls.refused.extend(table.entries().map(|inner| Box::from(inner.key())));
        }
        return read::unknown_key(entry, "the inventory", TABLES, findings);
    }
    let Some(table) = read::table(entry, findings) else {
        return;
    };
    let FileDecls { globals, hosts, refused } = decls;
    match entry.key() {
        "site" => globals.site = Some(site::read_site(table, entry.key_span(), findings)),
        "zone" => each(table, refused, findings, |key, table, f| {
            globals.zones.push(site::read_zone(key, table, f)?);
            Ok(())
        }),
        "network" => each(table, refused, findings, |key, table, f| {
            globals.networks.push(network::read_network(key, table, f));
            Ok(())
        }),
        "boot" => each(table, refused, findings, |key, table, f| {
            globals.boots.push(boot::read_boot(key, table, f));
            Ok(())
        }),
        "key" => each(table, refused, findings, |key, table, f| {
            globals.keys.push(transfer::read_key(key, table, f)?);
            Ok(())
        }),
        "profile" => each(table, refused, findings, |key, table, f| {
            globals.profiles.push(host::read_host(key, table, "a profile", f)?);
            Ok(())
        }),
        _ => each(table, refused, findings, |key, table, f| {
            hosts.push(host::read_host(key, table, "a host", f)?);
            Ok(())
        }),
    }
}

/// The name of a thing that was reported and is not there for anybody.
type Refused = Box<str>;

/// Calls `read` with every entry of `table`, each of which must be a table.
fn each<'a, 't>(
    table: Table<'a, 't>,
    refused: &mut Vec<Box<str>>,
    findings: Findings<'_>,
    mut read: impl FnMut(Spanned<&'a str>, Table<'a, 't>, Findings<'_>) -> Result<(), Refused>,
) {
    for entry in table.entries() {
        let Some(inner) = read::table(entry, findings) else {
            refused.push(entry.key().into());
            continue;
        };
        let key = Spanned { value: entry.key(), span: entry.key_span() };
        if key.value.is_empty() {
            findings
                .push(Finding::new(Rule::InvalidName, key.span, "the name is empty").help("give it a name"));
            continue;
        }
        refused.extend(read(key, inner, findings).err());
    }
}

/// The things in whose tables the parser had to skip something: a key that seems missing there may
/// stand in what was skipped.
struct BrokenParts {
    /// Where each thing starts.
    starts: Vec<u32>,
    /// The broken ones, by their place in `starts`.
    broken: Vec<usize>,
}

impl BrokenParts {
    fn new(root: Table<'_, '_>, broken_at: &[u32]) -> BrokenParts {
        let mut starts: Vec<u32> = Vec::new();
        for kind in root.entries() {
            match kind.value().kind() {
                toml::Kind::Table(table) if kind.key() != "site" => {
                    starts.extend(table.entries().map(|entry| entry.key_span().start));
                }
                _ => starts.push(kind.key_span().start),
            }
        }
        starts.sort_unstable();
        let mut parts = BrokenParts { starts, broken: Vec::new() };
        parts.broken = broken_at.iter().map(|at| parts.part(*at)).collect();
        parts
    }

    fn part(&self, at: u32) -> usize {
        self.starts.partition_point(|start| *start <= at)
    }

    fn is_broken(&self, at: u32) -> bool {
        self.broken.contains(&self.part(at))
    }

    fn drop_missing_keys(&self, reported: usize, findings: Findings<'_>) {
        let mut index = 0;
        findings.retain(|finding| {
            index += 1;
            index <= reported || finding.rule != Rule::MissingKey || !self.is_broken(finding.span.end)
        });
    }

    fn mark(&self, decls: &mut FileDecls) {
        let globals = &mut decls.globals;
        if let Some(site) = &mut globals.site {
            site.vague |= self.is_broken(site.key_span.start);
        }
        for zone in &mut globals.zones {
            zone.vague |= self.is_broken(zone.key_span.start);
        }
        for network in &mut globals.networks {
            network.vague |= self.is_broken(network.key_span.start);
        }
        for host in globals.profiles.iter_mut().chain(&mut decls.hosts) {
            host.vague |= self.is_broken(host.key.span.start);
        }
    }
}
